"""What becomes of one conversation before it is stored: order, texts, times, and what stands for it."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore import Feedback, Incoming, IncomingFile, IncomingMessage, Limits, Settings
from chatcore.incoming import IncomingPart
from chatcore.ingestion.arranging import CYCLE, DUPLICATE, NO_HEAD, ORPHAN, arrange
from chatcore.ingestion.checking import check_conversation
from chatcore.ingestion.preparation import NotTaken, Preparation, Prepared
from chatcore.messages import Attachment, File, MissingFile, Reasoning, Text, ToolCall

NOW = 1_800_000_000_000_000
STORED = Attachment(name="a.txt", media_type="text/plain", size_bytes=2, sha256="0" * 64, path="files/0")


def prepared(incoming: Incoming, kept: Attachment | str = STORED) -> Prepared:
    made = Preparation(Limits(title_chars=20), lambda file: kept, NOW).of(incoming)
    check_conversation(made.conversation)
    return made


def message(
    name: str | None, parent: str | None = None, *parts: IncomingPart, **more: object
) -> IncomingMessage:
    return IncomingMessage(
        id=name,
        parent=parent,
        parts=parts or (Text(name or "?"),),
        **{"role": "user", **more},  # type: ignore[arg-type]
    )


def tree(*messages: IncomingMessage, **more: object) -> Incoming:
    return Incoming(source="test", messages=messages, **more)  # type: ignore[arg-type]


def order(made: Prepared) -> list[tuple[str, int]]:
    return [
        (part.text, one.parent)
        for one in made.conversation.messages
        for part in one.parts
        if isinstance(part, Text)
    ]


def test_parents_come_before_their_children_and_siblings_stay_in_order() -> None:
    made = prepared(
        tree(message("c2", "b"), message("c1", "b"), message("b", "a"), message("a"), message("d", "a"))
    )
    assert order(made) == [("a", -1), ("b", 0), ("c2", 1), ("c1", 1), ("d", 0)]
    assert made.conversation.head == 4
    assert made.counted.repaired == {}


def test_orphans_become_roots_and_circles_are_broken() -> None:
    made = prepared(tree(message("a", "z"), message("x", "y"), message("y", "x"), message("s", "s")))
    assert order(made) == [("a", -1), ("x", -1), ("y", 1), ("s", -1)]
    assert made.counted.repaired == {ORPHAN: 1, CYCLE: 2}


def test_an_id_that_comes_twice_stands_for_the_first() -> None:
    made = prepared(tree(message("a"), message("b", "a"), message("a", "b"), message("c", "a")))
    assert order(made) == [("a", -1), ("b", 0), ("a", 1), ("c", 0)]
    assert made.counted.repaired == {DUPLICATE: 1}
    assert len({one.origin for one in made.conversation.messages}) == 4


@given(st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=200)
def test_any_links_make_a_tree(seed: int, count: int) -> None:
    chance = random.Random(seed)
    names = [str(chance.randrange(count)) for _ in range(count)]
    messages = [message(name, chance.choice([None, "?", *names])) for name in names]
    arranged = arrange(messages)
    assert sorted(arranged.order) == list(range(count))
    assert all(-1 <= parent < place for place, parent in enumerate(arranged.parents))
    prepared(tree(*messages))


def test_a_chain_of_a_hundred_thousand_in_the_wrong_order_is_no_trouble() -> None:
    count = 100_000
    messages = [message(str(n), str(n - 1) if n else None) for n in reversed(range(count))]
    assert list(arrange(messages).parents) == list(range(-1, count - 1))


def test_the_head_is_what_is_told_else_the_newest_leaf_that_is_shown() -> None:
    messages = (message("a"), message("b", "a"), message("c", "a"), message("h", "c", hidden=True))
    assert prepared(tree(*messages, head="b")).conversation.head == 1
    lost = prepared(tree(*messages, head="gone"))
    assert lost.conversation.head == 1
    assert lost.counted.repaired == {NO_HEAD: 1}
    assert prepared(tree(message("a"), message("b", "a"), linear=True, head="a")).conversation.head == 0


@pytest.mark.parametrize("linear", [True, False])
def test_texts_are_made_clean_everywhere(linear: bool) -> None:
    dirty = "a\0b\ud83d\ude00c\ud800"
    clean = "a\ufffdb😀c\ufffd"
    made = prepared(
        tree(
            message(
                dirty,
                None,
                Text(dirty),
                Reasoning(dirty),
                ToolCall(dirty, dirty, dirty),
                IncomingFile(name=dirty),
                role="assistant",
                model=dirty,
                reason=dirty,
                feedback=Feedback(rating="like", comment=dirty, reasons=(dirty,)),
                raw={dirty: [dirty, {"x": math.nan, "y": 2**80}]},
            ),
            id=dirty,
            title=dirty,
            linear=linear,
            raw={"k": dirty},
            settings=Settings(system_prompt=dirty),
        )
    )
    one = made.conversation.messages[0]
    assert one.parts[:3] == (Text(clean), Reasoning(clean), ToolCall(clean, clean, clean))
    assert isinstance(one.parts[3], MissingFile)
    assert one.parts[3].name == clean
    assert (one.model, one.reason, made.conversation.title) == (clean, clean, clean)
    assert one.feedback == Feedback(rating="like", comment=clean, reasons=(clean,))
    assert one.raw == '{"' + clean + '":["' + clean + '",{"x":null,"y":"1208925819614629174706176"}]}'
    assert made.conversation.settings.system_prompt == clean
    (one.raw + str(made.conversation.raw)).encode()


def test_a_nul_alone_is_found_too() -> None:
    made = prepared(tree(message(None, None, Text("a\0b")), title="t\0", linear=True))
    assert order(made) == [("a\ufffdb", -1)]
    assert made.conversation.title == "t\ufffd"


def test_a_text_that_only_writes_of_a_nul_stays() -> None:
    assert order(prepared(tree(message(None, None, Text("\\u0000"))))) == [("\\u0000", -1)]


def times(made: Prepared) -> tuple[int, int, list[int]]:
    whole = made.conversation
    return whole.created_at_us, whole.updated_at_us, [one.created_at_us for one in whole.messages]


def at(us: int | None, name: str, parent: str | None = None) -> IncomingMessage:
    return message(name, parent, created_at_us=us)


def test_times_fall_back_on_what_is_known() -> None:
    assert times(prepared(tree(at(None, "a"), at(7, "b", "a"), at(None, "c", "b")))) == (7, 7, [7, 7, 7])
    assert times(prepared(tree(at(None, "a"), at(9, "b", "a"), created_at_us=5))) == (5, 9, [5, 9])
    assert times(prepared(tree(at(None, "a"), updated_at_us=6))) == (6, 6, [6])
    assert times(prepared(tree(at(None, "a")))) == (NOW, NOW, [NOW])
    assert times(prepared(tree(at(-4, "a"), at(NOW * 9, "b", "a")))) == (NOW, NOW, [NOW, NOW])
    assert times(prepared(tree(at(3, "a"), created_at_us=NOW + 1, updated_at_us=1))) == (NOW, NOW, [3])


def test_what_stands_for_it_does_not_depend_on_when_it_is_read() -> None:
    given = tree(message("a"), message("b", "a"))
    first = Preparation(Limits(), lambda file: "It is not kept.", NOW).of(given).conversation
    second = Preparation(Limits(), lambda file: "It is not kept.", NOW + 10**9).of(given).conversation
    assert (first.origin, first.digest) == (second.origin, second.digest)


def changed(**more: object) -> Sequence[bytes]:
    whole = prepared(tree(message("a", None, Text("x"), **more), id="1")).conversation
    return whole.origin, whole.digest


def test_what_stands_for_it_changes_with_its_content_only() -> None:
    plain = changed()
    for more in ({"role": "assistant"}, {"hidden": True}, {"raw": {"a": 1}}, {"model": "m"}):
        other = changed(**more)
        assert other[0] == plain[0]
        assert other[1] != plain[1]
    nameless = [prepared(tree(message(None, None, Text(text)))).conversation.origin for text in "aab"]
    assert nameless[0] == nameless[1] != nameless[2]


def test_titles_votes_and_settings_are_cut_to_the_limits() -> None:
    feedback = Feedback(rating="like", comment="c" * 5000, reasons=("r" * 3000, "s" * 3000, " ", "t"))
    made = prepared(
        tree(
            message("a", feedback=feedback),
            title="  many\nwords that are too long ",
            settings=Settings(responder="gpt-4", parameters={"stop": ["x" * 20_000]}),
        )
    ).conversation
    assert made.title == "many words that are…"
    assert made.messages[0].feedback == Feedback(rating="like", comment="c" * 4000, reasons=("r" * 3000, "t"))
    assert made.settings == Settings()


def test_statuses_of_what_goes_on_or_was_no_answer() -> None:
    made = prepared(
        tree(
            message("a", status="failed"),
            message("b", "a", role="assistant", status="running"),
            message("c", "a", role="assistant", status="stopped"),
        )
    )
    assert [one.status for one in made.conversation.messages] == ["complete", "interrupted", "stopped"]


def test_files_are_kept_or_named() -> None:
    file = IncomingFile(name="a.txt", pointer="p", size_bytes=-1, content=b"xy")
    bare = IncomingFile(name="", pointer="q")
    stored = prepared(tree(message("a", None, file, bare)))
    assert stored.conversation.messages[0].parts == (File(STORED), MissingFile(name="file", pointer="q"))
    assert (stored.counted.files, stored.counted.missing) == (1, 1)
    refused = prepared(tree(message("a", None, file, bare)), "It is odd.")
    assert refused.conversation.messages[0].parts[0] == MissingFile(name="a.txt", pointer="p")
    assert refused.conversation.digest != stored.conversation.digest


def test_what_cannot_be_taken_is_told() -> None:
    with pytest.raises(NotTaken, match="no messages") as caught:
        prepared(tree())
    assert caught.value.skipped
    with pytest.raises(NotTaken, match="4,000,001 characters"):
        prepared(tree(message("a", None, Text("x" * 4_000_001))))
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"d": deep}
    with pytest.raises(NotTaken, match="nested"):
        prepared(tree(message("a", raw=deep)))


def test_a_long_text_is_kept_whole() -> None:
    assert order(prepared(tree(message("a", None, Text("x" * 4_000_000)))))[0][0] == "x" * 4_000_000
