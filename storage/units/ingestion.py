"""Conversations that come from elsewhere: which are new, and those stored in bulk."""

from collections import Counter
from collections.abc import Sequence

from chatcore.arrivals import Ingest, IngestConversation, Ingested
from chatcore.errors import NotFound
from chatcore.events import ListChanged
from chatcore.messages import Feedback
from chatcore.ports import ListMoved
from storage.arriving import Gathered, IngestRows, Keys, NewConversation, NewVote, Origin, id_at
from storage.ids import to_us
from storage.listing import BEGINNING, words_of
from storage.units.renewal import renew

__all__ = ["ingest"]

_Vote = tuple[int, int, str, Feedback]
"""Place, number of the conversation, user, vote."""

_LISTED_ONE_BY_ONE = 10
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
        self.waiting[one.origin] = place

    def store(self, known: dict[bytes, Origin]) -> dict[int, Ingested]:
        """Store what waits, noting it among the `known`; gives what became of it."""
        if not self.waiting:
            return {}
        rows, every = self._rows, self._command.conversations
        places = list(self.waiting.values())
        sources = every if len(places) == len(every) else [every[place] for place in places]
        new = rows.gathered(sources, index=self._command.index)
        keys = Keys(
            conversations=rows.conversation_keys(len(sources)),
            conversation_ids=rows.new_ids(len(sources)),
            messages=rows.message_keys(len(new.depths)),
            message_ids=rows.new_ids(len(new.depths)),
        )
        votes = _voters(new, self._command.user)
        voted = Counter([number for _, number, _, _ in votes])
        conversations = [
            self._conversation(new, keys, number, voted[number]) for number in range(len(sources))
        ]
        rows.insert_conversations(conversations, self._owner)
        rows.insert_gathered(new, keys, self._owner, index=self._command.index)
        rows.insert_votes(_numbered(votes, new, keys))
        self._tell(conversations, new)
        self.waiting.clear()
        results: dict[int, Ingested] = {}
        for number, (place, one) in enumerate(zip(places, conversations, strict=True)):
            name, source = one.id.hex(), one.source
            known[source.origin] = Origin(one.key, name, one.digest, not source.last, source.dated_us)
            results[place] = Ingested(
                conversation_id=name,
                outcome="imported",
                imported=len(source.messages),
                votes=voted[number],
            )
        return results

    def _conversation(self, new: Gathered, keys: Keys, number: int, votes: int) -> NewConversation:
        source = new.sources[number]
        head = new.starts[number] + source.head if source.last and source.head >= 0 else None
        return NewConversation(
            key=keys.conversations[number],
            id=id_at(keys.conversation_ids, number),
            source=source,
            digest=source.digest if source.last else None,
            head=None if head is None else keys.messages[head],
            head_id=None if head is None else id_at(keys.message_ids, head),
            head_depth=-1 if head is None else new.depths[head],
            seq=len(source.messages) + votes + 1,  # after those of its messages and their votes
            list_seq=self._rows.next_list_seq(self._owner),
            activity=min(source.updated_at_us, self._now_us),
        )

    def _tell(self, conversations: Sequence[NewConversation], new: Gathered) -> None:
        rows, user = self._rows, self._command.user
        self._count += len(conversations)
        if self._count > _LISTED_ONE_BY_ONE:
            rows.emit(ListMoved(user=user, seq=conversations[-1].list_seq))
            return
        for number, one in enumerate(conversations):
            if one.digest is not None:
                entry = one.conversation(user)
                words = None if entry.title is not None else _first_words(new, number)
                rows.emit(
                    ListChanged(
                        conversation_id=entry.id,
                        seq=one.list_seq,
                        at=rows.now,
                        conversation=entry,
                        first_words=words,
                    )
                )


def _first_words(new: Gathered, number: int) -> str | None:
    """As `Rows.first_words` would give it, from what is at hand."""
    few = new.sources[number].messages[:BEGINNING]
    depths = new.depths[new.starts[number] :]
    questions = [place for place, one in enumerate(few) if one.role == "user" and not one.hidden]
    return words_of(few[min(questions, key=depths.__getitem__)].parts) if questions else None


def _voters(new: Gathered, user: str) -> list[_Vote]:
    """Who votes where when `user` takes it in: of each at most one on each message."""
    taken = {place for place, _, voter, _ in new.votes if voter is None}
    return [
        (place, number, voter or user, feedback)
        for place, number, voter, feedback in new.votes
        if voter != user or place not in taken
    ]


def _numbered(votes: Sequence[_Vote], new: Gathered, keys: Keys) -> list[NewVote]:
    """The votes with seqs above those of the messages of their conversations."""
    seqs = {number: len(new.sources[number].messages) for _, number, _, _ in votes}
    found: list[NewVote] = []
    for place, number, voter, feedback in votes:
        seqs[number] += 1
        found.append(NewVote(keys.messages[place], keys.conversations[number], seqs[number], voter, feedback))
    return found
