"""Messages and the files they refer to."""

from collections.abc import Sequence

from chatcore.messages import ENDINGS, Message, Part
from storage.ids import to_us
from storage.rows import ConversationRow, Keyed, MessageRow
from storage.sqlite.jumps import jump_length
from storage.sqlite.statements import load
from storage.sqlite.tables.index import Index
from storage.sqlite.values import blob, files_of, message_row, text, time

__all__ = ["Messages"]

_SQL = load("units")


class Messages(Index):
    """The tables `message`, `file` and `message_file`."""

    def message(self, message_id: str) -> MessageRow | None:
        row = self._execute(_SQL["message"], (blob(message_id),)).fetchone()
        return None if row is None else message_row(row)

    def message_at(self, key: int) -> MessageRow:
        return message_row(self._execute(_SQL["message_at"], (key,)).fetchone())

    def first_answer(self, question: int) -> MessageRow | None:
        row = self._execute(_SQL["first_answer"], (question,)).fetchone()
        return None if row is None else message_row(row)

    def newest_leaf(self, key: int) -> MessageRow:
        (leaf,) = self._execute(_SQL["newest_leaf"], (key,)).fetchone()
        return self.message_at(leaf)

    def insert_message(
        self, conversation: ConversationRow, parent: int | None, message: Message, keyed: Keyed | None
    ) -> int:
        key = self._insert(
            _SQL["insert_message"],
            (
                blob(message.id),
                conversation.key,
                parent,
                parent is not None and jump_length(message.depth) > 1,
                message.depth,
                message.role,
                message.status,
                text(message.parts),
                message.continues and blob(message.continues),
                message.responder,
                message.model,
                to_us(message.created_at),
                time(message.started_at),
                message.seq,
                keyed and conversation.owner,
                keyed and keyed.key,
                keyed and keyed.digest,
            ),
        )
        self._refer(key, message.parts)
        if message.status in ENDINGS and not message.hidden:
            self.spoken(key, conversation.owner, message.parts)
        return key

    def update_message(self, key: int, message: Message) -> None:
        self._execute(
            _SQL["update_message"],
            (
                message.status,
                text(message.parts),
                message.reason,
                message.reason_code,
                message.model,
                None if message.usage is None else text(message.usage),
                message.memory_from and blob(message.memory_from),
                time(message.started_at),
                time(message.ended_at),
                _us(message.first_token_seconds),
                message.seq,
                key,
            ),
        )
        self._refer(key, message.parts)
        if message.status in ENDINGS:
            self.spoken(key, self._owner_of(key), message.parts)

    def _refer(self, message: int, parts: Sequence[Part]) -> None:
        for attachment in files_of(parts):
            sha256 = bytes.fromhex(attachment.sha256)
            self._execute(_SQL["insert_file"], (sha256, text(attachment)))
            self._execute(_SQL["insert_message_file"], (message, sha256))


def _us(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e6)
