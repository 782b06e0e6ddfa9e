"""What was read, gathered into batches that the store takes as one unit each."""

import json
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol

import msgspec

from chatcore.arrivals import IngestConversation
from chatcore.errors import ChatcoreError, StorageError
from chatcore.incoming import Incoming, Unread
from chatcore.ingestion.batch import Batch
from chatcore.ingestion.preparation import NotTaken, Preparation, Prepared
from chatcore.messages import clean_text

__all__ = ["BATCH_MESSAGES", "Batches", "Items", "Rejects"]

BATCH_MESSAGES = 500
"""As many as a batch may bring at most."""


class _Most(NamedTuple):
    """How large a batch may become: a larger one keeps others from writing for too long."""

    weight: int
    size: int  # bytes


_PLAIN = _Most(BATCH_MESSAGES, 300_000)
_INDEXED = _Most(
    BATCH_MESSAGES // 2, 150_000
)  # the index takes as long as all else, and at times much longer


class Items(Protocol):
    """Where conversations come from, as `Batches` needs it."""

    def __next__(self) -> Incoming | Unread:
        """The next."""
        ...

    def record_of(self, item: Incoming) -> bytes | None:
        """The record of which the newest conversation was made."""
        ...

    def release(self, item: Incoming) -> None:
        """It has been prepared: files of it that were unpacked are needed no more."""
        ...


class Rejects:
    """The file of rejects: a JSON object a line, with the record as it stands in its file, or as text."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file

    def add(self, unread: Unread) -> int:
        """One more; only what failed is written. Gives how many bytes that were.

        Raises:
            StorageError: The file can't be written.
        """
        if self._file is None or unread.kind != "failed":
            return 0
        head = {"file": unread.file, "place": unread.place, "id": unread.id, "reason": unread.reason}
        start = json.dumps(head, ensure_ascii=True)[:-1].encode()
        line = start + b', "record": ' + _record(unread.record) + b"}\n"
        self.write(line)
        return len(line)

    def write(self, lines: bytes) -> None:
        """Lines that another one has made.

        Raises:
            StorageError: The file can't be written.
        """
        if self._file is None or not lines:
            return
        try:
            self._file.write(lines)
            self._file.flush()
        except OSError as error:
            raise StorageError(f"The file of rejects can't be written: {error.strerror}.") from error


def _record(record: bytes | None) -> bytes:
    if record is None:
        return b"null"
    try:
        msgspec.json.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError):
        return json.dumps(record.decode("utf-8", "replace")).encode()
    return record.replace(b"\n", b" ").replace(b"\r", b" ")  # between tokens: strings have none


class Batches:
    """Takes conversations and gives batches; without waiting, so on a thread.

    Args:
        items: Where they come from.
        limit: Stop after so many were read; None: all.
        index: Whether they are to be indexed.
        whole: A long conversation is not cut into slices.
    """

    def __init__(
        self,
        items: Items,
        preparation: Preparation,
        rejects: Rejects,
        *,
        limit: int | None,
        index: bool,
        whole: bool,
    ) -> None:
        self._items = items
        self._preparation = preparation
        self._rejects = rejects
        self._left = limit
        self._most = _INDEXED if index else _PLAIN
        self._whole = whole
        self._slices: Iterator[Batch] = iter(())
        self._ended = False
        self._failure: ChatcoreError | None = None

    def next(self) -> Batch | None:
        """The next batch; None: all has been read.

        Raises:
            ChatcoreError: Reading can't go on; what was read before has been given.
        """
        if (slice_ := next(self._slices, None)) is not None:
            return slice_
        batch = None if self._ended else self._gathered()
        if batch is None and self._failure is not None:
            raise self._failure
        return batch

    def resume(self) -> None:
        """There is more to be read after all."""
        self._ended = False

    def _gathered(self) -> Batch | None:
        prepared: list[Prepared] = []
        notes: list[tuple[Unread, int]] = []
        try:
            self._gather(prepared, notes)
        except ChatcoreError as error:
            self._failure, self._ended = error, True
        if not prepared and not notes:
            return next(self._slices, None)
        return Batch(
            conversations=tuple([one.conversation for one in prepared]),
            counted=tuple([one.counted for one in prepared]),
            notes=tuple(notes),
        )

    def _gather(self, prepared: list[Prepared], notes: list[tuple[Unread, int]]) -> None:
        weight = size = 0
        most = self._most
        while weight < most.weight and size < most.size and len(notes) < BATCH_MESSAGES:
            item = self._next_item()
            if item is None:
                self._ended = True
                break
            if isinstance(item, Unread):
                size += self._note(item, 0, notes)
                continue
            made = self._prepared(item)
            if isinstance(made, Unread):
                size += self._note(made, len(item.messages), notes)
                continue
            own = made.conversation.weight
            if not self._whole and (own > most.weight or made.size_bytes > most.size):
                self._slices = _sliced(made, most)
                break
            prepared.append(made)
            weight += own
            size += made.size_bytes

    def _next_item(self) -> Incoming | Unread | None:
        if self._left == 0:
            return None
        try:
            item = next(self._items)
        except StopIteration:
            return None
        if self._left is not None:
            self._left -= 1
        return item

    def _prepared(self, item: Incoming) -> Prepared | Unread:
        try:
            made = self._preparation.of(item)
        except NotTaken as error:
            self._items.release(item)
            return Unread(
                kind="skipped" if error.skipped else "failed",
                reason=str(error),
                file=item.file,
                place=item.place,
                id=item.id,
                record=None if error.skipped else self._items.record_of(item),
            )
        if made.counted.files or made.counted.missing:
            self._items.release(item)
        return made

    def _note(self, unread: Unread, messages: int, notes: list[tuple[Unread, int]]) -> int:
        """Gives how many bytes of rejects that makes."""
        notes.append((_plain(unread), messages))
        return self._rejects.add(unread)


def _plain(unread: Unread) -> Unread:
    """Without its record; names of files may be no text."""
    return msgspec.structs.replace(
        unread,
        record=None,
        reason=clean_text(unread.reason),
        file=clean_text(unread.file),
        place=clean_text(unread.place),
        id=None if unread.id is None else clean_text(unread.id),
    )


def _sliced(made: Prepared, most: _Most) -> Iterator[Batch]:
    """A long conversation in slices, each small enough for one unit."""
    messages, votes = made.conversation.messages, made.conversation.votes
    each = max(1, min(most.weight, len(messages) * most.size // (made.size_bytes + 1)))
    end = 0
    while end < len(messages):
        first, end = end, _end_of_slice(made.conversation, end, each, most.weight)
        within = messages[first:end]
        last = end == len(messages)
        above = {message.parent for message in within}
        if last:
            above.add(made.conversation.head)
        part = msgspec.structs.replace(
            made.conversation,
            messages=within,
            first=first,
            last=last,
            earlier={place: messages[place].origin for place in above if 0 <= place < first},
            votes={place: votes[place] for place in range(first, end) if place in votes},
        )
        yield Batch(conversations=(part,), counted=(made.counted,), slices=True)


def _end_of_slice(conversation: IngestConversation, first: int, each: int, most: int) -> int:
    """Where the slice from `first` on ends: after `each` messages, or sooner where many have voted."""
    last, votes = min(first + each, len(conversation.messages)), conversation.votes
    if not votes:
        return last
    weight = 0
    for place in range(first, last):
        weight += 1 + len(votes.get(place, ()))
        if weight > most and place > first:  # one message is never cut
            return place
    return last
