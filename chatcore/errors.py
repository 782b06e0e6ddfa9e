"""All errors that calls of chatcore raise, each with a stable `code` and a sentence for people.

ChatcoreError
├── NotFound                     not_found            no such thing, or not yours
├── InvalidInput                 invalid_input        what you gave can't be taken as it is
│   ├── LimitExceeded            limit_exceeded       too long, too large, too many, of the wrong kind
│   └── Unrecognised             unrecognised         a file in no format that is known
├── Refused                      refused              the responder can't answer this
├── Conflict                     conflict             the state is not what the call needs
│   ├── Busy                     busy                 an answer runs in this conversation
│   ├── HeadMoved                head_moved           another message is shown now
│   ├── RunEnded                 run_ended            the answer has ended already
│   └── IdempotencyConflict      idempotency_conflict the key was used for something else
├── StorageError                 storage_error        the write or read failed; nothing of it is stored
│   ├── StorageUnavailable       storage_unavailable  endings wait for the disk: no new runs until then
│   ├── StorageCorrupt           storage_corrupt      the database is damaged: nothing was changed
│   ├── SchemaTooNew             schema_too_new       a newer chatcore wrote this data
│   └── DataDirectoryInUse       data_directory_in_use another process owns the data directory
├── ResponderError               responder_error      the responder can't be opened, or gave no answer
└── EngineClosed                 engine_closed        the engine is closing or closed
"""

from typing import ClassVar

__all__ = [
    "Busy",
    "ChatcoreError",
    "Conflict",
    "DataDirectoryInUse",
    "EngineClosed",
    "HeadMoved",
    "IdempotencyConflict",
    "InvalidInput",
    "LimitExceeded",
    "NotFound",
    "Refused",
    "ResponderError",
    "RunEnded",
    "SchemaTooNew",
    "StorageCorrupt",
    "StorageError",
    "StorageUnavailable",
    "Unrecognised",
]


class ChatcoreError(Exception):
    """Base of all; `str(error)` is a sentence for people, `data` what programs need of it."""

    code: ClassVar[str] = "error"

    def __init__(self, sentence: str, **data: str | int | float | bool | None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.data = data


class NotFound(ChatcoreError):
    """There is no such thing, or it belongs to another user: the two can't be told apart."""

    code = "not_found"


class InvalidInput(ChatcoreError):
    """What was given can't be taken as it is."""

    code = "invalid_input"


class LimitExceeded(InvalidInput):
    """Too long, too large, too many, or of a kind that is not taken; `data` holds ``limit`` and ``given``."""

    code = "limit_exceeded"


class Unrecognised(InvalidInput):
    """The file is in no format that is known; `data` holds ``keys``, those of its first record."""

    code = "unrecognised"


class Refused(ChatcoreError):
    """The responder can't answer this question (too long, a file it can't see); no run was started."""

    code = "refused"


class Conflict(ChatcoreError):
    """The state is not what the call needs."""

    code = "conflict"


class Busy(Conflict):
    """An answer runs in this conversation, and the call's policy is to reject then."""

    code = "busy"


class HeadMoved(Conflict):
    """Another message is shown now than the caller expected; `data` holds ``head``."""

    code = "head_moved"


class RunEnded(Conflict):
    """The answer has ended already, or its run belongs to another process."""

    code = "run_ended"


class IdempotencyConflict(Conflict):
    """The key was used before, for a call with other content."""

    code = "idempotency_conflict"


class StorageError(ChatcoreError):
    """The write or read failed (disk full, I/O error, …); nothing of it is stored or shown."""

    code = "storage_error"


class StorageUnavailable(StorageError):
    """An ending could not be written yet; until it is, no new run begins."""

    code = "storage_unavailable"


class StorageCorrupt(StorageError):
    """The database is damaged; nothing was changed. A backup is the way out."""

    code = "storage_corrupt"


class SchemaTooNew(StorageError):
    """A newer chatcore wrote this data; nothing was changed."""

    code = "schema_too_new"


class DataDirectoryInUse(StorageError):
    """Another process owns the data directory."""

    code = "data_directory_in_use"


class ResponderError(ChatcoreError):
    """The responder could not be opened (weights, key, address), failed, or gave what is no answer."""

    code = "responder_error"


class EngineClosed(ChatcoreError):
    """The engine is closing or closed."""

    code = "engine_closed"
