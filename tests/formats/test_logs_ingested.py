"""Logs and chats that have grown since they were taken in: what is new is added, nothing is there twice."""

import io
import json

import pytest

from chatcore import open_engine
from chatcore.formats.format import ReadOptions
from tests.formats.test_fastchat import battle, chatted, line, state
from tests.formats.test_gradio_log import ASKED, HEADER, ON, row

pytestmark = pytest.mark.anyio


def as_csv(*rows: list[str]) -> bytes:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    return "\r\n".join(",".join(map(cell, one)) for one in (HEADER, *rows)).encode()


def as_lines(*values: object) -> bytes:
    return "\n".join(map(json.dumps, values)).encode() + b"\n"


def telegram(*said: str) -> bytes:
    messages = [
        {
            "id": n,
            "type": "message",
            "date_unixtime": str(1_700_000_000 + n),
            "from": who,
            "from_id": who,
            "text": who,
        }
        for n, who in enumerate(said)
    ]
    return json.dumps({"id": 7, "name": "Tea", "type": "personal_chat", "messages": messages}).encode()


TALK, ON_TALK = state("a?", "a!"), state("a?", "a!", "b?", "b!")
LEFT, RIGHT = state("x?", "l", conv_id="b1"), state("x?", "r", conv_id="b2", model="m2")
LLM = [
    {
        "id": f"r{n}",
        "model": "m",
        "prompt": "q",
        "response": "a",
        "conversation_id": "c",
        "datetime_utc": f"2023-11-14T22:13:{n:02}",
    }
    for n in range(3)
]
WHATSAPP = [f"15.08.23, 21:{minute} - {who}: hi" for minute, who in ((10, "Ada"), (11, "Bob"), (12, "Ada"))]

# what is there at first, what later, and what the second time adds: conversations, messages, votes
GROWN = {
    "gradio": (as_csv(row(ASKED, 1)), as_csv(row(ASKED, 1), row(ON, 3, "Dislike", 5)), (0, 2, 1)),
    "fastchat": (
        as_lines(chatted(TALK)),
        as_lines(chatted(TALK), chatted(ON_TALK, 9), line("upvote", ON_TALK)),
        (0, 2, 1),
    ),
    "arena": (
        as_lines(chatted(LEFT)),
        as_lines(chatted(LEFT), chatted(RIGHT), battle("leftvote", LEFT, RIGHT)),
        (0, 1, 2),
    ),
    "llm": (as_lines(*LLM[:1]), as_lines(*LLM), (0, 4, 0)),
    "telegram": (telegram("Ada"), telegram("Ada", "Bob"), (0, 1, 0)),
    "whatsapp": ("\n".join(WHATSAPP[:2]).encode(), "\n".join(WHATSAPP).encode(), (0, 1, 0)),
}


@pytest.mark.parametrize("name", GROWN)
async def test_a_newer_file_adds_what_is_new(name: str) -> None:
    first, later, added = GROWN[name]
    options = ReadOptions(assistant="Ada")
    async with open_engine("memory:") as engine:
        report = await engine.ingest(io.BytesIO(first), options=options)
        assert (report.failures, report.imported) == ((), 1)
        again = await engine.ingest(io.BytesIO(first), options=options)
        assert (again.unchanged, again.messages.imported) == (1, 0)
        grown = await engine.ingest(io.BytesIO(later), options=options)
        assert grown.failures == ()
        assert grown.updated == 1
        assert (grown.imported, grown.messages.imported, grown.feedback.imported) == added
