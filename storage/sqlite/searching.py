"""Searching, on a reader's thread: whatever is asked for, a call looks at so many hits and no more.

Newest first: FTS5 gives keys, the highest first, which is the order in which messages were stored. What was
imported lately may be older than what stands below it, so the hits are sorted by their time, 1,000 at a time.
By rank: the newest 2,000 are ranked, all others are not seen.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from chatcore.views import Found, SearchFilter, SearchOrder, SearchPage
from storage.ids import from_us, to_us
from storage.search.matching import excerpt
from storage.search.places import BestPlace, NewestPlace, Stretch, read_best, read_newest
from storage.search.query import Query, Term, read_query
from storage.search.ranking import TITLE_WEIGHT, ranked
from storage.search.words import said_in
from storage.sqlite.beginnings import first_words
from storage.sqlite.statements import load
from storage.sqlite.values import blob, conversation_row, parts_or_none, text

__all__ = ["search"]

_SQL = load("search")

_Kind = Literal["message", "title"]

_WINDOW = 1_000
_LOOKED_AT = 15_000  # hits in one call; a page may be short because of it
_RANKED = 2_000
_RANKED_CHARS = 4_000_000


def search(
    connection: sqlite3.Connection,
    user: str,
    query: str,
    among: SearchFilter,
    order: SearchOrder,
    after: str | None,
    limit: int,
) -> SearchPage:
    """See `chatcore.ports.Store.search`."""
    place = read_newest(after) if order == "newest" else read_best(after)
    (unindexed,) = connection.execute(_SQL["unindexed"]).fetchone()
    asked = _asked(connection, user, read_query(query), among)
    if asked is None:
        return SearchPage(found=(), next=None, unindexed=unindexed)
    if isinstance(place, NewestPlace):
        hits, following = _newest(connection, asked, place, limit)
    else:
        hits, following = _best(connection, asked, place, limit)
    found, words = _shown(connection, asked.query, hits)
    return SearchPage(found=found, next=following, unindexed=unindexed, first_words=words)


_WEIGHTS: Mapping[_Kind, float] = {"title": TITLE_WEIGHT, "message": 1.0}
"""How much what is said in each counts."""


class _Hit(Struct, frozen=True, order=True):
    time: int
    kind: _Kind
    key: int


class _Asked(Struct, frozen=True):
    """What is looked for, and between which keys of each kind (the second one excluded)."""

    query: Query
    expression: str
    filters: tuple[object, ...]
    reach: dict[_Kind, tuple[int, int]]


def _asked(connection: sqlite3.Connection, user: str, query: Query, among: SearchFilter) -> _Asked | None:
    """None: nothing can be found."""
    owner = connection.execute(_SQL["user"], (user,)).fetchone()
    if owner is None or not query.wanted:
        return None
    conversation: int | None = None
    reach: dict[_Kind, tuple[int, int]] = {"message": (0, Stretch().top), "title": (0, Stretch().top)}
    if among.conversation_id is not None:
        row = connection.execute(_SQL["conversation"], (blob(among.conversation_id), owner[0])).fetchone()
        if row is None:
            return None
        conversation = int(row[0])
        first, last = connection.execute(_SQL["reach"], (conversation,)).fetchone()
        reach = {"message": (first or 0, (last or 0) + 1), "title": (conversation, conversation + 1)}
    filters = (
        owner[0],
        conversation,
        among.archived,
        None if among.since is None else to_us(among.since),
        None if among.until is None else to_us(among.until),
        among.role,
        among.model,
        among.rating,
    )
    return _Asked(query, _expression(query, owner[0]), filters, reach)


def _expression(query: Query, owner: int) -> str:
    """The query in FTS5's language (sqlite.org/fts5.html#full_text_query_syntax)."""
    wanted = " AND ".join(map(_phrase, query.wanted))
    unwanted = " OR ".join(map(_phrase, query.unwanted))
    found = f'owner : "{owner}" AND text : ({wanted})'
    return f"{found} NOT text : ({unwanted})" if unwanted else found


def _phrase(term: Term) -> str:
    # tokens are letters and digits, or not ASCII: there is nothing in them to be quoted
    return f'"{" ".join(term.tokens)}"{" *" if term.prefix else ""}'


class _Hits:
    """Hits of one kind, window by window.

    Attributes:
        at: Where to go on after all that was taken.
    """

    def __init__(self, connection: sqlite3.Connection, asked: _Asked, kind: _Kind, at: Stretch) -> None:
        self._connection = connection
        self._asked = asked
        self._kind = kind
        self._first, end = asked.reach[kind]
        self._waiting: list[_Hit] = []  # of the window, the next one last
        self._below = end  # the window
        self.at = Stretch(min(at.top, end), at.time, at.key)

    @property
    def at_end(self) -> bool:
        """Whether there is nothing more."""
        return not self._waiting and self.at.top <= self._first

    @property
    def next(self) -> _Hit | None:
        """What `take` would give; None: nothing, or it is not known yet."""
        return self._waiting[-1] if self._waiting else None

    def take(self) -> _Hit:
        """The newest of the window."""
        hit = self._waiting.pop()
        self.at = Stretch(self.at.top, hit.time, hit.key) if self._waiting else Stretch(self._below)
        return hit

    def fill(self, room: int) -> int:
        """Have `next` known, unless that takes more than `room` hits; gives how many were looked at."""
        seen = 0
        while not self._waiting and not self.at_end and seen < room:
            keys = self.keys(self.at.top, _WINDOW)
            seen += len(keys)
            self._below = keys[-1] if len(keys) == _WINDOW else self._first
            after = (self.at.time, self.at.key)
            self._waiting = sorted(hit for hit in self.wanted(keys) if (hit.time, hit.key) < after)
            # from here on by the first key: what is stored meanwhile moves no window
            self.at = Stretch(keys[0] + 1, *after) if self._waiting else Stretch(self._below)
        return seen

    def keys(self, top: int, limit: int) -> list[int]:
        """The hits below `top`, the highest keys first."""
        parameters = (self._asked.expression, self._first, top, limit)
        return [key for (key,) in self._connection.execute(_SQL[f"hits_{self._kind}"], parameters)]

    def wanted(self, keys: Sequence[int]) -> list[_Hit]:
        """Those of them that the filters let through."""
        parameters = (text(keys), *self._asked.filters)
        rows = self._connection.execute(_SQL[f"wanted_{self._kind}"], parameters)
        return [_Hit(time, self._kind, key) for time, key in rows]


