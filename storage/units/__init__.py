"""The units of writing: for each command what it decides and does, over `storage.rows.Rows`.

Every unit is a plain function ``(rows, command) -> result``. It raises an error of `chatcore.errors` to
refuse; its store then undoes what it has done so far.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

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
from storage.arriving import IngestRows
from storage.units.conversations import (
    change_conversation,
    create_conversation,
    delete_conversation,
    move_head,
    undelete_conversation,
)
from storage.units.endings import end_run, interrupt_runs
from storage.units.feedback import rate
from storage.units.ingestion import ingest
from storage.units.reindexing import reindex
from storage.units.removal import forget_files, purge
from storage.units.said import append_deltas
from storage.units.sending import answer_message, post_message, send_message
from storage.units.settling import settle

__all__ = ["UNITS", "is_dry", "run_unit"]

R = TypeVar("R")

# `Any`: each function takes the one command that it stands beside
UNITS: Mapping[type[Command[Any]], Callable[[IngestRows, Any], object]] = {
    AnswerMessage: answer_message,
    AppendDeltas: append_deltas,
    ChangeConversation: change_conversation,
    CreateConversation: create_conversation,
    DeleteConversation: delete_conversation,
    EndRun: end_run,
    ForgetFiles: forget_files,
    Ingest: ingest,
    InterruptRuns: interrupt_runs,
    MoveHead: move_head,
    PostMessage: post_message,
    Purge: purge,
    Rate: rate,
    Reindex: reindex,
    SendMessage: send_message,
    Settle: settle,
    UndeleteConversation: undelete_conversation,
}


def run_unit(rows: IngestRows, command: Command[R]) -> R:
    """Do the command's unit over `rows` and give its result."""
    return cast("R", UNITS[type(command)](rows, command))


def is_dry(command: Command[R]) -> bool:
    """Whether the unit is done only to see what comes of it: its store undoes it and gives its result."""
    return isinstance(command, Ingest) and command.dry_run
