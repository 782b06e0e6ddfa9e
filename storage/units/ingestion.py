"""Conversations that come from elsewhere: which are new, and those stored in bulk."""

from collections.abc import Sequence

from chatcore.arrivals import Ingest, IngestConversation, Ingested, IngestMessage
from chatcore.errors import InvalidInput, NotFound
from chatcore.events import ListChanged
from chatcore.ports import ListMoved
from storage.arriving import IngestRows, NewConversation, NewMessage, NewVote, Origin
from storage.ids import to_us
from storage.units.renewal import renew

__all__ = ["ingest"]

_LISTED_ONE_BY_ONE = 50
"""How many new entries of the list are told of each by itself."""


def ingest(rows: IngestRows, command: Ingest) -> tuple[Ingested, ...]:
    """Store what is new, and what is other than before."""
    owner = rows.user(command.user)
    known = rows.origins(owner, {one.origin for one in command.conversations})
    arrivals = _Arrivals(rows, command, owner)
    results: dict[int, Ingested] = {}
    for place, one in enumerate(command.conversations):
        if one.origin in arrivals.waiting:  # twice in one command: the second is compared with the first
            results |= arrivals.store(known)
        found = known.get(one.origin) or _written_here(rows, command.user, one)
        if found is None:
            arrivals.add(place, one)
        elif found.deleted and found.digest is not None:
            results[place] = Ingested(conversation_id=found.id, outcome="skipped")
        elif found.digest == one.digest:
            unchanged = len(one.messages)
            results[place] = Ingested(conversation_id=found.id, outcome="unchanged", unchanged=unchanged)
        else:
            results[place] = renew(rows, command, owner, found, one)
            if not found.ours:
                known |= rows.origins(owner, [one.origin])
    results |= arrivals.store(known)
    return tuple(results[place] for place in range(len(command.conversations)))


def _written_here(rows: IngestRows, user: str, one: IngestConversation) -> Origin | None:
    """The user's conversation that an export of ours was made of; after a purge nothing is known of it."""
    row = None if one.own_id is None else rows.conversation(one.own_id, user)
    if row is None or row.purged:
        return None
    return Origin(row.key, row.conversation.id, b"", row.conversation.deleted, ours=True)


class _Arrivals:
    """New conversations, gathered so that all of their rows are a few statements.

    Nobody holds what was not there, so only the list of their owner is told of them.

    Attributes:
        waiting: Those to be stored: by origin, the place in the command.
    """

    def __init__(self, rows: IngestRows, command: Ingest, owner: int) -> None:
        self.waiting: dict[bytes, int] = {}
        self._rows = rows
        self._command = command
        self._owner = owner
        self._now_us = to_us(rows.now)
        self._count = 0

    def add(self, place: int, one: IngestConversation) -> None:
        """Have it stored with the others."""
        if one.first:
            raise NotFound("The beginning of this conversation is not there.")
        _check(one)
        self.waiting[one.origin] = place

    def store(self, known: dict[bytes, Origin]) -> dict[int, Ingested]:
        """Store what waits, noting it among the `known`; gives what became of it."""
        rows, sources = self._rows, [self._command.conversations[place] for place in self.waiting.values()]
        count = sum(len(one.messages) for one in sources)
        keys, ids = rows.conversation_keys(len(sources)), rows.new_ids(len(sources))
        first, message_ids = rows.message_keys(count).start, rows.new_ids(count)
        conversations: list[NewConversation] = []
        messages: list[NewMessage] = []
        votes: list[NewVote] = []
        results: dict[int, Ingested] = {}
        for place, source, key, public in zip(self.waiting.values(), sources, keys, ids, strict=True):
            at, voted = len(messages), len(votes)
            _hang(source.messages, key, first + at, message_ids[at : at + len(source.messages)], messages)
            seq = _count_votes(source, self._command.user, key, first + at, votes)
            head = messages[at + source.head] if source.last and source.head >= 0 else None
            conversations.append(self._conversation(source, key, public, head, seq))
            name = public.hex()
            known[source.origin] = Origin(
                key, name, conversations[-1].digest, not source.last, source.dated_us
            )
            results[place] = Ingested(
                conversation_id=name,
                outcome="imported",
                imported=len(source.messages),
                votes=len(votes) - voted,
            )
        rows.insert_conversations(conversations, self._owner)
        rows.insert_messages(messages, self._owner, index=self._command.index)
        rows.insert_votes(votes)
        self._tell(conversations)
        self.waiting.clear()
        return results

    def _conversation(
        self, source: IngestConversation, key: int, public: bytes, head: NewMessage | None, seq: int
    ) -> NewConversation:
        return NewConversation(
            key=key,
            id=public,
            source=source,
            digest=source.digest if source.last else None,
            head=None if head is None else head.key,
            head_id=None if head is None else head.id,
            head_depth=-1 if head is None else head.depth,
            seq=seq,
            list_seq=self._rows.next_list_seq(self._owner),
            activity=min(source.updated_at_us, self._now_us),
        )

    def _tell(self, conversations: Sequence[NewConversation]) -> None:
        rows, user = self._rows, self._command.user
        if not conversations:
            return
        self._count += len(conversations)
        if self._count > _LISTED_ONE_BY_ONE:
            rows.emit(ListMoved(user=user, seq=conversations[-1].list_seq))
            return
        for one in conversations:
            if one.digest is not None:
                entry = one.conversation(user)
                rows.emit(
                    ListChanged(conversation_id=entry.id, seq=one.list_seq, at=rows.now, conversation=entry)
                )


def _check(one: IngestConversation) -> None:
    if one.last and not -1 <= one.head < len(one.messages):
        raise InvalidInput("The head of the conversation is none of its messages.", head=one.head)


def _hang(
    sources: Sequence[IngestMessage],
    conversation: int,
    first: int,
    ids: Sequence[bytes],
    into: list[NewMessage],
) -> None:
    """Add the messages of a new conversation, with keys from `first` on and seqs from 1 on."""
    depths: list[int] = []
    for place, source in enumerate(sources):
        above = source.parent
        if above < 0:
            depth, parent = 0, None
        elif above < place:
            depth, parent = depths[above] + 1, first + above
        else:
            raise InvalidInput("A message comes before its parent.", place=place)
        depths.append(depth)
        into.append(NewMessage(first + place, ids[place], conversation, parent, depth, place + 1, source))


def _count_votes(
    source: IngestConversation, user: str, conversation: int, first: int, into: list[NewVote]
) -> int:
    """Add the votes, with seqs above those of the messages; gives the next seq: that of the conversation."""
    seq = len(source.messages) + 1
    for voter, place, feedback in source.all_votes(user):
        into.append(NewVote(first + place, conversation, seq, voter, feedback))
        seq += 1
    return seq
