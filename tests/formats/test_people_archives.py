"""Chats among people as they come: in a ZIP or a folder, with their files beside them."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from chatcore.formats.format import ReadOptions
from chatcore.formats.reading import read_source
from chatcore.incoming import Incoming, IncomingFile, Unread

ADA = ReadOptions(assistant="Ada")


def thread(path: str, *said: tuple[str, str], photo: str | None = None) -> str:
    messages: list[dict[str, object]] = [
        {"sender_name": name, "timestamp_ms": 1_700_000_000_000 + number, "content": text}
        for number, (name, text) in enumerate(said)
    ]
    if photo is not None:
        messages[0]["photos"] = [{"uri": photo}]
    return json.dumps({"participants": [{"name": "Ada"}], "messages": messages[::-1], "thread_path": path})


def slack_day(*said: tuple[float, str, str]) -> str:
    return json.dumps(
        [{"type": "message", "ts": f"{ts:.6f}", "user": user, "text": text} for ts, user, text in said]
    )


TELEGRAM = {
    "id": 7,
    "name": "Tea",
    "type": "personal_chat",
    "messages": [
        {
            "id": 1,
            "type": "message",
            "date_unixtime": "5",
            "from": "Ada",
            "from_id": "u1",
            "photo": "photos/1.jpg",
            "text": "",
        }
    ],
}

EXPORTS: Mapping[str, tuple[Mapping[str, str], list[list[str]]]] = {
    "messenger": (
        {
            "your_activity/messages/inbox/bob_1/message_1.json": thread(
                "inbox/bob_1", ("Ada", "2"), ("Bob", "3")
            ),
            "your_activity/messages/inbox/bob_1/message_2.json": thread(
                "inbox/bob_1", ("Bob", "1"), photo="your_activity/messages/inbox/bob_1/photos/1.jpg"
            ),
            "your_activity/messages/inbox/bob_1/photos/1.jpg": "jpeg",
            "your_activity/messages/inbox/cy_2/message_1.json": thread("inbox/cy_2", ("Ada", "x")),
            "your_activity/other.json": "{}",
        },
        [["user", "assistant", "user"], ["assistant"]],
    ),
    "whatsapp": (
        {
            "WhatsApp Chat with Bob.txt": "15.08.23, 21:12 - Ada: 1.jpg (file attached)\n"
            "15.08.23, 21:13 - Bob: nice\n",
            "1.jpg": "jpeg",
        },
        [["assistant", "user"]],
    ),
    "telegram": (
        {"ChatExport/result.json": json.dumps(TELEGRAM), "ChatExport/photos/1.jpg": "jpeg"},
        [["assistant"]],
    ),
    "slack": (
        {
            "team/users.json": json.dumps([{"id": "U1", "name": "ada", "profile": {"real_name": "Ada"}}]),
            "team/channels.json": json.dumps([{"id": "C1", "name": "tea"}, {"id": "C2", "name": "a"}]),
            "team/integration_logs.json": "[]",
            "team/tea/2023-11-14.json": slack_day((1, "U1", "a"), (2, "U2", "b")),
            "team/tea/2023-11-15.json": slack_day((3, "U1", "c")),
            "team/a/2023-11-14.json": slack_day((1, "U1", "x")),
        },
        [["assistant"], ["assistant", "user", "assistant"]],
    ),
}


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_found_and_read(name: str, packed: bool, tmp_path: Path) -> None:
    members, roles = EXPORTS[name]
    source = tmp_path / ("export.zip" if packed else "export")
    if packed:
        with zipfile.ZipFile(source, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
    else:
        for member, content in members.items():
            (source / member).parent.mkdir(parents=True, exist_ok=True)
            (source / member).write_text(content, "utf-8")
    reading = read_source(source, options=ADA)
    found = list(reading)
    conversations = [one for one in found if isinstance(one, Incoming)]
    assert [one.source for one in conversations] == [name] * len(found)
    assert sorted([m.role for m in one.messages] for one in conversations) == sorted(map(list, roles))
    files = [p for one in conversations for m in one.messages for p in m.parts if isinstance(p, IncomingFile)]
    assert [file.at.read_text() for file in files if file.at is not None] == (
        [] if name == "slack" else ["jpeg"]
    )
    reading.close()


def test_the_lists_of_a_slack_export_are_no_conversations_and_no_news(tmp_path: Path) -> None:
    """They lie beside the folders of the channels; what else lies there is told."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, content in {
            "channels.json": [{"id": "C1", "name": "tea"}],
            "org_users.json": [{"id": "U1", "name": "ada", "profile": {"real_name": "Ada"}}],
            "integration_logs.json": [{"service_id": "1", "user_id": "U1", "change_type": "added"}],
            "canvases.json": [{"id": "F1", "url_private": "https://a.slack.com/F1"}],
            "content_flags.json": [{"id": "1", "reason": "spam"}],
            "other.json": [{"weather": "fine"}],
        }.items():
            archive.writestr(name, json.dumps(content))
        archive.writestr("tea/2023-11-14.json", slack_day((1, "U1", "a"), (2, "U2", "b")))
    talk, other = read_source(tmp_path / "export.zip", options=ADA)
    assert isinstance(talk, Incoming)
    assert [message.role for message in talk.messages] == ["assistant", "user"]
    assert isinstance(other, Unread)
    assert (other.kind, other.file) == ("skipped", "export.zip:other.json")
    assert "weather" in other.reason
