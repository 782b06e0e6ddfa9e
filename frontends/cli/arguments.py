"""The command line: which commands there are, and what each takes."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

from chatcore.core import LOCAL_USER
from frontends.cli.exits import USAGE
from frontends.cli.settings import SETTINGS, Setting

__all__ = ["COMMAND_NAMES", "parse_arguments"]

COMMAND_NAMES = (
    "serve",
    "chat",
    "list",
    "show",
    "check",
    "backup",
    "purge",
    "ingest",
    "export",
    "search",
    "reindex",
)

_MOST_DAYS = 36_500
"""A hundred years: what is longer ago may be no date at all."""

_WORD = "\0"
"""Before an argument that is no option although it begins with a dash; no command line has it."""

_EXITS = (
    "exit codes: 0 done, 1 failed (one sentence says why), 2 ingest: no file is in a known format, "
    "3 not understood; stopped by a signal: 128 + it"
)


class _Parser(argparse.ArgumentParser):
    """argparse, with our exit code where the line is not understood."""

    def error(self, message: str) -> NoReturn:
        message = message.replace("\\x00", "").replace(_WORD, "")
        self.exit(USAGE, f"chatcore: {message} ({self.prog} --help lists what there is)\n")


def _with_words(argv: Sequence[str]) -> list[str]:
    """The command line, with what begins with one dash in a query marked as a word: ``search -this``."""
    if argv[:1] != ["search"]:
        return [*argv]
    end = argv.index("--") if "--" in argv else len(argv)
    words = [_WORD + one if _is_word(one) else one for one in argv[:end]]
    return [*words, *argv[end:]]


def _is_word(argument: str) -> bool:
    return argument[:1] == "-" and argument[:2] != "--" and argument not in {"-", "-h"}


def _unmarked(given: object) -> object:
    """A value without the mark, which stands on those of options too: ``search --config -this query``."""
    if isinstance(given, list):
        return [_unmarked(one) for one in given]
    return given.removeprefix(_WORD) if isinstance(given, str) else given


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("chatcore")
        except PackageNotFoundError:
            found = "(not installed)"
        print(f"chatcore {found}")
        parser.exit()


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line understood; `command` is the command's name, settings stand under their flags' names.

    Raises:
        SystemExit: Help or version were asked for (0), or the line is not understood (3).
    """
    parser = _Parser(prog="chatcore", description="Conversations, stored and answered.", epilog=_EXITS)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    made = {name: _add(commands, name) for name in COMMAND_NAMES}

    made["serve"].add_argument("--open", action="store_true", help="open the page in a browser")
    made["chat"].add_argument("--conversation", metavar="ID", help="which one (default: the newest)")
    made["chat"].add_argument("--new", action="store_true", help="begin a new conversation")
    made["list"].add_argument("--archived", action="store_true", help="those in the archive instead")
    made["list"].add_argument("--limit", metavar="N", type=_positive, help="the newest N (default: all)")
    made["show"].add_argument("conversation", metavar="ID", help="the conversation")
    for name in ("list", "show"):
        made[name].add_argument("--json", action="store_true", help="one JSON object a line")
    made["backup"].add_argument("out", metavar="OUT", help="the directory to make; must not be there")
    made["purge"].add_argument(
        "--older-than", metavar="DAYS", type=_days, default=0.0, help="only what was deleted so long ago"
    )

    _add_search(made["search"])
    made["reindex"].add_argument("--anew", action="store_true", help="empty the index before")
    _add_ingest(made["ingest"])
    _add_export(made["export"])

    found = parser.parse_args(_with_words(sys.argv[1:] if argv is None else argv))
    if found.command is None:
        parser.print_help(sys.stderr)
        parser.exit(USAGE)
    return argparse.Namespace(**{name: _unmarked(given) for name, given in vars(found).items()})


_MEANINGS = {
    "serve": "Serve the chat to browsers and programs, until Ctrl-C.",
    "chat": "Chat here in the terminal; without one, each line of the input is a message.",
    "list": "List the conversations, newest first.",
    "show": "Print a conversation.",
    "check": "Check database and files; each damage found is one line.",
    "backup": "Write a whole copy of database and files.",
    "purge": "Remove what was deleted, and files that nothing refers to.",
    "ingest": "Take conversations in from files of other programs: exports, logs, datasets.",
    "export": "Write conversations to files, for people, for other programs, and for training.",
    "search": "Find messages and titles with all these words.",
    "reindex": "Have search find what it does not find yet.",
}


