"""A prompt and several answers to it, as a tree."""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from chatcore.incoming import IncomingMessage
from chatcore.messages import Feedback, Rating, Role, Text

__all__ = ["Branch", "common_start", "grown", "is_transcript", "starts_with", "transcript"]

SPEAKER = re.compile(r"\n\n(Human|Assistant):[ \t]?")
ROLES: Mapping[str, Role] = {"Human": "user", "Assistant": "assistant"}


class Branch(Struct, frozen=True):
    """What may follow a prompt.

    Attributes:
        name: Its messages' ids begin with it.
        messages: One below the other.
        rating: What its first answer is voted: that one stands beside those of the other branches, so that
            they make a pair.
        raw: To be kept with that answer.
    """

    name: str
    messages: Sequence[IncomingMessage]
    rating: Rating | None = None
    raw: Mapping[str, object] | None = None

    @property
    def end(self) -> str | None:
        """The id of its last message; None: it has none."""
        return self.id_of(len(self.messages) - 1) if self.messages else None

    def id_of(self, place: int) -> str:
        """The id of a message of it."""
        return f"{self.name}.{place}" if place else self.name


def grown(prompt: Sequence[IncomingMessage], branches: Sequence[Branch]) -> list[IncomingMessage]:
    """The tree, with ids and parents: the branches stand side by side below the end of the prompt."""
    tree: list[IncomingMessage] = []
    above: str | None = None
    for place, message in enumerate(prompt):
        tree.append(replace(message, id=str(place), parent=above))
        above = str(place)
    for branch in branches:
        tree += _grown(branch, above)
    return tree


def _grown(branch: Branch, above: str | None) -> list[IncomingMessage]:
    roles = [message.role for message in branch.messages]
    judged = roles.index("assistant") if "assistant" in roles else None
    tree: list[IncomingMessage] = []
    for place, message in enumerate(branch.messages):
        own = branch.id_of(place)
        feedback = Feedback(rating=branch.rating) if place == judged and branch.rating is not None else None
        raw = {**(message.raw or {}), **(branch.raw or {})} if place == judged else message.raw
        tree.append(replace(message, id=own, parent=above, feedback=feedback, raw=raw or None))
        above = own
    return tree


def common_start(one: Sequence[IncomingMessage], other: Sequence[IncomingMessage]) -> int:
    """With how many equal messages both begin; at least one is left of each."""
    length = min(len(one), len(other)) - 1
    return next((place for place in range(length) if not _same(one[place], other[place])), max(0, length))


def starts_with(messages: Sequence[IncomingMessage], start: Sequence[IncomingMessage]) -> bool:
    """Whether `messages` are those of `start` and more."""
    return len(messages) > len(start) and all(map(_same, messages, start))


def _same(one: IncomingMessage, other: IncomingMessage) -> bool:
    return one.role == other.role and one.parts == other.parts


def is_transcript(value: object) -> bool:
    """Whether it is a dialog in one text, as hh-rlhf has them (Anthropic/hh-rlhf, ``README.md``)."""
    return isinstance(value, str) and SPEAKER.match(value) is not None


def transcript(text: str) -> list[IncomingMessage]:
    r"""The messages of a text ``\n\nHuman: …\n\nAssistant: …``; without an open turn at the end."""
    _, *pieces = SPEAKER.split(text)
    said = [(ROLES[who], words.strip()) for who, words in zip(pieces[::2], pieces[1::2], strict=True)]
    if said and not said[-1][1]:
        said.pop()
    return [IncomingMessage(role=role, parts=(Text(words),) if words else ()) for role, words in said]
