"""The votes of a ChatGPT export: ``message_feedback.json``, the only place that has them."""

from collections.abc import Mapping

from chatcore.formats.chatgpt.export import Export
from chatcore.formats.lenient import NotJson, read_json
from chatcore.formats.pieces import feedback_of
from chatcore.formats.values import fields, first_ident, ident, rest, text_in, time_us
from chatcore.messages import Feedback

__all__ = ["FILE", "Vote", "Votes"]

FILE = "message_feedback.json"

MOST_BYTES = 512 * 2**20

_KNOWN = frozenset({"id", "message_id", "conversation_id", "user_id", "rating", "content", "create_time"})
_KNOWN_CONTENT = frozenset({"tags", "text"})

Vote = tuple[Feedback | None, Mapping[str, object]]
"""The vote, and what else its record says."""


class Votes:
    """Votes by the message that they are about.

    Attributes:
        unreadable: Why the file's votes are missing, for people; None: they are not.
    """

    def __init__(self, export: Export | None) -> None:
        self.unreadable: str | None = None
        self._records: dict[tuple[str, str], Mapping[str, object]] = {}
        if export is None or not export.has(FILE):
            return
        body = export.read(FILE, MOST_BYTES)
        records = None if body is None else _decoded(body)
        if not isinstance(records, list):
            self.unreadable = f"{FILE} can't be read, so these conversations have no votes."
            return
        for record in map(fields, records):
            message = first_ident(record, "id", "message_id")
            if message is None:
                continue
            key = (ident(record.get("conversation_id")) or "", message)
            if key not in self._records or _given_at(record) >= _given_at(self._records[key]):
                self._records[key] = record

    def __len__(self) -> int:
        """How many are left that nobody has taken."""
        return len(self._records)

    def take(self, conversation: str | None, *messages: str | None) -> Vote | None:
        """The vote on a message that has these ids; it is taken once."""
        if not self._records:
            return None
        for message in messages:
            for place in (conversation or "", ""):
                if message is not None and (found := self._records.pop((place, message), None)) is not None:
                    return _vote(found)
        return None


def _vote(record: Mapping[str, object]) -> Vote:
    content = record.get("content")
    decoded = _decoded(content.encode(errors="replace")) if isinstance(content, str) else content
    said = fields(decoded)
    comment = said.get("text") if isinstance(decoded, dict) else content
    feedback = feedback_of(record.get("rating"), text_in(comment), said.get("tags"))
    left = rest(record, _KNOWN if feedback is not None else _KNOWN - {"rating"})
    if more := rest(said, _KNOWN_CONTENT):
        left["content"] = more
    return feedback, left


def _given_at(record: Mapping[str, object]) -> int:
    return time_us(record.get("update_time")) or time_us(record.get("create_time")) or 0


def _decoded(body: bytes) -> object:
    try:
        return read_json(body)
    except NotJson:
        return None
