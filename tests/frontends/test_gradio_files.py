"""No client may read a file of this machine, nor of the data directory, through Gradio's routes."""

import json
from pathlib import Path

import anyio
import httpx
import pytest

from frontends.gradio_web.headers import CONTENT_SECURITY_POLICY
from tests.frontends.serving_page import serving_page

SECRET = "the secret of this machine"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def call(http: httpx.AsyncClient, number: int, data: list[object]) -> str:
    """What a listener answers when it is asked the way Gradio's own page does it."""
    session = "a-session"
    joined = await http.post(
        "/gradio_api/queue/join", json={"data": data, "fn_index": number, "session_hash": session}
    )
    joined.raise_for_status()
    said = ""
    async with http.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
        async for line in stream.aiter_lines():
            said += line
            if "process_completed" in line:
                break
    return said


@pytest.mark.parametrize("where", ["machine", "database", "upload folder's parent"])
async def test_client_reads_no_file_by_naming_it(tmp_path: Path, where: str) -> None:
    async with serving_page(tmp_path) as (url, engine, _), httpx.AsyncClient(base_url=url) as http:
        secret = tmp_path / "secret.txt"
        secret.write_text(SECRET)
        path = {
            "machine": str(secret),
            "database": str(next((tmp_path / "data").glob("*.db"), tmp_path / "data")),
            "upload folder's parent": "/etc/passwd",
        }[where]
        file = {"path": path, "orig_name": "x.txt", "meta": {"_type": "gradio.FileData"}}
        config = (await http.get("/config")).json()
        for dependency in config["dependencies"]:
            if not dependency["backend_fn"]:
                continue
            data: list[object] = [{"text": "look", "files": [file]} for _ in dependency["inputs"]]
            if dependency["api_name"] != "chat":
                data[-1:] = [{"conversation": None, "key": "k", "names": []}]
            said = await call(http, dependency["id"], data)
            assert '"success":false' in said.replace(" ", ""), said
            assert SECRET not in said
        for address in (f"/gradio_api/file={path}", f"/file={path}", f"/gradio_api/proxy=file://{path}"):
            answer = await http.get(address)
            assert answer.status_code >= 400, address
            assert SECRET not in answer.text
        assert (await engine.conversations()).conversations == ()


async def test_every_answer_says_what_the_page_may_do(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, _, _), httpx.AsyncClient(base_url=url) as http:
        for address in ("/", "/config", "/theme.css", "/gradio_api/info", "/nowhere"):
            answer = await http.get(address)
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, address
            assert answer.headers["x-content-type-options"] == "nosniff", address
        assert "img-src 'self' data: blob:" in CONTENT_SECURITY_POLICY
        assert "form-action 'none'" in CONTENT_SECURITY_POLICY
        assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


async def test_page_names_nothing_beyond_the_server(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, _, _), httpx.AsyncClient(base_url=url) as http:
        config = json.dumps((await http.get("/config")).json())
        assert '"analytics_enabled": false' in config
        assert "run_history" not in config or '"run_history": false' in config


async def test_uploads_are_private(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, _, _), httpx.AsyncClient(base_url=url) as http:
        stored = (await http.post("/gradio_api/upload", files={"files": ("a.txt", b"x")})).json()[0]
        folder = anyio.Path(stored).parent.parent
        assert (await folder.stat()).st_mode & 0o077 == 0