def _newest(
    connection: sqlite3.Connection, asked: _Asked, place: NewestPlace, limit: int
) -> tuple[list[_Hit], str | None]:
    """What comes next of messages and titles, merged by time."""
    messages = _Hits(connection, asked, "message", place.messages)
    titles = _Hits(connection, asked, "title", place.titles)
    found: list[_Hit] = []
    room = _LOOKED_AT
    while len(found) < limit:
        for kind in (titles, messages):
            room -= kind.fill(room)
        ready = [kind for kind in (titles, messages) if not kind.at_end]
        heads = [(kind.next, kind) for kind in ready if kind.next is not None]
        if not heads or len(heads) < len(ready):  # that of one is not known: the next call goes on from here
            break
        found.append(max(heads, key=lambda head: head[0])[1].take())
    at_end = messages.at_end and titles.at_end
    return found, None if at_end else str(NewestPlace(messages.at, titles.at))


def _best(
    connection: sqlite3.Connection, asked: _Asked, place: BestPlace, limit: int
) -> tuple[list[_Hit], str | None]:
    """The best of the newest."""
    titles, title_top = _candidates(_Hits(connection, asked, "title", Stretch(place.title)))
    messages, message_top = _candidates(_Hits(connection, asked, "message", Stretch(place.message)))
    hits = sorted([*titles, *messages], reverse=True)
    texts = _texts(connection, hits)
    hits = [hit for hit in hits if hit in texts]
    order = ranked(asked.query, [texts[hit] for hit in hits], [_WEIGHTS[hit.kind] for hit in hits])
    given = place.given + limit
    shown = [hits[number] for number in order[place.given : given]]
    return shown, str(BestPlace(message_top, title_top, given)) if len(order) > given else None


def _candidates(hits: _Hits) -> tuple[list[_Hit], int]:
    """The newest that the filters let through, and below which key they are."""
    found: list[_Hit] = []
    top, below, seen = hits.at.top, hits.at.top, 0
    while len(found) < _RANKED and seen < _LOOKED_AT and (keys := hits.keys(below, _WINDOW)):
        top = top if seen else keys[0] + 1
        seen += len(keys)
        below = keys[-1]
        found += hits.wanted(keys)
    return found[:_RANKED], top


def _texts(connection: sqlite3.Connection, hits: Sequence[_Hit]) -> dict[_Hit, str]:
    """What the hits say, as far as the room for texts goes."""
    texts: dict[_Hit, str] = {}
    room = _RANKED_CHARS
    for kind in _WEIGHTS:
        own = {hit.key: hit for hit in hits if hit.kind == kind}
        for key, said in connection.execute(_SQL[f"texts_{kind}"], (text(list(own)),)):
            words = said_in(parts_or_none(said) or ()) if kind == "message" else said
            texts[own[key]] = words
            room -= len(words)
            if room < 0:
                return texts
    return texts


def _shown(
    connection: sqlite3.Connection, query: Query, hits: Sequence[_Hit]
) -> tuple[tuple[Found, ...], dict[str, str]]:
    """The hits with what people are shown of them, and what conversations without a title are called by."""
    keys = text([hit.key for hit in hits if hit.kind == "message"])
    messages = {row[0]: row[1:] for row in connection.execute(_SQL["found_message"], (keys,)).fetchall()}
    wanted = {messages[hit.key][0] if hit.kind == "message" else hit.key for hit in hits}
    found_rows = connection.execute(_SQL["found_conversation"], (text(list(wanted)),)).fetchall()
    rows = [conversation_row(row, lenient=True) for row in found_rows]
    conversations = {row.key: row.conversation for row in rows}
    found = []
    for hit in hits:
        if hit.kind == "title":
            conversation = conversations[hit.key]
            part = excerpt(query, conversation.title or "", whole=True)
            public = role = model = None
        else:
            key, public, role, model, parts = messages[hit.key]
            conversation = conversations[key]
            part = excerpt(query, said_in(parts_or_none(parts) or ()))
        found.append(
            Found(
                conversation=conversation,
                message_id=public and public.hex(),
                role=role,
                model=model,
                created_at=from_us(hit.time),
                text=part.text,
                marks=part.marks,
            )
        )
    return tuple(found), first_words(connection, rows)
