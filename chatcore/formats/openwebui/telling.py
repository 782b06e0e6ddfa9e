"""Messages of Open WebUI: role, model, tokens, how it ended, and the vote on it."""

from collections.abc import Mapping

from chatcore.formats.openwebui.contents import parts_of
from chatcore.formats.pieces import feedback_of, role_of
from chatcore.formats.values import fields, ident, integer, rest, text_in, time_us
from chatcore.incoming import IncomingMessage
from chatcore.messages import Feedback, Status, Usage

__all__ = ["message_of", "vote_of"]

_KNOWN = frozenset(
    {
        "annotation",
        "childrenIds",
        "content",
        "done",
        "error",
        "files",
        "id",
        "lastSentence",
        "model",
        "output",
    }
    | {"parentId", "role", "timestamp", "usage"}
)
"""`lastSentence` repeats what is said."""

_KNOWN_VOTE = frozenset({"rating", "reason", "comment"})
_ASKED = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_SAID = ("completion_tokens", "output_tokens", "eval_count")
_KNOWN_USAGE = frozenset({*_ASKED, *_SAID, "total_tokens"})


def message_of(
    value: Mapping[str, object], message_id: str | None, parent: str | None, vote: Mapping[str, object] | None
) -> IncomingMessage:
    """A message.

    Args:
        value: As it stands in the file.
        message_id: The id under which it stands there.
        parent: Id of the message above.
        vote: What a record of the feedback export says of it; None: the message itself may say it.
    """
    role = role_of(value.get("role"))
    raw = rest(value, _KNOWN)
    if role is None:
        raw["role"] = value.get("role")
        role = "assistant" if value.get("model") else "user"
    if raw.get("modelName") == value.get("model"):
        raw.pop("modelName", None)
    is_answer = role == "assistant"
    feedback, left = vote_of(fields(value.get("annotation")) if vote is None else vote)
    if left:
        raw["annotation"] = left
    parts = parts_of(value, role, raw)
    status, reason = _ending(value) if is_answer else ("complete", None)
    return IncomingMessage(
        role=role,
        parts=parts,
        id=message_id,
        parent=parent,
        created_at_us=time_us(value.get("timestamp")),
        model=ident(value.get("model")) if is_answer else None,
        status=status,
        reason=reason,
        usage=_usage(fields(value.get("usage")), raw) if is_answer else None,
        feedback=feedback,
        raw=raw or None,
    )


def vote_of(vote: Mapping[str, object]) -> tuple[Feedback | None, Mapping[str, object]]:
    """The vote, and what else is said with it (a rating from 1 to 10, tags, models that were beside it)."""
    feedback = feedback_of(vote.get("rating"), vote.get("comment"), vote.get("reason"))
    return feedback, rest(vote, _KNOWN_VOTE if feedback is not None else frozenset())


def _ending(value: Mapping[str, object]) -> tuple[Status, str | None]:
    if error := value.get("error"):
        told = None if error is True else text_in(fields(error).get("message")) or text_in(error)
        return "failed", told or "Its source says that it failed."
    if value.get("done") is False:
        return "interrupted", "It was still being written when it was exported."
    return "complete", None


def _usage(usage: Mapping[str, object], raw: dict[str, object]) -> Usage | None:
    if more := rest(usage, _KNOWN_USAGE):
        raw["usage"] = more
    asked, said = (
        next((count for name in names if (count := integer(usage.get(name))) is not None), None)
        for names in (_ASKED, _SAID)
    )
    return None if asked is None and said is None else Usage(prompt_tokens=asked, completion_tokens=said)
