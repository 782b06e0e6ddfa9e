"""What has changed since: rows as events, in batches, and votes."""

import pytest

from chatcore.commands import AppendDeltas, Rate, TextAdded
from chatcore.errors import NotFound
from chatcore.events import (
    ConversationChanged,
    ConversationDeleted,
    ConversationEvent,
    FeedbackChanged,
    ListChanged,
    MessageChanged,
)
from chatcore.fold import Fold
from chatcore.messages import Conversation, Feedback
from chatcore.views import MessageFeedback
from tests.storage.acting import Person, ending
from tests.storage.conftest import Published


async def changes(person: Person, conversation: Conversation, *, limit: int = 500) -> list[ConversationEvent]:
    """All changes from 0, in batches."""
    found: list[ConversationEvent] = []
    after = 0
    while True:
        batch = await person.store.changes(person.name, conversation.id, after=after, limit=limit)
        seqs = [event.seq for event in batch.events]
        assert seqs == sorted(set(seqs))
        assert len(seqs) <= limit
        assert not seqs or after < seqs[0]
        found += batch.events
        if not batch.more:
            assert batch.seq >= (seqs[-1] if seqs else 0)
            return found
        assert seqs
        after = seqs[-1]


async def busy_conversation(ann: Person) -> Conversation:
    """With branches, votes, a second root and a moved head."""
    made = await ann.new("t")
    question, first = await ann.ask(made, "q", "one")
    again = await ann.again(first)
    await ann.say(again.answer, "t", "w", "o")
    await ann.rate(first, "like")
    second = await ann.end(again.answer, "two")
    await ann.rate(second, "dislike", "no")
    await ann.rate(first, None)
    await ann.ask(made, "on", "and on", parent=second.id)
    await ann.ask(made, "another root", "yes", parent=None)
    await ann.post(made, "posted", parent=first.id)
    await ann.move(made, question)
    await ann.change(made, title="T", pinned=True)
    return made


@pytest.mark.parametrize("limit", [1, 2, 5, 500])
async def test_changes_in_batches_are_the_tree(ann: Person, published: Published, limit: int) -> None:
    made = await busy_conversation(ann)
    fold = Fold()
    for event in await changes(ann, made, limit=limit):
        fold.apply(event)

    shown = await ann.page(made)
    assert fold.conversation == shown.conversation
    assert fold.path() == list(shown.messages)
    ids = {event.message.id for event in published if isinstance(event, MessageChanged)}
    assert fold.messages.keys() == ids
    for message in fold.messages.values():
        assert message == await ann.read(message)
    assert [vote.rating for vote in fold.feedback.values()] == ["dislike"]


async def test_events_and_rows_say_the_same(ann: Person, published: Published) -> None:
    made = await busy_conversation(ann)
    by_events, by_rows = Fold(), Fold()
    for event in published:
        if not isinstance(event, ListChanged):
            by_events.apply(event)
    for event in await changes(ann, made):
        by_rows.apply(event)
    assert by_events.conversation == by_rows.conversation
    assert by_events.messages == by_rows.messages
    assert by_events.feedback == by_rows.feedback
    last: dict[str, Conversation] = {}
    for event in published:
        if isinstance(event, ListChanged):
            last[event.conversation_id] = event.conversation
    listed = await ann.store.list_changes("ann", after=0, limit=100)
    shown = {event.conversation_id: event.conversation for event in listed.events}
    # the list's counter is not the conversation's: what else has changed since does not show in the list
    for name, conversation in last.items():
        assert (shown[name].title, shown[name].pinned, shown[name].running, shown[name].list_seq) == (
            conversation.title,
            conversation.pinned,
            conversation.running,
            conversation.list_seq,
        )


