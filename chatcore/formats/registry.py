"""Which formats there are: those of entry-point group ``chatcore.formats``."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from chatcore.errors import InvalidInput
from chatcore.formats.format import ReadFormat, WriteFormat

__all__ = ["find_read_format", "find_write_format", "read_formats", "write_formats"]

GROUP = "chatcore.formats"


@cache
def _all() -> Sequence[object]:
    # one name may stand for what reads and another for what writes the same files
    return [_loaded(entry) for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)]


def _loaded(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise InvalidInput(f"The format “{entry.name}” ({entry.value}) can't be loaded: {error}.") from error


@cache
def read_formats() -> Sequence[ReadFormat]:
    """Those that can be read, in the order in which they are asked whether they recognise a record."""
    found: list[ReadFormat] = [one for one in _all() if _reads(one)]  # type: ignore[misc]
    return sorted(found, key=lambda one: (one.order, one.name))


@cache
def write_formats() -> Sequence[WriteFormat]:
    """Those that can be written, by name."""
    found: list[WriteFormat] = [one for one in _all() if hasattr(one, "write")]  # type: ignore[misc]
    return sorted(found, key=lambda one: one.name)


def find_read_format(name: str) -> ReadFormat:
    """The format of that name.

    Raises:
        InvalidInput: There is none that can be read.
    """
    for one in read_formats():
        if one.name == name:
            return one
    known = ", ".join(sorted(one.name for one in read_formats()))
    raise InvalidInput(f"There is no format “{name}” that can be read (there are: {known}).")


def find_write_format(name: str) -> WriteFormat:
    """Likewise for writing.

    Raises:
        InvalidInput: There is none that can be written.
    """
    for one in write_formats():
        if one.name == name:
            return one
    known = ", ".join(one.name for one in write_formats())
    raise InvalidInput(f"There is no format “{name}” that can be written (there are: {known}).")


def _reads(one: object) -> bool:
    return hasattr(one, "read") and hasattr(one, "recognises")
