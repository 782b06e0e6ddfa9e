"""OpenAI's messages: a path as the list of messages that chat completions and fine-tuning take.

Sources: OpenAI's "Supervised fine-tuning" and "Chat completions" references. An answer that is disliked has
``weight: 0``: it stays as context and is not trained on.
"""

from collections.abc import Iterator, Mapping

from chatcore.filters import verdict_of
from chatcore.formats.format import WriteOptions
from chatcore.formats.naming import copied_file
from chatcore.formats.paths import Paths, raw_of
from chatcore.formats.turns import Turn, named, turns_of, words_of
from chatcore.messages import File, MissingFile, Text
from chatcore.views import Node, Tree

__all__ = ["OPENAI", "OpenaiMessages"]

_BESIDE = ("tools", "functions", "parallel_tool_calls")
"""What stands beside the messages and tells a model what it may call."""

Said = dict[str, object]


class OpenaiMessages:
    """One line for a path."""

    name = "openai"
    title = "OpenAI messages"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Mapping[str, object]]:
        """The shown path, or all; of one on which nothing was said, none."""
        raw = raw_of(tree.raw)
        beside = {key: raw[key] for key in _BESIDE if key in raw}
        for path in Paths(tree).wanted(all_paths=options.all_paths):
            turns = turns_of(tree, path, options)
            if any(turn.node is not None for turn in turns):
                yield {"messages": [_said(turn, options) for turn in turns], **beside}


def _said(turn: Turn, options: WriteOptions) -> Said:
    match turn.role:
        case "tool":
            return {"role": "tool", "tool_call_id": turn.call_id or "", "content": words_of(turn)}
        case "assistant":
            return _answer(turn)
        case "user" if any(not isinstance(content, Text) for content in turn.contents):
            return {"role": "user", "content": [_content(content, options) for content in turn.contents]}
        case role:
            return {"role": role, "content": words_of(turn)}


def _answer(turn: Turn) -> Said:
    said: Said = {"role": "assistant", "content": words_of(turn)}
    if turn.calls:
        said["content"] = said["content"] or None
        said["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]
    if turn.reasoning:
        said["reasoning_content"] = turn.reasoning
    if turn.node is not None and _is_context(turn.node):
        said["weight"] = 0
    return said


def _is_context(node: Node) -> bool:
    """Whether it is not to be learnt from: it is disliked, or was imported as such."""
    return verdict_of(node) == "dislike" or raw_of(node.raw).get("weight") == 0


def _content(content: Text | File | MissingFile, options: WriteOptions) -> Said:
    if isinstance(content, Text):
        return {"type": "text", "text": content.text}
    if (url := _image_url(content, options)) is not None:
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "text", "text": f"[{named(content)}]"}


def _image_url(file: File | MissingFile, options: WriteOptions) -> str | None:
    """An image's address: where its copy lies, or what its source called it."""
    if isinstance(file, File):
        is_copied = options.files is not None and file.attachment.media_type.startswith("image/")
        return f"{options.files}/{copied_file(file.attachment)}" if is_copied else None
    pointer = file.pointer or ""
    is_image = pointer.startswith("data:image/") or (file.media_type or "image/").startswith("image/")
    return pointer if is_image and pointer.startswith(("http://", "https://", "data:")) else None


OPENAI = OpenaiMessages()
