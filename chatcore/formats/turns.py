"""A path as the turns of a chat: what one side says at a time, in the order in which models read it."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from chatcore.formats.format import WriteOptions
from chatcore.messages import (
    File,
    Message,
    MissingFile,
    Reasoning,
    Role,
    Status,
    Text,
    ToolCall,
    ToolResult,
)
from chatcore.views import Node, Tree

__all__ = ["Turn", "is_told", "merged", "named", "turns_of", "words_of"]

_UNTOLD: frozenset[Status] = frozenset({"queued", "running", "failed", "interrupted"})

Content = Text | File | MissingFile


class Turn(Struct, frozen=True, kw_only=True):
    """What one side says at a time.

    Attributes:
        contents: Words and files, in order.
        reasoning: What was thought before; empty unless it was asked for.
        calls: Tools that are asked for.
        call_id: The call to which a tool answers.
        node: The message that it is a piece of; None: the conversation's system prompt.
    """

    role: Role
    contents: tuple[Content, ...] = ()
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    node: Node | None = None


def is_told(message: Message) -> bool:
    """Whether a training set may hold it: not what is hidden, still being written, failed, or empty."""
    return not message.hidden and message.status not in _UNTOLD and bool(message.parts)


def turns_of(tree: Tree, path: Sequence[Node], options: WriteOptions) -> list[Turn]:
    """The turns of a path, the conversation's system prompt first where it is wanted and not said anyway."""
    turns = [turn for node in path if is_told(node.message) for turn in _pieces(node, options)]
    prompt = tree.conversation.settings.system_prompt if options.system else None
    if prompt and not (turns and turns[0].role == "system" and words_of(turns[0]) == prompt):
        turns.insert(0, Turn(role="system", contents=(Text(prompt),)))
    return turns


def _pieces(node: Node, options: WriteOptions) -> Iterator[Turn]:
    """A message may be several turns: after a tool's result its caller goes on."""
    role = node.message.role
    gathered = Turn(role=role, node=node)
    for part in node.message.parts:
        match part:
            case Text() | File() | MissingFile():
                gathered = replace(gathered, contents=(*gathered.contents, part))
            case Reasoning():
                if options.reasoning:
                    gathered = replace(gathered, reasoning=gathered.reasoning + part.text)
            case ToolCall():
                gathered = replace(gathered, calls=(*gathered.calls, part))
            case ToolResult():
                if _says_something(gathered):
                    yield gathered
                    gathered = Turn(role=role, node=node)
                yield Turn(role="tool", contents=(Text(part.output),), call_id=part.call_id, node=node)
    if _says_something(gathered):
        yield gathered


def _says_something(turn: Turn) -> bool:
    return bool(turn.calls or turn.reasoning or any(content != Text("") for content in turn.contents))


def words_of(turn: Turn, options: WriteOptions | None = None) -> str:
    """The words of a turn, a file by its name in brackets; before them what was thought, as models tag it."""
    told = "".join(c.text if isinstance(c, Text) else f"[{named(c)}]" for c in turn.contents)
    if options is not None and options.reasoning and turn.reasoning:
        return f"<think>\n{turn.reasoning}\n</think>\n\n{told}"
    return told


def named(file: File | MissingFile) -> str:
    """The name under which its sender gave it."""
    return file.attachment.name if isinstance(file, File) else file.name


def merged(turns: Iterable[Turn]) -> list[Turn]:
    """The turns without tools, neighbours of one side made one: templates of models insist on alternation."""
    found: list[Turn] = []
    for turn in turns:
        if turn.role == "tool" or not turn.contents:
            continue
        if found and found[-1].role == turn.role:
            found.append(_joined(found.pop(), turn))
        else:
            found.append(replace(turn, calls=()))
    return found


def _joined(before: Turn, turn: Turn) -> Turn:
    contents = (*before.contents, Text("\n\n"), *turn.contents)
    thought = "\n\n".join(filter(None, (before.reasoning, turn.reasoning)))
    return Turn(role=turn.role, contents=contents, reasoning=thought, node=turn.node)
