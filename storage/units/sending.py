"""New messages: posts, questions with their answers, further answers."""

from msgspec import UNSET, UnsetType

from chatcore.commands import AnswerMessage, PostMessage, RunSpec, SendMessage, Sent
from chatcore.errors import Busy, Conflict, InvalidInput, LimitExceeded, NotFound
from chatcore.messages import ENDINGS, Message, Part, Role, Status
from storage.rows import ConversationRow, Keyed, Made, MessageRow, Rows
from storage.units.draft import ROOT, Draft, Place
from storage.units.endings import end_all
from storage.units.find import check_head, message_in, own_conversation, own_message
from storage.units.keys import key_of, made_before

__all__ = ["answer_message", "post_message", "send_message"]


def post_message(rows: Rows, command: PostMessage) -> Message:
    """Store a message and ask nobody."""
    keyed = key_of(command)
    if (made := made_before(rows, command.user, keyed)) is not None:
        return _made_message(rows, command.user, made).message
    row = own_conversation(rows, command.user, command.conversation_id)
    check_head(row.conversation, command.expected_head)
    running = row.conversation.running
    if running and command.parent is UNSET:
        raise _busy(row)
    draft = Draft(rows, row)
    below = _below(rows, draft, command.parent)
    message = _message(rows, draft, below, command.role, command.parts)
    key = draft.insert(below, message, keyed)
    if not running:
        draft.head = Place(key, message.id, message.depth)
    draft.save()
    return message


def send_message(rows: Rows, command: SendMessage) -> Sent:
    """Store a question and begin its answer, or queue it."""
    keyed = key_of(command)
    if (made := made_before(rows, command.user, keyed)) is not None:
        return _sent_before(rows, _made_message(rows, command.user, made))
    row = own_conversation(rows, command.user, command.conversation_id)
    check_head(row.conversation, command.expected_head)
    draft = Draft(rows, row)
    last = None
    if row.conversation.running:
        if command.policy == "reject":
            raise _busy(row)
        if command.policy == "interrupt":
            end_all(rows, draft, command.ends)
        else:
            last = rows.runs(row.key)[-1].message
    _check_open_runs(rows, row, command.run)
    if last is not None and command.parent is UNSET:
        below = Place.of(rows.message_at(last))
    else:
        below = _below(rows, draft, command.parent)
    question = _message(rows, draft, below, "user", command.parts)
    place = Place(draft.insert(below, question, keyed), question.id, question.depth)
    answer = _begin(rows, draft, place, command.run, queued=last is not None)
    draft.save()
    return Sent(question=question, answer=answer)


def answer_message(rows: Rows, command: AnswerMessage) -> Sent:
    """Begin a further answer to a question."""
    keyed = key_of(command)
    if (made := made_before(rows, command.user, keyed)) is not None:
        again = _made_message(rows, command.user, made)
        return Sent(question=_question(rows, again).message, answer=again.message, repeated=True)
    if command.policy == "queue":
        raise InvalidInput("A further answer can't be queued.")
    row, found = own_message(rows, command.user, command.message_id)
    draft = Draft(rows, row)
    if row.conversation.running:
        if command.policy == "reject":
            raise _busy(row)
        end_all(rows, draft, command.ends)
        found = rows.message_at(found.key)  # perhaps it was the one that ran
    question = _question(rows, found) if found.message.role == "assistant" else found
    continues = _continued(found) if command.continues else None
    _check_open_runs(rows, row, command.run)
    answer = _begin(rows, draft, Place.of(question), command.run, keyed=keyed, continues=continues)
    draft.save()
    return Sent(question=question.message, answer=answer)


def _made_message(rows: Rows, user: str, made: Made) -> MessageRow:
    if made.message_id is None:  # the digests would differ before
        raise NotFound("There is no such message.")
    return own_message(rows, user, made.message_id)[1]


def _sent_before(rows: Rows, question: MessageRow) -> Sent:
    answer = rows.first_answer(question.key)
    if answer is None:  # they were stored in one unit
        raise NotFound("There is no such message.", message_id=question.message.id)
    return Sent(question=question.message, answer=answer.message, repeated=True)


def _busy(row: ConversationRow) -> Busy:
    return Busy("An answer is being written in this conversation.", conversation_id=row.conversation.id)


def _below(rows: Rows, draft: Draft, parent: str | UnsetType | None) -> Place:
    if parent is UNSET:
        return draft.head
    if parent is None:
        return ROOT
    return Place.of(message_in(rows, draft.row, parent))


def _check_open_runs(rows: Rows, row: ConversationRow, run: RunSpec) -> None:
    given = rows.count_runs(row.owner)
    if given >= run.max_open_runs:
        raise LimitExceeded(
            "Too many answers are being written or waiting.", limit=run.max_open_runs, given=given
        )


def _question(rows: Rows, answer: MessageRow) -> MessageRow:
    if answer.parent is None:
        raise InvalidInput("There is no question above this message.", message_id=answer.message.id)
    return rows.message_at(answer.parent)


def _continued(found: MessageRow) -> str:
    if found.message.role != "assistant":
        raise InvalidInput("Only an answer can be continued.", message_id=found.message.id)
    if found.message.status not in ENDINGS:
        raise Conflict("This answer has not ended yet.", message_id=found.message.id)
    return found.message.id


def _message(rows: Rows, draft: Draft, below: Place, role: Role, parts: tuple[Part, ...]) -> Message:
    return Message(
        id=rows.new_id(),
        conversation_id=draft.row.conversation.id,
        parent=below.id,
        depth=below.depth + 1,
        role=role,
        status="complete",
        parts=parts,
        created_at=rows.now,
        seq=draft.count(),
    )


def _begin(
    rows: Rows,
    draft: Draft,
    question: Place,
    run: RunSpec,
    *,
    queued: bool = False,
    keyed: Keyed | None = None,
    continues: str | None = None,
) -> Message:
    """Store the answer, which becomes the head, and its run."""
    status: Status = "queued" if queued else "running"
    answer = Message(
        id=rows.new_id(),
        conversation_id=draft.row.conversation.id,
        parent=question.id,
        depth=question.depth + 1,
        role="assistant",
        status=status,
        parts=(),
        created_at=rows.now,
        seq=draft.count(),
        continues=continues,
        responder=run.responder,
        model=run.model,
        started_at=None if queued else rows.now,
    )
    key = draft.insert(question, answer, keyed)
    draft.head = Place(key, answer.id, answer.depth)
    rows.insert_run(draft.row, key, run.owner, running=not queued)
    draft.set(running=True)
    return answer
