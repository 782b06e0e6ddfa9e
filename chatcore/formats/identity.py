"""What a message or conversation was elsewhere: kept with what an import of our own format brings.

An import gives new ids, and a store takes of a message what other systems have too. The rest stands in `raw`,
under one key, and comes out again at the next export. So an export of what came from an export has the ids of
the first one, and whoever has taken in the first knows what is new in the second.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from chatcore.formats.paths import raw_of
from chatcore.messages import Rating
from chatcore.views import Tree

__all__ = ["KEY", "Elsewhere", "Moment", "Vote", "identity_of", "separated", "together"]

Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A time that says its zone."""

KEY = "chatcore"
"""In `raw`, beside what another source has said before."""


class Vote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody's feedback."""

    user: str
    rating: Rating
    comment: str | None = None
    reasons: tuple[str, ...] = ()


class Elsewhere(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a message was where it was made; of a conversation only some of it.

    Attributes:
        id: Its id there; so are `continues` and `memory_from`.
        votes: Of all but the owner; only in what was taken in when votes of others were no votes here.
        shadowed: What another source has said under our key; empty: nothing.
    """

    id: str
    reason_code: str | None = None
    continues: str | None = None
    responder: str | None = None
    memory_from: str | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    first_token_seconds: float | None = None
    votes: tuple[Vote, ...] = ()
    shadowed: tuple[object, ...] = ()


def together(raw: Mapping[str, object] | None, elsewhere: Elsewhere) -> Mapping[str, object]:
    """What a source said, and what we keep: one `raw`."""
    if raw and KEY in raw:
        elsewhere = msgspec.structs.replace(elsewhere, shadowed=(raw[KEY],))
    return {**(raw or {}), KEY: msgspec.to_builtins(elsewhere)}


def separated(raw: str | None) -> tuple[Mapping[str, object], Elsewhere | None]:
    """The two again; None: it did not come from an export of ours."""
    found = dict(raw_of(raw))
    try:
        elsewhere = msgspec.convert(found[KEY], Elsewhere)
    except (KeyError, msgspec.ValidationError):
        return found, None
    del found[KEY]
    if elsewhere.shadowed:
        found[KEY] = elsewhere.shadowed[0]
    return found, elsewhere


def identity_of(tree: Tree) -> str:
    """The conversation's id where it was made: here, or where its export came from."""
    _, elsewhere = separated(tree.raw)
    return elsewhere.id if elsewhere is not None else tree.conversation.id
