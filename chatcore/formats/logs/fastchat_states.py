"""The states that FastChat logs, grown into one tree: each is a whole conversation as it was at some moment.

``fastchat/conversation.py``, ``Conversation.dict``: ``{template_name, system_message, roles, messages:
[[role, text]], offset, conv_id, model_name}``; a text may be ``[text, [image, …]]``, and is null while it
is being written. What two states have in common is there once; an answer that was made anew stands beside
the old one.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from msgspec import structs

from chatcore.formats.pieces import inline_file, role_of
from chatcore.formats.values import fields, ident, integer, json_text, listed
from chatcore.incoming import IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Feedback, Rating, Role, Text

__all__ = ["Grown"]

BASE64_CHARS = 256
"""What is longer is an image, what is shorter the name or address of one."""


class Grown:
    """A tree that grows by states.

    Attributes:
        messages: By id, parents first.
        head: Id of the last message of the newest state.
    """

    def __init__(self) -> None:
        self.messages: dict[str, IncomingMessage] = {}
        self.head: str | None = None

    def add(self, state: Mapping[str, object], model: str | None) -> list[str]:
        """The ids of the messages of `state`, from the first on; what is new has been added.

        An answer is the same as another when text, model and conversation are: of two models that say the
        same in a battle, each has said it.
        """
        path: list[str] = []
        parent: str | None = None
        side = ident(state.get("conv_id")) or ""
        roles = [ident(role) for role in listed(state.get("roles"))]
        offset = integer(state.get("offset")) or 0
        for number, entry in enumerate(listed(state.get("messages"))):
            name, content = _entry(entry)
            if content is None:
                continue
            role = _role(name, roles, number)
            parts = tuple(_parts(content))
            told = f"{parent}\0{role}\0{side if role == 'assistant' else ''}\0{json_text(content)}"
            known = blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
            if known not in self.messages:
                self.messages[known] = IncomingMessage(
                    role=role,
                    parts=parts,
                    id=known,
                    parent=parent,
                    model=model if role == "assistant" else None,
                    hidden=number < offset,  # examples of the template, which the page does not show
                    raw={"role": name} if role == "system" else None,
                )
            path.append(known)
            parent = known
        self.head = parent if parent is not None else self.head
        return path

    def timed(self, path: Sequence[str], known: str, start: int | None, end: int | None) -> None:
        """When an answer of `path`, and the question before it, came to be; what is known already stays."""
        place = path.index(known)
        for one, at_us in ((known, end), *(((path[place - 1], start),) if place else ())):
            if at_us is not None and self.messages[one].created_at_us is None:
                self.messages[one] = structs.replace(self.messages[one], created_at_us=at_us)

    def voted(self, known: str, rating: Rating | None, event: Mapping[str, object]) -> None:
        """What was said of an answer; None: neither like nor dislike. Of several votes the last counts."""
        message = self.messages[known]
        events = [*listed((message.raw or {}).get("events")), event]
        self.messages[known] = structs.replace(
            message,
            feedback=message.feedback if rating is None else Feedback(rating=rating),
            raw={**(message.raw or {}), "events": events},
        )

    def answer(self, path: Sequence[str]) -> str | None:
        """Of messages, the last that is an answer."""
        return next((one for one in reversed(path) if self.messages[one].role == "assistant"), None)


def _entry(entry: object) -> tuple[str, object]:
    """Who says what; in battles as they are published it is an object."""
    if isinstance(entry, list) and len(entry) >= 2:
        return ident(entry[0]) or "", entry[1]
    found = fields(entry)
    return ident(found.get("role")) or "", found.get("content")


def _role(name: str, roles: Sequence[str | None], number: int) -> Role:
    if name in roles[:2]:
        return "user" if name == roles[0] else "assistant"
    known = role_of(name)
    if known is not None or name:
        return known or "system"
    return "user" if number % 2 == 0 else "assistant"


def _parts(content: object) -> Iterator[IncomingPart]:
    if isinstance(content, list) and content and isinstance(content[0], str):
        yield from (_image(image) for image in listed(content[-1]) if isinstance(image, str))
        content = content[0]
    if content != "":
        yield Text(json_text(content))


def _image(image: str) -> IncomingFile:
    if len(image) > BASE64_CHARS and not image.startswith(("http", "data:")):
        image = f"data:image/png;base64,{image}"
    return inline_file(image, "image") or IncomingFile(name="image", pointer=image[:BASE64_CHARS])
