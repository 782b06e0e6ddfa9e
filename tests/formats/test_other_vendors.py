"""Chatbot UI, Grok, Google AI Studio: their odd cases, each with a small one of our own."""

from pathlib import Path

import pytest

from chatcore.formats import aistudio, chatbotui, grok
from chatcore.formats.format import ReadFormat, Record
from chatcore.formats.reading import read_source
from chatcore.incoming import Incoming, IncomingFile, IncomingPart, Unread
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult, Usage
from tests.formats.vendors import FIXTURES, Packed, by_id, fixture, one, parts, read

# --- Chatbot UI


def test_chatbot_ui() -> None:
    conversations, unread = read(chatbotui.FORMAT, fixture("chatbotui/history.json"))
    (moon,) = conversations
    assert (moon.id, moon.title, moon.linear, moon.source) == ("u-1", "Moon", True, "chatbotui")
    assert moon.place == "item 1 history 1"
    assert moon.settings.system_prompt == "You look up."
    assert [(m.role, m.parts, m.model) for m in moon.messages] == [
        ("user", (Text("How far?"),), None),
        ("assistant", (Text("Far."),), "gpt-sample"),
    ]
    assert all(m.id is None and m.created_at_us is None for m in moon.messages)
    assert moon.raw is not None
    assert (moon.raw["folder"], moon.raw["temperature"]) == ("Space", 0.5)
    assert [(one.kind, one.id, one.place) for one in unread] == [("skipped", "u-2", "item 1 history 2")]


def test_chatbot_ui_entry_by_entry() -> None:
    """As a very long file is read."""
    (whole,) = fixture("chatbotui/history.json")
    assert isinstance(whole, dict)
    conversations, unread = read(chatbotui.FORMAT, whole["history"])
    assert ([one.id for one in conversations], [one.id for one in unread]) == (["u-1"], ["u-2"])
    assert chatbotui.FORMAT.recognises(Record(value=whole["history"][0], body=b""))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, []),
        (5, [Text("5")]),
        (
            [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}},
            ],
            [Text("a"), IncomingFile(name="image", media_type="image/png", size_bytes=5, content=b"hello")],
        ),
    ],
)
def test_contents_of_chatbot_ui(content: object, expected: list[IncomingPart]) -> None:
    given = {
        "history": [{"id": "a", "messages": [{"role": "oracle", "content": content}, None]}],
        "version": 4,
    }
    found = one(chatbotui.FORMAT, given)
    assert [list(message) for message in parts(found)] == [expected]
    assert found.messages[0].raw == {"role": "oracle"}
    assert sum(found.skipped.values()) == 1


# --- Grok


def test_grok(tmp_path: Path) -> None:
    (whole,) = fixture("grok/prod-grok-backend.json")
    assert isinstance(whole, dict)
    packed = Packed({"ttl/prod-mc-asset-server/a-1/content": b"sky"}, tmp_path)
    conversations, unread = read(grok.FORMAT, whole["conversations"], archive=packed)
    (stars,) = conversations
    assert [(one.kind, one.id) for one in unread] == [("skipped", "g-2")]
    assert (stars.id, stars.title, stars.head, stars.pinned, stars.source) == (
        "g-1",
        "Stars",
        "r2",
        True,
        "grok",
    )
    assert (stars.created_at_us, stars.updated_at_us) == (1_750_534_101_177_720, 1_750_534_200_000_000)
    assert stars.raw == {"summary": "about stars"}
    found = by_id(stars)
    assert [(m.id, m.parent, m.role, m.model) for m in stars.messages] == [
        ("r1", None, "user", None),
        ("r2", "r1", "assistant", "grok-sample"),  # which the question asked for
        ("r3", "r1", "assistant", "grok-sample"),
        ("r4", "r1", "assistant", "grok-sample"),
    ]
    assert found["r1"].created_at_us == 1_750_534_101_194_000
    text, first, second = found["r1"].parts
    assert text == Text("How many?")
    assert isinstance(first, IncomingFile)
    assert first.at is not None
    assert (first.name, first.pointer, first.at.read_bytes()) == ("a-1", "a-1", b"sky")
    assert second == IncomingFile(name="sky.png", media_type="image/png", size_bytes=5, pointer="a-2")
    assert found["r2"].parts == (Reasoning("Counting."), Text("Many."))
    assert (found["r2"].raw or {})["web_search_results"] == [{"title": "Stars"}]
    assert (found["r3"].status, found["r4"].status, found["r4"].reason) == (
        "interrupted",
        "failed",
        "overloaded",
    )
    assert (found["r1"].raw or {})["share_link"] == "https://grok.example/s"


