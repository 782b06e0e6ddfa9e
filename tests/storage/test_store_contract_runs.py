"""Answers: policies while one runs, queues, deltas, endings, orphans, limits."""

import pytest

from chatcore.commands import AppendDeltas, EndRun, InterruptRuns, PartOpened, TextAdded
from chatcore.errors import Busy, LimitExceeded, NotFound, RunEnded
from chatcore.events import (
    ConversationChanged,
    ConversationEvent,
    ListChanged,
    MessageChanged,
    PartAdded,
    TextDelta,
)
from chatcore.messages import Conversation, Message, Part, Reasoning, Status, Text, ToolCall, ToolResult
from tests.storage.acting import Person, ending
from tests.storage.conftest import Published


async def statuses(person: Person, *messages: Message) -> list[Status]:
    return [(await person.read(message)).status for message in messages]


async def queue_of(person: Person, length: int) -> tuple[Conversation, list[Message]]:
    """A conversation with one answer that runs and `length` - 1 behind it."""
    made = await person.new()
    sent = [await person.send(made, f"q{number}", policy="queue") for number in range(length)]
    return made, [one.answer for one in sent]


async def test_a_send_stores_question_and_running_answer(ann: Person, published: Published) -> None:
    made = await ann.new()
    root = await ann.post(made, "before")
    published.clear()
    sent = await ann.send(made, "q")

    question, answer = sent.question, sent.answer
    assert not sent.repeated
    assert (question.parent, question.role, question.status) == (root.id, "user", "complete")
    assert (answer.parent, answer.role, answer.status, answer.parts) == (
        question.id,
        "assistant",
        "running",
        (),
    )
    assert answer.started_at is not None
    assert answer.ended_at is None
    now = await ann.look(made)
    assert (now.head, now.running) == (answer.id, True)
    assert [type(event) for event in published] == [
        MessageChanged,
        MessageChanged,
        ConversationChanged,
        ListChanged,
    ]
    assert [event.message for event in published if isinstance(event, MessageChanged)] == [question, answer]


@pytest.mark.parametrize("status", ["complete", "stopped", "failed"])
async def test_an_ending_is_final(ann: Person, status: Status, published: Published) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.say(sent.answer, "half")
    published.clear()
    ended = await ann.end(sent.answer, "half", status=status)

    assert ended.status == status
    assert [type(event) for event in published] == [MessageChanged, ConversationChanged, ListChanged]
    assert not (await ann.look(made)).running
    published.clear()
    with pytest.raises(RunEnded):
        await ann.end(sent.answer, "more")
    assert await ann.say(sent.answer, "more") == {sent.answer.id}
    assert published == []
    assert await ann.read(sent.answer) == ended
    assert (await ann.send(made, "next")).answer.status == "running"


