"""The tree: posts, branches, heads, pages of a path, siblings."""

from typing import cast

import pytest

from chatcore.commands import EndRun, PostMessage, RunSpec, SendMessage
from chatcore.errors import Busy, ChatcoreError, HeadMoved, InvalidInput, NotFound
from chatcore.events import ConversationChanged, ListChanged, MessageChanged
from chatcore.messages import (
    Conversation,
    File,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from chatcore.ports import ANYBODY
from tests.storage.acting import PROCESS, Person, texts
from tests.storage.conftest import Published

EVERY_PART: tuple[Part, ...] = (
    Reasoning("hm … 🤔"),
    Text('tab\t"quote" \\ \u2028 \ufeff <b>'),
    ToolCall("call-1", "search", '{"q": "ä"}'),
    ToolResult("call-1", "nothing", is_error=True),
    Text(""),
)


async def chain(person: Person, conversation: Conversation, length: int) -> list[Message]:
    """Posts "0", "1", …, each below the one before."""
    return [await person.post(conversation, str(number)) for number in range(length)]


async def test_a_post_goes_below_the_head_and_becomes_it(ann: Person, published: Published) -> None:
    made = await ann.new()
    published.clear()
    first = await ann.post(made, "one")
    second = await ann.post(made, "two", role="assistant")
    third = await ann.post(made, "three", role="tool")

    assert [(m.parent, m.depth, m.role, m.status) for m in (first, second, third)] == [
        (None, 0, "user", "complete"),
        (first.id, 1, "assistant", "complete"),
        (second.id, 2, "tool", "complete"),
    ]
    assert first.id < second.id < third.id
    assert first.seq < second.seq < third.seq
    now = await ann.look(made)
    assert (now.head, now.running) == (third.id, False)
    assert now.updated_at >= third.created_at
    assert [type(event) for event in published[:3]] == [MessageChanged, ConversationChanged, ListChanged]
    assert await ann.read(second) == second
    assert (first.started_at, first.ended_at, first.responder) == (None, None, None)


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
async def test_every_role_and_part_comes_back_as_it_was(ann: Person, role: Role) -> None:
    made = await ann.new()
    parts = (*EVERY_PART, File(await ann.file("content")))
    posted = await ann.store.write(PostMessage(user="ann", conversation_id=made.id, role=role, parts=parts))
    assert posted.parts == parts
    assert await ann.read(posted) == posted
    assert (await ann.page(made)).messages == (posted,)


async def test_an_ending_keeps_all_that_is_known_of_the_run(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    assert (sent.answer.responder, sent.answer.model) == ("echo", "echo-1")
    ended = await ann.store.write(
        EndRun(
            owner=PROCESS,
            message_id=sent.answer.id,
            status="failed",
            parts=EVERY_PART,
            reason="It broke.",
            reason_code="responder_error",
            model="echo-1-large",
            usage=Usage(prompt_tokens=3, completion_tokens=None),
            memory_from=sent.question.id,
        )
    )
    assert ended == await ann.read(sent.answer)
    assert (ended.status, ended.parts, ended.reason, ended.reason_code) == (
        "failed",
        EVERY_PART,
        "It broke.",
        "responder_error",
    )
    assert (ended.responder, ended.model, ended.usage) == ("echo", "echo-1-large", Usage(prompt_tokens=3))
    assert (ended.memory_from, ended.created_at) == (sent.question.id, sent.answer.created_at)
    assert ended.started_at == sent.answer.started_at
    assert ended.ended_at is not None
    assert ended.seq > sent.answer.seq


async def test_a_post_with_parent_is_a_branch(ann: Person) -> None:
    made = await ann.new()
    root, left, _ = await chain(ann, made, 3)
    right = await ann.post(made, "right", parent=root.id)
    other_root = await ann.post(made, "other root", parent=None)
    assert (right.parent, right.depth) == (root.id, 1)
    assert (other_root.parent, other_root.depth) == (None, 0)
    assert (await ann.look(made)).head == other_root.id
    assert (await ann.page(made)).siblings == {other_root.id: (root.id, other_root.id)}
    await ann.move(made, right)
    assert (await ann.page(made)).siblings == {
        root.id: (root.id, other_root.id),
        right.id: (left.id, right.id),
    }


async def test_a_post_while_an_answer_runs(ann: Person) -> None:
    made = await ann.new()
    root = await ann.post(made, "root")
    sent = await ann.send(made, "q")
    with pytest.raises(Busy):
        await ann.post(made, "more")
    beside = await ann.post(made, "beside", parent=root.id)
    assert beside.parent == root.id
    assert (await ann.look(made)).head == sent.answer.id
    await ann.end(sent.answer, "a")
    assert (await ann.look(made)).head == sent.answer.id


async def test_the_expected_head_is_compared(ann: Person) -> None:
    made = await ann.new()
    first = await ann.post(made, "one", expected_head=None)
    second = await ann.post(made, "two", expected_head=first.id)
    for stale in (None, first.id, "0" * 32):
        with pytest.raises(HeadMoved) as caught:
            await ann.post(made, "late", expected_head=stale)
        assert caught.value.data["head"] == second.id
        with pytest.raises(HeadMoved):
            await ann.send(made, "late", expected_head=stale)
        with pytest.raises(HeadMoved):
            await ann.move(made, first, expected_head=stale)
    assert await ann.shown(made) == ["one", "two"]
    sent = await ann.send(made, "three", expected_head=second.id)
    await ann.end(sent.answer, "four")
    await ann.move(made, first, exact=True, expected_head=sent.answer.id)
    assert await ann.shown(made) == ["one"]


async def test_a_send_with_parent_is_an_edited_question(ann: Person) -> None:
    made = await ann.new()
    _, answer = await ann.ask(made, "hello", "hi")
    question, _ = await ann.ask(made, "how are you", "fine")
    edited, better = await ann.ask(made, "how old are you", "young", parent=answer.id)
    assert (edited.parent, edited.depth) == (answer.id, 2)
    assert await ann.shown(made) == ["hello", "hi", "how old are you", "young"]
    assert (await ann.page(made)).siblings == {edited.id: (question.id, edited.id)}
    first, _ = await ann.ask(made, "good day", "good day", parent=None)
    assert (first.parent, first.depth) == (None, 0)
    assert await ann.shown(made) == ["good day", "good day"]
    await ann.move(made, edited)
    assert (await ann.look(made)).head == better.id


async def test_moving_to_a_sibling_goes_to_the_newest_leaf_below(ann: Person) -> None:
    made = await ann.new()
    question, old = await ann.ask(made, "q", "old")
    again = await ann.again(question)
    await ann.end(again.answer, "new")
    await ann.ask(made, "on", "and on")
    left = await ann.post(made, "left", parent=old.id)
    right = await ann.post(made, "right", parent=old.id)
    await ann.post(made, "deep", parent=left.id)
    deeper = await ann.post(made, "deeper", parent=right.id)
    await ann.move(made, again.answer)
    assert await ann.shown(made) == ["q", "new", "on", "and on"]
    moved = await ann.move(made, old)
    assert moved.head == deeper.id  # the newest child's newest child: not the newest message below
    assert await ann.shown(made) == ["q", "old", "right", "deeper"]


async def test_moving_exactly(ann: Person, published: Published) -> None:
    made = await ann.new()
    first, second, third = await chain(ann, made, 3)
    published.clear()
    moved = await ann.move(made, first, exact=True)
    assert moved.head == first.id
    assert [type(event) for event in published] == [ConversationChanged]
    assert await ann.shown(made) == ["0"]
    empty = await ann.move(made, None, exact=True)
    assert empty.head is None
    assert await ann.shown(made) == []
    published.clear()
    assert await ann.move(made, None, exact=True) == empty
    assert published == []
    fresh = await ann.post(made, "afresh")
    assert (fresh.parent, fresh.depth) == (None, 0)
    await ann.move(made, first)
    assert (await ann.look(made)).head == third.id
    assert second.parent == first.id


async def test_moving_nowhere_is_refused(ann: Person) -> None:
    made = await ann.new()
    (only,) = await chain(ann, made, 1)
    other = await ann.new()
    elsewhere = await ann.post(other, "elsewhere")
    with pytest.raises(InvalidInput):
        await ann.move(made, None)
    with pytest.raises(NotFound):
        await ann.move(made, elsewhere)
    sent = await ann.send(made, "q")
    for message in (only, None):
        with pytest.raises(Busy):
            await ann.move(made, message, exact=True)
    await ann.end(sent.answer)


async def test_parents_are_of_the_same_conversation(ann: Person) -> None:
    made = await ann.new()
    elsewhere = await ann.post(await ann.new(), "elsewhere")
    for parent in (elsewhere.id, "0" * 32, "", "nonsense", "ä", "x" * 1000):
        with pytest.raises(NotFound):
            await ann.post(made, "x", parent=parent)
        with pytest.raises(NotFound):
            await ann.send(made, "x", parent=parent)
    assert await ann.shown(made) == []


@pytest.mark.parametrize("name", ["", "nonsense", "0" * 32, "ä" * 32, "f" * 31, "F" * 32, "x" * 1000, "\0"])
async def test_ids_that_are_none_are_not_found(ann: Person, name: str) -> None:
    made = await ann.new()
    store = ann.store
    for reading in (
        store.conversation("ann", name),
        store.conversation(ANYBODY, name),
        store.message("ann", name),
        store.message(ANYBODY, name),
        store.page("ann", name, before=None, around=None, limit=5),
        store.page("ann", made.id, before=name, around=None, limit=5),
        store.page("ann", made.id, before=None, around=name, limit=5),
        store.changes("ann", name, after=0, limit=5),
        store.ancestors(name, limit=5),
    ):
        with pytest.raises(NotFound):
            await reading


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11])
async def test_a_page_is_the_newest_of_the_path_and_goes_up(ann: Person, limit: int) -> None:
    made = await ann.new()
    await chain(ann, made, 10)
    page = await ann.page(made, limit=limit)
    assert not page.has_newer
    found = list(page.messages)
    for _ in range(12):
        assert len(page.messages) <= limit
        assert page.has_older == (len(found) < 10)
        if not page.has_older:
            break
        page = await ann.page(made, before=page.messages[0], limit=limit)
        assert page.has_newer
        found = [*page.messages, *found]
    assert texts(found) == [str(number) for number in range(10)]


