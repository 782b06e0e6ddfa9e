"""Reads and small writes cost what their answer is worth, however much is stored."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.commands import CreateConversation, EndRun, MoveHead, PostMessage, Rate
from chatcore.errors import InvalidInput
from chatcore.messages import Conversation, Feedback, Text
from chatcore.ports import ANYBODY
from storage.sqlite import pages, reads
from storage.sqlite.check import damage
from storage.sqlite.jumps import jump_length
from tests.storage.acting import ending
from tests.storage.sqlite_parts import Bench, bench, steps

LENGTHS = (10, 1_000, 20_000)


def _cost(made: Bench, function: Callable[[], object]) -> int:
    function()  # the first time, statements are prepared
    return steps(made.connection, function)[0]


class Grown:
    """A conversation of some length in a database that holds nothing else, and one beside it."""

    def __init__(self, made: Bench, length: int) -> None:
        self.made = made
        self.conversation = made.new()
        self.messages = made.posts(self.conversation, length)
        middle = self.messages[length // 2]
        self.aside = made.do(
            PostMessage(
                user="ann", conversation_id=self.conversation.id, parts=(Text("x"),), parent=middle.id
            )
        )
        made.do(MoveHead(user="ann", conversation_id=self.conversation.id, message_id=self.messages[-1].id))
        made.do(Rate(user="ann", message_id=middle.id, feedback=Feedback(rating="like")))
        self.length = length

    def page(self, *, before: str | None = None, around: str | None = None) -> int:
        connection, ident = self.made.connection, self.conversation.id
        return self._count(lambda: pages.page(connection, "ann", ident, before, around, 5))

    def _count(self, function: Callable[[], object]) -> int:
        return _cost(self.made, function)

    def costs(self) -> dict[str, int]:
        """Steps of what people do most."""
        connection, ident = self.made.connection, self.conversation.id
        newest = self.messages[-1]
        seq = reads.conversation(connection, "ann", ident).seq
        post = PostMessage(user="ann", conversation_id=ident, parts=(Text("x"),))
        return {
            "page": self.page(),
            "page above the newest": self.page(before=newest.id),
            "page above one in the middle": self.page(before=self.messages[self.length // 2 + 1].id),
            "conversation": self._count(lambda: reads.conversation(connection, "ann", ident)),
            "message": self._count(lambda: reads.message(connection, "ann", newest.id)),
            "changes of late": self._count(lambda: reads.changes(connection, "ann", ident, seq - 3, 10)),
            "first changes": self._count(lambda: reads.changes(connection, "ann", ident, 0, 10)),
            "ancestors": self._count(lambda: reads.ancestors(connection, newest.id, 10)),
            "post": self._count(lambda: self.made.do(post)),
        }


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Grown]]:
    folder = tmp_path_factory.mktemp("grown")
    with bench(folder / "0.db") as small, bench(folder / "1.db") as middle, bench(folder / "2.db") as large:
        yield [Grown(made, length) for made, length in zip((small, middle, large), LENGTHS, strict=True)]


def test_steps_do_not_grow_with_the_conversation(grown: list[Grown]) -> None:
    small, middle, large = (each.costs() for each in grown)
    for name, steps_of_large in large.items():
        assert steps_of_large <= 1.15 * max(middle[name], small[name]) + 20, (name, small[name], middle[name])


def test_the_way_to_a_place_in_the_middle_grows_with_the_logarithm(grown: list[Grown]) -> None:
    for costs in (
        [each.page(around=each.messages[each.length // 3].id) for each in grown],
        [each.page(around=each.aside.id) for each in grown],
    ):
        # 10 to 20,000 messages are 11 doublings: two steps of the walk for each, some 50 operations a step
        assert costs[2] - costs[0] <= 11 * 2 * 100
        assert costs[2] <= 3 * costs[1]


def test_steps_of_lists_do_not_grow_with_the_list(tmp_path: Path) -> None:
    costs: list[dict[str, int]] = []
    with bench(tmp_path / "chat.db") as made:
        for count in (10, 90, 1900):
            made.group(*[CreateConversation(user="ann")] * count)
            costs.append({name: _cost(made, function) for name, function in _lists(made).items()})
    for name in costs[0]:
        assert costs[-1][name] <= 1.15 * costs[0][name] + 20, name


def _lists(made: Bench) -> dict[str, Callable[[], object]]:
    def listed(pinned: bool | None) -> Callable[[], object]:
        return lambda: reads.conversations(made.connection, "ann", False, pinned, None, 5)

    return {
        "all": listed(None),
        "pinned": listed(True),
        "not pinned": listed(False),
        "changes": lambda: reads.list_changes(made.connection, "ann", 3, 5),
    }


def test_a_post_is_three_statements_and_one_for_searching(tmp_path: Path) -> None:
    with bench(tmp_path / "chat.db") as made:
        conversation = made.new()
        made.posts(conversation, 5)
        statements: list[str] = []
        made.connection.set_trace_callback(statements.append)
        made.posts(conversation, 1)
        made.connection.set_trace_callback(None)
    # without those that the search index does by itself
    kinds = [statement.split()[0] for statement in statements if not statement.startswith("--")]
    assert kinds == ["BEGIN", "SAVEPOINT", "SELECT", "INSERT", "UPDATE", "RELEASE", "INSERT", "COMMIT"]


def test_moving_to_another_leaf_far_below_is_bounded(grown: list[Grown]) -> None:
    large = grown[-1]
    made, root = large.made, large.messages[0]
    made.do(MoveHead(user="ann", conversation_id=large.conversation.id, message_id=root.id, exact=True))
    move = MoveHead(user="ann", conversation_id=large.conversation.id, message_id=root.id)
    count, moved = steps(made.connection, lambda: made.do(move))
    # by design one index entry a level: the newest child of the middle is the branch
    assert moved.head == large.aside.id
    assert count <= 40 * (large.length // 2)


@given(st.integers(1, 200_000), st.data())
def test_jumps_reach_any_ancestor_in_few_steps(depth: int, data: st.DataObject) -> None:
    target = data.draw(st.integers(0, depth - 1))
    count = 0
    at = depth
    while at > target:
        length = jump_length(at)
        assert 1 <= length <= at
        at -= length if at - length >= target else 1
        count += 1
    assert at == target
    assert count <= 3 * depth.bit_length()


def test_jumps_follow_the_rule_of_the_paper() -> None:
    jump = {0: 0}
    for depth in range(1, 5_000):
        parent = depth - 1
        above = jump[parent]
        same = parent - above == above - jump[above]
        jump[depth] = jump[above] if same and parent else parent
    assert {depth: depth - jump_length(depth) for depth in range(1, 5_000)} == {
        depth: target for depth, target in jump.items() if depth
    }


@pytest.mark.parametrize("after", ["", "-1", "x", "1.5.2", "1.-5", ".", "²", "².1", "9" * 19 + ".1", "1.2 "])
def test_a_position_that_is_none(tmp_path: Path, after: str) -> None:
    with bench(tmp_path / "chat.db") as made, pytest.raises(InvalidInput):
        reads.conversations(made.connection, "ann", False, None, after, 5)


@pytest.mark.parametrize(
    "name", ["", "x" * 32, "0" * 31, "0" * 33, " " * 32, "0 " * 16, "\u0660" * 32, "\0" * 32]
)
def test_an_id_that_is_none_is_not_found(tmp_path: Path, name: str) -> None:
    with bench(tmp_path / "chat.db") as made:
        conversation = made.new()
        assert made.runner._rows.message(name) is None
        assert made.runner._rows.conversation(name, ANYBODY) is None
        assert made.runner._rows.live(name, "") is None
        capitals = conversation.id.upper()
        assert made.runner._rows.conversation(capitals, ANYBODY) is None


PLANTED: dict[str, tuple[str, str]] = {
    "head": ("UPDATE conversation SET head = 999", "head"),
    "parent": ("UPDATE message SET depth = 7 WHERE depth = 2", "one deeper"),
    "jump": ("UPDATE message SET jump = 2 WHERE depth = 3", "jump"),
    "run": ("DELETE FROM run", "no run writes it"),
    "status": ("UPDATE run SET running = 0", "does not fit"),
    "running": ("UPDATE conversation SET running = 0", "wrong about"),
    "counter": ("UPDATE conversation SET seq = 1, counter = 1", "higher number"),
    "owner": ("PRAGMA foreign_keys = OFF; UPDATE conversation SET owner = 9", "not there"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_check_finds_what_is_planted(tmp_path: Path, name: str) -> None:
    sql, expected = PLANTED[name]
    with bench(tmp_path / "chat.db") as made:
        conversation = made.new()
        made.posts(conversation, 4)
        made.answering(conversation)
        assert damage(made.connection) == []
        made.connection.executescript(sql)
        assert any(expected in sentence for sentence in damage(made.connection))


def test_the_check_finds_a_broken_index(tmp_path: Path) -> None:
    with bench(tmp_path / "chat.db") as made:
        made.posts(made.new(), 4)
        made.connection.execute("PRAGMA writable_schema = ON")
        made.connection.execute("DELETE FROM sqlite_schema WHERE name = 'message_child'")
        made.connection.execute("PRAGMA writable_schema = RESET")
        found = damage(made.connection)
    assert found
    assert all(sentence.startswith("The database is damaged") for sentence in found)


def test_a_long_path_is_sound(grown: list[Grown]) -> None:
    assert damage(grown[1].made.connection) == []


def test_an_ending_costs_the_same_in_a_long_conversation(grown: list[Grown]) -> None:
    def cost(each: Grown) -> int:
        answer = each.made.answering(each.conversation)
        end: EndRun = ending(answer, "x")
        return steps(each.made.connection, lambda: each.made.do(end))[0]

    cost(grown[0])
    small, large = cost(grown[0]), cost(grown[2])
    assert large <= 1.15 * small + 20


def test_the_owner_is_part_of_every_read(tmp_path: Path) -> None:
    with bench(tmp_path / "chat.db") as made:
        conversation: Conversation = made.new()
        assert reads.conversation(made.connection, ANYBODY, conversation.id) == conversation
        assert reads.conversations(made.connection, "bob", False, None, None, 5).conversations == ()
