"""Idempotency keys, and whose things are whose."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatcore.arrivals import Ingest
from chatcore.commands import (
    AnswerMessage,
    AppendDeltas,
    ChangeConversation,
    Command,
    CreateConversation,
    DeleteConversation,
    EndRun,
    ForgetFiles,
    InterruptRuns,
    MoveHead,
    PostMessage,
    Purge,
    Rate,
    Reindex,
    SendMessage,
    Settle,
    UndeleteConversation,
)
from chatcore.errors import (
    Busy,
    HeadMoved,
    IdempotencyConflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
)
from chatcore.messages import Conversation, Feedback, Message, Settings, Text
from chatcore.ports import Store
from storage.units import UNITS
from tests.storage.acting import Person, ending, run_spec
from tests.storage.conftest import Published

KEYS = ["k", "", "ключ 🙂", "x" * 500, "a'b\"c%_"]


@pytest.mark.parametrize("key", KEYS)
async def test_the_same_conversation_again(ann: Person, published: Published, key: str) -> None:
    made = await ann.new("t", settings=Settings(parameters={"a": 1, "b": 2}), key=key)
    published.clear()
    again = await ann.new("t", settings=Settings(parameters={"b": 2, "a": 1}), key=key)
    assert again == made
    assert published == []
    assert await ann.titles() == ["t"]
    for conflicting in (
        ann.new("other", settings=made.settings, key=key),
        ann.new("t", key=key),
        ann.new(settings=made.settings, key=key),
    ):
        with pytest.raises(IdempotencyConflict):
            await conflicting


async def test_a_repeated_creation_gives_what_it_is_now(ann: Person) -> None:
    made = await ann.new("t", key="k")
    await ann.post(made, "x")
    renamed = await ann.change(made, title="renamed")
    assert await ann.new("t", key="k") == renamed


async def test_keys_are_each_users_own(ann: Person, bob: Person) -> None:
    made = await ann.new("t", key="k")
    theirs = await bob.new("t", key="k")
    assert made.id != theirs.id
    assert (await bob.post(theirs, "x", key="m")).id != (await ann.post(made, "x", key="m")).id


async def test_without_a_key_everything_is_new(ann: Person) -> None:
    made = await ann.new("t")
    assert (await ann.new("t")).id != made.id
    assert (await ann.post(made, "x")).id != (await ann.post(made, "x")).id


async def test_the_same_post_again(ann: Person, published: Published) -> None:
    made = await ann.new()
    one, two = await ann.file("one"), await ann.file("two")
    posted = await ann.post(made, "x", files=[one], key="k")
    await ann.post(made, "later")
    published.clear()
    assert await ann.post(made, "x", files=[one], key="k") == posted
    assert published == []
    assert await ann.shown(made) == ["x", "later"]
    for conflicting in (
        ann.post(made, "y", files=[one], key="k"),
        ann.post(made, "x", key="k"),
        ann.post(made, "x", files=[two], key="k"),
        ann.post(made, "x", files=[one], role="system", key="k"),
        ann.post(made, "x", files=[one], parent=None, key="k"),
        ann.post(made, "x", files=[one], expected_head=None, key="k"),
        ann.post(await ann.new(), "x", files=[one], key="k"),
    ):
        with pytest.raises(IdempotencyConflict):
            await conflicting
    assert await ann.shown(made) == ["x", "later"]


async def test_the_same_send_again_gives_question_and_answer(ann: Person, published: Published) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q", key="k")
    published.clear()
    again = await ann.send(made, "q", key="k")  # though an answer runs, and the policy is to reject
    assert (again.repeated, again.question, again.answer) == (True, sent.question, sent.answer)
    # who runs it, and what it interrupts, is not what was asked
    other = Person(ann.store, "ann", owner="process-2")
    assert (await other.send(made, "q", key="k", max_open_runs=0, ends=ending(sent.answer))).repeated
    ended = await ann.end(sent.answer, "a")
    await ann.again(sent.question)
    again = await ann.send(made, "q", key="k")
    assert (again.question, again.answer) == (sent.question, ended)
    with pytest.raises(IdempotencyConflict):
        await ann.send(made, "Q", key="k")
    with pytest.raises(IdempotencyConflict):
        await ann.send(made, "q", policy="queue", key="k")


async def test_the_same_answer_again(ann: Person, published: Published) -> None:
    made = await ann.new()
    question, first = await ann.ask(made, "q", "a")
    again = await ann.again(first, key="k")
    published.clear()
    repeated = await ann.again(first, key="k")
    assert (repeated.repeated, repeated.question, repeated.answer) == (True, question, again.answer)
    assert published == []
    with pytest.raises(IdempotencyConflict):
        await ann.again(question, key="k")
    with pytest.raises(IdempotencyConflict):
        await ann.again(first, continues=True, key="k")
    await ann.end(again.answer, "b")
    assert (await ann.page(made)).siblings == {again.answer.id: (first.id, again.answer.id)}


async def test_a_key_is_for_one_kind_of_call(ann: Person) -> None:
    made = await ann.new(key="conversation")
    posted = await ann.post(made, "x", key="post")
    sent = await ann.send(made, "x", key="send")
    await ann.end(sent.answer, "y")
    again = await ann.again(sent.question, key="again")
    await ann.end(again.answer, "z")
    calls: dict[str, Callable[[str], Awaitable[object]]] = {
        "conversation": lambda key: ann.new(key=key),
        "post": lambda key: ann.post(made, "x", key=key),
        "send": lambda key: ann.send(made, "x", key=key),
        "again": lambda key: ann.again(sent.question, key=key),
    }
    for name, call in calls.items():
        for key in calls:
            if key == name:
                await call(key)
            else:
                with pytest.raises(IdempotencyConflict):
                    await call(key)
    assert await ann.shown(made) == ["x", "x", "z"]
    assert posted.depth == 0


async def test_a_refused_call_uses_up_no_key(ann: Person) -> None:
    made = await ann.new()
    first = await ann.post(made, "first")
    with pytest.raises(HeadMoved):
        await ann.post(made, "x", expected_head=None, key="k")
    with pytest.raises(NotFound):
        await ann.post(made, "y", parent="0" * 32, key="k")
    with pytest.raises(LimitExceeded):
        await ann.send(made, "y", max_open_runs=0, key="k")
    with pytest.raises(InvalidInput):
        await ann.again(first, continues=True, key="k")
    running = await ann.send(made, "q")
    with pytest.raises(Busy):
        await ann.send(made, "z", key="k")
    with pytest.raises(Busy):
        await ann.again(first, key="k")
    await ann.end(running.answer, "a")
    assert not (await ann.send(made, "at last", key="k")).repeated


async def test_the_key_of_what_is_deleted(ann: Person) -> None:
    """It still says that this was done: the repeated call finds the same thing, which is deleted."""
    made = await ann.new("t", key="c")
    await ann.post(made, "x", key="m")
    await ann.delete(made)
    with pytest.raises(NotFound):
        await ann.new("t", key="c")
    with pytest.raises(NotFound):
        await ann.post(made, "x", key="m")
    await ann.undelete(made)
    assert (await ann.new("t", key="c")).id == made.id


async def test_keys_go_with_what_was_purged(ann: Person) -> None:
    made = await ann.new("t", key="c")
    await ann.post(made, "x", key="m")
    await ann.delete(made)
    assert not (await ann.store.write(Purge())).more
    fresh = await ann.new("another", key="c")
    assert fresh.id != made.id
    await ann.post(fresh, "y", key="m")
    assert await ann.shown(fresh) == ["y"]


async def test_a_refused_unit_leaves_nothing(ann: Person, published: Published) -> None:
    """The refusal comes late in the unit, when the running answer has been ended and a message stored."""
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.say(sent.answer, "so", " far")
    before = await ann.store.changes("ann", made.id, after=0, limit=100)
    listed = await ann.store.list_changes("ann", after=0, limit=100)
    published.clear()
    for parent in ("0" * 32, None):
        with pytest.raises((NotFound, LimitExceeded)):
            await ann.send(
                made,
                "x",
                policy="interrupt",
                ends=ending(sent.answer, "so far"),
                parent=parent,
                max_open_runs=0,
                key="k",
            )
    assert published == []
    after = await ann.store.changes("ann", made.id, after=0, limit=100)
    assert after.events == before.events
    assert await ann.store.list_changes("ann", after=0, limit=100) == listed
    assert await ann.say(sent.answer) == frozenset()  # it runs on
    await ann.end(sent.answer, "whole")
    assert await ann.shown(made) == ["q", "whole"]


# Whose things are whose


async def _things(ann: Person) -> tuple[Conversation, Message, Message]:
    made = await ann.new("ann's")
    question, answer = await ann.ask(made, "q", "a")
    return made, question, answer


async def test_every_command_finds_only_what_is_its_users(ann: Person, published: Published) -> None:
    made, question, answer = await _things(ann)
    before = await ann.page(made)
    published.clear()
    parts = (Text("x"),)
    commands: list[Command[Any]] = [
        AnswerMessage(user="bob", message_id=question.id, run=run_spec()),
        AnswerMessage(user="bob", message_id=answer.id, run=run_spec(), continues=True),
        ChangeConversation(user="bob", conversation_id=made.id, title="bob's"),
        DeleteConversation(user="bob", conversation_id=made.id),
        UndeleteConversation(user="bob", conversation_id=made.id),
        MoveHead(user="bob", conversation_id=made.id, message_id=question.id, exact=True),
        MoveHead(user="bob", conversation_id=made.id, message_id=question.id, expected_head=None),
        PostMessage(user="bob", conversation_id=made.id, parts=parts),
        PostMessage(user="bob", conversation_id=made.id, parts=parts, parent=question.id, expected_head=None),
        SendMessage(user="bob", conversation_id=made.id, parts=parts, run=run_spec()),
        Rate(user="bob", message_id=answer.id, feedback=Feedback(rating="like")),
        Rate(user="bob", message_id=answer.id, feedback=None),
    ]
    for command in commands:
        with pytest.raises(NotFound):
            await ann.store.write(command)
    assert published == []
    assert await ann.page(made) == before
    # The others are of no user, or make something new: a further command must be put in one of the two.
    of_no_user = {
        AppendDeltas,
        CreateConversation,
        EndRun,
        ForgetFiles,
        Ingest,
        InterruptRuns,
        Purge,
        Reindex,
        Settle,
    }
    assert {type(command) for command in commands} | of_no_user == set(UNITS)


async def test_every_read_finds_only_what_is_its_users(ann: Person, store: Store) -> None:
    made, question, answer = await _things(ann)
    await ann.rate(answer, "like")
    for reading in (
        store.conversation("bob", made.id),
        store.message("bob", question.id),
        store.page("bob", made.id, before=None, around=None, limit=5),
        store.page("bob", made.id, before=answer.id, around=None, limit=5),
        store.page("bob", made.id, before=None, around=answer.id, limit=5),
        store.changes("bob", made.id, after=0, limit=5),
    ):
        with pytest.raises(NotFound):
            await reading
    await ann.delete(made)
    with pytest.raises(NotFound):
        await store.changes("bob", made.id, after=0, limit=5)
    page = await store.conversations("bob", archived=False, pinned=None, after=None, limit=5)
    assert (page.conversations, page.list_seq) == ((), 0)
    assert (await store.list_changes("bob", after=0, limit=5)).events == ()


async def test_anothers_message_in_ones_own_conversation(ann: Person, bob: Person) -> None:
    _, question, answer = await _things(ann)
    own = await bob.new()
    posted = await bob.post(own, "mine")
    for call in (
        bob.post(own, "x", parent=question.id),
        bob.send(own, "x", parent=answer.id),
        bob.move(own, answer),
        bob.page(own, before=answer),
        bob.page(own, around=question),
    ):
        with pytest.raises(NotFound):
            await call
    assert (await bob.page(own)).messages == (posted,)