async def test_a_page_before_the_root_is_empty(ann: Person) -> None:
    made = await ann.new()
    root, _ = await chain(ann, made, 2)
    page = await ann.page(made, before=root)
    assert (page.messages, page.has_older, page.has_newer) == ((), False, True)


async def test_a_page_before_a_message_off_the_visible_path(ann: Person) -> None:
    made = await ann.new()
    messages = await chain(ann, made, 4)
    side = await ann.post(made, "side", parent=messages[1].id)
    await ann.move(made, messages[3])
    page = await ann.page(made, before=side)
    assert texts(page.messages) == ["0", "1"]


@pytest.mark.parametrize(
    ("around", "limit", "expected"),
    [
        (5, 3, range(4, 7)),
        (5, 1, range(5, 6)),
        (0, 3, range(3)),
        (1, 5, range(5)),
        (9, 3, range(7, 10)),
        (8, 5, range(5, 10)),
        (4, 100, range(10)),
    ],
)
async def test_a_page_around_a_message(ann: Person, around: int, limit: int, expected: range) -> None:
    made = await ann.new()
    messages = await chain(ann, made, 10)
    page = await ann.page(made, around=messages[around], limit=limit)
    assert texts(page.messages) == [str(number) for number in expected]
    assert (page.has_older, page.has_newer) == (expected[0] > 0, expected[-1] < 9)