async def test_only_the_owner_writes_an_ending(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    other = Person(ann.store, "ann", owner="process-2")
    with pytest.raises(RunEnded):
        await other.end(sent.answer, "not mine")
    assert await other.say(sent.answer, "not", "mine") == {sent.answer.id}
    assert await statuses(ann, sent.answer) == ["running"]
    await ann.end(sent.answer, "mine")


async def test_endings_of_what_is_no_answer(ann: Person) -> None:
    made = await ann.new()
    posted = await ann.post(made, "x")
    with pytest.raises(RunEnded):
        await ann.end(posted, "x")
    for name in ("", "0" * 32, "nonsense"):
        with pytest.raises(RunEnded):
            await ann.store.write(EndRun(owner=ann.owner, message_id=name, status="complete", parts=()))


# Policies


async def test_reject(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    with pytest.raises(Busy):
        await ann.send(made, "q2")
    with pytest.raises(Busy):
        await ann.send(made, "q2", parent=None)
    await ann.end(sent.answer, "a")
    assert await ann.shown(made) == ["q", "a"]


async def test_a_queue_of_nothing_runs_at_once(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q", policy="queue")
    assert sent.answer.status == "running"


async def test_a_queued_question_goes_below_the_last_answer(ann: Person) -> None:
    made, (first, second, third) = await queue_of(ann, 3)
    assert await statuses(ann, first, second, third) == ["running", "queued", "queued"]
    assert (second.started_at, second.parts) == (None, ())
    page = await ann.page(made)
    assert [message.depth for message in page.messages] == list(range(6))
    assert page.messages[2].parent == first.id
    assert page.messages[4].parent == second.id
    assert (page.conversation.head, page.conversation.running) == (third.id, True)


@pytest.mark.parametrize("status", ["complete", "failed"])
async def test_an_ending_starts_the_next(ann: Person, status: Status, published: Published) -> None:
    made, (first, second, third) = await queue_of(ann, 3)
    published.clear()
    await ann.end(first, "a", status=status)
    assert await statuses(ann, first, second, third) == [status, "running", "queued"]
    changed = [event.message for event in published if isinstance(event, MessageChanged)]
    assert [(message.id, message.status) for message in changed] == [
        (first.id, status),
        (second.id, "running"),
    ]
    assert changed[1].started_at is not None
    assert (await ann.look(made)).running
    assert await ann.say(first, "x") == {first.id}
    assert await ann.say(third, "x") == {third.id}
    assert await ann.say(second, "b") == frozenset()
    await ann.end(second, "b")
    await ann.end(third, "c")
    assert not (await ann.look(made)).running
    assert await ann.shown(made) == ["q0", "a", "q1", "b", "q2", "c"]


async def test_a_stop_stops_those_behind_too(ann: Person, published: Published) -> None:
    made, answers = await queue_of(ann, 3)
    published.clear()
    await ann.end(answers[0], "so far", status="stopped")
    assert await statuses(ann, *answers) == ["stopped"] * 3
    assert not (await ann.look(made)).running
    assert await ann.shown(made) == ["q0", "so far", "q1", "", "q2", ""]
    ended = [event.message for event in published if isinstance(event, MessageChanged)]
    assert [message.id for message in ended] == [answer.id for answer in answers]
    assert all(message.ended_at is not None for message in ended)


async def test_a_queued_answer_can_be_stopped_by_itself(ann: Person) -> None:
    made, (first, second, third) = await queue_of(ann, 3)
    await ann.end(second, status="stopped")
    assert await statuses(ann, first, second, third) == ["running", "stopped", "stopped"]
    assert (await ann.look(made)).running
    await ann.end(first, "a")
    assert not (await ann.look(made)).running


async def test_a_queued_question_with_parent_is_a_branch(ann: Person) -> None:
    made = await ann.new()
    root = await ann.post(made, "root")
    first = await ann.send(made, "q")
    second = await ann.send(made, "beside", parent=root.id, policy="queue")
    assert (second.question.parent, second.answer.status) == (root.id, "queued")
    await ann.end(first.answer, "a")
    await ann.end(second.answer, "b")
    assert await ann.shown(made) == ["root", "beside", "b"]


async def test_interrupt_ends_the_running_answer_in_the_same_unit(ann: Person, published: Published) -> None:
    made = await ann.new()
    first = await ann.send(made, "q")
    await ann.say(first.answer, "so", " far")
    published.clear()
    second = await ann.send(made, "q2", policy="interrupt", ends=ending(first.answer, "so far"))
    assert await statuses(ann, first.answer, second.answer) == ["stopped", "running"]
    assert second.question.parent == first.answer.id
    assert [type(event) for event in published] == [
        MessageChanged,
        MessageChanged,
        MessageChanged,
        ConversationChanged,
        ListChanged,
    ]
    await ann.end(second.answer, "a2")
    assert await ann.shown(made) == ["q", "so far", "q2", "a2"]


async def test_interrupt_stops_the_queue(ann: Person) -> None:
    made, (first, second) = await queue_of(ann, 2)
    third = await ann.send(made, "now", policy="interrupt", ends=ending(first, "so far"))
    assert await statuses(ann, first, second, third.answer) == ["stopped", "stopped", "running"]
    assert await ann.shown(made) == ["q0", "so far", "q1", "", "now", ""]


async def test_interrupt_needs_the_ending_of_what_runs(ann: Person, published: Published) -> None:
    made, (first, second) = await queue_of(ann, 2)
    before = await ann.page(made)
    published.clear()
    for ends in (None, ending(second), ending(first, owner="process-2")):
        with pytest.raises(Busy):
            await ann.send(made, "now", policy="interrupt", ends=ends)
        with pytest.raises(Busy):
            await ann.again(before.messages[0], policy="interrupt", ends=ends)
    assert published == []
    assert await ann.page(made) == before


async def test_interrupt_with_an_ending_that_came_too_late(ann: Person) -> None:
    made = await ann.new()
    first = await ann.send(made, "q")
    await ann.end(first.answer, "whole")
    second = await ann.send(made, "q2", policy="interrupt", ends=ending(first.answer, "who"))
    assert second.answer.status == "running"
    assert await ann.shown(made) == ["q", "whole", "q2", ""]


async def test_another_answer_may_interrupt(ann: Person) -> None:
    made = await ann.new()
    first = await ann.send(made, "q")
    again = await ann.again(first.answer, policy="interrupt", ends=ending(first.answer, "so far"))
    assert await statuses(ann, first.answer, again.answer) == ["stopped", "running"]
    assert again.answer.parent == first.question.id
    more = await ann.again(
        again.answer, policy="interrupt", continues=True, ends=ending(again.answer, "and more")
    )
    assert more.answer.continues == again.answer.id
    assert await statuses(ann, again.answer, more.answer) == ["stopped", "running"]


# Deltas


async def test_deltas_are_published_in_order_and_change_no_row(ann: Person, published: Published) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    before = await ann.page(made)
    published.clear()
    name = sent.answer.id
    parts: tuple[Part, ...] = (Reasoning(""), ToolCall("1", "look", "{}"), ToolResult("1", "ok"), Text(""))
    deltas = (
        PartOpened(name, 0, parts[0]),
        TextAdded(name, 0, 0, "hm"),
        PartOpened(name, 1, parts[1]),
        PartOpened(name, 2, parts[2]),
        PartOpened(name, 3, parts[3]),
        TextAdded(name, 3, 0, "🙂"),
        TextAdded(name, 3, 1, " yes"),
    )
    assert await ann.store.write(AppendDeltas(owner=ann.owner, deltas=deltas[:3])) == frozenset()
    assert await ann.store.write(AppendDeltas(owner=ann.owner, deltas=deltas[3:])) == frozenset()

    assert all(isinstance(event, PartAdded | TextDelta) for event in published)
    assert [_said(event) for event in published if not isinstance(event, ListChanged)] == list(deltas)
    seqs = [event.seq for event in published]
    assert seqs == sorted(set(seqs))
    assert seqs[0] > before.seq
    assert (await ann.page(made)).messages == before.messages
    ended = await ann.end(sent.answer, "hm 🙂 yes")
    assert ended.seq > seqs[-1]


def _said(event: ConversationEvent) -> PartOpened | TextAdded:
    if isinstance(event, PartAdded):
        return PartOpened(event.message_id, event.index, event.part)
    assert isinstance(event, TextDelta)
    return TextAdded(event.message_id, event.index, event.start, event.text)


async def test_deltas_of_several_answers_in_one_unit(ann: Person, bob: Person, published: Published) -> None:
    one = await ann.send(await ann.new(), "q")
    two = await bob.send(await bob.new(), "q")
    gone = await ann.send(await ann.new(), "q")
    await ann.end(gone.answer, "over")
    published.clear()
    deltas = tuple(PartOpened(sent.answer.id, 0, Text("")) for sent in (one, gone, two)) + tuple(
        TextAdded(sent.answer.id, 0, 0, "x") for sent in (gone, two, one)
    )
    ended = await ann.store.write(
        AppendDeltas(owner=ann.owner, deltas=(*deltas, TextAdded("nonsense", 0, 0, "y")))
    )
    assert ended == {gone.answer.id, "nonsense"}
    assert {event.conversation_id for event in published if not isinstance(event, ListChanged)} == {
        one.answer.conversation_id,
        two.answer.conversation_id,
    }
    assert len(published) == 4


async def test_a_change_in_the_midst_of_an_answer_keeps_the_numbers_rising(
    ann: Person, published: Published
) -> None:
    made = await ann.new()
    _, rated = await ann.ask(made, "q", "a")
    sent = await ann.send(made, "q2")
    await ann.say(sent.answer, "some", " words")
    await ann.rate(rated, "like")
    await ann.store.write(AppendDeltas(owner=ann.owner, deltas=(TextAdded(sent.answer.id, 0, 10, " more"),)))
    await ann.change(made, title="t")
    await ann.store.write(AppendDeltas(owner=ann.owner, deltas=(TextAdded(sent.answer.id, 0, 15, " words"),)))
    await ann.end(sent.answer, "some words more words")
    seqs = [event.seq for event in published if not isinstance(event, ListChanged)]
    assert seqs == sorted(set(seqs))  # also of each unit that was refused or repeated: see `check_numbers`
    assert (await ann.page(made)).seq >= seqs[-1]


async def test_no_deltas_are_no_change(ann: Person, published: Published) -> None:
    assert await ann.store.write(AppendDeltas(owner=ann.owner, deltas=())) == frozenset()
    assert published == []


# Orphans


async def test_orphans_are_the_runs_of_others(ann: Person, bob: Person) -> None:
    _, answers = await queue_of(ann, 2)
    theirs = await Person(ann.store, "bob", owner="process-2").send(await bob.new(), "q")
    assert await ann.store.orphans(ann.owner) == [theirs.answer.id]
    assert set(await ann.store.orphans("process-3")) == {theirs.answer.id, *(one.id for one in answers)}
    await ann.end(answers[0], status="stopped")
    assert await ann.store.orphans("process-3") == [theirs.answer.id]


async def test_an_interruption_keeps_all_that_was_said(ann: Person, published: Published) -> None:
    made, (running, queued) = await queue_of(ann, 2)
    other = await ann.send(await ann.new(), "q")
    name = running.id
    deltas = (
        PartOpened(name, 0, Reasoning("h")),
        TextAdded(name, 0, 1, "m"),
        PartOpened(other.answer.id, 0, Text("")),
        PartOpened(name, 1, ToolCall("1", "look", "{}")),
        TextAdded(other.answer.id, 0, 0, "elsewhere"),
        PartOpened(name, 2, Text("")),
        TextAdded(name, 2, 0, "all 🙂"),
        TextAdded(name, 2, 5, " of it"),
    )
    await ann.store.write(AppendDeltas(owner=ann.owner, deltas=deltas))
    await ann.rate(await ann.post(await ann.new(), "x"), "like")
    published.clear()
    interrupted = InterruptRuns(message_ids=(queued.id, running.id, "nonsense"), reason="It died.")
    assert await ann.store.write(interrupted) == 2

    first, second = await ann.read(running), await ann.read(queued)
    assert first.parts == (Reasoning("hm"), ToolCall("1", "look", "{}"), Text("all 🙂 of it"))
    assert second.parts == ()
    for message in (first, second):
        assert (message.status, message.reason) == ("interrupted", "It died.")
        assert message.ended_at is not None
    assert not (await ann.look(made)).running
    changed = [event for event in published if isinstance(event, MessageChanged)]
    assert [event.message.id for event in changed] == [running.id, queued.id]
    assert await statuses(ann, other.answer) == ["running"]
    assert await ann.store.write(interrupted) == 0
    with pytest.raises(RunEnded):
        await ann.end(running, "late")
    assert await ann.say(running, "late") == {running.id}
    again = await ann.again(first, continues=True)
    assert again.answer.continues == first.id


async def test_an_interrupted_silent_answer_is_empty(ann: Person) -> None:
    sent = await ann.send(await ann.new(), "q")
    assert await ann.store.write(InterruptRuns(message_ids=(sent.answer.id,), reason="It died.")) == 1
    assert (await ann.read(sent.answer)).parts == ()


async def test_an_answer_after_others_keeps_only_its_own_words(ann: Person) -> None:
    """Deltas of ended answers may still lie in the store; they are nobody's."""
    made, (first, second) = await queue_of(ann, 2)
    beside = await ann.send(await ann.new(), "q")
    await ann.say(beside.answer, "pins", " the", " table")
    await ann.say(first, "one")
    await ann.end(first, "one")
    await ann.say(second, "two")
    await ann.store.write(InterruptRuns(message_ids=(first.id, second.id), reason="It died."))
    assert await ann.shown(made) == ["q0", "one", "q1", "two"]
    await ann.store.write(InterruptRuns(message_ids=(beside.answer.id,), reason="It died."))
    assert (await ann.read(beside.answer)).parts == (Text("pins the table"),)


# Limits


async def test_a_user_has_so_many_open_runs(ann: Person, bob: Person) -> None:
    made, (first, _) = await queue_of(ann, 2)
    other = await ann.new()
    with pytest.raises(LimitExceeded) as caught:
        await ann.send(other, "q", max_open_runs=2)
    assert (caught.value.data["limit"], caught.value.data["given"]) == (2, 2)
    with pytest.raises(LimitExceeded):
        await ann.send(made, "q", policy="queue", max_open_runs=2)
    assert await ann.shown(other) == []
    await bob.send(await bob.new(), "q", max_open_runs=2)
    await ann.end(first, "a")
    await ann.send(other, "q", max_open_runs=2)
    question = (await ann.page(await ann.look(made))).messages[0]
    third = await ann.new()
    posted = await ann.post(third, "q")
    with pytest.raises(LimitExceeded):
        await ann.again(posted, max_open_runs=2)
    with pytest.raises(Busy):
        await ann.again(question, max_open_runs=2)


async def test_an_interruption_makes_room_for_itself(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q", max_open_runs=1)
    second = await ann.send(made, "q2", policy="interrupt", ends=ending(sent.answer), max_open_runs=1)
    assert second.answer.status == "running"


async def test_a_run_of_a_deleted_conversation_writes_no_more(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.delete(made, ends=ending(sent.answer, "so far"))
    assert await ann.say(sent.answer, "more") == {sent.answer.id}
    with pytest.raises(RunEnded):
        await ann.end(sent.answer, "more")
    with pytest.raises(NotFound):
        await ann.read(sent.answer)
