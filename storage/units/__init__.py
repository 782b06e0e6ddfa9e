"""The units of writing: for each command what it decides and does, over `storage.rows.Rows`.

Every unit is a plain function ``(rows, command) -> result``. It raises an error of `chatcore.errors` to
refuse; its store then undoes what it has done so far.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

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
    SendMessage,
    UndeleteConversation,
)
from storage.rows import Rows
from storage.units.conversations import (
    change_conversation,
    create_conversation,
    delete_conversation,
    move_head,
    undelete_conversation,
)
from storage.units.endings import end_run, interrupt_runs
from storage.units.feedback import rate
from storage.units.removal import forget_files, purge
from storage.units.said import append_deltas
from storage.units.sending import answer_message, post_message, send_message

__all__ = ["UNITS", "run_unit"]

R = TypeVar("R")

# `Any`: each function takes the one command that it stands beside
UNITS: Mapping[type[Command[Any]], Callable[[Rows, Any], object]] = {
    AnswerMessage: answer_message,
    AppendDeltas: append_deltas,
    ChangeConversation: change_conversation,
    CreateConversation: create_conversation,
    DeleteConversation: delete_conversation,
    EndRun: end_run,
    ForgetFiles: forget_files,
    InterruptRuns: interrupt_runs,
    MoveHead: move_head,
    PostMessage: post_message,
    Purge: purge,
    Rate: rate,
    SendMessage: send_message,
    UndeleteConversation: undelete_conversation,
}


def run_unit(rows: Rows, command: Command[R]) -> R:
    """Do the command's unit over `rows` and give its result."""
    return cast("R", UNITS[type(command)](rows, command))
