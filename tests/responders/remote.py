"""Asking a responder that speaks to a scripted server."""

import pytest

from chatcore.errors import ChatcoreError
from chatcore.messages import Attachment
from chatcore.ports import Output, Responder
from chatcore.responders import ResponderOptions
from tests.responders.asking import Talk, said, talk_about
from tests.responders.scripted_server import ScriptedServer

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def options(server: ScriptedServer, **changes: object) -> ResponderOptions:
    return ResponderOptions(base_url=server.url, model="m-1", api_key="secret-key", **changes)  # type: ignore[arg-type]


async def answer(responder: Responder, talk: Talk | None = None, *, beginning: str = "") -> list[Output]:
    asked = (talk or talk_about("Hello?")).asked(beginning=beginning)
    return [output async for output in responder.respond(asked)]


async def collect(responder: Responder, talk: Talk | None, outputs: list[Output]) -> None:
    async for output in responder.respond((talk or talk_about("Hello?")).asked()):
        outputs.append(output)


async def failing(responder: Responder, talk: Talk | None = None) -> tuple[str, ChatcoreError]:
    """What was said before the error, and the error."""
    outputs: list[Output] = []
    with pytest.raises(ChatcoreError) as caught:
        await collect(responder, talk, outputs)
    assert "secret-key" not in caught.value.sentence
    assert caught.value.sentence[0].isupper() or caught.value.sentence.startswith("m-1")
    return said(outputs), caught.value


def attachment(name: str, media_type: str, size: int) -> Attachment:
    return Attachment(name=name, media_type=media_type, size_bytes=size, sha256="0" * 64, path="x")
