"""What is too much: one table of bounds, checked by the engine before anything is stored."""

from msgspec import Struct

from chatcore.errors import LimitExceeded

__all__ = ["Limits"]


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one engine.

    Attributes:
        text_chars: Code points of a question, a posted message or a system prompt.
        answer_chars: Code points of an answer, reasoning and tool steps included; it is cut off there.
        title_chars: Code points of a title.
        parameters_bytes: Size of a conversation's parameters as JSON.
        comment_chars: Code points of a comment on a vote; as much for all of its reasons together.
        files_per_message: Number of files.
        file_bytes: Size of one file.
        media_types: Of files, by their content: ``application/pdf``, or ``image/*`` for all of a kind; None:
            any. (Which kind of text a text is, its name may say.)
        open_runs_per_user: Queued and running answers of one user at a time.
        silence_seconds: How long a responder may say nothing before its run ends.
        page_messages: Messages or list entries of one page.
    """

    text_chars: int = 200_000
    answer_chars: int = 400_000
    title_chars: int = 200
    parameters_bytes: int = 16_000
    comment_chars: int = 4_000
    files_per_message: int = 10
    file_bytes: int = 50_000_000
    media_types: tuple[str, ...] | None = None
    open_runs_per_user: int = 20
    silence_seconds: float = 120.0
    page_messages: int = 500

    def check(self, name: str, given: int, what: str) -> None:
        """Passes when `given` is within the limit called `name`.

        Raises:
            LimitExceeded: Its sentence is about `what`.
        """
        limit = getattr(self, name)
        if given > limit:
            raise LimitExceeded(
                f"{what}: {given:,} is more than the limit of {limit:,}.", limit=limit, given=given
            )

    def check_media_type(self, name: str, media_type: str) -> None:
        """Passes when a file of this type, called `name`, may be sent.

        Raises:
            LimitExceeded: It may not.
        """
        allowed = self.media_types
        if allowed is None or media_type in allowed or f"{media_type.partition('/')[0]}/*" in allowed:
            return
        taken = ", ".join(allowed)
        may_be = f"files here are {taken}" if allowed else "no files are taken here"
        raise LimitExceeded(
            f"“{name}” can't be sent: it is {media_type}, and {may_be}.", limit=taken, given=media_type
        )
