"""Files: on their way in bounded at every step, on their way out harmless."""

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest

from chatcore import Limits, Message
from frontends.http_api.files import shown_inline
from frontends.http_api.frames import FrameParser
from tests.frontends.serving import Served, serving

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc"
    "330000000049454e44ae426082"
)
LIMITS = Limits(file_bytes=200_000, files_per_message=3, text_chars=1000)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    async with serving(tmp_path, limits=LIMITS) as served:
        yield served
        assert list(folder.glob("chatcore-received-*")) == []  # what was received is not left behind


async def path_of(served: Served) -> str:
    conversation = await served.engine.create()
    return f"/conversations/{conversation.id}/posts"


async def stored(served: Served, name: str, content: bytes) -> str:
    """The path at which a file is served that was sent."""
    response = await served.http.post(
        await path_of(served), data={"text": "See"}, files={"file": (name, content)}
    )
    assert response.status_code == 201, response.text
    return f"/messages/{response.json()['id']}/files/1"


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def browser_form(**fields: str) -> dict[str, object]:
    """As a browser sends a form with a file chooser in which nothing was chosen."""
    parts = [f'name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
    parts.append('name="file"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')
    body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    return {"content": f"{body}--b--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}


# --- in -----------------------------------------------------------------------------------------------------


async def test_a_form_brings_text_and_files(served: Served) -> None:
    conversation = await served.engine.create()
    response = await served.http.post(
        f"/conversations/{conversation.id}/messages",
        data={"text": "Look: 😀", "policy": "queue", "parent": ""},
        files=[("file", ("a.png", PNG)), ("whatever", ("b.txt", b""))],
    )
    assert response.status_code == 201, response.text
    run = await served.script.next_run()
    assert run.asked.text == "Look: 😀"
    assert [(file.name, file.media_type, file.size_bytes) for file in run.asked.files] == [
        ("a.png", "image/png", len(PNG)),
        ("b.txt", run.asked.files[1].media_type, 0),
    ]
    assert await anyio.Path(run.asked.files[0].path).read_bytes() == PNG


async def test_an_edit_keeps_or_replaces_the_files(served: Served) -> None:
    conversation = await served.engine.create()
    sent = await served.http.post(
        f"/conversations/{conversation.id}/messages", data={"text": "See"}, files={"file": ("a.txt", b"old")}
    )
    path = f"/messages/{sent.json()['question']['id']}/edit"

    async def names(**request: object) -> list[str]:
        (await served.script.next_run()).end("Yes")
        await served.engine.wait_ended(answers[-1])
        response = await served.http.post(path, **request)  # type: ignore[arg-type]  # json, data, files
        answers.append(response.json()["answer"]["id"])
        return [part["attachment"]["name"] for part in response.json()["question"]["parts"][1:]]

    answers = [sent.json()["answer"]["id"]]
    assert await names(json={"text": "Look"}) == ["a.txt"]
    assert await names(json={"text": "Look", "keep_files": False}) == []
    assert await names(data={"text": "Look"}, files={"file": ("b.txt", b"new")}) == ["b.txt"]
    assert await names(**browser_form(text="Look")) == ["a.txt"]
    assert await names(**browser_form(text="Look", keep_files="false")) == []


@pytest.mark.parametrize(
    "name", ["plain.txt", "ünïcode 😀.txt", 'quo"te.txt', "semi;colon=.txt", "per%cent.txt", "..", "a" * 300]
)
async def test_names_come_through_as_they_are(served: Served, name: str) -> None:
    path = await stored(served, name, b"content")
    message = (await served.http.get(path.rpartition("/files")[0])).json()
    kept = message["parts"][1]["attachment"]["name"]
    assert kept == name or len(name) > 255 or name == ".."
    response = await served.http.get(path)
    assert response.content == b"content"
    assert "\n" not in response.headers["Content-Disposition"]


async def test_a_large_file_is_never_whole_in_memory(served: Served) -> None:
    content = os.urandom(199_999)
    assert (await served.http.get(await stored(served, "large.bin", content))).content == content


async def test_what_is_too_large_or_too_many_is_refused_and_the_connection_stays(served: Served) -> None:
    path = await path_of(served)
    requests: list[tuple[dict[str, str], list[tuple[str, tuple[str, bytes]]]]] = [
        ({"text": "See"}, [("file", ("a.bin", b"x" * 200_001))]),
        ({"text": "See"}, [("file", ("a.bin", b"x" * 5_000_000))]),
        ({"text": "See"}, [("file", (f"{number}.txt", b"x")) for number in range(4)]),
        ({"text": "x" * 1001}, [("file", ("a.txt", b"x"))]),
        ({"text": "x" * 100_000}, [("file", ("a.txt", b"x"))]),
        ({f"field{number}": "x" for number in range(30)}, [("file", ("a.txt", b"x"))]),
    ]
    for data, files in requests:
        response = await served.http.post(path, data=data, files=files)
        assert code_of(response) == (413, "limit_exceeded")
        assert (await served.http.get("/health")).status_code == 200
    conversation = path.split("/")[2]
    assert (await served.engine.page(conversation)).messages == ()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=" + "b" * 500, b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"nonsense"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=text\r\n\r\nHello"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="\xff"\r\n\r\nx\r\n--b--\r\n',
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"A: " + b"x" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"A: b\r\n" * 1000 + b"\r\nx\r\n--b--\r\n"),
    ],
)
async def test_forms_that_are_none_are_refused(served: Served, content_type: str, body: bytes) -> None:
    response = await served.http.post(
        await path_of(served), content=body, headers={"Content-Type": content_type}
    )
    assert code_of(response) == (400, "malformed")


