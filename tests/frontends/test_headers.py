"""What every answer says to a browser, so that nothing which is served can act as a page of ours."""

from pathlib import Path

import httpx
import pytest

from frontends.gradio_web.assets import Assets
from frontends.gradio_web.headers import CONTENT_SECURITY_POLICY
from frontends.headers import NO_PAGE
from tests.frontends.serving_page import serving_page

HOSTILE = b"<!doctype html><script>alert(1)</script>"
NO_DOCUMENT = NO_PAGE["Content-Security-Policy"]
FILE = "sandbox; default-src 'none'"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_every_answer_has_its_headers(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, engine, _), httpx.AsyncClient(base_url=url) as http:
        conversation = await engine.create("Headers")
        said = await http.post(
            f"/api/conversations/{conversation.id}/posts",
            data={"text": "See"},
            files=[
                ("file", ("a.svg", HOSTILE)),
                ("file", ("a.txt", b"words")),
                ("file", ("a.html", HOSTILE)),
            ],
        )
        assert said.status_code == 201
        upload = (await http.post("/gradio_api/upload", files={"files": ("x.html", HOSTILE)})).json()[0]
        api, message = f"/api/conversations/{conversation.id}", said.json()["id"]
        policies = {
            "/": CONTENT_SECURITY_POLICY,
            "/nowhere": CONTENT_SECURITY_POLICY,
            "/config": CONTENT_SECURITY_POLICY,
            "/theme.css": CONTENT_SECURITY_POLICY,
            "/gradio_api/info": CONTENT_SECURITY_POLICY,
            f"/gradio_api/file={upload}": FILE,
            f"/{Assets().address}/page.js": NO_DOCUMENT,
            f"/{Assets().address}/style.css": NO_DOCUMENT,
            "/api/health": NO_DOCUMENT,
            "/api/nothing": NO_DOCUMENT,
            api: NO_DOCUMENT,
            f"{api}/messages": NO_DOCUMENT,
            f"{api}/export": FILE,
            "/api/export?format=chatcore": FILE,
            "/api/search?q=See": NO_DOCUMENT,
            "/api/events": NO_DOCUMENT,
            **{f"/api/messages/{message}/files/{index}": FILE for index in (1, 2, 3)},
            f"/api/messages/{message}/files/9": NO_DOCUMENT,
        }
        for address, policy in policies.items():
            answer = await http.get(address)
            assert answer.headers["content-security-policy"] == policy, address
            assert answer.headers["x-content-type-options"] == "nosniff", address
            assert answer.headers["referrer-policy"] == "no-referrer", address
            if HOSTILE in answer.content:
                assert answer.headers["content-disposition"].startswith("attachment"), address
        refused = await http.get("/", headers={"Host": "evil.example"})
        assert refused.status_code == 403
        assert refused.headers["x-content-type-options"] == "nosniff"


def test_the_page_may_ask_nobody_else() -> None:
    directives = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert directives["form-action"] == directives["frame-ancestors"] == directives["object-src"] == "'none'"
    for name, sources in directives.items():
        assert set(sources.split()) <= {
            "'self'",
            "'none'",
            "'unsafe-inline'",
            "'unsafe-eval'",
            "data:",
            "blob:",
        }
        assert "'unsafe-eval'" not in sources or name == "script-src"
