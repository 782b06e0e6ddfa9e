"""Calls about whole conversations."""

from starlette.responses import Response

from chatcore.errors import InvalidInput
from frontends.http_api import bodies
from frontends.http_api.calls import Call, reply

__all__ = [
    "change",
    "create",
    "delete",
    "list_page",
    "move_head",
    "page",
    "post",
    "read",
    "send",
    "stop",
    "undelete",
    "undo",
]


async def list_page(call: Call) -> Response:
    """A page of the user's list."""
    page = await call.engine.conversations(
        archived=call.flag("archived") or False,
        pinned=call.flag("pinned"),
        after=call.text("after"),
        limit=call.number("limit", 50),
        user=call.user,
    )
    return reply(
        bodies.ListPage(
            user=call.user,
            conversations=page.conversations,
            next=page.next,
            list_seq=page.list_seq,
            first_words=page.first_words,
            cursor=call.engine.list_cursor(page),
        )
    )


async def create(call: Call) -> Response:
    """A new conversation."""
    body = await call.body(bodies.Create)
    made = await call.engine.create(body.title, body.settings, key=call.key, user=call.user)
    return reply(made, 201)


async def read(call: Call) -> Response:
    """The conversation."""
    return reply(await call.engine.conversation(call.id, user=call.user))


async def change(call: Call) -> Response:
    """The conversation with what was given changed."""
    body = await call.body(bodies.Change)
    if body == bodies.Change():
        raise InvalidInput("Nothing was given that is to be changed.")
    changed = await call.engine.change(
        call.id,
        title=body.title,
        pinned=body.pinned,
        archived=body.archived,
        settings=body.settings,
        user=call.user,
    )
    return reply(changed)


async def delete(call: Call) -> Response:
    """The conversation, marked as deleted."""
    return reply(await call.engine.delete(call.id, user=call.user))


async def undelete(call: Call) -> Response:
    """The conversation, back again."""
    return reply(await call.engine.undelete(call.id, user=call.user))


async def move_head(call: Call) -> Response:
    """The conversation with another path shown."""
    body = await call.body(bodies.Move)
    moved = await call.engine.move_head(
        call.id, body.message_id, expected_head=body.expected_head, user=call.user
    )
    return reply(moved)


async def undo(call: Call) -> Response:
    """The conversation without its last exchange in view."""
    return reply(await call.engine.undo(call.id, user=call.user))


async def stop(call: Call) -> Response:
    """Nothing, once the running answer has ended."""
    await call.engine.stop(call.id, user=call.user)
    return reply(bodies.Done())


async def page(call: Call) -> Response:
    """Messages of the visible path."""
    found = await call.engine.page(
        call.id,
        before=call.text("before"),
        around=call.text("around"),
        limit=call.number("limit", 100),
        user=call.user,
    )
    return reply(found)


async def send(call: Call) -> Response:
    """The question, and the answer that was begun."""
    async with call.form(bodies.Send) as (body, files):
        sent = await call.engine.send(
            call.id,
            body.text,
            files or (),
            parent=body.parent,
            expected_head=body.expected_head,
            policy=body.policy,
            key=call.key,
            user=call.user,
        )
    return reply(sent, 200 if sent.repeated else 201)


async def post(call: Call) -> Response:
    """The message that was stored; nobody was asked."""
    async with call.form(bodies.Post) as (body, files):
        message = await call.engine.post(
            call.id,
            body.text,
            files or (),
            role=body.role,
            parent=body.parent,
            expected_head=body.expected_head,
            key=call.key,
            user=call.user,
        )
    return reply(message, 201)
