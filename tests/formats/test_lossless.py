"""Our own format holds all of a conversation, and says of each line what is wrong with it."""

import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings

from chatcore.formats.format import ReadOptions, Record, WriteOptions
from chatcore.formats.identity import Vote
from chatcore.formats.lossless import LOSSLESS
from chatcore.formats.lossless.lines import VERSION, ConversationLine, FilePart, MessageEntry
from chatcore.formats.output import written
from chatcore.incoming import Incoming, IncomingFile, Unread
from chatcore.messages import Attachment, Conversation, File, Message, MissingFile, Settings, Text
from chatcore.views import Tree
from tests.formats.growing import stored, trees
from tests.formats.trees import node, tree
from tests.source_tree import ROOT

DOCUMENT = ROOT / "docs" / "format.md"
SHA = hashlib.sha256(b"meow").hexdigest()
CAT = File(Attachment(name="cat.txt", media_type="text/plain", size_bytes=4, sha256=SHA, path="files/x"))
COPY = f"{SHA[:32]}-cat.txt"


def line_of(given: Tree, options: WriteOptions = WriteOptions()) -> bytes:
    (line,) = written(LOSSLESS, given, options)
    assert line.endswith(b"\n")
    return line


def read(*lines: bytes, folder: Path | None = None, source: str | None = None) -> list[Incoming | Unread]:
    records = [Record(value=msgspec.json.decode(line), body=line, folder=folder) for line in lines]
    assert all(map(LOSSLESS.recognises, records))
    return list(LOSSLESS.read(records, ReadOptions(source=source)))


def read_one(line: bytes, folder: Path | None = None) -> Incoming:
    (found,) = read(line, folder=folder)
    assert isinstance(found, Incoming), found
    return found


def ended(line: bytes) -> bytes:
    """What is still being written comes in as interrupted: the only thing that changes."""
    value = json.loads(line)
    for message in value.get("messages", []):
        if message.get("status") in {"queued", "running"}:
            message["status"] = "interrupted"
    return msgspec.json.encode(value) + b"\n"


@settings(max_examples=80)
@given(trees())
@example(tree(node("q", None, "user", "x", raw={"chatcore": {"id": "spoof"}})))
@example(tree(node("q", None, "user", "x", raw={"chatcore": None})))
def test_what_was_exported_and_taken_in_is_exported_alike(given: Tree) -> None:
    owner = given.conversation.owner
    first = line_of(given)
    again = line_of(stored(read_one(first), owner))
    assert json.loads(again) == json.loads(ended(first))
    assert line_of(stored(read_one(again), owner)) == again


ELSEWHERE = {"conversation_id", "depth", "seq"}
"""What a message's place says already."""
OF_THE_STORE = {"deleted", "running", "seq", "list_seq", "activity"}


@settings(max_examples=50)
@given(trees())
def test_every_field_is_written(given: Tree) -> None:
    line = msgspec.json.decode(line_of(given), type=ConversationLine)
    assert {*Conversation.__struct_fields__} - OF_THE_STORE <= {*ConversationLine.__struct_fields__}
    for name in {*Conversation.__struct_fields__} - OF_THE_STORE:
        assert getattr(line, name) == getattr(given.conversation, name), name
    assert {*Message.__struct_fields__} - ELSEWHERE <= {*MessageEntry.__struct_fields__}
    for entry, held in zip(line.messages, given.nodes, strict=True):
        for name in {*Message.__struct_fields__} - ELSEWHERE - {"parts"}:
            assert getattr(entry, name) == getattr(held.message, name), name
        assert [vote.user for vote in entry.votes] == [one.user for one in held.feedback]
        assert [vote.rating for vote in entry.votes] == [one.feedback.rating for one in held.feedback]
        for part, kept in zip(entry.parts, held.message.parts, strict=True):
            assert part == (FilePart.of(kept.attachment, None) if isinstance(kept, File) else kept)


def test_ids_stay_those_of_where_it_was_made() -> None:
    given = tree(node("q", None, "user", "What?"), node("a", "q", "assistant", "This."), id_="first")
    line = line_of(given)
    copy = stored(read_one(line))
    assert copy.conversation.id == "new"
    grown = Tree(
        conversation=msgspec.structs.replace(copy.conversation, head="live"),
        nodes=(*copy.nodes, node("live", copy.nodes[-1].message.id, "user", "Why?")),
        raw=copy.raw,
    )
    value = json.loads(line_of(grown))
    assert value["id"] == "first"
    assert [(one["id"], one.get("parent")) for one in value["messages"]] == [
        ("q", None),
        ("a", "q"),
        ("live", "a"),
    ]
    assert value["head"] == "live"


def test_the_owners_vote_is_the_new_owners() -> None:
    line = line_of(tree(node("q", None, "user", "What?", votes=["like", "dislike"])))
    copy = stored(read_one(line), owner="somebody else")
    assert [held.user for held in copy.nodes[0].feedback] == ["somebody else", "user 1"]
    votes = json.loads(line_of(copy))["messages"][0]["votes"]
    assert [(vote["user"], vote["rating"]) for vote in votes] == [
        ("somebody else", "like"),
        ("user 1", "dislike"),
    ]


def test_votes_that_are_none_here_cost_the_conversation_nothing() -> None:
    """They stay in `raw`, also on the way out and in again."""
    value = json.loads(line_of(tree(node("q", None, "user", "What?", votes=["like", "like", "dislike"]))))
    given = value["messages"][0]["votes"]
    odd: list[object] = [
        {**given[0], "rating": "meh"},
        {**given[1], "rating": None},
        {"rating": "like"},
        "yes",
        7,
    ]
    value["messages"][0] |= {"votes": [*odd, given[2]], "raw": {"votes_left_out": "before", "x": 1}}
    found = read_one(json.dumps(value).encode())
    assert found.votes_skipped == {
        "a vote that is neither like nor dislike": 1,
        "a vote that can't be read": 4,
    }
    assert [list(votes) for votes in found.votes.values()] == [["user 2"]]
    copy = json.loads(line_of(stored(found)))
    assert copy["messages"][0]["raw"] == {"votes_left_out": ["before", *odd], "x": 1}
    assert len(copy["messages"][0]["votes"]) == 1
    assert read_one(json.dumps(copy).encode()).votes_skipped == {}