async def test_a_page_around_with_an_even_limit_holds_the_message(ann: Person) -> None:
    made = await ann.new()
    messages = await chain(ann, made, 10)
    for message in messages:
        page = await ann.page(made, around=message, limit=4)
        assert len(page.messages) == 4
        assert message in page.messages


async def test_a_page_around_on_a_long_path_full_of_branches(ann: Person) -> None:
    made = await ann.new()
    spine: list[Message] = []
    for number in range(120):
        spine.append(await ann.post(made, f"s{number}", parent=spine[-1].id if spine else None))
        if number % 3 == 2:
            side = await ann.post(made, f"b{number}", parent=spine[-2].id)
            await ann.post(made, f"c{number}", parent=side.id)
    sides = {}  # by place in the spine: the branch that begins beside it
    await ann.move(made, spine[-1])

    page = await ann.page(made, around=spine[60], limit=9)
    assert texts(page.messages) == [f"s{number}" for number in range(56, 65)]
    assert (page.has_older, page.has_newer) == (True, True)
    for message in page.messages:
        number = spine.index(message)
        assert (message.id in page.siblings) == (number % 3 == 2)
        if number % 3 == 2:
            sides[number] = page.siblings[message.id][1]

    # off the visible path: the path to the newest leaf below the message
    branch = await ann.store.message("ann", sides[59])
    page = await ann.page(made, around=branch, limit=5)
    assert texts(page.messages) == ["s56", "s57", "s58", "b59", "c59"]
    assert (page.has_older, page.has_newer) == (True, False)
    assert page.siblings[branch.id] == (spine[59].id, branch.id)
    newer = await ann.page(made, around=page.messages[2], limit=5)
    assert texts(newer.messages) == [f"s{number}" for number in range(56, 61)]


async def test_a_page_around_a_leaf_of_an_undone_path(ann: Person) -> None:
    made = await ann.new()
    messages = await chain(ann, made, 5)
    await ann.move(made, messages[1], exact=True)
    page = await ann.page(made, around=messages[3], limit=3)
    assert texts(page.messages) == ["2", "3", "4"]
    assert page.conversation.head == messages[1].id


async def test_siblings_of_roots_and_of_several_answers(ann: Person) -> None:
    made = await ann.new()
    question, one = await ann.ask(made, "q", "1")
    two = (await ann.again(question)).answer
    await ann.end(two, "2")
    three = (await ann.again(one)).answer
    await ann.end(three, "3")
    root, _ = await ann.ask(made, "Q", "A", parent=None)
    await ann.move(made, two)
    page = await ann.page(made)
    assert page.siblings == {
        question.id: (question.id, root.id),
        two.id: (one.id, two.id, three.id),
    }


