"""The chat in a browser, made of Gradio components: `mount` puts it into a server's app.

Gradio draws (markdown, code, formulas, files, the composer) and takes uploads; `static/` holds our own
JavaScript, which follows the event stream of `frontends.http_api` and tells Gradio's components what to draw;
`endpoints` are the named endpoints for `gradio_client`.
"""

import os

from starlette.applications import Starlette

from frontends.site import Site

__all__ = ["frontend", "mount"]


def mount(app: Starlette, site: Site) -> None:
    """Put the page at ``/`` of the app, whose further routes must be there already: it answers all others.

    Its JavaScript asks the routes of `frontends.http_api` under ``/api``, so that must be mounted as well.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported
    from frontends.gradio_web.mounting import mount_page  # seconds: only where a page is served

    mount_page(app, site)


frontend = mount
