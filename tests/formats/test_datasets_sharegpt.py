"""ShareGPT: each odd case, one line of it."""

import time

import pytest

from chatcore.formats.datasets.markup import is_markup, markdown_of
from chatcore.formats.datasets.openai import OPENAI
from chatcore.formats.datasets.sharegpt import SHAREGPT
from chatcore.incoming import Incoming
from chatcore.messages import Settings
from tests.formats.telling import all_of, one_of, turns_of


def turn(speaker: str, value: object, **more: object) -> dict[str, object]:
    return {"from": speaker, "value": value, **more}


CASES: dict[str, tuple[list[object], list[str]]] = {
    "names of the sides": (
        [
            turn("system", "s"),
            *(turn(name, "q") for name in ("human", "user", "Human")),
            *(turn(name, "a") for name in ("gpt", "chatgpt", "assistant", "bing", "bard")),
        ],
        ["system: s", *["user: q"] * 3, *["assistant: a"] * 5],
    ),
    "starts with gpt, ends with human": (
        [turn("gpt", "Hi"), turn("human", "Bye")],
        ["assistant: Hi", "user: Bye"],
    ),
    "two turns of one side": (
        [turn("human", "a"), turn("human", "b"), turn("gpt", "c")],
        ["user: a", "user: b", "assistant: c"],
    ),
    "empty value": ([turn("human", "a"), turn("gpt", "")], ["user: a", "assistant: "]),
    "null value": ([turn("human", "a"), turn("gpt", None)], ["user: a", "assistant: "]),
    "role and content": (
        [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        ["user: a", "assistant: b"],
    ),
    "calls of functions": (
        [
            turn("human", "Sum?"),
            turn("function_call", '{"name": "add", "arguments": {"a": 1}}'),
            turn("observation", "3"),
            turn("tool_call", '{"name": "add", "arguments": "{\\"a\\": 1}"}'),
            turn("tool", "4"),
            turn("function", "5"),
            turn("gpt", "3"),
        ],
        [
            "user: Sum?",
            'assistant: call_1:add({"a": 1})',
            "tool: call_1=3",
            'assistant: call_2:add({"a": 1})',
            "tool: call_2=4",
            "tool: call_2=5",
            "assistant: 3",
        ],
    ),
    "several calls in one turn": (
        [turn("function_call", '[{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]')],
        ["assistant: call_1:a({}) | call_2:b({})"],
    ),
    "a call that is no JSON": ([turn("function_call", "add(1)")], ["assistant: add(1)"]),
    "a call without a name": ([turn("function_call", '{"x": 1}')], ['assistant: {"x": 1}']),
}


@pytest.mark.parametrize(("turns", "told"), CASES.values(), ids=CASES.keys())
def test_turns(turns: list[object], told: list[str]) -> None:
    conversation = one_of(SHAREGPT, {"conversations": turns})
    assert turns_of(conversation) == told
    assert conversation.linear


RAW = {
    "the name of the side": (turn("bing", "x"), {"role": "bing"}),
    "what axolotl adds": (
        turn("gpt", "x", train=False, weight=0, train_detail=[{"begin_offset": 0, "end_offset": 1}]),
        {"train": False, "weight": 0, "train_detail": [{"begin_offset": 0, "end_offset": 1}]},
    ),
    "a call that is none": (turn("function_call", "add(1)"), {"role": "function_call"}),
    "a call": (turn("function_call", '{"name": "a"}'), None),
}


@pytest.mark.parametrize(("given", "raw"), RAW.values(), ids=RAW.keys())
def test_what_has_no_place_is_kept(given: object, raw: object) -> None:
    (message,) = one_of(SHAREGPT, {"conversations": [given]}).messages
    assert message.raw == raw
    assert message.feedback is None


def test_system_and_tools() -> None:
    value = {"conversations": [turn("human", "Hi")], "system": "Be brief.", "tools": "[]"}
    conversation = one_of(SHAREGPT, value)
    assert conversation.settings == Settings(system_prompt="Be brief.")
    assert conversation.raw == {"tools": "[]"}


def test_a_system_that_is_no_text_is_kept() -> None:
    conversation = one_of(SHAREGPT, {"conversations": [turn("human", "Hi")], "system": {"x": 1}})
    assert conversation.settings == Settings()
    assert conversation.raw == {"system": {"x": 1}}


def test_an_error_in_place_of_an_answer_is_a_failed_one() -> None:
    error = "Too many requests in 1 hour. Try again later."
    messages = one_of(SHAREGPT, {"conversations": [turn("human", error), turn("gpt", error)]}).messages
    assert [(message.status, message.reason) for message in messages] == [
        ("complete", None),
        ("failed", error),
    ]


def test_the_original_sites_form() -> None:
    page = (
        '<div class="markdown prose"><p>So: <strong>x &lt; 1</strong></p><pre><div><span>python</span>'
        '<button>Copy code</button></div><div><code class="hljs language-python">if <span>x</span>:\n'
        "    y</code></div></pre></div>"
    )
    value = {
        "items": [turn("human", "<p>how?</p>"), turn("gpt", page), turn("gpt", "plain")],
        "title": "How",
        "avatarUrl": "https://example.org/a.png",
        "model": "old",
    }
    conversation = one_of(SHAREGPT, value)
    assert turns_of(conversation) == [
        "user: <p>how?</p>",
        "assistant: So: **x < 1**\n\n```python\nif x:\n    y\n```",
        "assistant: plain",
    ]
    assert conversation.messages[1].raw == {"html": page}
    assert conversation.title == "How"
    assert conversation.messages[1].model == "old"
    assert conversation.raw == {"title": "How", "avatarUrl": "https://example.org/a.png"}


def test_a_page_is_told_from_code_that_somebody_asked_for() -> None:
    for answer, told in (("<p>Hi</p>", "<p>Hi</p>"), ('<div class="markdown prose"><p>Hi</p></div>', "Hi")):
        conversation = one_of(SHAREGPT, {"conversations": [turn("gpt", answer)]})
        assert turns_of(conversation) == [f"assistant: {told}"]


# --- ids


def ids_of(*values: object) -> list[str | None]:
    found = all_of(SHAREGPT, *values)
    assert all(isinstance(one, Incoming) for one in found)
    return [one.id for one in found if isinstance(one, Incoming)]


def chat(known: object, *words: str) -> dict[str, object]:
    sides = ("human", "gpt")
    turns = [turn(sides[number % 2], word) for number, word in enumerate(words)]
    return {"conversations": turns} if known is None else {"id": known, "conversations": turns}


def test_conversations_of_one_id_stay_apart() -> None:
    values = (chat("a", "x", "1"), chat("a", "y", "1"), chat("a", "x", "2"), chat("a", "x", "1"))
    first, other_question, other_answer, again = ids_of(*values)
    assert len({first, other_question, other_answer}) == 3
    assert first == again
    assert ids_of(*values) == [first, other_question, other_answer, again], "the same at every reading"


def test_an_id_is_not_shared_with_another_file() -> None:
    assert ids_of(chat("identity_0", "Who are you?")) != ids_of(chat("identity_0", "What is rain?"))


def test_a_conversation_that_has_grown_keeps_its_id() -> None:
    assert ids_of(chat("a", "x", "1")) == ids_of(chat("a", "x", "1", "more", "2"))


def test_pieces_of_a_long_chat_stay_conversations() -> None:
    assert len(set(ids_of(chat("a_0", "x", "1"), chat("a_2", "y", "2")))) == 2


def test_ids_may_be_numbers_and_may_be_missing() -> None:
    number, zero, none, empty = ids_of(chat(7, "x"), chat(0, "x"), chat(None, "x"), chat("", "x"))
    assert [(known or "").partition("~")[0] for known in (number, zero)] == ["7", "0"]
    assert none is empty is None


def test_many_ids_are_told_apart() -> None:
    """More than the table of ids begins with."""
    given = [chat(f"c{number}", f"q{number % 7}", "a") for number in range(5_000)]
    repeated = [chat(f"c{number}", f"q{number % 7}", "b") for number in range(0, 5_000, 100)]
    found = ids_of(*given, *repeated)
    assert len(set(found)) == len(found)
    assert all("#" in (one or "") for one in found[5_000:])
    assert not any("#" in (one or "") for one in found[:5_000])


def test_the_same_rules_hold_for_messages() -> None:
    def line(answer: str) -> dict[str, object]:
        return {
            "id": "a",
            "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}],
        }

    found = all_of(OPENAI, line("1"), line("2"))
    assert len({one.id for one in found}) == 2


# --- HTML

MARKUP = {
    "paragraphs": ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
    "marks": ("<p><b>a</b> <em>b</em> <code>c</code> <del>d</del></p>", "**a** *b* `c` ~~d~~"),
    "headings": ("<h2>a</h2><p>b</p>", "## a\n\nb"),
    "lists": (
        "<ul><li>a</li><li><p>b</p><ul><li>c</li></ul></li></ul><p>d</p>",
        "- a\n- b\n   - c\n\nd",
    ),
    "numbers": ('<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b"),
    "links": ('<p><a href="https://e.org/?a=1&amp;b">a</a></p>', "[a](https://e.org/?a=1&b)"),
    "pictures": ('<p><img src="a.png" alt="b"></p>', "![b](a.png)"),
    "tables": (
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
    ),
    "code without a bar": ("<pre>a\n  b &amp; c</pre>", "```\na\n  b & c\n```"),
    "code with a bar below": ("<pre><code>a</code><span>Run</span></pre>", "```\na\n```"),
    "code with fences": ("<pre><code>```\nx\n```</code></pre>", "````\n```\nx\n```\n````"),
    "quotations": ("<blockquote><p>a</p></blockquote><p>b</p>", "> a\n\nb"),
    "an attribute with a bracket": ('<div class="[&>p]:x"><p>a</p></div>', "a"),
    "nothing is closed": ("<div><p>a <b>b <pre>c", "a **b \n\n```\nc\n```"),
    "no tags": ("<p>1 < 2 <> 3 <! 4</p>", "1 < 2 <> 3 <! 4"),
    "comments, scripts": ("<p>a<!-- b --><script>c</script></p>", "a"),
}


@pytest.mark.parametrize(("markup", "markdown"), MARKUP.values(), ids=MARKUP.keys())
def test_markup(markup: str, markdown: str) -> None:
    assert markdown_of(markup) == markdown


@pytest.mark.parametrize("piece", ["<a ", '<p "', "<!--", "</", "<ul>", "<li>", "<![CDATA[", "<pre>`", "&"])
def test_no_markup_takes_long(piece: str) -> None:
    markup = f"<p>{piece * (200_000 // len(piece))}>"
    begin = time.process_time()
    assert is_markup(markup)
    markdown_of(markup)
    assert time.process_time() - begin < 5