async def test_a_deep_conversation(ann: Person) -> None:
    made = await ann.new()
    messages = await chain(ann, made, 1200)
    assert messages[-1].depth == 1199
    await ann.move(made, messages[0], exact=True)
    assert (await ann.move(made, messages[0])).head == messages[-1].id
    page = await ann.page(made, around=messages[600], limit=3)
    assert texts(page.messages) == ["599", "600", "601"]
    above = await ann.store.ancestors(messages[-1].id, limit=2000)
    assert [message.id for message in above] == [message.id for message in reversed(messages)]


async def test_ancestors_are_the_newest_first(ann: Person) -> None:
    made = await ann.new()
    messages = await chain(ann, made, 4)
    await ann.post(made, "side", parent=messages[1].id)
    assert texts(await ann.store.ancestors(messages[2].id, limit=10)) == ["2", "1", "0"]
    assert texts(await ann.store.ancestors(messages[3].id, limit=2)) == ["3", "2"]


async def test_another_answer_is_a_sibling(ann: Person, published: Published) -> None:
    made = await ann.new()
    question, first = await ann.ask(made, "q", "first")
    await ann.ask(made, "on", "on")
    published.clear()
    again = await ann.again(first)
    assert (again.question, again.repeated) == (question, False)
    assert (again.answer.parent, again.answer.status, again.answer.continues) == (
        question.id,
        "running",
        None,
    )
    kinds = [(type(event), getattr(event, "message", again.answer) == again.answer) for event in published]
    assert kinds == [(MessageChanged, True), (ConversationChanged, True), (ListChanged, True)]
    await ann.end(again.answer, "second")
    assert await ann.shown(made) == ["q", "second"]
    assert await ann.read(first) == first


async def test_continuing_names_the_answer_that_goes_on(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    stopped = await ann.end(sent.answer, "half", status="stopped")
    more = await ann.again(stopped, continues=True)
    assert (more.answer.continues, more.answer.parent) == (stopped.id, sent.question.id)
    await ann.end(more.answer, "half and half")
    assert (await ann.read(more.answer)).continues == stopped.id
    assert await ann.shown(made) == ["q", "half and half"]
    assert await ann.read(stopped) == stopped


async def test_what_can_not_be_answered_again(ann: Person) -> None:
    made = await ann.new()
    greeting = await ann.post(made, "hello", role="assistant")
    question, _ = await ann.ask(made, "q", "a")
    with pytest.raises(InvalidInput):
        await ann.again(greeting)  # no question above it
    with pytest.raises(InvalidInput):
        await ann.again(question, continues=True)  # not an answer
    with pytest.raises(InvalidInput):
        await ann.again(question, policy="queue")
    running = await ann.again(question)
    for message in (question, running.answer):
        with pytest.raises(Busy):
            await ann.again(message)
    with pytest.raises(ChatcoreError):
        await ann.again(running.answer, continues=True)
    await ann.end(running.answer)


async def test_a_missing_user_finds_nothing(ann: Person) -> None:
    """As a frontend's mistake would have it."""
    made = await ann.new()
    message = await ann.post(made, "x")
    nobody = cast("str", None)
    for read in (
        ann.store.conversation(nobody, made.id),
        ann.store.message(nobody, message.id),
        ann.store.page(nobody, made.id, before=None, around=None, limit=1),
        ann.store.changes(nobody, made.id, after=0, limit=1),
        Person(ann.store, nobody).delete(made),
    ):
        with pytest.raises(NotFound):
            await read


async def test_the_owner_is_asked_for_and_the_engine_is_not(ann: Person) -> None:
    made = await ann.new()
    message = await ann.post(made, "x")
    assert await ann.store.conversation(ANYBODY, made.id) == await ann.look(made)
    assert await ann.store.message(ANYBODY, message.id) == message
    await ann.delete(made)
    with pytest.raises(NotFound):
        await ann.store.conversation(ANYBODY, made.id)
    with pytest.raises(NotFound):
        await ann.store.message(ANYBODY, message.id)


async def test_large_texts_come_back_whole(ann: Person) -> None:
    made = await ann.new()
    text = "0123456789 äöü 🙂\n" * 60_000
    sent = await ann.store.write(
        SendMessage(
            user="ann",
            conversation_id=made.id,
            parts=(Text(text),),
            run=RunSpec(owner=PROCESS, responder="echo", model=None, max_open_runs=1),
        )
    )
    await ann.end(sent.answer, text)
    assert await ann.shown(made) == [text, text]
