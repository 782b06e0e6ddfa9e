"""What is printed of a conversation: each thing once, in an order that one can read."""

from datetime import UTC, datetime
from typing import Literal

import pytest

from chatcore import (
    Attachment,
    Conversation,
    ConversationChanged,
    ConversationDeleted,
    Feedback,
    FeedbackChanged,
    File,
    Message,
    MessageChanged,
    Part,
    PartAdded,
    Reasoning,
    Reset,
    Settings,
    Status,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
)
from chatcore.events import ConversationEvent
from frontends.terminal.transcript import NewPage, Transcript

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def conversation(head: str | None, title: str | None = None) -> Conversation:
    return Conversation(
        id="c",
        owner="local",
        title=title,
        head=head,
        settings=Settings(),
        pinned=False,
        archived=False,
        deleted=False,
        running=False,
        created_at=NOW,
        updated_at=NOW,
        seq=1,
        list_seq=1,
        activity=1,
    )


def message(
    id_: str,
    *parts: Part,
    role: Literal["user", "assistant"] = "assistant",
    status: Status = "complete",
    parent: str | None = None,
    reason: str | None = None,
) -> Message:
    return Message(
        id=id_,
        conversation_id="c",
        parent=parent,
        depth=0,
        role=role,
        status=status,
        parts=parts,
        created_at=NOW,
        seq=1,
        reason=reason,
    )


def asked(id_: str, text: str, parent: str | None = None) -> Message:
    return message(id_, Text(text), role="user", parent=parent)


