"""A fault of ours in one unit: its caller is told, and nobody else is."""

import anyio
import pytest

from chatcore.commands import Command
from chatcore.ports import Store
from storage.units import UNITS
from tests.storage.acting import Person


class Faulty(Command[None], frozen=True):
    """What no store should have to do."""


async def test_it_goes_to_its_caller_and_the_store_goes_on(
    store: Store, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(rows: object, command: Faulty) -> None:
        raise AttributeError("a fault of ours")

    monkeypatch.setitem(UNITS, Faulty, fail)  # type: ignore[misc]
    made = await ann.new()
    caught: list[str] = []

    async def err() -> None:
        with pytest.raises(AttributeError, match="a fault of ours") as error:
            await store.write(Faulty())
        caught.append(str(error.value))

    async with anyio.create_task_group() as tasks:  # where stores take several at once, these are
        tasks.start_soon(err)
        tasks.start_soon(ann.post, made, "Not to blame.")
        tasks.start_soon(err)
    assert len(caught) == 2
    page = await store.page("ann", made.id, before=None, around=None, limit=10)
    assert len(page.messages) == 1
