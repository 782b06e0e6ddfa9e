"""What conversations without a title are called by: how their first question begins."""

import sqlite3
from collections.abc import Iterable, Sequence

from storage.listing import BEGINNING, words_of
from storage.rows import ConversationRow
from storage.sqlite.statements import load
from storage.sqlite.values import parts_or_none, text

__all__ = ["first_words", "words_by_key"]

_SQL = load("reads")


def first_words(connection: sqlite3.Connection, rows: Iterable[ConversationRow]) -> dict[str, str]:
    """The words for those among these that have no title, by their ids: one statement, if there are any."""
    untitled = {row.key: row.conversation.id for row in rows if row.conversation.title is None}
    return {untitled[key]: words for key, words in words_by_key(connection, list(untitled)).items()}


def words_by_key(connection: sqlite3.Connection, conversations: Sequence[int]) -> dict[int, str]:
    """The words for each of these that has any."""
    if not conversations:
        return {}
    found = connection.execute(_SQL["first_questions"], (text(conversations), BEGINNING))
    return {
        key: words
        for key, question in found
        if question is not None and (words := words_of(parts_or_none(question) or ()))
    }