def test_responses_without_wrapper_ids_or_senders() -> None:
    given = {
        "conversation": {},
        "responses": [{"message": "a", "sender": "human"}, None, {"message": "b", "sender": "x"}],
    }
    found = one(grok.FORMAT, given)
    assert (found.linear, found.id) == (True, None)
    assert [(m.role, m.parts) for m in found.messages] == [
        ("user", (Text("a"),)),
        ("assistant", (Text("b"),)),
    ]
    assert found.messages[1].raw == {"sender": "x"}


# --- Google AI Studio


def test_ai_studio() -> None:
    (value,) = fixture("aistudio/Tides and moons")
    conversations, unread = read(aistudio.FORMAT, [value], file="drive.zip:AI Studio/Tides and moons")
    (tides,) = conversations
    assert unread == []
    assert (tides.id, tides.title, tides.linear, tides.source) == (None, "Tides and moons", True, "aistudio")
    assert tides.settings.system_prompt == "Be calm.\nBe short."
    assert tides.created_at_us == 1_751_360_400_000_000
    assert parts(tides) == [
        (Text("Why tides?"),),
        (IncomingFile(name="driveImage", pointer="drive-1"),),
        (IncomingFile(name="inlineFile", media_type="text/plain", size_bytes=3, content=b"sea"),),
        (Reasoning("The moon pulls."),),  # not once more as its pieces
        (
            Text("Because of "),
            Text("the moon."),
            ToolCall("code", "code_execution", "print(1)"),
            ToolResult("code", "no", is_error=True),
        ),
    ]
    last = tides.messages[-1]
    assert (last.role, last.model, last.status) == ("assistant", "models/gemini-sample", "stopped")
    assert last.usage == Usage(completion_tokens=6)
    assert last.raw == {"finishReason": "MAX_TOKENS", "safetyRatings": [1], "parts": [{"puppet": 1}]}
    assert tides.raw is not None
    assert tides.raw["pendingInputs"] == [{"text": "half a thought", "role": "user"}]  # and not the empty one


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("x.json", None),
        ("-", None),
        ("", None),
        ("My prompt", "My prompt"),
        ("a.zip:b/My prompt", "My prompt"),
    ],
)
def test_the_title_of_a_prompt_is_the_name_of_its_file(file: str, title: str | None) -> None:
    given = {"chunkedPrompt": {"chunks": [{"role": "user", "text": "x"}]}}
    (found,), _ = read(aistudio.FORMAT, [given], file=file)
    assert found.title == title


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ({"text": ""}, []),
        ({"parts": ["bare", None, {"text": "t", "thought": True}]}, [Text("bare"), Reasoning("t")]),
        ({"isThought": True, "parts": [{"text": "t"}]}, [Reasoning("t")]),
        (
            {"inlineData": {"mimeType": "image/png", "data": "***"}},
            [IncomingFile(name="inlineData", media_type="image/png", size_bytes=0, content=b"")],
        ),
        (
            {"inlineData": {"mimeType": "image/png", "data": "a"}},
            [IncomingFile(name="inlineData", media_type="image/png")],
        ),
        ({"youtubeVideo": "v1"}, [IncomingFile(name="youtubeVideo", pointer="v1")]),
        (
            {
                "parts": [
                    {"functionCall": {"name": "f", "args": {"a": 1}}},
                    {"functionResponse": {"name": "f", "response": {"b": 2}}},
                ]
            },
            [ToolCall("f", "f", '{"a": 1}'), ToolResult("f", '{"b": 2}')],
        ),
    ],
)
def test_contents_of_ai_studio(chunk: dict[str, object], expected: list[IncomingPart]) -> None:
    found = one(aistudio.FORMAT, {"chunkedPrompt": {"chunks": [{"role": "model", **chunk}]}})
    assert [list(message) for message in parts(found)] == [expected]


