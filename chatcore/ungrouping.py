"""Errors that come out of task groups."""

from types import TracebackType

__all__ = ["Ungrouped", "only_error"]


def only_error(error: BaseException) -> BaseException:
    """The error itself, where task groups have wrapped it up; a group of several stays as it is."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Ungrouped:
    """A block around a task group that a lone error leaves as itself: tasks beside it do not wrap it up.

    A group that comes out of the task group's own block stays one.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            raise error.exceptions[0] from error.exceptions[0].__cause__
