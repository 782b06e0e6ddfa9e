"""Slack's export: a ZIP of ``users.json``, ``channels.json`` and a file a day in each channel's folder.

Files and fields: https://slack.com/help/articles/220556107 and the message object of Slack's API. A channel
is a conversation; replies in a thread branch off from the message they reply to.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from pathlib import PurePosixPath

from msgspec import Struct

from chatcore.formats.format import Archive, Kind, ReadOptions, Record
from chatcore.formats.neighbours import Neighbours
from chatcore.formats.people.company import Chat, Company, Line
from chatcore.formats.pieces import unread
from chatcore.formats.values import (
    fields,
    first_ident,
    ident,
    integer,
    keys_seen,
    listed,
    rest,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingFile, IncomingPart, Unread
from chatcore.messages import Text

__all__ = ["FORMAT"]

USERS = ("users.json", "org_users.json")
ABOUT = ("channels.json", "groups.json", "dms.json", "mpims.json", *USERS)
ASIDE = ("integration_logs.json", "canvases.json", "content_flags.json")
"""What apps did, addresses of canvases, what was reported: known to hold no conversation."""
SERVICE = re.compile(
    r"(?:channel|group|mpim)_\w+|bot_add|bot_remove|pinned_item|unpinned_item|reminder_\w+|huddle_thread|"
    r"sh_room_\w+|tombstone|app_conversation_join"
)
"""Subtypes of messages that Slack writes itself (https://api.slack.com/events/message)."""
KNOWN = frozenset(
    {"type", "user", "bot_id", "username", "bot_profile", "text", "ts", "files", "user_profile", "team"}
    | {"user_team", "source_team", "client_msg_id", "blocks", "parent_user_id"}
)
NO_ROOT = "a reply whose first message is missing"
LINK = re.compile(r"<(?P<sign>[@#!]?)(?P<target>[^<>|\s][^<>|\n]*)(?:\|(?P<label>[^<>\n]*))?>")


class Slack:
    """The format."""

    name = "slack"
    title = "Slack export"
    kind: Kind = "members"
    members: str | None = r"\d{4}-\d{2}-\d{2}\.json"
    order = 300

    def recognises(self, record: Record) -> bool:
        """Whether it is a day of a channel."""
        messages = [fields(item) for item in listed(record.value)[:20]]
        return any(item.get("type") == "message" and isinstance(item.get("ts"), str) for item in messages)

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for each channel."""
        company, neighbours = Company(options.source or self.name, options), Neighbours()
        workspace: _Workspace | None = None
        channel: _Channel | None = None
        for record in records:
            path = neighbours.member(record)
            if workspace is None or workspace.archive is not record.archive:
                workspace = _workspace(record)
                for names in workspace.people.values():
                    company.know(names)
            if not isinstance(record.value, list):
                yield unread(
                    record,
                    "failed",
                    f"A day of Slack is a list of messages, this is {keys_seen(record.value)}.",
                )
                continue
            if (
                channel is None
                or channel.folder != str(path.parent)
                or channel.record.archive is not record.archive
            ):
                if channel is not None:
                    yield from company.take(channel.chat())
                channel = _Channel(
                    folder=str(path.parent), record=record, workspace=workspace, messages=[], odd=0
                )
            channel.add(record.value)
        if channel is not None:
            yield from company.take(channel.chat())
        yield from company.rest()


class _Workspace(Struct):
    """Who and what there is: names of people by their ids, channels by their names and ids."""

    archive: Archive | None
    people: dict[str, list[str]]
    channels: dict[str, Mapping[str, object]]


def _workspace(record: Record) -> _Workspace:
    found = _Workspace(archive=record.archive, people={}, channels={})
    if record.archive is None:
        return found
    for name in record.archive.names():
        path = PurePosixPath(name)
        if path.name in ASIDE:
            record.archive.read(
                name
            )  # so it belongs to the export, and nobody is told that it is of no format
        if path.name not in ABOUT:
            continue
        for item in map(fields, listed(_json(record.archive.read(name)))):
            known = ident(item.get("id"))
            if known is None:
                continue
            if path.name in USERS:
                found.people[known] = _names(item, fields(item.get("profile")))
            else:
                found.channels[known] = item
                if called := ident(item.get("name")):
                    found.channels[called] = item
    return found


def _json(content: bytes | None) -> object:
    try:
        return json.loads(content or b"null")
    except (ValueError, RecursionError):
        return None


def _names(*sources: Mapping[str, object]) -> list[str]:
    keys = ("display_name", "real_name", "name", "username", "first_name")
    return list(dict.fromkeys(name for key in keys for source in sources if (name := ident(source.get(key)))))


class _Channel(Struct):
    """The days of a channel so far."""

    folder: str
    record: Record
    workspace: _Workspace
    messages: list[Mapping[str, object]]
    odd: int

    def add(self, day: Sequence[object]) -> None:
        """One more day."""
        self.messages += [item for item in day if isinstance(item, dict)]
        self.odd += sum(not isinstance(item, dict) for item in day)

    def chat(self) -> Chat:
        """The channel as a tree: its messages in a row, and each thread below its first message."""
        name = PurePosixPath(self.folder).name
        about = self.workspace.channels.get(name, {})
        people = dict(self.workspace.people)
        repaired = {"an entry that is no message": self.odd} if self.odd else {}
        known = {ident(message.get("ts")) for message in self.messages}
        above: str | None = None
        threads: dict[str, str | None] = {}
        lines: list[Line] = []
        for message in self.messages:
            _meet(message, people)
        for message in sorted(self.messages, key=lambda item: time_us(item.get("ts")) or 0):
            ts, thread = ident(message.get("ts")), ident(message.get("thread_ts"))
            is_reply = thread is not None and thread != ts
            if is_reply and thread not in known:
                repaired[NO_ROOT] = repaired.get(NO_ROOT, 0) + 1
                is_reply = False
            parent = threads.get(thread, thread) if is_reply and thread is not None else above
            lines.append(_line(message, ts, parent, people))
            if is_reply and thread is not None:
                threads[thread] = ts
            else:
                above = ts
        return Chat(
            record=self.record,
            lines=lines,
            people=people,
            id=ident(about.get("id")) or name,
            title=_title(name, about, people),
            linear=False,
            head=above,
            archived=about.get("is_archived") is True,
            repaired=repaired,
            raw=rest(about, {"id", "name"}),
        )


def _title(name: str, about: Mapping[str, object], people: Mapping[str, Sequence[str]]) -> str | None:
    """The channel's name; of direct messages, which have none, those who take part."""
    if title_in(about.get("name")) or not about:
        return title_in(about.get("name")) or name or None
    members = [
        people.get(member, [member])[:1] for item in listed(about.get("members")) if (member := ident(item))
    ]
    return ", ".join(label for labels in members for label in labels) or None


def _person(message: Mapping[str, object]) -> str:
    return first_ident(message, "user", "bot_id", "username") or "nobody"


def _meet(message: Mapping[str, object], people: dict[str, list[str]]) -> None:
    """Learn the names of who says it: of bots and of guests no list tells them."""
    profile, bot = fields(message.get("user_profile")), fields(message.get("bot_profile"))
    names = people.setdefault(_person(message), [])
    names += [name for name in _names(profile, bot, message) if name not in names]


def _line(
    message: Mapping[str, object], ts: str | None, parent: str | None, people: Mapping[str, Sequence[str]]
) -> Line:
    words, raw = _words(message, people), rest(message, KNOWN)
    if words != message.get("text") and isinstance(message.get("text"), str) and message["text"]:
        raw["text"] = message["text"]
    if not _is_plain(message.get("blocks")):
        raw["blocks"] = message["blocks"]
    files = [_file(fields(item)) for item in listed(message.get("files"))]
    parts: tuple[IncomingPart, ...] = (*files, Text(words)) if words else tuple(files)
    service = SERVICE.fullmatch(ident(message.get("subtype")) or "") is not None
    return Line(
        person=None if service else _person(message),
        parts=parts,
        id=ts,
        parent=parent,
        at_us=time_us(message.get("ts")),
        raw=raw,
    )


def _is_plain(blocks: object) -> bool:
    """Whether blocks only say the text again, with its looks."""
    return all(fields(block).get("type") == "rich_text" for block in listed(blocks))


def _file(item: Mapping[str, object]) -> IncomingFile:
    # of the addresses nothing is kept: they hold a token with which anybody can fetch the file
    media_type = item.get("mimetype")
    return IncomingFile(
        name=first_ident(item, "name", "title", "id") or "file",
        media_type=media_type if isinstance(media_type, str) and media_type else None,
        size_bytes=integer(item.get("size")),
        pointer=ident(item.get("id")),
    )


def _words(message: Mapping[str, object], people: Mapping[str, Sequence[str]]) -> str:
    """What is said: the text, else what apps put into their attachments, without Slack's escapes."""
    text = message.get("text")
    if not isinstance(text, str) or not text:
        found = [first_ident(fields(item), "text", "fallback") for item in listed(message.get("attachments"))]
        text = "\n".join(filter(None, found))

    def plain(link: re.Match[str]) -> str:
        sign, target, label = link["sign"], link["target"], link["label"]
        if sign == "@":
            return "@" + (label or next(iter(people.get(target, ())), target))
        if sign and not target.startswith("date^"):
            return ("#" if sign == "#" else "@") + (label or target).removeprefix("@")
        return f"{label} ({target})" if label and label not in target and not sign else label or target

    return unescape(LINK.sub(plain, text))


FORMAT = Slack()
