"""A conversation while one unit changes it."""

from msgspec import Struct
from msgspec.structs import replace

from chatcore.events import ConversationChanged, ConversationDeleted, ListChanged, MessageChanged
from chatcore.messages import Conversation, Message
from storage.listing import BEGINNING, words_of
from storage.rows import ConversationRow, Keyed, MessageRow, Rows

__all__ = ["ROOT", "Draft", "Place"]

# The fields of a conversation that its owner's list shows
_LISTED = frozenset({"title", "pinned", "archived", "deleted", "running", "activity"})


class Place(Struct, frozen=True):
    """A place to put a message below: the message there, or (all None, depth -1) the top."""

    key: int | None
    id: str | None
    depth: int

    @classmethod
    def of(cls, row: MessageRow) -> "Place":
        """The place of a stored message."""
        return cls(row.key, row.message.id, row.message.depth)


ROOT = Place(None, None, -1)


class Draft:
    """Counts a conversation's changes, then writes its row once and says what it is at the end of the unit.

    Attributes:
        row: The row as the unit found it.
        head: The head as it is to be.
    """

    __slots__ = (
        "_asked",
        "_changes",
        "_counter",
        "_now",
        "_posted",
        "_reworded",
        "_rows",
        "head",
        "row",
    )

    def __init__(self, rows: Rows, row: ConversationRow) -> None:
        self._rows = rows
        self._now = rows.now
        self._counter = row.counter
        self._changes: dict[str, object] = {}
        self._posted = False
        self._reworded = False
        self._asked: Message | None = None
        self.row = row
        self.head = Place(row.head, row.conversation.head, row.head_depth)

    def count(self) -> int:
        """The number of one more change."""
        self._counter += 1
        return self._counter

    def set(self, **fields: object) -> None:
        """Give fields of the conversation new values; those that end as they were change nothing."""
        self._changes |= fields

    def insert(self, below: Place, message: Message, keyed: Keyed | None = None) -> int:
        """Store a new message, which makes the conversation the newest of the list; gives its key."""
        key = self._rows.insert_message(self.row, below.key, message, keyed)
        self._posted = True
        self._note(message)
        if self._asked is None and message.role == "user":
            self._asked = message
        self._say(message)
        return key

    def update(self, key: int, message: Message) -> None:
        """Store what its run has made of the message."""
        self._rows.update_message(key, message)
        self._note(message)
        self._say(message)

    def words(self) -> str | None:
        """What the list calls it by without a title."""
        return None if self.row.conversation.title is not None else self._rows.first_words(self.row.key)

    def reword(self, before: str | None) -> None:
        """Messages are new or other: what the list calls it by may be, too, where that was `before`."""
        self._rows.begun_otherwise(self.row.key)
        self._reworded = self.words() != before

    def save(self) -> Conversation:
        """Write the conversation's row, if anything of it has changed."""
        rows, row, old = self._rows, self.row, self.row.conversation
        changes = self._changes
        changes["head"] = self.head.id
        changes = {field: value for field, value in changes.items() if getattr(old, field) != value}
        shown = self._posted or bool(changes)
        listed = self._posted or self._reworded or not _LISTED.isdisjoint(changes)
        if listed:
            changes["list_seq"] = rows.next_list_seq(row.owner)
        if self._posted:
            changes |= {"activity": rows.next_activity(row.owner), "updated_at": self._now}
        if shown:
            changes["seq"] = self.count()
        elif self._counter == row.counter:
            return old
        new = replace(old, **changes)
        rows.update_conversation(
            ConversationRow(
                key=row.key,
                owner=row.owner,
                conversation=new,
                head=self.head.key,
                head_depth=self.head.depth,
                counter=self._counter,
                changed_at=self._now if shown else row.changed_at,
                deleted_at=(row.deleted_at or self._now) if new.deleted else None,
            )
        )
        self._tell(new, shown=shown, listed=listed)
        return new

    def _note(self, message: Message) -> None:
        if message.depth < BEGINNING:  # what is below these is none of the first messages
            self._rows.begun_otherwise(self.row.key)

    def _say(self, message: Message) -> None:
        self._rows.emit(
            MessageChanged(
                conversation_id=message.conversation_id, seq=message.seq, at=self._now, message=message
            )
        )

    def _tell(self, new: Conversation, *, shown: bool, listed: bool) -> None:
        emit, at = self._rows.emit, self._now
        if shown and new.deleted:
            emit(ConversationDeleted(conversation_id=new.id, seq=new.seq, at=at))
        elif shown:
            emit(ConversationChanged(conversation_id=new.id, seq=new.seq, at=at, conversation=new))
        if listed:
            emit(
                ListChanged(
                    conversation_id=new.id,
                    seq=new.list_seq,
                    at=at,
                    conversation=new,
                    first_words=None if new.deleted or new.title is not None else self._first_words(),
                )
            )

    def _first_words(self) -> str | None:
        # in one that was only made so far no row needs to be looked for
        if self.row.counter == 1 and self._asked is not None:
            return words_of(self._asked.parts)
        return self._rows.first_words(self.row.key)
