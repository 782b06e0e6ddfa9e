"""What lets several processes share the tests, as `scripts/test` has them."""

import fcntl
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, whatever else the machine does; --hypothesis-profile=searching tries new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile("steady")

GATE = os.open(Path(__file__).parent, os.O_RDONLY)
TURN = os.open(__file__, os.O_RDONLY)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the time limit: to wait is not the test's time
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """While a test measures, no other one runs. Who waits for that holds the gate, so its turn comes next."""
    measures = item.get_closest_marker("measures") is not None
    fcntl.flock(GATE, fcntl.LOCK_EX)
    fcntl.flock(TURN, fcntl.LOCK_EX if measures else fcntl.LOCK_SH)
    fcntl.flock(GATE, fcntl.LOCK_UN)
    try:
        return (yield)
    finally:
        fcntl.flock(TURN, fcntl.LOCK_UN)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """Lone surrogates, which tests log, do not go from one process to another."""
    return _sendable((yield))


def _sendable(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_sendable(key): _sendable(one) for key, one in value.items()}
        case list() | tuple():
            return type(value)(map(_sendable, value))
    return value
