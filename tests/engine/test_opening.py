"""`open_engine`: what is raised in its block comes out of it as it is."""

import pytest

from chatcore import open_engine

CAUSE = KeyError("cause")


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("lone"),
        ExceptionGroup("of one", [ValueError("inner")]),
        ExceptionGroup("of two", [ValueError("one"), ValueError("other")]),
    ],
    ids=str,
)
async def test_what_the_block_raises(url: str, raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught:
        async with open_engine(url):
            raise raised from CAUSE
    assert repr(caught.value) == repr(raised)  # trio makes such groups anew
    assert caught.value.__cause__ is CAUSE