async def test_changes_from_any_place_complete_what_was_held(ann: Person, published: Published) -> None:
    """From each event of the past: what was held there, with the changes since, is what is held now."""
    made = await busy_conversation(ann)
    whole = Fold()
    events = [event for event in published if not isinstance(event, ListChanged)]
    for event in events:
        whole.apply(event)
    for cut in range(len(events)):
        reader = Fold()
        for event in events[: cut + 1]:
            reader.apply(event)
        since = await ann.store.changes("ann", made.id, after=reader.seq, limit=500)
        for event in since.events:
            reader.apply(event)
        assert reader.conversation == whole.conversation
        assert reader.messages == whole.messages
        assert reader.feedback == whole.feedback


async def test_a_row_that_changes_between_batches_comes_again(ann: Person) -> None:
    made = await ann.new()
    first = await ann.post(made, "0")
    for number in range(1, 6):
        await ann.post(made, str(number))
    batch = await ann.store.changes("ann", made.id, after=0, limit=3)
    assert batch.more
    await ann.rate(first, "like")
    await ann.post(made, "6")
    fold = Fold()
    for event in batch.events:
        fold.apply(event)
    rest = await ann.store.changes("ann", made.id, after=batch.events[-1].seq, limit=500)
    for event in rest.events:
        fold.apply(event)
    assert fold.path() == list((await ann.page(made)).messages)
    assert list(fold.feedback) == [(first.id, "ann")]


async def test_nothing_has_changed_since_the_end(ann: Person) -> None:
    made = await busy_conversation(ann)
    whole = await ann.store.changes("ann", made.id, after=0, limit=500)
    since = await ann.store.changes("ann", made.id, after=whole.seq, limit=500)
    assert (since.events, since.seq, since.more) == ((), whole.seq, False)
    beyond = await ann.store.changes("ann", made.id, after=10**15, limit=500)
    assert (beyond.events, beyond.seq) == ((), whole.seq)


