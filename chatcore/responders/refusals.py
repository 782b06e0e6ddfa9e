"""What a model can't be asked at all, said before a run starts."""

from collections.abc import Callable, Sequence

from chatcore.asked import part_tokens
from chatcore.messages import Attachment, File, Part, Settings
from chatcore.responders.contents import MAX_TEXT_BYTES, attachment_tokens, kind_of
from chatcore.responders.dialect import RESERVED

__all__ = ["cannot_see", "refusal"]


def refusal(
    parts: Sequence[Part],
    settings: Settings,
    *,
    model: str,
    room: int | None,
    sees: bool,
    count: Callable[[str], int],
) -> str | None:
    """A sentence that says why not, or None.

    Args:
        parts: The question.
        settings: Of the conversation.
        model: Name of the model.
        room: Tokens that system prompt and question may have; None: no bound known.
        sees: Whether the model may be shown images.
        count: How many tokens a text has, about.
    """
    for name in settings.parameters:
        if name in RESERVED:
            return f"The parameter “{name}” can't be set: it is the responder's own."
    for part in parts:
        if isinstance(part, File) and (problem := _file_problem(part.attachment, model, sees=sees)):
            return problem
    tokens = count(settings.system_prompt or "") if settings.system_prompt else 0
    tokens += sum(part_tokens(part, count, attachment_tokens) for part in parts)
    if room is not None and tokens > room:
        return (
            f"The question is too long: it has about {tokens:,} tokens, system prompt and files included, "
            f"and {model} has room for {room:,}."
        )
    return None


def cannot_see(name: str, model: str) -> str:
    """The sentence about an image that the model can't be shown."""
    return f"{model} can't see images, so it can't be asked about {name}."


def _file_problem(attachment: Attachment, model: str, *, sees: bool) -> str | None:
    match kind_of(attachment.media_type):
        case "image":
            return None if sees else cannot_see(attachment.name, model)
        case "text" if attachment.size_bytes > MAX_TEXT_BYTES:
            return (
                f"{attachment.name} is too long to be read by a model: "
                f"{attachment.size_bytes:,} bytes, and at most {MAX_TEXT_BYTES:,} are possible."
            )
        case "text":
            return None
        case "other":
            what = "texts and images" if sees else "texts"
            return f"{model} can't read {attachment.name} ({attachment.media_type}), only {what}."