class Paper:
    """A transcript and all that it printed."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.seq = 0

    def page(self, *messages: Message) -> str:
        head = messages[-1].id if messages else None
        return "".join(piece.text for piece in self.transcript.page(conversation(head), messages))

    def event(self, event: ConversationEvent) -> str:
        return "".join(piece.text for piece in self.transcript.apply(event))

    def changed(self, of: Message) -> str:
        return self.event(MessageChanged(conversation_id="c", seq=1, at=NOW, message=of))

    def part(self, id_: str, index: int, part: Part) -> str:
        return self.event(
            PartAdded(conversation_id="c", seq=1, at=NOW, message_id=id_, index=index, part=part)
        )

    def delta(self, id_: str, index: int, start: int, text: str) -> str:
        return self.event(
            TextDelta(conversation_id="c", seq=1, at=NOW, message_id=id_, index=index, start=start, text=text)
        )

    def head(self, id_: str | None, title: str | None = None) -> str:
        return self.event(
            ConversationChanged(conversation_id="c", seq=1, at=NOW, conversation=conversation(id_, title))
        )


@pytest.fixture
def paper() -> Paper:
    return Paper()


def test_an_answer_grows(paper: Paper) -> None:
    assert paper.page() == ""
    assert paper.changed(asked("q", "why\nnot?")) == "\n> why\n  not?\n"
    assert paper.changed(message("a", status="running", parent="q")) == "\n"
    assert paper.head("a") == ""
    assert paper.transcript.answer == "a"
    assert paper.part("a", 0, Text("be")) == "be"
    assert paper.delta("a", 0, 2, "cau") == "cau"
    assert paper.delta("a", 0, 2, "cause") == "se"  # what was printed is skipped
    assert paper.delta("a", 0, 0, "be") == ""
    assert paper.changed(message("a", Text("because."), parent="q")) == ".\n"
    assert paper.transcript.running is None
    assert paper.changed(message("a", Text("because."), parent="q")) == ""


def test_an_answer_in_mid_text_on_the_page(paper: Paper) -> None:
    assert paper.page(asked("q", "why"), message("a", Text("bec"), status="running")) == "\n> why\n\nbec"
    assert paper.delta("a", 0, 1, "ecause") == "ause"


def test_endings_say_why(paper: Paper) -> None:
    paper.page(message("a", Text("so far"), status="running"))
    ended = message("a", Text("so far"), status="failed", reason="The model\x1b[2J went away.")
    assert paper.changed(ended) == "\n(failed: The model␛[2J went away.)\n"
    assert paper.changed(message("b", status="stopped", parent="a")) == "\n\n(stopped)\n"


def test_all_kinds_of_parts(paper: Paper) -> None:
    attachment = Attachment(
        name="a\x07.png", media_type="image/png", size_bytes=4_200_000, sha256="", path=""
    )
    printed = paper.page(
        message("q", Text("look"), File(attachment), role="user"),
        message(
            "a",
            Reasoning("hm"),
            ToolCall("1", "find", '{"a":\n1}'),
            ToolResult("1", "not\nthere", is_error=True),
            Text("It is\x1b[31m red."),
            parent="q",
        ),
    )
    assert printed == (
        "\n> look\n  [file: a␇.png, 4.2 MB]\n"
        '\nhm\n  [find {"a": 1}]\n  [failed: not there]\nIt is␛[31m red.\n'
    )


def test_what_is_asked_meanwhile_waits_for_the_end(paper: Paper) -> None:
    paper.page(asked("q", "one"), message("a", status="running", parent="q"))
    assert paper.changed(asked("q2", "two", parent="a")) == ""
    assert paper.changed(message("a2", status="queued", parent="q2")) == ""
    assert paper.head("a2") == ""
    assert len(paper.transcript.waiting) == 1
    feedback = FeedbackChanged(
        conversation_id="c", seq=1, at=NOW, message_id="q", user="local", feedback=Feedback(rating="like")
    )
    assert paper.event(feedback) == ""
    assert paper.part("a", 0, Text("1")) == "1"
    assert paper.changed(message("a", Text("1"), parent="q")) == "\n(liked)\n\n> two\n"
    assert paper.changed(message("a2", status="running", parent="q2")) == "\n"
    assert paper.part("a2", 0, Text("2")) == "2"


def test_another_answer_and_another_wording(paper: Paper) -> None:
    paper.page(asked("q", "one"), message("a", Text("1"), parent="q"))
    assert paper.changed(message("b", Text("I"), parent="q")) == "\n(another answer)\nI\n"
    assert paper.changed(asked("r", "uno")) == "\n(reworded)\n> uno\n"


def test_going_to_another_path_needs_a_page(paper: Paper) -> None:
    paper.page(asked("q", "one"), message("a", Text("1"), parent="q"))
    paper.changed(message("b", Text("I"), parent="q"))
    assert paper.head("b") == ""
    with pytest.raises(NewPage):
        paper.head("a")
    printed = paper.page(asked("q", "one"), message("a", Text("1"), parent="q"))
    assert printed == "\n── now shown ──\n\n> one\n\n1\n"


def test_a_head_that_is_not_known_needs_a_page_of_what_is_new(paper: Paper) -> None:
    paper.page(asked("q", "one"))
    with pytest.raises(NewPage):
        paper.head("a")
    assert paper.page(asked("q", "one"), message("a", Text("1"), parent="q")) == "\n1\n"


def test_what_was_missed_needs_a_page(paper: Paper) -> None:
    paper.page(message("a", Text("one"), status="running"))
    with pytest.raises(NewPage):
        paper.delta("a", 0, 4, "x")
    with pytest.raises(NewPage):
        paper.delta("a", 1, 0, "x")
    with pytest.raises(NewPage):
        paper.part("a", 2, Text("x"))
    assert paper.page(message("a", Text("one two"), status="running")) == " two"
    with pytest.raises(NewPage):
        paper.event(Reset(conversation_id="c", seq=0, at=NOW))
    assert paper.page(message("a", Text("one two three"))) == " three\n"


def test_title_and_deletion(paper: Paper) -> None:
    paper.page(asked("q", "one"))
    assert paper.head("q", "A\x1b title") == "(title: A␛ title)\n"
    assert paper.head("q", "A\x1b title") == ""
    deleted = ConversationDeleted(conversation_id="c", seq=2, at=NOW)
    assert paper.event(deleted) == "\nThis conversation was deleted.\n"
