"""Real files of vendors' formats and what is truly in them; skipped where they are absent."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from chatcore.errors import Unrecognised
from chatcore.formats.reading import read_source
from chatcore.incoming import Incoming, IncomingMessage, Unread
from tests.source_tree import ROOT

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


class Truth(NamedTuple):
    """What is in a file.

    `branches` counts messages with several shown ones below them, `active` those shown from the head up.
    """

    conversations: int
    messages: int
    branches: int = 0
    active: int | None = None
    hidden: int = 0
    likes: int = 0
    dislikes: int = 0
    untitled: int = 0
    archived: int = 0
    unread: tuple[str, ...] = ()


TRUTHS: dict[str, tuple[str, Truth]] = {
    "chatgpt-export/chatgpt-citations.json": ("chatgpt", Truth(1, 2, active=2)),
    "chatgpt-export/chatgpt-export.json.gz": ("chatgpt", Truth(2, 21, active=19, hidden=2)),
    "chatgpt-export/chatgpt-modern-export.json": (
        "chatgpt",
        Truth(2, 7, active=6, hidden=1, unread=("skipped",)),
    ),
    "chatgpt-export/chatgpt-tree.json": ("chatgpt", Truth(1, 12, branches=2, active=6, hidden=1)),
    "chatgpt-export/gpt_example.json": ("chatgpt", Truth(1, 12, active=10, hidden=2)),
    "chatgpt-export/native-conversation-v1.json": ("chatgpt", Truth(1, 8, branches=1, active=6, hidden=1)),
    "claude-export/claude-bakery-chat.json": ("claude", Truth(1, 4, active=4)),
    "claude-export/claude_thinking_example.json": ("claude", Truth(1, 2)),
    "claude-export/conversation-rendering-tests.json": ("claude", Truth(1, 10)),
    "claude-export/conversation-with-errors.json": ("claude", Truth(1, 10)),
    "claude-export/conversations-multiple-errors.json": (
        "claude",
        Truth(3, 4, unread=("skipped", "skipped")),
    ),
    "claude-export/conversations.json": ("claude", Truth(2, 6)),
    "claude-export/invalid_unicode.json": ("claude", Truth(1, 2)),
    "openwebui-export/openwebui-export.json": ("openwebui", Truth(3, 6, active=6)),
    "openwebui-export/webui-json.json": ("openwebui", Truth(1, 2, active=2)),
    "librechat-export/librechat-export.json": ("librechat", Truth(1, 6, active=6)),
    "librechat-export/librechat-linear.json": ("librechat", Truth(1, 2, active=2)),
    "librechat-export/librechat-opts-nonr-branches.json": ("librechat", Truth(1, 5, branches=1, active=2)),
    "librechat-export/librechat-tree.json": ("librechat", Truth(1, 9, branches=2, active=4)),
    "chatbotui-v1/chatbotui-export.json": ("chatbotui", Truth(2, 6)),
    "other-exports/grok_example.json": ("grok", Truth(1, 10, active=10)),
    "other-exports/aistudio_example.json": ("aistudio", Truth(1, 3, untitled=1)),
    "reshaped/oasst-a.chatgpt-export.zip": (
        "chatgpt",
        Truth(58, 664, 139, 185, hidden=58, likes=168, dislikes=75, untitled=3, archived=6),
    ),
    # of the path that was shown it says nothing; the newest one is taken
    "reshaped/oasst-a.claude-conversations.json.gz": ("claude", Truth(58, 606, 139)),
    "reshaped/oasst-a.openwebui-export.json.gz": (
        "openwebui",
        Truth(58, 606, 139, 185, likes=168, dislikes=75),
    ),
}


def items_of(name: str) -> list[Incoming | Unread]:
    reading = read_source(DATA / name)
    try:
        return list(reading)
    finally:
        reading.close()


def shown_path(conversation: Incoming) -> list[IncomingMessage]:
    """From the head up."""
    found = {message.id: message for message in conversation.messages}
    path = []
    message = found.get(conversation.head)
    while message is not None:
        path.append(message)
        message = found.get(message.parent) if message.parent is not None else None
    return [message for message in path if not message.hidden]


def branch_points(conversation: Incoming) -> int:
    if conversation.linear:
        return 0
    hidden = {message.id for message in conversation.messages if message.hidden}
    below = Counter(
        message.parent
        for message in conversation.messages
        if message.parent is not None and not message.hidden
    )
    return sum(count > 1 and parent not in hidden for parent, count in below.items())


@pytest.mark.parametrize("name", TRUTHS)
def test_real_files(name: str) -> None:
    source, truth = TRUTHS[name]
    items = items_of(name)
    conversations = [item for item in items if isinstance(item, Incoming)]
    messages = [message for conversation in conversations for message in conversation.messages]
    votes = Counter(message.feedback.rating for message in messages if message.feedback is not None)
    active = sum(len(shown_path(conversation)) for conversation in conversations)
    assert {conversation.source for conversation in conversations} == {source}
    assert truth == Truth(
        conversations=len(conversations),
        messages=len(messages),
        branches=sum(map(branch_points, conversations)),
        active=active if truth.active is not None else None,
        hidden=sum(message.hidden for message in messages),
        likes=votes["like"],
        dislikes=votes["dislike"],
        untitled=sum(conversation.title is None for conversation in conversations),
        archived=sum(conversation.archived for conversation in conversations),
        unread=tuple(item.kind for item in items if isinstance(item, Unread)),
    )
    assert all(message.parts or message.hidden for message in messages)
    assert "example.invalid" not in repr([(one.raw, [m.raw for m in one.messages]) for one in conversations])


def test_every_file_of_these_folders_has_its_truth() -> None:
    folders = {Path(name).parent for name in TRUTHS} - {Path("reshaped"), Path("other-exports")}
    there = {f"{folder}/{path.name}" for folder in folders for path in (DATA / folder).iterdir()}
    assert there - TRUTHS.keys() == {"claude-export/simple-invalid.json"}


def test_what_is_no_chat_at_all_is_refused_with_its_keys() -> None:
    with pytest.raises(Unrecognised, match="invalid"):
        items_of("claude-export/simple-invalid.json")


def test_one_text_in_three_containers() -> None:
    """The re-shaped files are one set of trees: the same words, above each other in the same order."""
    found = []
    for name in ("chatgpt-export.zip", "claude-conversations.json.gz", "openwebui-export.json.gz"):
        trees = []
        for item in items_of(f"reshaped/oasst-a.{name}"):
            assert isinstance(item, Incoming)
            hidden = {message.id for message in item.messages if message.hidden}
            trees.append(
                sorted(
                    (
                        str(message.id),
                        "" if message.parent in hidden else message.parent or "",
                        message.role,
                        message.parts,
                    )
                    for message in item.messages
                    if not message.hidden
                )
            )
        found.append(sorted(trees, key=repr))
    assert found[0] == found[1] == found[2]
