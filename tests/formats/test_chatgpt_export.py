"""A ChatGPT export as a whole: votes and files that lie beside the conversations."""

import json
from pathlib import Path

import pytest

from chatcore.formats.chatgpt import FORMAT
from chatcore.formats.format import Record
from chatcore.formats.reading import read_source
from chatcore.incoming import Incoming, IncomingFile
from chatcore.messages import Feedback
from tests.formats.test_chatgpt import node, tree
from tests.formats.vendors import FIXTURES, Packed, by_id, fixture, read

VOTES = (FIXTURES / "chatgpt" / "message_feedback.json").read_bytes()


def feedback(conversation: Incoming, message: str) -> Feedback | None:
    return by_id(conversation)[message].feedback


def test_votes_come_from_their_own_file(tmp_path: Path) -> None:
    packed = Packed({"export/message_feedback.json": VOTES}, tmp_path)
    conversations, unread = read(FORMAT, fixture("chatgpt/conversations.json"), archive=packed)
    garden = conversations[0]
    assert feedback(garden, "n-final") == Feedback(rating="like", comment="Beans it is", reasons=("helpful",))
    assert feedback(garden, "n-first") == Feedback(rating="dislike")
    assert sum(message.feedback is not None for message in garden.messages) == 2
    raw = by_id(garden)["n-final"].raw
    assert raw is not None
    assert raw["message_feedback"] == {"evaluation_treatment": "b"}  # not who voted
    # a vote on what is not in the export is told, not lost without a word
    (left,) = [one for one in unread if one.place == "message_feedback.json"]
    assert (left.kind, left.reason) == (
        "skipped",
        "message_feedback.json: votes on messages that were not read: 1.",
    )


def test_without_an_archive_there_are_no_votes() -> None:
    conversations, unread = read(FORMAT, fixture("chatgpt/conversations.json"))
    assert all(message.feedback is None for found in conversations for message in found.messages)
    assert [one.id for one in unread] == ["c-folder"]


@pytest.mark.parametrize("body", [b"not json", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_votes_that_cannot_be_read_are_told(body: bytes, tmp_path: Path) -> None:
    packed = Packed({"message_feedback.json": body}, tmp_path)
    conversations, unread = read(FORMAT, [tree(node("a", None))], archive=packed)
    assert len(conversations) == 1
    assert [(one.kind, one.place) for one in unread] == [("failed", "message_feedback.json")]


@pytest.mark.parametrize(
    ("votes", "found"),
    [
        ([{"id": "a", "rating": "thumbs_up"}], "like"),  # of no conversation in particular
        ([{"id": "a", "conversation_id": "c", "rating": "thumbs_up", "content": {"text": "x"}}], "like"),
        ([{"id": "a", "rating": "thumbs_up", "content": "no json"}], "like"),
        ([{"id": "a", "rating": "thumbs_up", "content": None}], "like"),
        ([{"id": "a", "rating": "sideways"}], None),
        ([{"id": "a", "rating": None}], None),
        ([None, 5, {"rating": "thumbs_up"}], None),
        (
            [
                {"id": "a", "rating": "thumbs_down", "create_time": "2024-01-02T00:00:00Z"},
                {"id": "a", "rating": "thumbs_up", "create_time": "2024-01-01T00:00:00Z"},
            ],
            "dislike",
        ),
        ([{"id": "a", "rating": "thumbs_down"}, {"id": "a", "rating": "thumbs_up"}], "like"),
    ],
)
def test_odd_votes(votes: list[object], found: str | None, tmp_path: Path) -> None:
    packed = Packed({"message_feedback.json": json.dumps(votes).encode()}, tmp_path)
    (conversation,), _ = read(FORMAT, [tree(node("a", None))], archive=packed)
    vote = feedback(conversation, "a")
    assert (vote.rating if vote else None) == found


def test_the_same_message_in_two_conversations_is_voted_on_in_its_own(tmp_path: Path) -> None:
    votes = [{"id": "a", "conversation_id": "second", "rating": "thumbs_up"}]
    packed = Packed({"message_feedback.json": json.dumps(votes).encode()}, tmp_path)
    given = [tree(node("a", None)), {**tree(node("a", None)), "conversation_id": "second"}]
    (first, second), unread = read(FORMAT, given, archive=packed)
    assert feedback(first, "a") is None
    assert feedback(second, "a") is not None
    assert unread == []


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("file-Seed1-seeds.csv", "seeds.csv"),
        ("file-Seed1.csv", "file-Seed1.csv"),
        ("file-Seed1", "file-Seed1"),
        ("dalle-generations/file-Seed1-0a1b.webp", "0a1b.webp"),
        ("user-abc/file-Seed1_x.png", "x.png"),
        ("file-Seed10-other.csv", None),
        ("file-Seed", None),
    ],
)
def test_files_are_found_by_their_ids(member: str, name: str | None, tmp_path: Path) -> None:
    packed = Packed({"chat.html": b"", member: b"1,2"}, tmp_path)
    content = {"content_type": "multimodal_text", "parts": [{"asset_pointer": "file-service://file-Seed1"}]}
    (found,), _ = read(FORMAT, [tree(node("a", None, content=content))], archive=packed)
    (file,) = found.messages[0].parts
    assert isinstance(file, IncomingFile)
    assert file.name == (name or "file-Seed1")
    assert (None if file.at is None else file.at.read_bytes()) == (None if name is None else b"1,2")


