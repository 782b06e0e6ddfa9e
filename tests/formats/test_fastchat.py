"""FastChat's logs: states that grow, votes, battles of two models, and nobody's address."""

import base64
import io
import json
from collections.abc import Mapping
from functools import partial

import pytest

from chatcore.formats.format import Record
from chatcore.formats.logs.fastchat import FORMAT
from chatcore.formats.reading import read_source
from chatcore.formats.spool import grouped
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage
from chatcore.messages import Text
from tests.formats.vendors import read

AT = 1_700_000_000.5
AT_US = 1_700_000_000_500_000
ROLES = ["USER", "ASSISTANT"]


def state(*said: object, conv_id: str = "c1", model: str = "m1", **more: object) -> dict[str, object]:
    messages = [[ROLES[number % 2], text] for number, text in enumerate(said)]
    return {
        "template_name": "t",
        "system_message": "Be kind.",
        "roles": ROLES,
        "messages": messages,
        "offset": 0,
        "conv_id": conv_id,
        "model_name": model,
        **more,
    }


def line(kind: str, of: Mapping[str, object], after: float = 0, **more: object) -> dict[str, object]:
    return {
        "tstamp": AT + after,
        "type": kind,
        "model": of["model_name"],
        "state": of,
        "ip": "192.0.2.7",
        **more,
    }


def chatted(of: Mapping[str, object], after: float = 0) -> dict[str, object]:
    return line("chat", of, after, start=AT + after - 2, finish=AT + after, gen_params={"temperature": 0.7})


def battle(
    kind: str, left: Mapping[str, object], right: Mapping[str, object], **more: object
) -> dict[str, object]:
    return {
        "tstamp": AT,
        "type": kind,
        "models": ["m1", "m2"],
        "states": [left, right],
        "ip": "192.0.2.7",
        **more,
    }


def told(*lines: object) -> Incoming:
    found = read(FORMAT, lines)
    assert found.unread == []
    (conversation,) = found.conversations
    return conversation


def tree(conversation: Incoming) -> dict[str, list[str]]:
    """By the words of a message, the words below it; by "" those of the roots."""
    by_id = {message.id: words(message) for message in conversation.messages}
    found: dict[str, list[str]] = {}
    for message in conversation.messages:
        found.setdefault("" if message.parent is None else by_id[message.parent], []).append(words(message))
    return found


def words(message: IncomingMessage) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


def votes(conversation: Incoming) -> dict[str, str]:
    return {words(m): m.feedback.rating for m in conversation.messages if m.feedback is not None}


def head(conversation: Incoming) -> str:
    return next(words(message) for message in conversation.messages if message.id == conversation.head)


def test_a_conversation_is_its_states_one_after_the_other() -> None:
    conversation = told(
        chatted(state("a?", "a!")),
        chatted(state("a?", "a!", "b?", "b!"), 60),
        line("upvote", state("a?", "a!", "b?", "b!"), 90),
    )
    assert conversation.id == "c1"
    assert tree(conversation) == {"": ["a?"], "a?": ["a!"], "a!": ["b?"], "b?": ["b!"]}
    assert [m.role for m in conversation.messages] == ["user", "assistant"] * 2
    assert [m.model for m in conversation.messages] == [None, "m1"] * 2
    assert votes(conversation) == {"b!": "like"}
    assert [m.created_at_us for m in conversation.messages] == [
        AT_US - 2_000_000,
        AT_US,
        AT_US + 58_000_000,
        AT_US + 60_000_000,
    ]
    assert conversation.settings.system_prompt == "Be kind."
    assert conversation.raw == {"template_name": "t", "gen_params": {"temperature": 0.7}}
    assert conversation.messages[3].raw == {"events": [{"type": "upvote", "tstamp": AT + 90}]}


@pytest.mark.parametrize(
    ("kinds", "vote"),
    [
        (["upvote"], {"a!": "like"}),
        (["downvote"], {"a!": "dislike"}),
        (["flag"], {}),
        (["upvote", "downvote"], {"a!": "dislike"}),
        (["upvote", "flag"], {"a!": "like"}),
        (["newvote"], {}),
    ],
)
def test_votes(kinds: list[str], vote: dict[str, str]) -> None:
    conversation = told(*(line(kind, state("a?", "a!")) for kind in kinds))
    assert votes(conversation) == vote
    events = (conversation.messages[1].raw or {})["events"]
    assert isinstance(events, list)
    assert [event["type"] for event in events] == kinds


