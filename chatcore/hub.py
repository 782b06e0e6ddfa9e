"""The hub: the shared tail of events, and subscribers as cursors into it.

Only this module knows that there is one process. The store publishes here what it has committed; nothing
else may. For each conversation that is read or in which an answer runs there is one `Log`; a subscriber
is a number, not a queue: one that is late finds neighbouring deltas merged, one that is very late reads
rows again. While an answer runs its log holds every event since it began (bounded by the length of an
answer), so that its text is never read from the database.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import anyio
import msgspec

from chatcore.events import ConversationEvent, ListChanged, ListEvent, MessageChanged, TextDelta
from chatcore.messages import ENDINGS
from chatcore.ports import ListMoved

__all__ = ["Hub", "Log", "merged"]

E = TypeVar("E", bound=ConversationEvent | ListEvent)

KEEP = 512
"""How many events a log holds beyond those of a running answer."""


def _seq(event: ConversationEvent | ListEvent) -> int:
    return event.seq


class Log(Generic[E]):
    """The newest events of one stream, in seq order, without a hole from `start` to `end`.

    Attributes:
        readers: How many hold it; without any it goes away when nothing is pinned.
    """

    def __init__(self) -> None:
        self._events: list[E] = []
        self._floor: int | None = None
        self._wake = anyio.Event()
        self._waiting = False
        self._pinned: tuple[str, int] | None = None
        self.readers = 0

    @property
    def start(self) -> int | None:
        """Everything after this seq is held; None: not known yet (rows must be read)."""
        return self._floor

    @property
    def end(self) -> int:
        """The highest seq held, 0 where there is none."""
        return self._events[-1].seq if self._events else self._floor or 0

    def append(self, event: E) -> None:
        """Hold the event and wake all readers; no await, so that nothing can come between."""
        if self._floor is None:
            # published in order: whatever came before this event is in rows by now
            self._floor = event.seq - 1
        self._events.append(event)
        if len(self._events) > 2 * KEEP:
            self.trim()
        if self._waiting:  # nobody waits: no new Event
            wake, self._wake, self._waiting = self._wake, anyio.Event(), False
            wake.set()

    def trim(self) -> None:
        """Let go of all but the newest, and of nothing that is pinned."""
        keep_from = max(0, len(self._events) - KEEP)
        if self._pinned is not None:
            keep_from = min(keep_from, bisect_right(self._events, self._pinned[1] - 1, key=_seq))
        if keep_from:
            self._floor = self._events[keep_from - 1].seq
            del self._events[:keep_from]

    def pin(self, message_id: str, seq: int) -> None:
        """Keep everything from `seq` on while this answer runs (and what an answer before it still pins)."""
        self._pinned = (message_id, min(seq, self._pinned[1]) if self._pinned else seq)

    def unpin(self, message_id: str) -> bool:
        """Whether it was this answer that pinned; then nothing is pinned any more."""
        if self._pinned is None or self._pinned[0] != message_id:
            return False
        self._pinned = None
        self.trim()
        return True

    @property
    def needed(self) -> bool:
        """Whether anybody reads it or an answer runs."""
        return self.readers > 0 or self._pinned is not None

    def read_rows_up_to(self, seq: int) -> None:
        """A reader that holds this log has read all rows up to `seq`: an empty log is known from there."""
        if self._floor is None:
            self._floor = seq

    def restart(self, seq: int) -> None:
        """Nothing up to `seq` is held any more, and readers who are not there yet read rows."""
        self._events.clear()
        self._floor = seq
        self.wake_all()

    def holds(self, seq: int) -> bool:
        """Whether everything after `seq` is held."""
        return self._floor is not None and seq >= self._floor

    def since(self, seq: int) -> list[E]:
        """The events after `seq`."""
        events = self._events
        if len(events) > 1 and events[-2].seq <= seq:  # a reader that keeps up misses one at most
            return events[-1:] if events[-1].seq > seq else []
        return events[bisect_right(events, seq, key=_seq) :]

    async def wait(self, seq: int) -> None:
        """Returns when there is an event after `seq`, or what `wake_all` is for has happened."""
        if self._events and self._events[-1].seq > seq:
            return
        self._waiting = True
        await self._wake.wait()

    def wake_all(self) -> None:
        """Wake all readers without an event, so that they look around."""
        self._wake.set()
        self._wake, self._waiting = anyio.Event(), False


class Hub:
    """All logs, by conversation id and by user."""

    def __init__(self) -> None:
        self.conversations: dict[str, Log[ConversationEvent]] = {}
        self.users: dict[str, Log[ListEvent]] = {}
        self.closed = False
        self._watchers: list[Callable[[ConversationEvent], None]] = []

    def watch(self, watcher: Callable[[ConversationEvent], None]) -> None:
        """Call `watcher` with every event of a conversation, after readers can see it; it must not raise."""
        self._watchers.append(watcher)

    def publish(self, events: Sequence[ConversationEvent | ListChanged | ListMoved]) -> None:
        """Take in what was committed. Called by the store alone (`chatcore.ports.Publish`)."""
        for event in events:
            if type(event) is TextDelta:  # the hot path: an answer runs, so its log is there
                log = self.conversations.get(event.conversation_id)
                if log is not None:
                    log.append(event)
            elif isinstance(event, ListChanged):
                user_log = self.users.get(event.conversation.owner)
                if user_log is not None:
                    user_log.append(event)
            elif isinstance(event, ListMoved):
                moved_log = self.users.get(event.user)
                if moved_log is not None:
                    moved_log.restart(event.seq)
            else:
                self._take(event)
                for watcher in self._watchers:
                    watcher(event)

    def _take(self, event: ConversationEvent) -> None:
        message = event.message if isinstance(event, MessageChanged) else None
        log = self.conversations.get(event.conversation_id)
        if message is not None and message.status == "running":
            if log is None:
                log = self.conversations[event.conversation_id] = Log()
            log.pin(message.id, event.seq)
        if log is None:
            return
        log.append(event)
        if message is not None and message.status in ENDINGS and log.unpin(message.id):
            self._forget(self.conversations, event.conversation_id)

    @contextmanager
    def reading(self, conversation_id: str) -> Iterator[Log[ConversationEvent]]:
        """Hold the log of a conversation."""
        with self._holding(self.conversations, conversation_id) as log:
            yield log

    @contextmanager
    def reading_list(self, user: str) -> Iterator[Log[ListEvent]]:
        """Hold the log of a user's list."""
        with self._holding(self.users, user) as log:
            yield log

    def close(self) -> None:
        """End all readers."""
        self.closed = True
        for log in self.conversations.values():
            log.wake_all()
        for user_log in self.users.values():
            user_log.wake_all()

    @contextmanager
    def _holding(self, logs: dict[str, Log[E]], key: str) -> Iterator[Log[E]]:
        log = logs.get(key)
        if log is None:
            log = logs[key] = Log()
        log.readers += 1
        try:
            yield log
        finally:
            log.readers -= 1
            self._forget(logs, key)

    @staticmethod
    def _forget(logs: dict[str, Log[E]], key: str) -> None:
        log = logs.get(key)
        if log is not None and not log.needed:
            del logs[key]


def merged(events: Sequence[E]) -> list[E]:
    """The events with neighbouring deltas of one part joined; the result carries the last one's seq."""
    if len(events) < 2:
        return list(events)
    groups: list[list[E]] = []
    for event in events:
        if groups and _joins(groups[-1][-1], event):
            groups[-1].append(event)
        else:
            groups.append([event])
    return [_joined(group) for group in groups]


def _joins(before: ConversationEvent | ListEvent, event: ConversationEvent | ListEvent) -> bool:
    return (
        isinstance(before, TextDelta)
        and isinstance(event, TextDelta)
        and before.message_id == event.message_id
        and before.index == event.index
        and before.start + len(before.text) == event.start
    )


def _joined(group: list[E]) -> E:
    first, last = group[0], group[-1]
    if first is last or not isinstance(first, TextDelta):
        return last
    text = "".join(event.text for event in group if isinstance(event, TextDelta))
    return msgspec.structs.replace(last, start=first.start, text=text)
