"""Collections of dialogues: who is who where nobody is called so."""

import pytest

from chatcore.formats.dialogs import chitchat, kdconv, saved_page, taskmaster, topical_chat
from chatcore.formats.format import ReadFormat, Record
from chatcore.incoming import Incoming
from chatcore.messages import Text
from tests.formats.vendors import one, read


def said(conversation: Incoming) -> list[tuple[str, str]]:
    return [
        (m.role[0], "".join(part.text for part in m.parts if isinstance(part, Text)))
        for m in conversation.messages
    ]


UTTERANCES = [
    {
        "index": 0,
        "speaker": "USER",
        "text": "A latte.",
        "annotations": [{"name": "api_call"}],
        "segments": [],
    },
    {"index": 1, "speaker": "assistant", "text": "Sure."},
    {"index": 2, "speaker": "Robot", "text": "Beep."},
    {"index": 3, "speaker": "Robot", "text": None},
    "odd",
]
TASK = {"conversation_id": "d1", "vertical": "Coffee", "scenario": "One drink", "utterances": UTTERANCES}


def test_taskmaster() -> None:
    conversation = one(taskmaster.FORMAT, TASK)
    assert said(conversation) == [("u", "A latte."), ("a", "Sure."), ("u", "Beep."), ("a", "")]
    assert conversation.title == "One drink"
    assert conversation.id is not None
    assert conversation.id.startswith("d1")
    assert conversation.messages[0].raw == {"annotations": [{"name": "api_call"}]}
    assert conversation.messages[2].raw == {"speaker": "Robot"}
    assert (conversation.raw or {})["vertical"] == "Coffee"


def test_kdconv_takes_turns() -> None:
    conversation = one(
        kdconv.FORMAT,
        {
            "name": "李宗盛",
            "messages": [{"message": "你好"}, {"message": "好", "attrs": [{"name": "x"}]}, {"message": "嗯"}],
        },
    )
    assert said(conversation) == [("u", "你好"), ("a", "好"), ("u", "嗯")]
    assert conversation.title == "李宗盛"
    assert [m.raw for m in conversation.messages] == [None, {"attrs": [{"name": "x"}]}, None]


TOPICAL = {
    "article_url": "https://example.org",
    "config": "A",
    "content": [
        {"agent": "agent_1", "message": "Hi", "sentiment": "Happy", "turn_rating": "Passable"},
        {"agent": "agent_2", "message": "Ho", "sentiment": "Sad", "turn_rating": "Not Good"},
    ],
    "conversation_rating": {"agent_1": "Good", "agent_2": "Excellent"},
}


def test_topical_chat_and_its_ratings_in_words() -> None:
    (conversation,) = read(topical_chat.FORMAT, [{"t_1": TOPICAL}]).conversations
    assert (conversation.id, conversation.place) == ("t_1", "item 1 under t_1")
    assert said(conversation) == [("u", "Hi"), ("a", "Ho")]
    assert conversation.messages[1].raw == {"agent": "agent_2", "sentiment": "Sad", "turn_rating": "Not Good"}
    assert all(m.feedback is None for m in conversation.messages)
    assert (conversation.raw or {})["conversation_rating"] == {"agent_1": "Good", "agent_2": "Excellent"}


CHITCHAT = {
    "prompt": "What did you learn?",
    "ratings": {"witty": "1", "int": 5, "upbeat": 5},
    "start": "2018-04-20T01:57:41",
    "messages": [
        [{"text": "Hello", "timestamp": "2018-04-20T01:57:51", "sender": "s1"}],
        [{"text": "Hi", "timestamp": "2018-04-20T01:58:14", "sender": "s2"}, {"text": "you", "sender": "s2"}],
        [],
    ],
}


def test_chitchat_and_its_ratings_of_texts_and_numbers() -> None:
    found = read(chitchat.FORMAT, [{"u-1": CHITCHAT, "u-2": {"no": "dialog"}}, CHITCHAT])
    first, second = found.conversations
    assert said(first) == [("u", "Hello"), ("a", "Hi"), ("a", "you")]
    assert (first.id, first.title, second.id) == ("u-1", "What did you learn?", None)
    assert (first.raw or {})["ratings"] == {"witty": "1", "int": 5, "upbeat": 5}
    assert first.created_at_us == 1_524_189_461_000_000
    assert [(u.kind, u.id) for u in found.unread] == [("failed", "u-2")]


def test_a_saved_page() -> None:
    page = {
        "metadata": {
            "title": "Tea",
            "user": {"name": "Ada", "email": "ada@example.org"},
            "powered_by": "an extension",
        },
        "messages": [
            {"role": "Prompt", "say": "a?", "time": "2023-11-14T22:13:20Z"},
            {"role": "Response", "say": "a!", "time": "14/11/2023, 22:13"},
            {"role": "human", "say": "b?"},
            {"role": "Oracle", "say": "b!"},
            {"role": None, "say": None},
        ],
    }
    conversation = one(saved_page.FORMAT, page)
    assert said(conversation) == [("u", "a?"), ("a", "a!"), ("u", "b?"), ("a", "b!"), ("a", "")]
    assert conversation.title == "Tea"
    assert conversation.messages[0].created_at_us == 1_700_000_000_000_000
    assert conversation.messages[1].raw == {
        "time": "14/11/2023, 22:13"
    }  # a day or a month: kept, not guessed
    assert conversation.messages[3].raw == {"role": "Oracle"}
    assert (conversation.raw or {})["metadata"] == {
        "title": "Tea",
        "user": {"name": "Ada"},
        "powered_by": "an extension",
    }


RECORDS: dict[str, tuple[ReadFormat, object]] = {
    "taskmaster": (taskmaster.FORMAT, TASK),
    "kdconv": (kdconv.FORMAT, {"messages": [{"message": "x"}]}),
    "topical-chat": (topical_chat.FORMAT, {"t": TOPICAL}),
    "chitchat": (chitchat.FORMAT, {"u": CHITCHAT}),
    "saved-page": (saved_page.FORMAT, {"metadata": {}, "messages": [{"role": "Prompt", "say": "x"}]}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_each_is_recognised_as_what_it_is_and_nothing_else(name: str) -> None:
    record = Record(value=RECORDS[name][1], body=b"")
    assert [other for other, (known, _) in RECORDS.items() if known.recognises(record)] == [name]
    assert RECORDS[name][0].name == name


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize(
    "value",
    [None, 5, "x", [], {}, {"messages": None}, {"utterances": 1}, {"content": {}}, {"x": {"content": [1]}}],
)
def test_what_is_none_of_them_fails_and_does_not_raise(name: str, value: object) -> None:
    known, good = RECORDS[name]
    assert not known.recognises(Record(value=value, body=b""))
    found = read(known, [value, good])
    assert [u.kind for u in found.unread] == ["failed"]
    assert len(found.conversations) == 1


@pytest.mark.parametrize(
    ("name", "empty"),
    [("taskmaster", {"utterances": []}), ("kdconv", {"messages": []}), ("saved-page", {"messages": []})],
)
def test_a_dialog_in_which_nothing_is_said_is_skipped(name: str, empty: object) -> None:
    assert [u.kind for u in read(RECORDS[name][0], [empty]).unread] == ["skipped"]