def test_an_answer_made_anew_is_a_sibling_and_the_last_state_is_shown() -> None:
    conversation = told(
        chatted(state("a?", "a!")),
        line("downvote", state("a?", "a!")),
        chatted(state("a?", "a."), 9),
        line("upvote", state("a?", "a.")),
    )
    assert tree(conversation) == {"": ["a?"], "a?": ["a!", "a."]}
    assert votes(conversation) == {"a!": "dislike", "a.": "like"}
    assert head(conversation) == "a."


def test_an_answer_that_is_being_written_is_none_yet() -> None:
    conversation = told(line("upvote", state("a?", "a!", "b?", None)))
    assert tree(conversation) == {"": ["a?"], "a?": ["a!"], "a!": ["b?"]}
    assert votes(conversation) == {"a!": "like"}


def test_lines_of_one_conversation_lie_apart() -> None:
    found = read(
        FORMAT,
        [
            chatted(state("a?", "a!")),
            chatted(state("x?", "x!", conv_id="c2")),
            line("upvote", state("a?", "a!")),
        ],
    )
    assert [(c.id, votes(c)) for c in found.conversations] == [("c1", {"a!": "like"}), ("c2", {})]


def test_no_address_is_kept() -> None:
    assert "192.0.2.7" not in repr(told(chatted(state("a?", "a!")), line("flag", state("a?", "a!"))))


LEFT, RIGHT = state("a?", "left"), state("a?", "right", conv_id="c2", model="m2")


@pytest.mark.parametrize(
    ("kind", "vote", "shown"),
    [
        ("leftvote", {"left": "like", "right": "dislike"}, "left"),
        ("rightvote", {"left": "dislike", "right": "like"}, "right"),
        ("tievote", {}, "right"),
        ("bothbad_vote", {}, "right"),
    ],
)
def test_both_sides_of_a_battle_are_siblings(kind: str, vote: dict[str, str], shown: str) -> None:
    conversation = told(chatted(LEFT), chatted(RIGHT), battle(kind, LEFT, RIGHT))
    assert conversation.id == "c1"
    assert tree(conversation) == {"": ["a?"], "a?": ["left", "right"]}
    assert [m.model for m in conversation.messages] == [None, "m1", "m2"]
    assert votes(conversation) == vote
    assert head(conversation) == shown
    assert [(m.raw or {}).get("events") for m in conversation.messages[1:]] == [
        [{"type": kind, "tstamp": AT}]
    ] * 2
    assert conversation.messages[2].created_at_us == AT_US  # from the right side's own line


def test_a_battle_of_several_turns_keeps_each_side_together() -> None:
    left, right = state("a?", "same", "b?", "l"), state("a?", "same", "b?", "r", conv_id="c2", model="m2")
    conversation = told(battle("leftvote", left, right))
    assert tree(conversation) == {"": ["a?"], "a?": ["same", "same"], "same": ["b?", "b?"], "b?": ["l", "r"]}
    assert len(conversation.messages) == 7
    assert votes(conversation) == {"l": "like", "r": "dislike"}


def test_battles_and_chats_of_one_log_do_not_mix() -> None:
    other = state("x?", "x!", conv_id="c3")
    found = read(
        FORMAT,
        [chatted(RIGHT), chatted(other), battle("leftvote", LEFT, RIGHT), line("upvote", other), {"odd": 1}],
    )
    assert sorted(str(c.id) for c in found.conversations) == ["c1", "c3"]
    assert [(u.kind, u.place) for u in found.unread] == [("failed", "item 5")]


def test_the_vote_of_a_battle_changes_no_id_of_what_was_said_before() -> None:
    before = told(chatted(LEFT))
    after = told(chatted(LEFT), chatted(RIGHT), battle("leftvote", LEFT, RIGHT))
    assert [m.id for m in before.messages] == [m.id for m in after.messages][:2]


