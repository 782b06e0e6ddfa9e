"""What a model's server is sent, and what it is never asked."""

import re
from pathlib import Path

import anyio
import pytest

from chatcore.messages import File, MissingFile, Reasoning, Settings, Text, ToolCall, Usage
from chatcore.ports import Responder
from chatcore.responders import ResponderOptions
from chatcore.responders.openai_compatible import open_responder
from tests.responders.asking import Talk, talk_about
from tests.responders.remote import PNG, answer, attachment, options
from tests.responders.scripted_server import (
    ScriptedServer,
)


async def test_question_history_and_system_prompt_are_sent(
    server: ScriptedServer, responder: Responder
) -> None:
    server.say("Hi", " there", usage=(7, 2))
    talk = talk_about("One?", "One.", "Two?")
    talk.settings = Settings(
        system_prompt="Be short.", parameters={"temperature": 0.5, "top_k": 3, "seed": None}
    )
    assert await answer(responder, talk) == ["Hi", " there", Usage(prompt_tokens=7, completion_tokens=2)]
    [request] = server.requests
    assert request == {
        "model": "m-1",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "One."},
            {"role": "user", "content": "Two?"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "top_k": 3,
    }
    assert server.keys == ["Bearer secret-key"]


async def test_a_file_that_is_missing_is_named_and_what_is_hidden_is_not_sent(
    server: ScriptedServer, responder: Responder
) -> None:
    server.say("ok")
    talk = Talk()
    talk.add("system", "Secret.", hidden=True)
    talk.add("user", "Look:", MissingFile(name="plan.pdf", pointer="file-1"))
    talk.add("assistant", "I see.")
    talk.add("user", MissingFile(name="other.png"))
    await answer(responder, talk)
    assert server.requests[0]["messages"] == [
        {
            "role": "user",
            "content": "Look:\n\n[The file plan.pdf was given here; its content is not available.]",
        },
        {"role": "assistant", "content": "I see."},
        {"role": "user", "content": "[The file other.png was given here; its content is not available.]"},
    ]


async def test_neighbours_of_one_role_become_one_message(
    server: ScriptedServer, responder: Responder
) -> None:
    server.say("ok")
    talk = Talk()
    talk.add("user", "One?")
    talk.add("assistant")
    talk.add("user", "Two?")
    talk.add("tool", "ignored")
    talk.add("assistant", Reasoning("hm"), ToolCall("1", "f"))
    talk.add("user", "Three?")
    await answer(responder, talk)
    assert server.requests[0]["messages"] == [{"role": "user", "content": "One?\n\nTwo?\n\nThree?"}]


async def test_files_are_shown_or_inlined(
    server: ScriptedServer, responder: Responder, tmp_path: Path
) -> None:
    server.say("ok")
    talk = Talk(folder=tmp_path)
    talk.add(
        "user",
        "Look:",
        await talk.file("a.png", "image/png", PNG),
        await talk.file('b "1".txt', "text/plain", "grün".encode("utf-16")),
    )
    await answer(responder, talk)
    message = server.requests[0]["messages"][0]  # type: ignore[index]
    texts = [part["text"] for part in message["content"] if part["type"] == "text"]
    [image] = [part["image_url"]["url"] for part in message["content"] if part["type"] == "image_url"]
    assert texts == ["Look:", '<file name="b \\"1\\".txt">\ngrün\n</file>']
    assert image == "data:image/png;base64,iVBORw0KGgoAAAAAAAAAAAAAAAAAAAAAAAAAAA=="


async def test_a_file_of_the_history_that_is_gone_is_named(
    server: ScriptedServer, responder: Responder, tmp_path: Path
) -> None:
    server.say("ok")
    talk = Talk(folder=tmp_path)
    talk.add(
        "user",
        await talk.file("a.txt", "text/plain", b"abc"),
        await talk.file("z.zip", "application/zip", b"z"),
    )
    talk.add("assistant", "Yes.")
    talk.add("user", "And?")
    async for file in anyio.Path(tmp_path).iterdir():
        await file.unlink()
    await answer(responder, talk)
    content = server.requests[0]["messages"][0]["content"]  # type: ignore[index]
    assert "The file a.txt was given here" in content
    assert "The file z.zip was given here" in content


async def test_continuing_sends_the_beginning_last(server: ScriptedServer) -> None:
    server.say(" there")
    async with open_responder(options(server, can_continue=True)) as responder:
        assert responder.can_continue
        assert await answer(responder, beginning="Hi") == [" there"]
    assert server.requests[0]["messages"] == [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Hi"},
    ]
    assert server.requests[0]["continue_final_message"] is True
    assert server.requests[0]["add_generation_prompt"] is False


async def test_the_key_of_openai_is_sent_to_nobody_else(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    server.say("ok")
    async with open_responder(ResponderOptions(base_url=server.url, model="m-1")) as responder:
        await answer(responder)
    assert server.keys == ["Bearer none"]


@pytest.mark.parametrize(
    ("media_type", "size", "words"),
    [
        ("text/x-python", 100, None),
        ("application/json", 100, None),
        ("application/ld+json", 100, None),
        ("image/webp", 100, None),
        ("text/plain", 3_000_000, "a.bin is too long to be read by a model: 3,000,000 bytes"),
        ("application/zip", 5, r"m-1 can't read a\.bin \(application/zip\), only texts and images\."),
        ("image/tiff", 5, r"m-1 can't read a\.bin \(image/tiff\)"),
    ],
)
async def test_files_that_no_model_reads_are_refused(
    responder: Responder, media_type: str, size: int, words: str | None
) -> None:
    refusal = responder.refusal([File(attachment("a.bin", media_type, size))], Settings())
    assert refusal is None if words is None else re.match(words, refusal or "")


@pytest.mark.parametrize("name", ["messages", "model", "n", "stream", "stream_options"])
async def test_the_responder_s_own_parameters_are_refused(responder: Responder, name: str) -> None:
    refusal = responder.refusal([Text("x")], Settings(parameters={name: 1}))
    assert refusal == f"The parameter “{name}” can't be set: it is the responder's own."
