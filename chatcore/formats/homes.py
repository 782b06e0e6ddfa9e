"""Which folders of an archive belong to an export: what lies there is a part of it."""

from collections.abc import Collection, Iterator, Sequence

__all__ = ["by_folder", "homes_of", "is_in"]


def by_folder(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The names of each folder together."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_folder(name), []).append(name)
    yield from map(tuple, found.values())


def homes_of(exports: Sequence[Collection[str]]) -> tuple[str, ...]:
    """The folders in which exports lie, by the members that hold the records of each format.

    Where there is one format only, it has all of the uppermost folders that its records are in. Of several,
    each has just the folders that its records are in: what lies between them may be anything.
    """
    if len(exports) == 1:
        return tuple({_folder(name).split("/")[0] for name in exports[0]})
    return tuple({_folder(name) for names in exports for name in names})


def is_in(name: str, homes: Sequence[str]) -> bool:
    """Whether a member lies in one of these folders, or below; the empty one is the archive itself."""
    return any(not home or name.startswith(f"{home}/") for home in homes)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