@pytest.mark.parametrize(
    ("winner", "vote"),
    [
        ("model_a", {"l": "like", "r": "dislike"}),
        ("model_b", {"l": "dislike", "r": "like"}),
        ("tie", {}),
        ("tie (bothbad)", {}),
    ],
)
def test_published_battles(winner: str, vote: dict[str, str]) -> None:
    record = {
        "question_id": "q1",
        "model_a": "m1",
        "model_b": "m2",
        "winner": winner,
        "judge": "arena_user_1",
        "conversation_a": [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "l"}],
        "conversation_b": [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "r"}],
        "turn": 1,
        "anony": True,
        "language": "English",
        "tstamp": AT,
    }
    assert FORMAT.recognises(Record(value=record, body=b""))
    conversation = told(record)
    assert (conversation.id, conversation.created_at_us) == ("q1", AT_US)
    assert tree(conversation) == {"": ["a?"], "a?": ["l", "r"]}
    assert votes(conversation) == vote
    assert conversation.raw == {"judge": "arena_user_1", "turn": 1, "anony": True, "language": "English"}


def test_examples_of_the_template_are_hidden() -> None:
    conversation = told(chatted(state("e?", "e!", "a?", "a!", offset=2)))
    assert [m.hidden for m in conversation.messages] == [True, True, False, False]


def test_images() -> None:
    png = base64.b64encode(b"p" * 300).decode()
    conversation = told(chatted(state(["a?", [png, "https://example.org/1.png", "1.png"]], "a!")))
    assert conversation.messages[0].parts == (
        IncomingFile(name="image", media_type="image/png", size_bytes=300, content=b"p" * 300),
        IncomingFile(name="image", pointer="https://example.org/1.png"),
        IncomingFile(name="image", pointer="1.png"),
        Text("a?"),
    )


@pytest.mark.parametrize(
    ("messages", "roles"),
    [
        ([["Human", "a"], ["gpt", "b"], ["", "c"], ["", "d"], ["odd", "e"]], "uauas"),
        (["x", None, [], ["USER"], {"role": "USER"}, ["USER", 5]], "u"),
        ([], ""),
    ],
)
def test_odd_messages(messages: list[object], roles: str) -> None:
    odd = {"messages": messages, "conv_id": "c1", "model_name": None}
    conversation = told(line("chat", odd))
    assert "".join(m.role[0] for m in conversation.messages) == roles


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"type": "chat", "tstamp": 1},
        {"type": "chat", "tstamp": 1, "state": {}},
        {"type": "chat", "tstamp": 1, "states": [None, 5]},
        {"winner": "model_a", "conversation_a": []},
    ],
)
def test_what_is_no_line_fails_alone(value: object) -> None:
    assert not FORMAT.recognises(Record(value=value, body=b""))
    found = read(FORMAT, [value, chatted(state("a?", "a!"))])
    assert [(u.kind, u.place) for u in found.unread] == [("failed", "item 1")]
    assert len(found.conversations) == 1


def test_a_state_without_an_id_is_a_conversation_by_itself() -> None:
    bare = state("a?", "a!")
    del bare["conv_id"]
    found = read(FORMAT, [chatted(bare), chatted(bare)])
    assert [c.id for c in found.conversations] == [None, None]


def test_a_log_larger_than_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.formats.logs.fastchat.grouped", partial(grouped, max_bytes=1))
    left, right = state("a?", "l", conv_id="b1"), state("a?", "r", conv_id="b2")
    lines = [chatted(state("a?", "a!", conv_id=f"c{n % 5}")) for n in range(20)]
    lines += [chatted(left), chatted(right), battle("leftvote", left, right)]
    lines += [line("upvote", state("a?", "a!", conv_id="c0"))]
    text = "\n".join(json.dumps(one) for one in lines).encode()
    found = list(read_source(io.BytesIO(text)))
    conversations = {one.id: one for one in found if isinstance(one, Incoming)}
    assert sorted(map(str, conversations)) == ["b1", "c0", "c1", "c2", "c3", "c4"]
    assert len(found) == 6
    assert tree(conversations["b1"]) == {"": ["a?"], "a?": ["l", "r"]}
    assert votes(conversations["c0"]) == {"a!": "like"}
