"""Searching without an index: every message of the user is looked at."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from chatcore.messages import ENDINGS, Message
from chatcore.views import Found, SearchFilter, SearchOrder, SearchPage
from storage.ids import to_us
from storage.memory.tables import Tables
from storage.rows import ConversationRow
from storage.search.matching import excerpt, matches
from storage.search.places import BestPlace, NewestPlace, Stretch, read_best, read_newest
from storage.search.query import Query, read_query
from storage.search.ranking import TITLE_WEIGHT, ranked
from storage.search.words import said_in

__all__ = ["search"]


class _Hit(Struct, frozen=True):
    """`message` None: the title was found."""

    conversation: ConversationRow
    message: Message | None
    key: int
    at: datetime
    said: str

    @property
    def order(self) -> tuple[int, str, int]:
        """The higher, the newer; of the same time a title, then what was stored last."""
        return to_us(self.at), "title" if self.message is None else "message", self.key


def search(
    tables: Tables,
    user: str,
    query: str,
    among: SearchFilter,
    order: SearchOrder,
    after: str | None,
    limit: int,
) -> SearchPage:
    """See `chatcore.ports.Store.search`."""
    place = read_newest(after) if order == "newest" else read_best(after)
    asked = read_query(query)
    hits = sorted(_hits(tables, user, asked, among), key=lambda hit: hit.order, reverse=True)
    if isinstance(place, BestPlace):
        weights = [TITLE_WEIGHT if hit.message is None else 1.0 for hit in hits]
        best = ranked(asked, [hit.said for hit in hits], weights)
        left = [hits[number] for number in best[place.given :]]
        following = str(BestPlace(given=place.given + limit))
    else:
        left = [hit for hit in hits if (hit.order[0], hit.key) < _after(place, hit)]
        following = str(_place(place, left[:limit]))
    return SearchPage(
        found=tuple(_found(asked, hit) for hit in left[:limit]),
        first_words=tables.words_for(hit.conversation for hit in left[:limit]),
        next=following if len(left) > limit else None,
        unindexed=0,
    )


def _hits(tables: Tables, user: str, query: Query, among: SearchFilter) -> Iterator[_Hit]:
    for row in tables.conversations.values():
        shown = row.conversation
        if (
            shown.owner != user
            or row.deleted_at is not None
            or among.conversation_id not in {None, shown.id}
            or (shown.archived and not among.archived)
        ):
            continue
        titles_too = among.role is None and among.model is None and among.rating is None
        title = shown.title if titles_too and _is_within(among, shown.updated_at) else None
        if title is not None and matches(query, title):
            yield _Hit(row, None, row.key, shown.updated_at, title)
        for key in tables.members.get(row.key, ()):
            message = tables.messages[key].message
            if _is_wanted(tables, row, key, message, among) and matches(query, said_in(message.parts)):
                yield _Hit(row, message, key, message.created_at, said_in(message.parts))


def _is_wanted(
    tables: Tables, conversation: ConversationRow, key: int, message: Message, among: SearchFilter
) -> bool:
    vote = tables.feedback.get(key, {}).get(conversation.owner)
    rating = None if vote is None or vote.feedback is None else vote.feedback.rating
    return (
        message.status in ENDINGS
        and not message.hidden
        and among.role in {None, message.role}
        and among.model in {None, message.model}
        and among.rating in {None, rating}
        and _is_within(among, message.created_at)
    )


def _is_within(among: SearchFilter, at: datetime) -> bool:
    return (among.since is None or at >= among.since) and (among.until is None or at < among.until)


def _after(place: NewestPlace, hit: _Hit) -> tuple[int, int]:
    stretch = place.titles if hit.message is None else place.messages
    return stretch.time, stretch.key


def _place(place: NewestPlace, given: list[_Hit]) -> NewestPlace:
    """The place after what was given: that of the last of each kind, or where it was."""
    stretches = {True: place.titles, False: place.messages}
    for hit in given:
        stretches[hit.message is None] = Stretch(time=hit.order[0], key=hit.key)
    return NewestPlace(messages=stretches[False], titles=stretches[True])


def _found(query: Query, hit: _Hit) -> Found:
    part, message = excerpt(query, hit.said, whole=hit.message is None), hit.message
    return Found(
        conversation=hit.conversation.conversation,
        message_id=None if message is None else message.id,
        role=None if message is None else message.role,
        model=None if message is None else message.model,
        created_at=hit.at,
        text=part.text,
        marks=part.marks,
    )
