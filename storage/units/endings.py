"""How answers end: one by its run, others stopped with it, the next one started."""

from msgspec.structs import replace

from chatcore.commands import EndRun, InterruptRuns
from chatcore.errors import Busy, RunEnded
from chatcore.messages import Message
from chatcore.ports import ANYBODY
from storage.rows import ConversationRow, MessageRow, Rows, RunRow
from storage.units.draft import Draft
from storage.units.said import parts_of

__all__ = ["end_all", "end_run", "interrupt_runs"]


def end_run(rows: Rows, command: EndRun) -> Message:
    """Write an answer's ending; then the next one starts, or those behind it stop too."""
    answer = rows.message(command.message_id)
    if answer is None:
        raise _ended(command.message_id)
    draft = Draft(rows, _conversation(rows, answer))
    behind = rows.runs(answer.conversation)
    at = next((place for place, run in enumerate(behind) if run.message == answer.key), None)
    if at is None or behind[at].owner != command.owner:
        raise _ended(command.message_id)
    before, behind = behind[:at], behind[at + 1 :]
    ended = _end(rows, draft, answer, command)
    if command.status in {"complete", "failed"}:
        if behind and not before:
            _start(rows, draft, behind[0])
    else:
        _stop(rows, draft, behind, command)
        behind = []
    draft.set(running=bool(before or behind))
    draft.save()
    return ended


def end_all(rows: Rows, draft: Draft, ends: EndRun | None) -> None:
    """End the answer that runs as `ends` says and stop those queued behind it, as part of a larger unit.

    Raises:
        Busy: An answer runs that `ends` does not end.
    """
    if not draft.row.conversation.running:
        return  # it has ended by itself meanwhile: there is nothing to write
    for run in rows.runs(draft.row.key):
        answer = rows.message_at(run.message)
        if not run.running:
            _stop(rows, draft, [run], ends)
        elif ends is None or ends.message_id != answer.message.id or ends.owner != run.owner:
            raise Busy("An answer is being written in this conversation.", message_id=answer.message.id)
        else:
            _end(rows, draft, answer, ends)
    draft.set(running=False)


def interrupt_runs(rows: Rows, command: InterruptRuns) -> int:
    """End orphaned answers with what they have said."""
    found = [row for name in command.message_ids if (row := rows.message(name)) is not None]
    by_conversation: dict[int, list[MessageRow]] = {}
    for row in found:
        by_conversation.setdefault(row.conversation, []).append(row)
    said = rows.said([row.key for row in found])
    count = 0
    for conversation, answers in by_conversation.items():
        left = {run.message for run in rows.runs(conversation)}
        draft = Draft(rows, _conversation(rows, answers[0]))
        for answer in sorted(answers, key=lambda answer: answer.key):
            if answer.key not in left:
                continue
            left.remove(answer.key)
            ending = EndRun(
                owner="",
                message_id=answer.message.id,
                status="interrupted",
                parts=parts_of(said.get(answer.key, [])),
                reason=command.reason,
                reason_code="interrupted",
            )
            _end(rows, draft, answer, ending)
            count += 1
        draft.set(running=bool(left))
        draft.save()
    return count


def _conversation(rows: Rows, answer: MessageRow) -> ConversationRow:
    row = rows.conversation(answer.message.conversation_id, ANYBODY)
    if row is None:  # a message is never without its conversation
        raise _ended(answer.message.id)
    return row


def _ended(message_id: str) -> RunEnded:
    return RunEnded("This answer has ended already.", message_id=message_id)


def _end(rows: Rows, draft: Draft, answer: MessageRow, ending: EndRun) -> Message:
    old = answer.message
    ended = replace(
        old,
        status=ending.status,
        parts=ending.parts,
        reason=ending.reason,
        reason_code=ending.reason_code,
        model=ending.model or old.model,
        usage=ending.usage,
        memory_from=ending.memory_from,
        first_token_seconds=ending.first_token_seconds,
        ended_at=rows.now,
        seq=draft.count(),
    )
    draft.update(answer.key, ended)
    rows.end_run(answer.key)
    return ended


def _start(rows: Rows, draft: Draft, run: RunRow) -> None:
    queued = rows.message_at(run.message).message
    rows.start_run(run.message)
    draft.update(run.message, replace(queued, status="running", started_at=rows.now, seq=draft.count()))


def _stop(rows: Rows, draft: Draft, runs: list[RunRow], because: EndRun | None) -> None:
    for run in runs:
        answer = rows.message_at(run.message)
        stop = EndRun(
            owner=run.owner,
            message_id=answer.message.id,
            status="interrupted" if because and because.status == "interrupted" else "stopped",
            parts=(),
            reason=because.reason if because else None,
            reason_code=because.reason_code if because else None,
        )
        _end(rows, draft, answer, stop)
