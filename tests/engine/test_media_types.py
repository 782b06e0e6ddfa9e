"""Which kinds of files may be sent: by their content, whatever they are called."""

from pathlib import Path

import pytest

from chatcore import Engine, File, LimitExceeded, Limits, text_of
from chatcore.testing import ScriptedResponder
from tests.browser.media import png


@pytest.fixture
def limits() -> Limits:
    return Limits(media_types=("image/*", "application/pdf"))


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


async def test_what_is_taken(engine: Engine, script: ScriptedResponder, tmp_path: Path) -> None:
    conversation = await engine.create()
    named_wrong = written(tmp_path, "picture.txt", png())
    document = written(tmp_path, "a.pdf", b"%PDF-1.4\n")
    sent = await engine.send(conversation.id, "These.", [named_wrong, document])
    files = [part.attachment for part in sent.question.parts if isinstance(part, File)]
    assert [file.media_type for file in files] == ["image/png", "application/pdf"]


@pytest.mark.parametrize(
    ("content", "media_type"), [(b"words", "text/plain"), (b"\0\1\2", "application/octet-stream")]
)
async def test_what_is_not(engine: Engine, tmp_path: Path, content: bytes, media_type: str) -> None:
    conversation = await engine.create()
    first = (await engine.post(conversation.id, "Before.")).id
    named_wrong = written(tmp_path, "picture.png", content)
    with pytest.raises(LimitExceeded) as caught:
        await engine.send(conversation.id, "This.", [named_wrong])
    assert caught.value.sentence == (
        f"“picture.png” can't be sent: it is {media_type}, and files here are image/*, application/pdf."
    )
    assert caught.value.data == {"limit": "image/*, application/pdf", "given": media_type}
    page = await engine.page(conversation.id)
    assert [(one.id, text_of(one.parts)) for one in page.messages] == [(first, "Before.")]


def test_no_files_at_all() -> None:
    with pytest.raises(LimitExceeded, match=r"no files are taken here\.$"):
        Limits(media_types=()).check_media_type("a", "image/png")
    Limits().check_media_type("a", "image/png")