def _add(commands: "argparse._SubParsersAction[_Parser]", name: str) -> _Parser:
    parser = commands.add_parser(name, help=_MEANINGS[name], description=_MEANINGS[name], epilog=_EXITS)
    group = parser.add_argument_group("settings", "Also from variables and a file: docs/settings.md.")
    for setting in SETTINGS:
        if not setting.commands or name in setting.commands:
            _add_setting(group, setting)
    group.add_argument("--config", metavar="FILE", help="the settings file (TOML)")
    group.add_argument(
        "--verbose", dest="log_level", action="store_const", const="info", help="short for --log-level info"
    )
    return parser


def _add_ingest(parser: _Parser) -> None:
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="files, ZIPs, folders; - is standard input: docs/ingest.md"
    )
    parser.add_argument(
        "--format", metavar="NAME", help="what format they are in (default: by what they hold)"
    )
    parser.add_argument("--report", metavar="FILE", help="write what became of everything there (JSON)")
    parser.add_argument(
        "--rejects", metavar="FILE", help="write records that can't be taken there (JSON Lines)"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell the same and store nothing")
    parser.add_argument(
        "--limit", metavar="N", type=_positive, help="the first N conversations (default: all)"
    )
    parser.add_argument(
        "--owner",
        metavar="USER",
        default=LOCAL_USER,
        help="whose they become (default: those of this machine)",
    )
    parser.add_argument(
        "--source-name", metavar="NAME", help="what their ids are unique in (default: the format)"
    )
    parser.add_argument("--assistant", metavar="NAME", help="who is the assistant, in chats among people")
    parser.add_argument("--no-index", action="store_true", help="leave the search index to a later `reindex`")
    parser.add_argument(
        "--all",
        dest="unfinished",
        action="store_true",
        help="also what its source says is not meant for use: deleted, spam, unfinished",
    )


def _add_search(parser: _Parser) -> None:
    parser.add_argument("query", metavar="QUERY", nargs="+", help='words, "phrases", -without, begin*')
    parser.add_argument("--role", choices=("system", "user", "assistant", "tool"), help="said by this one")
    parser.add_argument("--rating", choices=("like", "dislike"), help="voted so")
    parser.add_argument("--since", metavar="DATE", type=_moment, help="said then or later")
    parser.add_argument("--until", metavar="DATE", type=_moment, help="said before")
    parser.add_argument("--model", dest="of_model", metavar="NAME", help="said by this model")
    parser.add_argument("--conversation", metavar="ID", help="in this one")
    parser.add_argument(
        "--order", choices=("newest", "rank"), default="newest", help="or the best of the newest"
    )
    parser.add_argument("--limit", metavar="N", type=_positive, default=20, help="the first N (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_export(parser: _Parser) -> None:
    parser.add_argument(
        "--format", metavar="NAME", default="chatcore", help="docs/export.md has them (default: our own)"
    )
    parser.add_argument(
        "--out", metavar="FILE|DIR|-", default="-", help="where to (default: standard output)"
    )
    parser.add_argument("--force", action="store_true", help="replace what is there")
    parser.add_argument(
        "--conversation", metavar="ID", nargs="+", action="extend", help="these (default: all)"
    )
    parser.add_argument("--rating", choices=("like", "dislike"), help="with a message that was voted so")
    parser.add_argument("--since", metavar="DATE", type=_moment, help="with a message made then or later")
    parser.add_argument("--until", metavar="DATE", type=_moment, help="with a message made before")
    parser.add_argument("--model", dest="of_model", metavar="NAME", help="with a message of this model")
    parser.add_argument(
        "--owner", metavar="USER", default=LOCAL_USER, help="whose (default: those of this machine)"
    )
    parser.add_argument("--files", metavar="DIR", help="copy attachments there")
    parser.add_argument("--reasoning", action="store_true", help="with what the model thought")
    parser.add_argument("--all-paths", action="store_true", help="all branches, and not only the shown path")
    parser.add_argument(
        "--split", metavar="SHARE", type=_share, help="put this share into a file for testing"
    )


def _add_setting(group: "argparse._ArgumentGroup", setting: Setting) -> None:
    meaning = setting.meaning.replace("%", "%%")
    if setting.kind.is_flag:
        group.add_argument(setting.flag, dest=setting.name, action="store_const", const=True, help=meaning)
    else:
        action = "append" if setting.kind.is_list else "store"
        group.add_argument(
            setting.flag, dest=setting.name, action=action, metavar=setting.metavar, help=meaning
        )


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, not {text!r}")


def _moment(text: str) -> datetime:
    """A day or a time; without a zone it is that of this machine."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be a date such as 2026-01-31, not {text!r}") from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if 0 < share < 1:
        return share
    raise argparse.ArgumentTypeError(f"must be between 0 and 1, such as 0.1, not {text!r}")


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if 0 <= days <= _MOST_DAYS:
        return days
    raise argparse.ArgumentTypeError(f"must be a number of days, 0 to {_MOST_DAYS}, not {text!r}")
