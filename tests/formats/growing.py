"""Any tree that our model can hold, for Hypothesis; and a store as small as can be."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from chatcore.incoming import Incoming, IncomingFile, IncomingPart
from chatcore.messages import (
    Attachment,
    Conversation,
    Feedback,
    File,
    Message,
    MissingFile,
    Part,
    Reasoning,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from chatcore.views import MessageFeedback, Node, Tree

__all__ = ["ROLES", "STATUSES", "stored", "trees"]

ROLES = ("system", "user", "assistant", "tool")
STATUSES = ("complete", "stopped", "failed", "interrupted", "queued", "running")

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
WORDS = st.text("abc", min_size=1, max_size=3)
TIMES = st.integers(0, 2**52).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
RAWS = st.none() | st.dictionaries(TEXTS | st.just("chatcore"), JSON, min_size=1, max_size=2).map(json.dumps)

ATTACHMENTS = st.builds(
    Attachment,
    name=WORDS,
    media_type=st.just("text/plain"),
    size_bytes=st.integers(0, 2**40),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    path=WORDS,
)
MAYBE = st.none() | TEXTS
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Reasoning, TEXTS),
    st.builds(ToolCall, TEXTS, TEXTS, TEXTS),
    st.builds(ToolResult, TEXTS, TEXTS, st.booleans()),
    st.builds(File, ATTACHMENTS),
    st.builds(
        MissingFile, name=TEXTS, media_type=MAYBE, size_bytes=st.none() | st.integers(0), pointer=MAYBE
    ),
)
FEEDBACK = st.builds(
    Feedback,
    rating=st.sampled_from(("like", "dislike")),
    comment=MAYBE,
    reasons=st.lists(TEXTS, max_size=2).map(tuple),
)
PARAMETERS = st.dictionaries(
    TEXTS,
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS | st.lists(TEXTS, max_size=2),
    max_size=2,
)
SETTINGS = st.builds(Settings, responder=MAYBE, system_prompt=MAYBE, parameters=PARAMETERS)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A conversation of up to eight messages in any shape."""
    ids = [f"m{number}" for number in range(draw(st.integers(0, 8)))]
    nodes: list[Node] = []
    for number, id_ in enumerate(ids):
        parent = draw(st.none() | st.sampled_from(ids[:number])) if number else None
        nodes.append(draw(_nodes(id_, parent, ids[:number], nodes)))
    created = draw(TIMES)
    conversation = Conversation(
        id="conversation",
        owner="owner",
        title=draw(MAYBE),
        head=draw(st.sampled_from(ids)) if ids else None,
        settings=draw(SETTINGS),
        pinned=draw(st.booleans()),
        archived=draw(st.booleans()),
        deleted=False,
        running=False,
        created_at=created,
        updated_at=created + timedelta(seconds=draw(st.integers(0, 10**6))),
        seq=1,
        list_seq=1,
        activity=1,
    )
    return Tree(conversation=conversation, nodes=tuple(nodes), raw=draw(RAWS))


@st.composite
def _nodes(draw: st.DrawFn, id_: str, parent: str | None, earlier: list[str], above: list[Node]) -> Node:
    depth = 0 if parent is None else above[earlier.index(parent)].message.depth + 1
    some = st.none() | st.sampled_from(earlier) if earlier else st.none()
    message = Message(
        id=id_,
        conversation_id="conversation",
        parent=parent,
        depth=depth,
        role=draw(st.sampled_from(ROLES)),
        status=draw(st.sampled_from(STATUSES)),
        parts=tuple(draw(st.lists(PARTS, max_size=3))),
        created_at=draw(TIMES),
        seq=1,
        reason=draw(MAYBE),
        reason_code=draw(st.none() | WORDS),
        continues=draw(some),
        responder=draw(st.none() | WORDS),
        model=draw(MAYBE),
        usage=draw(st.none() | st.builds(Usage, prompt_tokens=st.none() | st.integers(0, 9))),
        memory_from=draw(some),
        started_at=draw(st.none() | TIMES),
        ended_at=draw(st.none() | TIMES),
        first_token_seconds=draw(st.none() | st.floats(1e-6, 1e6)),
        hidden=draw(st.booleans()),
    )
    users = draw(st.lists(st.sampled_from(["owner", "other", "third"]), unique=True, max_size=3))
    feedback = tuple(
        MessageFeedback(message_id=id_, user=user, feedback=draw(FEEDBACK)) for user in sorted(users)
    )
    return Node(message=message, feedback=feedback, raw=draw(RAWS))


def stored(incoming: Incoming, owner: str = "owner") -> Tree:
    """What a store makes of it: new ids, and nothing kept that an `IngestMessage` can't hold."""
    ids = {message.id: f"new{number}" for number, message in enumerate(incoming.messages)}
    depths: dict[str | None, int] = {None: -1}
    nodes = []
    for message in incoming.messages:
        depths[message.id] = depths[message.parent] + 1
        new = ids[message.id]
        votes = {**incoming.votes.get(message.id or "", {})}
        if message.feedback is not None:
            votes[owner] = message.feedback
        held = tuple(
            MessageFeedback(message_id=new, user=user, feedback=votes[user]) for user in sorted(votes)
        )
        assert message.created_at_us is not None
        kept = Message(
            id=new,
            conversation_id="new",
            parent=None if message.parent is None else ids[message.parent],
            depth=depths[message.id],
            role=message.role,
            status=message.status,
            parts=tuple(_part(part) for part in message.parts),
            created_at=_at(message.created_at_us),
            seq=9,
            reason=message.reason,
            model=message.model,
            usage=message.usage,
            hidden=message.hidden,
        )
        nodes.append(Node(message=kept, feedback=held, raw=_json(message.raw)))
    assert incoming.created_at_us is not None
    assert incoming.updated_at_us is not None
    conversation = Conversation(
        id="new",
        owner=owner,
        title=incoming.title,
        head=None if incoming.head is None else ids[incoming.head],
        settings=msgspec.structs.replace(incoming.settings, responder=None),
        pinned=incoming.pinned,
        archived=incoming.archived,
        deleted=False,
        running=False,
        created_at=_at(incoming.created_at_us),
        updated_at=_at(incoming.updated_at_us),
        seq=9,
        list_seq=9,
        activity=9,
    )
    return Tree(conversation=conversation, nodes=tuple(nodes), raw=_json(incoming.raw))


def _part(part: IncomingPart) -> Part:
    if not isinstance(part, IncomingFile):
        return part
    if part.pointer is not None and part.pointer.startswith("sha256:"):
        sha256 = part.pointer.removeprefix("sha256:")
        assert part.media_type is not None
        assert part.size_bytes is not None
        return File(
            Attachment(
                name=part.name,
                media_type=part.media_type,
                size_bytes=part.size_bytes,
                sha256=sha256,
                path=f"files/{sha256}",
            )
        )
    return MissingFile(
        name=part.name, media_type=part.media_type, size_bytes=part.size_bytes, pointer=part.pointer
    )


def _at(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def _json(raw: object) -> str | None:
    return None if raw is None else json.dumps(raw)
