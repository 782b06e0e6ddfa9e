"""`export`: conversations as files, in any of the formats that can be written."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from anyio import from_thread, to_thread
from msgspec import Struct

from chatcore.errors import InvalidInput, NotFound, StorageError
from chatcore.filters import ExportFilter
from chatcore.formats.format import WriteFormat, WriteOptions
from chatcore.formats.naming import conversation_file, copied_file
from chatcore.formats.output import Side, side_of, written
from chatcore.formats.registry import find_write_format
from chatcore.messages import File
from chatcore.views import Tree
from frontends.chat import Chat
from frontends.cli.access import open_data
from frontends.cli.exits import DONE, FAILED, complain
from frontends.cli.outputs import Output, StandardOutput, WholeFile, copy_whole, write_whole
from frontends.cli.settings import CommandSettings, SettingsError
from frontends.terminal.harmless import harmless, harmless_json
from frontends.terminal.wording import counted

__all__ = ["export"]


class _Plan(Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    Attributes:
        out: The file; None: standard output, or (`folder`) a file for each conversation.
        folder: Where what is written lies.
        apart: Whether each conversation becomes a file of its own.
        copies: Folder for attachments.
    """

    known: WriteFormat
    options: WriteOptions
    out: Path | None
    folder: Path
    apart: bool
    copies: Path | None
    test_share: float | None
    replace: bool

    @property
    def targets(self) -> Mapping[Side, Path]:
        """The files; none for standard output, and where each conversation has its own."""
        if self.out is None:
            return {}
        if self.test_share is None:
            return {"train": self.out}
        sides: tuple[Side, ...] = ("train", "test")
        return {side: self.out.with_name(f"{self.out.stem}.{side}{self.out.suffix}") for side in sides}


class _Count(Struct):
    conversations: int = 0
    lines: int = 0
    files: int = 0
    lost: int = 0

    def told(self, known: WriteFormat) -> str:
        told = [counted(self.conversations, "conversation")]
        if known.suffix == ".jsonl":
            told.append(counted(self.lines, "line"))
        if self.files:
            told.append(counted(self.files, "file"))
        return ", ".join(told)


