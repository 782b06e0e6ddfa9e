"""Calls that are cancelled just where they wait for the n-th time."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar, cast

import anyio

__all__ = ["Cancelled", "cancelled_at"]

R = TypeVar("R")


class Cancelled(Exception):
    """The call was cancelled and has noticed."""


async def cancelled_at(number: int, call: Coroutine[Any, Any, R], *, natively: bool = False) -> R:
    """The call, cancelled when it waits for the `number`-th time; its result when it never does.

    With `natively` it is a task of asyncio's that is cancelled, which no shield of anyio's can keep off.

    Raises:
        Cancelled
    """
    if not natively:
        with anyio.CancelScope() as scope:
            return await _Stepping(call, number, scope.cancel)
        raise Cancelled
    task: asyncio.Task[R] = asyncio.create_task(_awaiting(_Stepping(call, number, _cancel_this_task)))
    await asyncio.wait([task])
    if task.cancelled():
        raise Cancelled
    return task.result()


def _cancel_this_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def _awaiting(stepping: "_Stepping[R]") -> R:
    return await stepping


class _Stepping(Generic[R]):
    """Stands between a coroutine and its event loop, and counts how often it waits."""

    def __init__(self, call: Coroutine[Any, Any, R], number: int, cancel: Callable[[], object]) -> None:
        self._call = call
        self._number = number
        self._cancel = cancel

    def __await__(self) -> Generator[Any, Any, R]:
        inner = self._call.__await__()
        waited = 0
        try:
            waits_for = inner.send(None)
            while True:
                waited += 1
                if waited == self._number:
                    self._cancel()
                try:
                    got = yield waits_for
                except BaseException as error:  # of whatever kind: it is the inner one's affair
                    waits_for = inner.throw(error)
                else:
                    waits_for = inner.send(got)
        except StopIteration as stop:
            return cast("R", stop.value)
