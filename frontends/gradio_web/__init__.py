"""The chat in a browser, made of Gradio components: as a page of its own (`frontend`) or inside of yours.

Gradio draws (markdown, code, formulas, files, the composer) and takes uploads; `static/` holds our own
JavaScript, which follows the event stream of `frontends.http_api` and tells Gradio's components what to draw;
`endpoints` are the named endpoints for `gradio_client`.
"""

from starlette.applications import Starlette

from frontends.gradio_web.chat import Answers, Chat, mount
from frontends.gradio_web.mounting import PageOptions, mount_page
from frontends.gradio_web.options import LaunchOptions
from frontends.gradio_web.running import Running
from frontends.site import Site

__all__ = ["Answers", "Chat", "LaunchOptions", "PageOptions", "Running", "frontend", "mount"]


def frontend(app: Starlette, site: Site) -> None:
    """Put the page at ``/`` of the app, whose further routes must be there already: it answers all others.

    Its JavaScript asks the routes of `frontends.http_api` under ``/api``, so that must be mounted as well.
    """
    mount_page(app, site)
