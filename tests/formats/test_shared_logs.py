"""The files of logs and of people's chats that the project's data folder has, and what is known of them."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from chatcore.formats.format import ReadOptions
from chatcore.formats.reading import read_source
from chatcore.incoming import Incoming, Unread
from chatcore.messages import Text
from tests.source_tree import ROOT

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data folder is not here")


class Known(NamedTuple):
    path: str
    source: str
    conversations: int
    messages: int
    likes: int = 0
    dislikes: int = 0
    assistant: str | None = None


FILES = [
    Known("dialogs/kdconv.music.dev.json.gz", "kdconv", 150, 2772),
    Known("dialogs/taskmaster-4.data_07.json.gz", "taskmaster", 210, 786),
    # 55 rows of 199 messages; 14 of them tell of a conversation again of which another row has told
    Known("reshaped/oasst-a.gradio-log.csv.gz", "gradio", 41, 140, 44, 11),
    Known("other-exports/slack_export.zip", "slack", 3, 5, assistant="Example User"),
    Known("other-exports/telegram.result.json", "telegram", 1, 4, assistant="Batman & Robin"),
    Known("other-exports/whatsapp_chat.txt", "whatsapp", 1, 12, assistant="Jungle Jane"),
    Known("other-exports/facebook_chat.json", "messenger", 1, 11, assistant="User 1"),
]


def read(path: str, assistant: str | None = None) -> tuple[list[Incoming], list[Unread]]:
    found = list(read_source(Path(DATA, path), options=ReadOptions(assistant=assistant)))
    return (
        [one for one in found if isinstance(one, Incoming)],
        [one for one in found if isinstance(one, Unread)],
    )


@pytest.mark.parametrize("known", FILES, ids=lambda known: known.path)
def test_truth_values(known: Known) -> None:
    conversations, unread = read(known.path, known.assistant)
    assert unread == []
    votes = Counter(m.feedback.rating for one in conversations for m in one.messages if m.feedback)
    assert {one.source for one in conversations} == {known.source}
    assert known == known._replace(
        conversations=len(conversations),
        messages=sum(len(one.messages) for one in conversations),
        likes=votes["like"],
        dislikes=votes["dislike"],
    )


@pytest.mark.parametrize("known", [one for one in FILES if one.assistant], ids=lambda known: known.path)
def test_chats_among_people_are_refused_without_an_assistant(known: Known) -> None:
    conversations, unread = read(known.path)
    assert conversations == []
    assert [one.kind for one in unread] == ["failed"] * known.conversations
    assert all(known.assistant is not None and known.assistant in one.reason for one in unread)


@pytest.mark.parametrize("known", [one for one in FILES if one.assistant], ids=lambda known: known.path)
def test_both_sides_are_heard(known: Known) -> None:
    conversations, _ = read(known.path, known.assistant)
    roles = {m.role for one in conversations for m in one.messages if not m.hidden}
    assert roles == ({"assistant"} if known.source == "slack" else {"assistant", "user"})
    assert all(m.created_at_us for one in conversations for m in one.messages)


def test_votes_of_the_gradio_log_are_on_answers() -> None:
    conversations, _ = read("reshaped/oasst-a.gradio-log.csv.gz")
    voted = [m for one in conversations for m in one.messages if m.raw and "flags" in m.raw]
    assert len(voted) == 55
    assert {m.role for m in voted} == {"assistant"}
    assert all(one.repaired == {} for one in conversations)


def test_the_order_of_the_messenger_file_is_turned_round() -> None:
    ((conversation,), _) = read("other-exports/facebook_chat.json", "User 1")
    times = [m.created_at_us or 0 for m in conversation.messages]
    assert times == sorted(times)
    assert conversation.messages[-1].parts == (Text("Bye!"),)
