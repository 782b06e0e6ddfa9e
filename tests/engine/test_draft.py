"""A draft: whatever is said, taken, committed or failed, the deltas make up the parts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore import Part, Reasoning, Text, ToolCall, ToolResult
from chatcore.commands import PartOpened, TextAdded
from chatcore.draft import Draft, Outgrown
from chatcore.messages import clean_text

texts = st.text(st.sampled_from("aé😀\ud83d\ude00\0 "), max_size=6)
parts = st.one_of(
    texts.map(Text),
    texts.map(Reasoning),
    texts.map(lambda text: ToolCall("c", text, text)),
    texts.map(lambda text: ToolResult("c", text)),
)
steps = st.lists(st.one_of(parts, st.sampled_from(["take", "committed", "failed"])), max_size=40)


def rebuilt(deltas: list[PartOpened | TextAdded]) -> list[Part]:
    held: list[Part] = []
    for delta in deltas:
        if isinstance(delta, PartOpened):
            assert delta.index == len(held)
            held.append(delta.part)
        else:
            part = held[delta.index]
            assert isinstance(part, Text | Reasoning)
            assert len(part.text) == delta.start
            held[delta.index] = type(part)(part.text + delta.text)
    return held


@settings(max_examples=300)
@given(steps, st.integers(0, 60))
def test_deltas_make_up_the_parts(steps: list[Part | str], most: int) -> None:
    draft = Draft("m", most)
    committed: list[PartOpened | TextAdded] = []
    flying: list[PartOpened | TextAdded] = []
    outgrown = False
    for step in steps:
        if step == "take":
            if not flying:
                flying = list(draft.take())
        elif step == "committed":
            committed += flying
            flying = []
            draft.committed()
        elif step == "failed":
            flying = []
            draft.failed()
        elif not isinstance(step, str) and not outgrown:
            try:
                draft.add(step)
            except Outgrown:
                outgrown = True
    committed += flying
    draft.committed()
    committed += draft.take()
    assert tuple(rebuilt(committed)) == draft.parts()
    assert draft.chars <= most
    draft.committed()
    assert draft.pending_bytes == 0
    assert not draft.waits


def test_a_pair_split_over_two_pieces_is_made_harmless() -> None:
    draft = Draft("m", 100)
    draft.say("a\ud83d")
    draft.say("\ude00b")
    (part,) = draft.parts()
    assert isinstance(part, Text)
    part.text.encode()
    assert clean_text("\ud83d\ude00") == "😀"