async def export(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Write conversations; nothing half-written ever has the name that was asked for."""
    plan = await to_thread.run_sync(_plan, arguments)
    count = _Count()
    async with open_data(settings, reading=True) as chat:
        with _opened(plan) as outputs:
            ids = arguments.conversation and list(dict.fromkeys(arguments.conversation))
            wanted = chat.trees(conversation_ids=ids, only=plan.options.only, user=arguments.owner)
            async for tree in wanted:
                count.lines += await to_thread.run_sync(_write, tree, plan, outputs)
                await _copy_files(chat, tree, plan, count, arguments.owner)
                count.conversations += 1
                _tell(plan, count)
            for output in outputs.values():
                await to_thread.run_sync(output.finish)
    _tell(plan, None)
    if plan.out is not None or plan.apart:
        print(f"Exported: {count.told(plan.known)}.")
    for path in await to_thread.run_sync(_empty, plan):
        complain(f"{path} has no rows; most trainers refuse such a file.")
    if count.lost:
        complain(f"The content of {count.lost} files is not there any more; they are only named.")
    return FAILED if count.lost else DONE


# --- what is asked for


def _plan(arguments: argparse.Namespace) -> _Plan:
    known = _known(arguments.format)
    out, folder, apart = _place(arguments, known)
    copies = None if arguments.files is None else _absolute(arguments.files)
    return _Plan(
        known=known,
        options=WriteOptions(
            reasoning=arguments.reasoning,
            all_paths=arguments.all_paths,
            step=from_thread.check_cancelled,  # of the thread that writes
            files=None if copies is None else _below(copies, folder),
            only=ExportFilter(
                rating=arguments.rating,
                since=arguments.since,
                until=arguments.until,
                model=arguments.of_model,
            ),
        ),
        out=out,
        folder=folder,
        apart=apart,
        copies=copies,
        test_share=arguments.split,
        replace=arguments.force,
    )


def _known(name: str) -> WriteFormat:
    try:
        return find_write_format(name)
    except InvalidInput as error:
        raise SettingsError(error.sentence) from None


def _place(arguments: argparse.Namespace, known: WriteFormat) -> tuple[Path | None, Path, bool]:
    """File, folder, and whether each conversation is a file of its own.

    Raises:
        SettingsError: There is no such place for what is asked for.
        StorageError: There is no such folder, or it has something in it.
    """
    if arguments.out == "-":
        if arguments.split is not None:
            raise SettingsError("--split makes two files: --out names them.")
        return None, Path.cwd(), False
    out = _absolute(arguments.out)
    if not (out.is_dir() or arguments.out.endswith("/")):
        if not out.parent.is_dir():
            raise StorageError(f"There is no directory {out.parent}.")
        return out, out.parent, False
    out.mkdir(parents=True, exist_ok=True)
    if not known.apart:
        return out / f"{known.name}{known.suffix}", out, False
    if arguments.split is not None:
        raise SettingsError(f"--split is for training sets, and {known.title} is none.")
    if not arguments.force and any(out.iterdir()):
        raise StorageError(f"{out} is not empty; --force writes into it all the same.")
    return None, out, True


def _absolute(given: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(given)))


def _below(copies: Path, folder: Path) -> str:
    """The folder for attachments as what is written refers to it: both are moved together."""
    relative = os.path.relpath(copies, folder)
    if relative == ".." or relative.startswith("../"):
        raise SettingsError(f"--files must be a folder in {folder}, where what is written lies.")
    copies.mkdir(parents=True, exist_ok=True)
    return relative


# --- writing


@contextmanager
def _opened(plan: _Plan) -> Iterator[Mapping[Side, Output]]:
    if plan.out is None:
        shown = harmless_json if plan.known.suffix == ".jsonl" else harmless
        yield {} if plan.apart else {"train": StandardOutput(shown if sys.stdout.isatty() else None)}
        return
    with WholeFile.opened(plan.targets.values(), replace=plan.replace) as files:
        yield dict(zip(plan.targets, files, strict=True))


def _until_cancelled(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The rows of one long conversation, each with all that was said before, may be gigabytes."""
    for piece in pieces:
        from_thread.check_cancelled()
        yield piece


def _write(tree: Tree, plan: _Plan, outputs: Mapping[Side, Output]) -> int:
    pieces = _until_cancelled(written(plan.known, tree, plan.options))
    if plan.apart:
        path = plan.folder / conversation_file(tree.conversation, plan.known.suffix)
        return write_whole(path, pieces, replace=plan.replace)
    side: Side = "train" if plan.test_share is None else side_of(tree, plan.test_share)
    return outputs[side].write(pieces)


def _empty(plan: _Plan) -> list[Path]:
    """Of two files those without rows: how many rows there are in all does not tell."""
    return [] if plan.test_share is None else [one for one in plan.targets.values() if not one.stat().st_size]


async def _copy_files(chat: Chat, tree: Tree, plan: _Plan, count: _Count, user: str) -> None:
    if plan.copies is None:
        return
    for node in tree.nodes:
        for index, part in enumerate(node.message.parts):
            if isinstance(part, File):
                try:
                    _, source = await chat.attachment(node.message.id, index, user=user)
                except NotFound:
                    count.lost += 1
                    continue
                await to_thread.run_sync(copy_whole, source, plan.copies / copied_file(part.attachment))
                count.files += 1


def _tell(plan: _Plan, count: _Count | None) -> None:
    """How far it is, in one row of a terminal that shows nothing else; None: the row goes."""
    shown = sys.stderr.isatty() and (plan.out is not None or plan.apart or not sys.stdout.isatty())
    if shown:
        row = "" if count is None else f"{count.told(plan.known)} …"
        print(f"\r\x1b[K{row}", end="", file=sys.stderr, flush=True)
