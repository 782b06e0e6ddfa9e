"""Markdown: a conversation for people to read, print and keep."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from chatcore.filters import verdict_of
from chatcore.formats.format import WriteOptions
from chatcore.formats.naming import copied_file
from chatcore.formats.paths import Paths
from chatcore.formats.turns import named
from chatcore.messages import File, Message, MissingFile, Part, Reasoning, Text, ToolCall, ToolResult
from chatcore.views import Node, Tree

__all__ = ["MARKDOWN", "Markdown"]

_WHO: Mapping[str, str] = {"user": "You", "assistant": "Assistant", "system": "Instructions", "tool": "Tool"}
_VOTES: Mapping[str | None, str] = {"like": " 👍", "dislike": " 👎", None: ""}


class Markdown:
    """The shown path; with all paths, each other branch from where it leaves what was written before."""

    name = "markdown"
    title = "Markdown"
    suffix = ".md"
    apart = True

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[str]:
        """Pieces of text: the head, then a message each."""
        conversation = tree.conversation
        yield f"# {_line(conversation.title or 'Untitled')}\n\n{conversation.created_at:%Y-%m-%d %H:%M} UTC\n"
        if options.system and conversation.settings.system_prompt:
            yield f"\n## {_WHO['system']}\n\n{conversation.settings.system_prompt.strip()}\n"
        told: set[str] = set()
        for number, path in enumerate(Paths(tree).wanted(all_paths=options.all_paths)):
            new = [node for node in path if node.message.id not in told and not node.message.hidden]
            if number and new:
                yield f"\n---\n\n*Another branch, {_after(path, told)}:*\n"
            for node in new:
                yield _message(node, options)
            told.update(node.message.id for node in path)
        yield "\n"


def _after(path: Sequence[Node], told: set[str]) -> str:
    above = [node for node in path if node.message.id in told and not node.message.hidden]
    if not above:
        return "from the beginning"
    return f"after {_WHO[above[-1].message.role]}, {above[-1].message.created_at:%Y-%m-%d %H:%M}"


def _message(node: Node, options: WriteOptions) -> str:
    message = node.message
    model = f" ({_line(message.model)})" if message.model else ""
    parts = [text for part in message.parts if (text := _part(part, options))]
    said = "\n\n".join(parts) or "*(nothing)*"
    vote = _VOTES[verdict_of(node)]
    notes = "".join(f"\n\n*{note}*" for note in _notes(node))
    return f"\n## {_WHO[message.role]}{model}{vote}\n\n{said}{notes}\n"


def _notes(node: Node) -> Iterator[str]:
    message: Message = node.message
    if message.status != "complete":
        yield f"{message.status}: {_line(message.reason)}" if message.reason else message.status
    for held in node.feedback:
        said = "; ".join(filter(None, (*held.feedback.reasons, held.feedback.comment)))
        if said:
            yield f"{held.feedback.rating}: {_line(said)}"


def _part(part: Part, options: WriteOptions) -> str:
    match part:
        case Text():
            return part.text.strip("\n")
        case Reasoning():
            return _thought(part) if options.reasoning else ""
        case ToolCall():
            return f"Call of {_code(part.name)}:\n\n{_fenced(part.arguments)}"
        case ToolResult():
            return f"{'Error' if part.is_error else 'Result'}:\n\n{_fenced(part.output)}"
        case File() | MissingFile():
            return _file(part, options)


def _thought(part: Reasoning) -> str:
    thought = part.text.strip("\n")
    return f"<details><summary>Reasoning</summary>\n\n{thought}\n\n</details>"


def _file(file: File | MissingFile, options: WriteOptions) -> str:
    name = re.sub(r"([\[\]\\])", r"\\\1", _line(named(file)))
    if not isinstance(file, File) or options.files is None:
        return f"*File: {name}*"
    mark = "!" if file.attachment.media_type.startswith("image/") else ""
    return f"{mark}[{name}]({quote(f'{options.files}/{copied_file(file.attachment)}')})"


def _line(text: str) -> str:
    return " ".join(text.split())


def _code(text: str) -> str:
    return f"`{_line(text).replace('`', chr(39))}`"


def _fenced(text: str) -> str:
    """A block with a fence that is longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


MARKDOWN = Markdown()
