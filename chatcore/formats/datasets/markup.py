"""HTML as Markdown: answers that were copied from a web page, as those of the original ShareGPT site.

Such values begin with ``<div class="markdown …">``; code stands in ``pre``, below a bar with a button
“Copy code” (lm-sys/FastChat, ``fastchat/data/clean_sharegpt.py``). What a person could see comes out; a
page's layout does not.
"""

import re
from collections.abc import Mapping
from html import unescape

__all__ = ["is_markup", "markdown_of"]

MARKUP = re.compile(r"<(div|p|pre|ul|ol|h[1-6]|table|blockquote)(\s[^<>]*)?>", re.IGNORECASE)
TOKEN = re.compile(
    r"""<(/?)([a-zA-Z][a-zA-Z0-9]*+)((?:[^<>"']|"[^"]{0,500}"|'[^']{0,500}')*+)>"""
    r"""|<!--[^<>]{0,500}-->|([^<]++|<)"""
)
"""A tag (its slash, name, attributes), a comment, or text. Bounded, so that no text takes long; `html.parser`
takes quadratic time for some and raises for others."""

ATTRIBUTE = re.compile(r"""([a-zA-Z-]++)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""")
LANGUAGE = re.compile(r"\blanguage-([\w+#.-]+)")
BLANK_LINES = re.compile(r"\n{3,}")
SPACES = re.compile(r"[ \t\r\n]+")
BACKTICKS = re.compile(r"`+")

AROUND: Mapping[str, str] = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "code": "`"}
HEADINGS: Mapping[str, str] = {f"h{depth}": "#" * depth for depth in range(1, 7)}
BLOCKS = frozenset({"p", "div", "section", "table", "blockquote", *HEADINGS})
OPENING: Mapping[str, str] = {
    **{tag: f"{marks} " for tag, marks in HEADINGS.items()},
    "blockquote": "> ",
    "br": "\n",
    "td": "| ",
    "th": "| ",
}
CLOSING: Mapping[str, str] = {"td": " ", "th": " ", "tr": "|\n"}
SILENT = frozenset({"button", "style", "script", "svg"})
DEEPEST_LIST = 12


def is_markup(text: str) -> bool:
    """Whether `text` is a piece of a web page: it begins with a block and ends with a tag."""
    return MARKUP.match(text) is not None and text.rstrip().endswith(">")


def markdown_of(markup: str) -> str:
    """What a piece of a web page shows, as Markdown. What is no HTML comes out as it is."""
    page = _Page()
    for token in TOKEN.finditer(markup):
        slash, tag, given, words = token.groups()
        if words is not None:
            page.say(unescape(words))
        elif tag is not None and slash:
            page.close(tag.lower())
        elif tag is not None:
            page.open(tag.lower(), _attributes(given))
    return page.markdown()


def _attributes(given: str) -> Mapping[str, str]:
    return {name.lower(): unescape(one or two or bare) for name, one, two, bare in ATTRIBUTE.findall(given)}


class _Page:
    """Collects Markdown while tags come and go; it keeps no tree, so nesting costs nothing."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._silent = 0
        self._lists: list[int | None] = []  # of each open list the number of its next item; None: bullets
        self._links: list[str] = []
        self._cells = 0
        self._code: list[str] | None = None  # what stands in the open `pre`
        self._language = ""
        self._after_code = False

    def open(self, tag: str, given: Mapping[str, str]) -> None:
        if tag in SILENT:
            self._silent += 1
        elif self._code is not None:
            self._open_in_pre(tag, given)
        elif tag == "pre":
            self._code, self._language, self._after_code = [], "", False
        elif tag in {"ul", "ol"}:
            self._line() if self._lists else self._block()
            self._lists.append(_start(given) if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "a":
            self._links.append(given.get("href", ""))
            self._out.append("[")
        elif tag == "img":
            self._out.append(f"![{given.get('alt', '')}]({given.get('src', '')})")
        else:
            self._open_plain(tag)

    def _open_plain(self, tag: str) -> None:
        if tag in BLOCKS and not self._lists:
            self._block()
        elif tag == "tr":
            self._line()
            self._cells = 0
        elif tag in {"td", "th"}:
            self._cells += 1
        self._out.append(AROUND.get(tag) or OPENING.get(tag, ""))

    def _open_in_pre(self, tag: str, given: Mapping[str, str]) -> None:
        """What stands in `code` is the code, and the bar above it is none."""
        if self._code is not None and tag == "code":
            found = LANGUAGE.search(given.get("class", ""))
            self._language = found[1] if found else ""
            self._code.clear()
        elif self._code is not None and tag == "br":
            self._code.append("\n")

    def close(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "pre":
            self._fence()
        elif self._code is not None:
            self._after_code = self._after_code or tag == "code"
        elif tag in {"ul", "ol"}:
            if self._lists:
                self._lists.pop()
            self._line() if self._lists else self._block()
        elif tag == "a":
            self._out.append(f"]({self._links.pop()})" if self._links else "")
        elif tag == "thead":
            self._out.append(f"|{' --- |' * self._cells}\n")
        elif tag in BLOCKS:
            self._line() if self._lists else self._block()
        else:
            self._out.append(AROUND.get(tag) or CLOSING.get(tag, ""))

    def say(self, words: str) -> None:
        if self._silent:
            return
        if self._code is not None:
            if not self._after_code:
                self._code.append(words)
            return
        words = SPACES.sub(" ", words)
        if words.startswith(" ") and self._last().endswith(("\n", " ")):
            words = words[1:]
        self._out.append(words)

    def markdown(self) -> str:
        self._fence()
        return BLANK_LINES.sub("\n\n", "".join(self._out)).strip()

    def _fence(self) -> None:
        if self._code is None:
            return
        code = "".join(self._code).strip("\n")
        self._code = None
        longest = max((len(found[0]) for found in BACKTICKS.finditer(code)), default=0)
        fence = "`" * max(3, longest + 1)
        self._block()
        self._out.append(f"{fence}{self._language}\n{code}\n{fence}\n\n")

    def _item(self) -> None:
        self._line()
        depth = min(len(self._lists), DEEPEST_LIST)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        self._out.append("   " * max(0, depth - 1) + ("- " if number is None else f"{number}. "))

    def _last(self) -> str:
        while self._out and not self._out[-1]:
            self._out.pop()
        return self._out[-1] if self._out else "\n\n"

    def _line(self) -> None:
        if not self._last().endswith("\n"):
            self._out.append("\n")

    def _block(self) -> None:
        """A blank line, but not behind the mark of a quotation."""
        if not (last := self._last()).endswith(("\n\n", "> ")):
            self._out.append("\n" if last.endswith("\n") else "\n\n")


def _start(given: Mapping[str, str]) -> int:
    start = given.get("start", "1")
    return int(start) if start.isascii() and start.isdigit() and len(start) < 10 else 1
