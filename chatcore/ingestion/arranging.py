"""A tree of messages in an order that can be stored: parents before their children."""

import heapq
from collections.abc import Sequence

from msgspec import Struct

from chatcore.incoming import Incoming, IncomingMessage

__all__ = ["Arranged", "arrange", "head_of", "in_a_row"]

DUPLICATE = "an id that comes twice"
ORPHAN = "a message whose parent is missing"
CYCLE = "a circle of messages"
NO_HEAD = "the shown message is missing"


class Arranged(Struct, frozen=True):
    """An order of messages.

    Attributes:
        order: Which message comes at which place.
        parents: For each place that of the message above it; -1: a root.
        keys: For each place what stands for the message: its id, or one made of id and number when the id
            came before; None: its number.
        repaired: What was put right, and how often.
    """

    order: Sequence[int]
    parents: Sequence[int]
    keys: Sequence[str | None]
    repaired: dict[str, int]


def arrange(messages: Sequence[IncomingMessage]) -> Arranged:
    """Parents before children, else in the order of the file; so siblings stay in that order too.

    A message whose parent is missing becomes a root: what it hung on is not known, and nothing is made up.
    Of messages in a circle the first of the file becomes a root.
    """
    repaired: dict[str, int] = {}
    numbers: dict[str, int] = {}
    keys: list[str | None] = []
    for number, message in enumerate(messages):
        key = message.id
        if key is not None:
            if key in numbers:
                repaired[DUPLICATE] = repaired.get(DUPLICATE, 0) + 1
                key = f"{key}\n{number}"
            else:
                numbers[key] = number
        keys.append(key)
    above = [-1] * len(messages)
    in_order = True
    for number, message in enumerate(messages):
        if message.parent is None:
            continue
        parent = numbers.get(message.parent)
        if parent is None:
            repaired[ORPHAN] = repaired.get(ORPHAN, 0) + 1
        else:
            above[number] = parent
            in_order = in_order and parent < number
    if in_order:
        return Arranged(range(len(messages)), above, keys, repaired)
    if broken := _break_cycles(above):
        repaired[CYCLE] = broken
    order = _sorted(above)
    places = {number: place for place, number in enumerate(order)}
    parents = [places.get(above[number], -1) for number in order]
    return Arranged(order, parents, [keys[number] for number in order], repaired)


def in_a_row(messages: Sequence[IncomingMessage]) -> Arranged:
    """Each below the one before it."""
    keys = [message.id for message in messages]
    if len({*keys}) < len(keys) and any(key is not None for key in keys):
        keys = list(arrange(messages).keys)
    return Arranged(range(len(messages)), range(-1, len(messages) - 1), keys, {})


def head_of(given: Incoming, arranged: Arranged, repaired: dict[str, int]) -> int:
    """Place of the message at which the shown path ends: the one that is told, else the newest leaf."""
    if given.head is not None:
        for place, number in enumerate(arranged.order):
            if given.messages[number].id == given.head:
                return place
        repaired[NO_HEAD] = repaired.get(NO_HEAD, 0) + 1
    if given.linear:
        return len(given.messages) - 1
    above = set(arranged.parents)
    leaves = [(number, place) for place, number in enumerate(arranged.order) if place not in above]
    shown = [leaf for leaf in leaves if not given.messages[leaf[0]].hidden]
    return max(shown or leaves)[1]


def _break_cycles(above: list[int]) -> int:
    """Make a root of one message in each circle; gives how many there were."""
    done = bytearray(len(above))
    broken = 0
    for begin in range(len(above)):
        way: list[int] = []
        number = begin
        while number >= 0 and not done[number]:
            done[number] = 1
            way.append(number)
            number = above[number]
        if number >= 0 and done[number] == 1:  # on this very way
            circle = way[way.index(number) :]
            above[min(circle)] = -1
            broken += 1
        for passed in way:
            done[passed] = 2
    return broken


def _sorted(above: Sequence[int]) -> list[int]:
    """Of all messages whose parent has come already, always the first of the file."""
    below: list[list[int]] = [[] for _ in above]
    ready: list[int] = []
    for number, parent in enumerate(above):
        (ready if parent < 0 else below[parent]).append(number)
    order: list[int] = []
    while ready:
        number = heapq.heappop(ready)
        order.append(number)
        for child in below[number]:
            heapq.heappush(ready, child)
    return order
