"""Errors that come out of task groups."""

from types import TracebackType

__all__ = ["Ungrouped", "only_error"]


def only_error(error: BaseException) -> BaseException:
    """The error itself, where task groups have wrapped it up; a group of several stays as it is."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Ungrouped:
    """A block that a lone error leaves as itself: that tasks run beside is no reason to wrap it."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and (alone := only_error(error)) is not error:
            raise alone from alone.__cause__