async def test_a_running_answer_has_no_parts_in_its_row(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.say(sent.answer, "so", " far")
    (answer,) = [
        event.message
        for event in await changes(ann, made)
        if isinstance(event, MessageChanged) and event.message.id == sent.answer.id
    ]
    assert (answer.status, answer.parts) == ("running", ())
    await ann.end(sent.answer, "so far")


async def test_the_moment_of_a_change_is_told(ann: Person, published: Published) -> None:
    made = await ann.new()
    _, answer = await ann.ask(made, "q", "a")
    await ann.rate(answer, "like")
    await ann.delete(made)
    await ann.undelete(made)
    live = {event.seq: event.at for event in published if not isinstance(event, ListChanged)}
    for event in await changes(ann, made):
        assert event.at == live[event.seq]
        assert event.at.utcoffset() is not None


# Votes


async def test_a_vote(ann: Person, published: Published) -> None:
    made = await ann.new()
    _, answer = await ann.ask(made, "q", "a")
    before = await ann.look(made)
    published.clear()
    liked = await ann.rate(answer, "like")

    assert liked is not None
    assert liked == Feedback(rating="like")
    (event,) = published
    assert isinstance(event, FeedbackChanged)
    assert (event.message_id, event.user, event.feedback) == (answer.id, "ann", liked)
    assert event.seq > before.seq
    assert await ann.look(made) == before
    assert await ann.read(answer) == answer
    page = await ann.page(made)
    assert page.feedback == (MessageFeedback(message_id=answer.id, user="ann", feedback=liked),)
    assert page.seq == event.seq
    assert event in await changes(ann, made)


async def test_the_same_vote_again_changes_nothing(ann: Person, published: Published) -> None:
    made = await ann.new()
    posted = await ann.post(made, "x")
    await ann.rate(posted, None)
    await ann.rate(posted, "like", "good")
    published.clear()
    assert await ann.rate(posted, "like", "good") == Feedback(rating="like", comment="good")
    assert published == []
    await ann.rate(posted, "like")
    await ann.rate(posted, "dislike")
    assert len(published) == 2


async def test_a_vote_never_given_is_not_taken_back(ann: Person, published: Published) -> None:
    made = await ann.new()
    posted = await ann.post(made, "x")
    published.clear()
    assert await ann.rate(posted, None) is None
    assert published == []


async def test_a_vote_taken_back_is_told_to_late_readers(ann: Person, published: Published) -> None:
    made = await ann.new()
    posted = await ann.post(made, "x")
    await ann.rate(posted, "like")
    place = published[-1].seq
    assert await ann.rate(posted, None) is None
    since = await ann.store.changes("ann", made.id, after=place, limit=10)
    (event,) = since.events
    assert isinstance(event, FeedbackChanged)
    assert (event.message_id, event.feedback) == (posted.id, None)
    assert (await ann.page(made)).feedback == ()
    published.clear()
    await ann.rate(posted, None)
    assert published == []
    await ann.rate(posted, "like")
    assert len((await ann.page(made)).feedback) == 1


async def test_all_of_a_vote_comes_back(ann: Person) -> None:
    made = await ann.new()
    _, first = await ann.ask(made, "q", "a")
    given = Feedback(rating="dislike", comment="Nein 🙂\n'quoted'", reasons=("wrong", 'zu lang, "so"'))
    assert await ann.store.write(Rate(user="ann", message_id=first.id, feedback=given)) == given
    (vote,) = (await ann.page(made)).feedback
    assert vote.feedback == given
    (event,) = [event for event in await changes(ann, made) if isinstance(event, FeedbackChanged)]
    assert event.feedback == given


async def test_a_page_has_the_votes_of_its_messages_only(ann: Person) -> None:
    made = await ann.new()
    posted = [await ann.post(made, str(number)) for number in range(6)]
    for message in posted:
        await ann.rate(message, "like")
    page = await ann.page(made, around=posted[2], limit=3)
    assert [vote.message_id for vote in page.feedback] == [message.id for message in posted[1:4]]


async def test_a_running_answer_can_be_rated(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.say(sent.answer, "so")
    await ann.rate(sent.answer, "like")
    command = AppendDeltas(owner=ann.owner, deltas=(TextAdded(sent.answer.id, 0, 2, " far"),))
    assert await ann.store.write(command) == frozenset()
    await ann.end(sent.answer, "so far")
    assert len((await ann.page(made)).feedback) == 1


# The end of a stream


async def test_a_deletion_ends_the_stream_wherever_the_reader_is(ann: Person) -> None:
    made = await busy_conversation(ann)
    seq = (await ann.delete(made)).seq
    for after in (0, 1, seq - 1):
        since = await ann.store.changes("ann", made.id, after=after, limit=500)
        assert [(type(event), event.seq) for event in since.events] == [(ConversationDeleted, seq)]
        assert (since.seq, since.more) == (seq, False)


async def test_after_an_undeletion_everything_is_read_anew(ann: Person) -> None:
    made = await busy_conversation(ann)
    before = await ann.page(made)
    await ann.delete(made)
    await ann.undelete(made)
    fold = Fold()
    for event in await changes(ann, made):
        fold.apply(event)
    assert fold.path() == list(before.messages)
    assert not fold.deleted


async def test_changes_of_nothing(ann: Person) -> None:
    made = await ann.new()
    (event,) = await changes(ann, made)
    assert event == ConversationChanged(
        conversation_id=made.id, seq=made.seq, at=made.created_at, conversation=made
    )
    with pytest.raises(NotFound):
        await ann.store.changes("ann", "0" * 32, after=0, limit=5)


async def test_what_a_stop_changes_at_once_is_told_at_once(ann: Person, published: Published) -> None:
    """A unit that ends answers and begins another says what each thing is at the end of the unit."""
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.send(made, "q2", policy="queue")
    place = published[-1].seq
    await ann.send(made, "q3", policy="interrupt", ends=ending(sent.answer))
    last = [event for event in published if isinstance(event, ConversationChanged)][-1]
    assert last.conversation == await ann.look(made)
    assert place < last.seq
