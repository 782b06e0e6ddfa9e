"""HTTP and JSON for programs: routes below ``/api``, events by SSE, and a client for the owner's socket."""

from starlette.applications import Starlette

from frontends.headers import SafeHeaders
from frontends.http_api.routes import make_api
from frontends.site import Site

__all__ = ["frontend", "mount"]


def mount(app: Starlette, site: Site) -> None:
    """Put the routes below ``/api``."""
    app.mount("/api", SafeHeaders(make_api(site)))


frontend = mount
