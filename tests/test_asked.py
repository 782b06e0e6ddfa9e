"""The model's memory: steps of half, so that what a model is given begins alike for many questions."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.asked import Asked, estimate_tokens
from chatcore.messages import Message, MissingFile, Reasoning, Settings, ToolCall, ToolResult
from tests.responders.asking import Talk, talk_about


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def ids(messages: Sequence[Message]) -> list[str]:
    return [message.id for message in messages]


def cost(messages: Sequence[Message]) -> int:
    return sum(len(part.text) for message in messages for part in message.parts if hasattr(part, "text"))


async def exchange(talk: Talk, question: str, answer: str, max_tokens: int) -> list[Message]:
    """Ask, as an engine and a responder do; what the model was given."""
    talk.add("user", question)
    asked = talk.asked()
    given_ = await asked.newest(max_tokens, len)
    talk.add("assistant", answer, memory_from=asked.memory_from)
    return given_


async def test_all_is_given_while_it_fits() -> None:
    talk = talk_about("one", "two", "three")
    asked = talk.asked()
    assert ids(await asked.newest(11, len)) == ["m0000", "m0001", "m0002"]
    assert asked.memory_from is None


async def test_half_is_left_out_when_it_does_not_fit() -> None:
    talk = talk_about(*["0123456789"] * 11)
    asked = talk.asked()
    given_ = await asked.newest(100, len)
    assert ids(given_) == ids(list(talk.messages.values()))[-5:]
    assert asked.memory_from == given_[0].id
    assert given_[0].role == "user"


async def test_the_question_is_given_however_long_it_is() -> None:
    talk = talk_about("before", "and", "x" * 1000)
    assert ids(await talk.asked().newest(100, len)) == ["m0002"]


async def test_the_exchange_before_is_kept_though_it_is_more_than_half() -> None:
    talk = talk_about(*["old"] * 20, "Write a long text.", "x" * 70, "Make it shorter.")
    assert cost(await talk.asked().newest(110, len)) == 18 + 70 + 16


async def test_system_prompt_and_beginning_are_counted() -> None:
    talk = talk_about("0123456789", "0123456789", "0123456789")
    assert len(await talk.asked().newest(30, len)) == 3
    talk.settings = Settings(system_prompt="x")
    assert len(await talk.asked().newest(30, len)) == 1
    talk.settings = Settings()
    assert len(await talk.asked(beginning="x").newest(30, len)) == 1


async def test_messages_without_parts_are_left_out() -> None:
    talk = Talk()
    talk.add("user", "one")
    talk.add("assistant")
    talk.add("user", "two")
    assert ids(await talk.asked().newest()) == ["m0000", "m0002"]


async def test_hidden_messages_are_left_out_and_cost_nothing() -> None:
    talk = Talk()
    talk.add("system", "x" * 1000, hidden=True)
    talk.add("user", "one")
    talk.add("user", "y" * 1000, hidden=True)
    talk.add("assistant", "yes")
    talk.add("user", "two")
    for room in (None, 9):
        assert ids(await talk.asked().newest(room, len)) == ["m0001", "m0003", "m0004"]


async def test_the_memory_never_begins_with_a_hidden_question() -> None:
    talk = Talk()
    for _ in range(20):
        talk.add("user", "q", hidden=True)
        talk.add("assistant", "a" * 10)
    talk.add("user", "last")
    assert ids(await talk.asked().newest(60, len)) == ["m0040"]


async def test_the_name_of_a_missing_file_is_counted() -> None:
    talk = Talk()
    talk.add("user", "one", MissingFile(name="x" * 10))
    talk.add("assistant", "yes")
    talk.add("user", "two")
    assert len(await talk.asked().newest(19, len)) == 3
    assert len(await talk.asked().newest(18, len)) == 1


async def test_all_kinds_of_parts_are_counted() -> None:
    talk = Talk()
    talk.add("user", "one")
    talk.add("assistant", Reasoning("12"), ToolCall("1", "345", "67"), ToolResult("1", "89"), "0")
    talk.add("user", "two")
    assert len(await talk.asked().newest(16, len)) == 3
    assert len(await talk.asked().newest(15, len)) == 1


async def test_files_are_counted_as_the_responder_says(tmp_path: Path) -> None:
    talk = Talk(folder=tmp_path)
    talk.add("user", "one", await talk.file("a.txt", "text/plain", b"x" * 50))
    talk.add("assistant", "yes")
    talk.add("user", "two")
    assert len(await talk.asked().newest(20, len)) == 3
    assert len(await talk.asked().newest(20, len, lambda attachment: attachment.size_bytes)) == 1


async def test_the_memory_begins_where_it_did_for_the_answer_before() -> None:
    talk = Talk()
    begins: list[str] = []
    for _ in range(200):
        given_ = await exchange(talk, "q" * 10, "a" * 10, 400)
        begins.append(given_[0].id)
        assert cost(given_) <= 400
    steps = sum(before != after for before, after in itertools.pairwise(begins))
    assert steps == 17  # about one every ten exchanges, since half of 400 is ten exchanges


async def test_no_more_than_a_page_beyond_the_memory_is_read() -> None:
    talk = Talk()
    for _ in range(200):
        talk.loaded = 0
        given_ = await exchange(talk, "q" * 10, "a" * 10, 400)
        assert talk.loaded <= len(given_) + 50


async def test_without_a_bound_the_whole_path_is_given() -> None:
    talk = Talk()
    for _ in range(60):
        await exchange(talk, "question", "answer", 100)
    talk.add("user", "last")
    asked = talk.asked()
    assert ids(await asked.newest()) == ids(list(talk.messages.values()))
    assert asked.memory_from is None


async def test_a_larger_model_is_given_more_than_the_smaller_one_before_it() -> None:
    talk = Talk()
    for _ in range(100):
        await exchange(talk, "q" * 10, "a" * 10, 100)
    larger = await exchange(talk, "q" * 10, "a" * 10, 1000)
    assert 480 <= cost(larger) <= 500
    again = await exchange(talk, "q" * 10, "a" * 10, 1000)
    assert again[0].id == larger[0].id


async def test_a_branch_above_has_its_own_memory() -> None:
    talk = Talk()
    for _ in range(10):
        await exchange(talk, "q" * 10, "a" * 10, 1000)
    branch = talk.head
    for _ in range(90):
        await exchange(talk, "q" * 10, "a" * 10, 1000)
    assert talk.messages[str(talk.head)].memory_from is not None
    talk.head = branch
    given_ = await exchange(talk, "q" * 10, "a" * 10, 1000)
    assert ids(given_)[:20] == [f"m{number:04}" for number in range(20)]


async def test_continuing_an_answer_begins_where_the_answer_did() -> None:
    talk = Talk()
    for number in range(60):
        talk.add("user", "q" * 10)
        question, asked = talk.head, talk.asked()
        given_ = await asked.newest(400, len)
        continued = await talk.asked(beginning="a" * 5).newest(400, len)
        assert cost(continued) + 5 <= 400
        if number and given_[0].id != continued[0].id:
            assert cost(given_) + 5 > 400  # the one step that the beginning brings forward
        assert talk.head == question
        talk.add("assistant", "a" * 10, memory_from=asked.memory_from)


async def test_a_page_is_not_the_end() -> None:
    talk = talk_about(*[str(number) for number in range(333)])
    assert len(await talk.asked().newest(10_000, len)) == 333


LENGTHS = st.integers(min_value=0, max_value=120)


@settings(max_examples=60)
@given(
    lengths=st.lists(st.tuples(LENGTHS, LENGTHS), min_size=1, max_size=60),
    bound=st.integers(min_value=10, max_value=300),
    prompt=st.integers(min_value=0, max_value=30),
)
def test_never_more_than_the_bound_and_few_steps(
    lengths: list[tuple[int, int]], bound: int, prompt: int
) -> None:
    anyio.run(_check_bound_and_steps, lengths, bound, prompt)


async def _check_bound_and_steps(lengths: list[tuple[int, int]], bound: int, prompt: int) -> None:
    talk = Talk(Settings(system_prompt="s" * prompt or None))
    half = (bound - prompt) // 2
    before: list[Message] = []
    for question, answer in lengths:
        given_ = await exchange(talk, "q" * (question + 1), "a" * answer, bound)
        assert given_[-1].role == "user"
        assert cost(given_) + prompt <= bound or len(given_) == 1
        if before and given_[0].id != before[0].id:
            kept = before[-1].depth, before[0].depth
            assert given_[0].depth > kept[1]  # it never goes back to what was left out
            whole = [m for m in talk.messages.values() if m.depth >= kept[1]]
            assert cost(whole[:-1]) + prompt > bound  # only because it did not fit
        elif before:
            assert ids(given_)[: len(before)] == ids(before)  # the beginning is the same
        left_out = [m for m in talk.messages.values() if m.depth < given_[0].depth]
        if left_out and cost(given_) > half:
            # More than half only where it has grown since a step, or where one exchange is that long.
            assert (before and given_[0].id == before[0].id) or sum(m.role == "user" for m in given_) <= 2
        before = given_


def test_tokens_are_estimated_on_the_safe_side() -> None:
    prose = "The quick brown fox jumps over the lazy dog, and nobody knows why it does so. " * 10
    assert len(prose) / 4 < estimate_tokens(prose) < len(prose) / 2
    assert estimate_tokens("") > 0


async def test_asked_knows_the_words_and_files_of_its_question(tmp_path: Path) -> None:
    talk = Talk(folder=tmp_path)
    talk.add("user", "What ", await talk.file("a.txt", "text/plain", b"abc"), "is this?")
    asked: Asked = talk.asked()
    assert asked.text == "What is this?"
    [file] = await anyio.to_thread.run_sync(lambda: asked.files)  # a store looks whether they are there
    assert (file.name, file.media_type, file.size_bytes) == ("a.txt", "text/plain", 3)
    assert await anyio.Path(file.path).read_bytes() == b"abc"