def test_the_name_of_an_attachment_is_what_people_called_it(tmp_path: Path) -> None:
    packed = Packed({"file-Seed1-seeds.csv": b"1,2", "file_0000beef-bed.dat": b"png"}, tmp_path)
    conversations, _ = read(FORMAT, fixture("chatgpt/conversations.json"), archive=packed)
    files = [part for part in by_id(conversations[0])["n-question"].parts if isinstance(part, IncomingFile)]
    assert [(file.name, file.at is not None) for file in files] == [
        ("bed.png", True),
        ("file_0000cafe", False),
        ("seeds.csv", True),
    ]


def test_an_unpacked_export_is_read_like_a_packed_one(tmp_path: Path) -> None:
    (tmp_path / "message_feedback.json").write_bytes(VOTES)
    (tmp_path / "dalle-generations").mkdir()
    (tmp_path / "dalle-generations" / "file_0000beef-bed.png").write_bytes(b"png")
    (tmp_path / "file-Seed1").symlink_to(tmp_path / "message_feedback.json")  # links lead anywhere
    conversations, _ = read(FORMAT, fixture("chatgpt/conversations.json"), folder=tmp_path)
    assert feedback(conversations[0], "n-final") is not None
    files = [part for part in by_id(conversations[0])["n-question"].parts if isinstance(part, IncomingFile)]
    assert [file.at is not None for file in files] == [True, False, False]


def test_a_folder_that_is_no_export_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "file-Seed1-seeds.csv").write_bytes(b"1,2")
    conversations, _ = read(FORMAT, fixture("chatgpt/conversations.json"), folder=tmp_path)
    files = [
        part
        for found in conversations
        for m in found.messages
        for part in m.parts
        if isinstance(part, IncomingFile)
    ]
    assert [file.at for file in files] == [None, None, None]


def test_each_export_has_its_own_votes(tmp_path: Path) -> None:
    votes = json.dumps([{"id": "a", "rating": "thumbs_up"}]).encode()
    records = [
        Record(value=tree(node("a", None)), body=b"", archive=archive)
        for archive in (Packed({"message_feedback.json": votes}, tmp_path), Packed({}, tmp_path), None)
    ]
    from chatcore.formats.format import ReadOptions

    found = [item for item in FORMAT.read(records, ReadOptions()) if isinstance(item, Incoming)]
    assert [feedback(item, "a") is not None for item in found] == [True, False, False]


def test_a_real_zip_of_several_members(tmp_path: Path) -> None:
    import zipfile

    items = fixture("chatgpt/conversations.json")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as packed:
        packed.writestr("user.json", '{"email": "someone@example.invalid"}')
        packed.writestr("shared_conversations.json", '[{"id": "s", "title": "not this"}]')
        packed.writestr("conversations-010.json", json.dumps(items[2:]))
        packed.writestr("conversations-002.json", json.dumps(items[:2]))
        packed.writestr("message_feedback.json", VOTES)
        packed.writestr("file-Seed1-seeds.csv", "1,2")
    reading = read_source(tmp_path / "export.zip")
    try:
        found = list(reading)
        conversations = [item for item in found if isinstance(item, Incoming)]
        assert [item.id for item in conversations] == ["c-garden", "c-bare"]
        assert feedback(conversations[0], "n-final") is not None
        files = [p for p in by_id(conversations[0])["n-question"].parts if isinstance(p, IncomingFile)]
        assert [None if file.at is None else file.at.read_bytes() for file in files] == [None, None, b"1,2"]
        assert "someone@" not in repr(found)
    finally:
        reading.close()
