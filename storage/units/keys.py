"""Idempotency: a key makes one thing, however often its command comes."""

from hashlib import sha256

import msgspec

from chatcore.commands import AnswerMessage, CreateConversation, PostMessage, SendMessage
from chatcore.errors import IdempotencyConflict
from storage.rows import Keyed, Made, Rows

__all__ = ["key_of", "made_before"]

Keyable = AnswerMessage | CreateConversation | PostMessage | SendMessage

# What each command is called in digests. They are stored: never derive them from a Python name.
_NAMES: dict[type[Keyable], str] = {
    AnswerMessage: "answer_message",
    CreateConversation: "create_conversation",
    PostMessage: "post_message",
    SendMessage: "send_message",
}
# Differ between two tries of the same call: the text so far, the process, its limits
_NOT_CONTENT = frozenset({"key", "run", "ends"})

_FIELDS = {
    kind: tuple(field for field in kind.__struct_fields__ if field not in _NOT_CONTENT) for kind in _NAMES
}
_encoder = msgspec.json.Encoder(order="deterministic")


def key_of(command: Keyable) -> Keyed | None:
    """The command's key with a digest of its content; None when it came without."""
    if command.key is None:
        return None
    kind = type(command)
    content = {field: getattr(command, field) for field in _FIELDS[kind]}
    given = {field: value for field, value in content.items() if value is not msgspec.UNSET}
    return Keyed(command.key, sha256(_encoder.encode([_NAMES[kind], given])).digest())


def made_before(rows: Rows, user: str, keyed: Keyed | None) -> Made | None:
    """What the same command with this key has made; None: it was never used.

    Raises:
        IdempotencyConflict: The key was used for other content.
    """
    if keyed is None:
        return None
    made = rows.made(user, keyed.key)
    if made is not None and made.digest != keyed.digest:
        raise IdempotencyConflict("This key was used before, for something else.", key=keyed.key)
    return made