def test_a_source_may_be_named() -> None:
    (found,) = read(line_of(tree(node("q", None, "user", "What?"))), source="old laptop")
    assert isinstance(found, Incoming)
    assert found.source == "old laptop"


# --- attachments


def test_attachments_come_back_with_their_content(tmp_path: Path) -> None:
    line = line_of(tree(node("q", None, "user", CAT)), WriteOptions(files="files"))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / COPY).write_bytes(b"meow")
    (part,) = read_one(line, tmp_path).messages[0].parts
    assert part == IncomingFile(
        name="cat.txt",
        media_type="text/plain",
        size_bytes=4,
        pointer=f"sha256:{SHA}",
        at=tmp_path / "files" / COPY,
    )


@pytest.mark.parametrize("content", [b"MEOW", b"meow meow", None])
def test_another_content_is_not_taken(tmp_path: Path, content: bytes | None) -> None:
    line = line_of(tree(node("q", None, "user", CAT)), WriteOptions(files="."))
    if content is not None:
        (tmp_path / COPY).write_bytes(content)
    (part,) = read_one(line, tmp_path).messages[0].parts
    assert isinstance(part, IncomingFile)
    assert (part.at, part.pointer) == (None, f"sha256:{SHA}")


@pytest.mark.parametrize(
    "at",
    [
        "../secret.txt",
        "/etc/hostname",
        "{outside}/secret.txt",
        "link/secret.txt",
        "a\\..\\..\\secret.txt",
        "\0",
    ],
)
def test_nothing_outside_of_the_exports_folder_is_read(tmp_path: Path, at: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.txt").write_bytes(b"meow")
    (tmp_path / "secret.txt").write_bytes(b"meow")
    (inside / "link").symlink_to(outside)
    value = json.loads(line_of(tree(node("q", None, "user", CAT)), WriteOptions(files=".")))
    value["messages"][0]["parts"][0]["at"] = at.format(outside=outside)
    (part,) = read_one(json.dumps(value).encode(), inside).messages[0].parts
    assert isinstance(part, IncomingFile)
    assert part.at is None


def test_a_file_that_is_missing_stays_so() -> None:
    missing = MissingFile(name="x.png", pointer="file-123")
    assert stored(read_one(line_of(tree(node("q", None, "user", missing))))).nodes[0].message.parts == (
        missing,
    )


# --- what can't be read


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"chatcore": VERSION + 1, "id": "c"}, "newer"),
        ({"chatcore": 0, "id": "c"}, "format 0"),
        ({"chatcore": 1, "id": "c"}, "owner"),
        (
            {"chatcore": 1, "id": "c", "owner": "o", "created_at": "2026-01-01", "updated_at": "x"},
            "created_at",
        ),
        (
            {"chatcore": 1, "id": "c", "owner": "o", "created_at": "2026-01-01T00:00:00", "updated_at": "x"},
            "timezone",
        ),
        ({"chatcore": 1, "id": "c", "messages": [{"role": "robot"}]}, "conversation of format 1"),
    ],
)
def test_a_line_that_breaks_the_rules_says_why(value: dict[str, object], words: str) -> None:
    body = msgspec.json.encode(value)
    (found,) = read(body)
    assert isinstance(found, Unread)
    assert (found.kind, found.id, found.record) == ("failed", "c", body)
    assert words in found.reason


@pytest.mark.parametrize(
    "value", [None, [], "chatcore", {}, {"chatcore": "1"}, {"chatcore": True}, {"messages": []}]
)
def test_other_records_are_not_ours(value: object) -> None:
    assert not LOSSLESS.recognises(Record(value=value, body=b""))


def test_fields_of_a_later_day_do_no_harm() -> None:
    value = json.loads(line_of(tree(node("q", None, "user", "What?"))))
    value["mood"] = value["messages"][0]["mood"] = "fine"
    assert read_one(json.dumps(value).encode()).messages[0].parts == (Text("What?"),)


def test_half_a_surrogate_pair_in_raw_is_kept() -> None:
    given = tree(node("q", None, "user", "What?"))
    given = msgspec.structs.replace(given, raw='{"odd": "\\ud800"}')
    assert json.loads(line_of(given))["raw"] == {"odd": "\ud800"}


# --- the specification


def fields_listed(heading: str) -> list[str]:
    """The fields of a table in docs/format.md."""
    table = DOCUMENT.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Conversation", ConversationLine),
        ("Message", MessageEntry),
        ("Vote", Vote),
        ("File", FilePart),
        ("Settings", Settings),
    ],
)
def test_the_specification_lists_every_field(heading: str, kind: type[msgspec.Struct]) -> None:
    assert sorted(fields_listed(heading)) == sorted(kind.__struct_fields__)


def test_the_specification_lists_every_part() -> None:
    tags = {kind.__struct_config__.tag for kind in (Text, FilePart, MissingFile)} | {
        "reasoning",
        "tool_call",
        "tool_result",
    }
    assert set(fields_listed("Parts")) == tags


def test_the_specifications_example_can_be_read() -> None:
    (example_line,) = re.findall(
        r"^```json\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    found = read_one(example_line.encode())
    assert json.loads(line_of(stored(found, owner="local"))) == json.loads(example_line)
