"""Small trees, written by hand: a line for each message."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from chatcore.formats.format import WriteFormat, WriteOptions
from chatcore.messages import (
    Conversation,
    Feedback,
    Message,
    Part,
    Rating,
    Role,
    Settings,
    Status,
    Text,
)
from chatcore.views import MessageFeedback, Node, Tree

__all__ = ["lines", "node", "said", "text", "tree"]

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def node(
    id_: str,
    parent: str | None,
    role: Role,
    *parts: Part | str,
    votes: Sequence[Rating] = (),
    raw: Mapping[str, object] | None = None,
    status: Status = "complete",
    model: str | None = None,
    hidden: bool = False,
) -> Node:
    """A message; its id ends with its number in the conversation's time."""
    message = Message(
        id=id_,
        conversation_id="c",
        parent=parent,
        depth=0,
        role=role,
        status=status,
        parts=tuple(Text(part) if isinstance(part, str) else part for part in parts),
        created_at=START + timedelta(minutes=len(id_)),
        seq=1,
        model=model,
        hidden=hidden,
    )
    feedback = [
        MessageFeedback(message_id=id_, user=f"user {number}", feedback=Feedback(rating=rating))
        for number, rating in enumerate(votes)
    ]
    return Node(
        message=message,
        feedback=tuple(feedback),
        raw=None if raw is None else msgspec.json.encode(raw).decode(),
    )


def tree(
    *nodes: Node,
    head: str | None = None,
    id_: str = "c",
    title: str | None = None,
    settings: Settings = Settings(),
    raw: Mapping[str, object] | None = None,
) -> Tree:
    """A conversation of these messages; its head is the last of them where nothing else is said."""
    last = nodes[-1].message.id if nodes else None
    conversation = Conversation(
        id=id_,
        owner="user 0",
        title=title,
        head=head or last,
        settings=settings,
        pinned=False,
        archived=False,
        deleted=False,
        running=False,
        created_at=START,
        updated_at=START,
        seq=1,
        list_seq=1,
        activity=1,
    )
    depths: dict[str, int] = {}
    placed = []
    for one in nodes:
        parent = one.message.parent
        depths[one.message.id] = 0 if parent is None else depths[parent] + 1
        message = msgspec.structs.replace(one.message, conversation_id=id_, depth=depths[one.message.id])
        placed.append(msgspec.structs.replace(one, message=message))
    return Tree(
        conversation=conversation,
        nodes=tuple(placed),
        raw=None if raw is None else msgspec.json.encode(raw).decode(),
    )


def lines(known: WriteFormat, given: Tree, options: WriteOptions = WriteOptions()) -> list[dict[str, object]]:
    """What the format writes, as a reader of its JSON gets it."""
    found = [msgspec.json.decode(msgspec.json.encode(line)) for line in known.write(given, options)]
    assert all(isinstance(line, dict) for line in found)
    return found


def text(known: WriteFormat, given: Tree, options: WriteOptions = WriteOptions()) -> str:
    """What a format of text writes."""
    return "".join(str(piece) for piece in known.write(given, options))


def said(messages: object) -> list[tuple[str, str]]:
    """Roles and texts of a list of messages."""
    assert isinstance(messages, list)
    return [(message["role"], message["content"]) for message in messages]
