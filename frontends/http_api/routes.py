"""The table of routes, below ``/api``."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from chatcore.errors import ChatcoreError
from frontends.http_api import (
    bodies,
    conversations,
    exports,
    files,
    intake,
    messages,
    owner,
    searching,
    statistics,
)
from frontends.http_api.calls import Call, reply
from frontends.http_api.errors import handle_chatcore_error, handle_http_exception, handle_unexpected
from frontends.http_api.stream import EventStream, Timing
from frontends.site import Site

__all__ = ["ROUTES", "Handler", "make_api"]

Handler = Callable[[Call], Awaitable[Response]]


async def health(call: Call) -> Response:
    """Who is asked, what can answer, and what is too much."""
    engine = call.engine
    responders = tuple(
        bodies.ResponderInfo(
            name=name,
            model=responder.model,
            context_tokens=responder.context_tokens,
            can_continue=responder.can_continue,
        )
        for name, responder in engine.responders.items()
    )
    return reply(
        bodies.Health(
            title=call.site.title,
            model=call.site.model,
            owner=engine.owner,
            epoch=engine.epoch,
            responders=responders,
            default_responder=engine.default_responder,
            limits=engine.limits,
        )
    )


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/health", health),
    ("GET", "/conversations", conversations.list_page),
    ("POST", "/conversations", conversations.create),
    ("GET", "/conversations/{id}", conversations.read),
    ("PATCH", "/conversations/{id}", conversations.change),
    ("DELETE", "/conversations/{id}", conversations.delete),
    ("POST", "/conversations/{id}/undelete", conversations.undelete),
    ("POST", "/conversations/{id}/head", conversations.move_head),
    ("POST", "/conversations/{id}/undo", conversations.undo),
    ("POST", "/conversations/{id}/stop", conversations.stop),
    ("GET", "/conversations/{id}/messages", conversations.page),
    ("POST", "/conversations/{id}/messages", conversations.send),
    ("POST", "/conversations/{id}/posts", conversations.post),
    ("GET", "/conversations/{id}/export", exports.conversation),
    ("GET", "/messages/{id}", messages.read),
    ("POST", "/messages/{id}/edit", messages.edit),
    ("POST", "/messages/{id}/regenerate", messages.regenerate),
    ("POST", "/messages/{id}/continue", messages.continue_answer),
    ("PUT", "/messages/{id}/feedback", messages.rate),
    ("DELETE", "/messages/{id}/feedback", messages.unrate),
    ("GET", "/messages/{id}/files/{index}", files.read),
    ("GET", "/search", searching.search),
    ("GET", "/export", exports.all_of_them),
    ("GET", "/statistics", statistics.read),
    ("POST", "/owner/check", owner.check),
    ("POST", "/owner/backup", owner.backup),
    ("POST", "/owner/purge", owner.purge),
    ("POST", "/owner/collect", owner.collect),
    ("POST", "/owner/reindex", searching.reindex),
    ("GET", "/owner/files/{id}/{index}", owner.file),
    ("POST", "/owner/trees", exports.trees),
    ("POST", "/owner/ingest", intake.batch),
    ("POST", "/owner/ingest/files", intake.file),
)
"""Method, path, and what answers. ``GET /events`` is beside it: it answers without an end."""


def make_api(site: Site, timing: Timing = Timing()) -> Starlette:
    """All routes as an app of its own, so that its errors are answered in one way."""

    def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await handler(Call(request, site))

        return answer

    routes = [Route(path, endpoint(handler), methods=[method]) for method, path, handler in ROUTES]
    events = EventStream(site, timing)
    api = Starlette(
        routes=[*routes, Route("/events", events, methods=["GET"]), WebSocketRoute("/events", events)],
        exception_handlers={
            ChatcoreError: handle_chatcore_error,
            HTTPException: handle_http_exception,
            Exception: handle_unexpected,
        },
    )
    api.router.redirect_slashes = False  # a path with a slash too many is no route: nothing is sent elsewhere
    return api