async def test_fields_that_are_none_are_refused(served: Served) -> None:
    path = await path_of(served)
    for data in ({"txet": "a"}, {"text": "a", "role": "king"}, {"text": "a", "parent": "nothing"}):
        response = await served.http.post(path, data=data, files={"file": ("", b"")})
        assert response.status_code in {422, 404}


async def test_a_form_that_is_cut_short_leaves_nothing(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    path = await path_of(served)
    head = (
        f"POST /api{path} HTTP/1.1\r\nHost: 127.0.0.1:{served.address.port}\r\nContent-Length: 1000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of i'
    )
    async with await anyio.connect_tcp("127.0.0.1", served.address.port) as stream:
        await stream.send(head.encode())
        while not await _receiving():
            await anyio.lowlevel.checkpoint()
    with anyio.fail_after(5):
        while await _receiving():
            await anyio.lowlevel.checkpoint()
    assert (await served.engine.page(path.split("/")[2])).messages == ()
    assert caplog.records == []


async def _receiving() -> bool:
    found = [path async for path in anyio.Path(tempfile.gettempdir()).glob("chatcore-received-*")]
    return found != []


# --- out ----------------------------------------------------------------------------------------------------

PAGES = [
    ("page.html", b"<!doctype html><script>alert(1)</script>"),
    ("image.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    ("paper.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"),
    ("page.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>'),
    ("data.json", b'{"a": 1}'),
    ("unknown.xyz", bytes(range(256))),
]


@pytest.mark.parametrize(("name", "content"), PAGES)
async def test_what_could_hold_a_script_is_saved_and_not_shown(
    served: Served, name: str, content: bytes
) -> None:
    response = await served.http.get(await stored(served, name, content))
    assert response.content == content
    # bare text that only looks like a page may be shown as what it is: text
    if not response.headers["Content-Type"].startswith("text/plain"):
        assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["Cache-Control"].startswith("private")


async def test_an_image_is_shown(served: Served) -> None:
    response = await served.http.get(await stored(served, "dot.html", PNG))
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"] == 'inline; filename="dot.html"'
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("media_type", "shown"),
    [
        ("image/png", True),
        ("image/svg+xml", False),
        ("IMAGE/SVG+XML", False),
        ("image/png; charset=x", True),
        ("audio/mpeg", True),
        ("video/mp4", True),
        ("text/plain", True),
        ("text/plain; charset=utf-8", True),
        ("text/html", False),
        ("text/xml", False),
        ("application/pdf", False),
        ("application/octet-stream", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_what_is_shown(media_type: str, shown: bool) -> None:
    assert shown_inline(media_type) is shown


async def test_a_part_of_a_file_can_be_had(served: Served) -> None:
    path = await stored(served, "a.txt", b"0123456789")
    part = await served.http.get(path, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert part.headers["X-Content-Type-Options"] == "nosniff"
    beyond = await served.http.get(path, headers={"Range": "bytes=20-"})
    assert beyond.status_code == 416
    head = await served.http.head(path)
    assert (head.content, head.headers["Content-Length"]) == (b"", "10")


async def test_a_file_that_is_held_already_is_not_sent_again(served: Served) -> None:
    path = await stored(served, "a.txt", b"content")
    etag = (await served.http.get(path)).headers["ETag"]
    again = await served.http.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = await served.http.get(path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_files_that_are_not_there(served: Served) -> None:
    path = await stored(served, "a.txt", b"content")
    message = path.rpartition("/")[0]
    for index in ("0", "2", "99999999999999999999"):
        assert code_of(await served.http.get(f"{message}/{index}")) == (404, "not_found")


async def test_the_content_is_gone(served: Served) -> None:
    path = await stored(served, "a.txt", b"content")
    message_id = path.split("/")[2]
    await served.engine.delete((await _message(served, message_id)).conversation_id)
    assert code_of(await served.http.get(path)) == (404, "not_found")


async def _message(served: Served, message_id: str) -> Message:
    return await served.engine.message(message_id)


def test_the_parser_takes_frames_in_any_pieces() -> None:
    content = b'retry: 1\nid: a.1~\n\n: ping\n\nid: a.2~\nevent: x\ndata: {"t":"\xe2\x80\xa8"}\n\n'
    whole = list(FrameParser().feed(content))
    assert whole == [("a.1~", None), (None, None), ("a.2~", b'{"t":"\xe2\x80\xa8"}')]
    for size in (1, 2, 3, 7):
        parser = FrameParser()
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        assert [frame for piece in pieces for frame in parser.feed(piece)] == whole
