"""Calls about single messages."""

from starlette.responses import Response

from chatcore.errors import LimitExceeded
from frontends.http_api import bodies
from frontends.http_api.calls import Call, reply

__all__ = ["continue_answer", "edit", "rate", "read", "regenerate", "unrate"]

_MAX_REASONS = 50


async def read(call: Call) -> Response:
    """The message; with what was said so far while it is being answered."""
    return reply(await call.engine.message(call.id, user=call.user))


async def edit(call: Call) -> Response:
    """The question in other words, and the answer that was begun."""
    async with call.form(bodies.Edit) as (body, came):
        files = came or (None if body.keep_files else ())
        sent = await call.engine.edit(
            call.id, body.text, files, policy=body.policy, key=call.key, user=call.user
        )
    return reply(sent, 200 if sent.repeated else 201)


async def regenerate(call: Call) -> Response:
    """A further answer, begun."""
    body = await call.body(bodies.Answer)
    sent = await call.engine.regenerate(call.id, policy=body.policy, key=call.key, user=call.user)
    return reply(sent, 200 if sent.repeated else 201)


async def continue_answer(call: Call) -> Response:
    """The answer that goes on from this one, begun."""
    body = await call.body(bodies.Answer)
    sent = await call.engine.continue_answer(call.id, policy=body.policy, key=call.key, user=call.user)
    return reply(sent, 200 if sent.repeated else 201)


async def rate(call: Call) -> Response:
    """The feedback as it is now: null when it was taken back."""
    body = await call.body(bodies.Rate)
    if (given := len(body.reasons)) > _MAX_REASONS:
        sentence = f"Number of reasons: {given:,} is more than the limit of {_MAX_REASONS}."
        raise LimitExceeded(sentence, limit=_MAX_REASONS, given=given)
    feedback = await call.engine.rate(
        call.id, body.rating, comment=body.comment, reasons=body.reasons, user=call.user
    )
    return reply(bodies.Rated(feedback))


async def unrate(call: Call) -> Response:
    """Null: the feedback was taken back."""
    return reply(bodies.Rated(await call.engine.rate(call.id, None, user=call.user)))