def test_a_folder_of_prompts(tmp_path: Path) -> None:
    """As Google Drive gives it: the files are called by their titles, and others lie between them."""
    prompt = (FIXTURES / "aistudio" / "Tides and moons").read_bytes()
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (tmp_path / "Alps").write_bytes(b"no prompt")
    (tmp_path / "Yaks").write_bytes(b"no prompt")
    (tmp_path / "Yawn").write_bytes(b'{"chunkedPrompt": {"chunks": [')
    (tmp_path / "Yeti").write_bytes(b'{"messages": [{"role": "user", "content": "of another format"}]}')
    for name in ("Tides and moons", "Zebras"):
        (tmp_path / name).write_bytes(prompt)
    reading = read_source(tmp_path)
    try:
        found = list(reading)
    finally:
        reading.close()
    taken = [(item.source, item.file.partition(":")[2]) for item in found if isinstance(item, Incoming)]
    assert taken == [("aistudio", "Tides and moons"), ("aistudio", "Zebras"), ("openai", "Yeti")]
    assert [item.title for item in found if isinstance(item, Incoming)][:2] == ["Tides and moons", "Zebras"]
    told = {item.file.partition(":")[2]: item.kind for item in found if isinstance(item, Unread)}
    assert told == {"Alps": "skipped", "Yaks": "skipped", "Yawn": "failed"}


def test_errors_and_unknown_roles_of_ai_studio() -> None:
    chunks = [{"role": "model", "errorMessage": "overloaded"}, {"role": "oracle", "text": "x"}]
    failed, odd = one(aistudio.FORMAT, {"chunkedPrompt": {"chunks": chunks}}).messages
    assert (failed.status, failed.reason) == ("failed", "overloaded")
    assert (odd.role, odd.raw) == ("user", {"role": "oracle"})


# --- all of them


@pytest.mark.parametrize(
    ("known", "value", "kind"),
    [
        (chatbotui.FORMAT, {"version": 4, "history": [None]}, "failed"),
        (chatbotui.FORMAT, {"version": 4, "history": [{"id": "a", "messages": "x", "name": "n"}]}, "skipped"),
        (chatbotui.FORMAT, {"colour": "blue"}, "failed"),
        (grok.FORMAT, {"conversation": {"conversation_id": "a"}, "responses": None}, "skipped"),
        (grok.FORMAT, {"colour": "blue"}, "failed"),
        (aistudio.FORMAT, {"chunkedPrompt": {"chunks": []}}, "skipped"),
        (aistudio.FORMAT, {"chunkedPrompt": 5}, "skipped"),
        (aistudio.FORMAT, {"colour": "blue"}, "failed"),
        *[(known, "text", "failed") for known in (chatbotui.FORMAT, grok.FORMAT, aistudio.FORMAT)],
    ],
)
def test_what_is_no_conversation_is_told(known: ReadFormat, value: object, kind: str) -> None:
    conversations, unread = read(known, [value])
    assert (conversations, [one.kind for one in unread]) == ([], [kind])


@pytest.mark.parametrize(
    ("known", "value"),
    [
        (chatbotui.FORMAT, {"version": 4, "history": []}),
        (chatbotui.FORMAT, {"history": [], "folders": []}),
        (grok.FORMAT, {"conversation": {}, "responses": []}),
        (aistudio.FORMAT, {"chunkedPrompt": {"chunks": []}}),
    ],
)
def test_what_is_recognised(known: ReadFormat, value: dict[str, object]) -> None:
    assert known.recognises(Record(value=value, body=b""))
    for name in value:
        assert not known.recognises(Record(value={**value, name: 5}, body=b"")) or name in {
            "version",
            "folders",
        }
    assert not known.recognises(Record(value=None, body=b""))
