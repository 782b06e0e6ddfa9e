"""What ingestion needs of tables: everything in bulk, since it is about hundreds of rows at a time."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from chatcore.arrivals import IngestConversation, IngestMessage
from chatcore.errors import InvalidInput
from chatcore.messages import Conversation, Feedback
from storage.ids import from_us
from storage.rows import MessageRow, Rows

__all__ = [
    "ID_BYTES",
    "Gathered",
    "IngestRows",
    "Keys",
    "NewConversation",
    "NewMessage",
    "NewVote",
    "Origin",
    "Placed",
    "gather",
    "id_at",
]

ID_BYTES = 16


class Origin(Struct, frozen=True):
    """A conversation that came from elsewhere, as its origin finds it.

    Attributes:
        digest: Of all that came; None: its last slice has not.
        dated_us: When its source has last changed it; 0: it does not say.
        ours: It is known by its own id and no origin: the source has it from here.
    """

    key: int
    id: str
    digest: bytes | None
    deleted: bool
    dated_us: int = 0
    ours: bool = False


class Placed(Struct, frozen=True, gc=False):
    """Where a message that came from elsewhere stands."""

    key: int
    depth: int


class NewConversation(Struct, frozen=True, kw_only=True):
    """A conversation that comes from elsewhere.

    Attributes:
        id: As 16 bytes.
        digest: That of `source`; None: there are slices to come, and it counts as deleted until then.
        seq: Its newest, also its counter.
        activity: Microseconds since 1970; also when it was updated.
    """

    key: int
    id: bytes
    source: IngestConversation
    digest: bytes | None
    head: int | None
    head_id: bytes | None
    head_depth: int
    seq: int
    list_seq: int
    activity: int

    def conversation(self, owner: str) -> Conversation:
        """The same as it is shown to its owner."""
        source = self.source
        return Conversation(
            id=self.id.hex(),
            owner=owner,
            title=source.title,
            head=None if self.head_id is None else self.head_id.hex(),
            settings=source.settings,
            pinned=source.pinned,
            archived=source.archived,
            deleted=self.digest is None,
            running=False,
            created_at=from_us(source.created_at_us),
            updated_at=from_us(self.activity),
            seq=self.seq,
            list_seq=self.list_seq,
            activity=self.activity,
        )


class NewMessage(Struct, frozen=True, gc=False):
    """A message that comes from elsewhere, to be stored under the given key and id (16 bytes)."""

    key: int
    id: bytes
    conversation: int
    parent: int | None
    depth: int
    seq: int
    source: IngestMessage


class Gathered(Struct, frozen=True, kw_only=True):
    """New conversations and all of their messages: places count over those of all of them, one by one.

    Attributes:
        starts: For each conversation the place of its first message.
        parents: For each message the place of the one above it; -1: a root.
        depths: For each message its own.
        votes: Place, conversation (its number among `sources`), user and vote; None: whoever takes it in,
            whose vote this is even where another one has the same name.
    """

    sources: Sequence[IngestConversation]
    starts: Sequence[int]
    parents: Sequence[int]
    depths: Sequence[int]
    votes: Sequence[tuple[int, int, str | None, Feedback]]


class Keys(Struct, frozen=True, kw_only=True):
    """What gathered conversations and their messages are to be stored as: keys, and ids of 16 bytes each."""

    conversations: range
    conversation_ids: bytes
    messages: range
    message_ids: bytes


class NewVote(Struct, frozen=True):
    """A vote that comes from elsewhere, on the message with the key."""

    message: int
    conversation: int
    seq: int
    user: str
    feedback: Feedback


class IngestRows(Rows, Protocol):
    """All that other units see, and these.

    Keys and ids are given out beforehand, so that rows which refer to one another are one statement.
    """

    def new_ids(self, count: int) -> bytes:
        """So many ids, rising, 16 bytes each (`id_at`)."""
        ...

    def gathered(self, sources: Sequence[IngestConversation], *, index: bool) -> Gathered:
        """What `gather` makes of these, perhaps made beforehand, to be indexed or not.

        Raises:
            InvalidInput: A message or a head is out of place.
        """
        ...

    def origins(self, owner: int, origins: Collection[bytes]) -> dict[bytes, Origin]:
        """Those of these that are known of the owner's conversations."""
        ...

    def conversation_keys(self, count: int) -> range:
        """Keys for so many new conversations, in the order of their ids."""
        ...

    def message_keys(self, count: int) -> range:
        """Likewise for messages."""
        ...

    def insert_conversations(self, new: Sequence[NewConversation], owner: int) -> None:
        """Store conversations of the owner; their messages follow."""
        ...

    def insert_gathered(self, new: Gathered, keys: Keys, owner: int, *, index: bool) -> None:
        """Store all messages of conversations that the owner has now, as `gathered` gave them; their files
        are referred to from then on. With `index` they are found by searching, else after a `Reindex`.
        """
        ...

    def insert_messages(self, new: Sequence[NewMessage], owner: int, *, index: bool) -> None:
        """Store further messages of the owner's conversations, parents first."""
        ...

    def replace_messages(self, changed: Sequence[NewMessage], owner: int, *, index: bool) -> None:
        """Give these messages the content of their `source`, and the seq; they stay where they are."""
        ...

    def insert_votes(self, new: Sequence[NewVote]) -> None:
        """Store votes; of their users none has one on the same message."""
        ...

    def ingested(self, conversation: int) -> Mapping[bytes, Placed]:
        """Its messages that came from elsewhere, by origin; true until the next change."""
        ...

    def written(self, conversation: int) -> Mapping[bytes, Placed]:
        """All of its messages, by what stands for their ids (`id_origin`); true until the next change."""
        ...

    def messages_at(self, keys: Collection[int]) -> dict[int, tuple[MessageRow, str | None]]:
        """These messages, each with what its source said beyond it (JSON)."""
        ...

    def voted(self, messages: Collection[int], user: int) -> frozenset[int]:
        """Those of these messages on which the user has a vote, or has taken one back."""
        ...

    def set_version(self, conversation: int, source: IngestConversation) -> None:
        """All of the conversation is there, in this version."""
        ...


def id_at(ids: bytes, place: int) -> bytes:
    """One of those that `new_ids` gave."""
    return ids[ID_BYTES * place : ID_BYTES * (place + 1)]


def gather(sources: Sequence[IngestConversation]) -> Gathered:
    """Where all messages of new conversations stand.

    Raises:
        InvalidInput: A message comes before its parent, or a head or a vote is at no message.
    """
    starts: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    votes: list[tuple[int, int, str | None, Feedback]] = []
    for number, source in enumerate(sources):
        if source.last and not -1 <= source.head < len(source.messages):
            raise InvalidInput("The head of the conversation is none of its messages.", head=source.head)
        start = len(parents)
        starts.append(start)
        for place, one in enumerate(source.messages, start):
            parent = start + one.parent
            if one.parent < 0:
                parents.append(-1)
                depths.append(0)
            elif parent < place:
                parents.append(parent)
                depths.append(depths[parent] + 1)
            else:
                raise InvalidInput("A message comes before its parent.", place=place - start)
            if one.feedback is not None:
                votes.append((place, number, None, one.feedback))
        for place, named in source.votes.items():
            if not 0 <= place < len(source.messages):
                raise InvalidInput("A vote is on none of the messages.", place=place)
            votes += [(start + place, number, name, feedback) for name, feedback in named.items()]
    return Gathered(sources=sources, starts=starts, parents=parents, depths=depths, votes=votes)
