"""Files that are almost right: no crash, no hang, no half conversation, and every record is accounted for."""

import pytest

from tests.ingestion.fuzzing import Fuzz, corpus


@pytest.mark.parametrize("seed", range(5))
def test_no_file_is_too_strange(seed: int) -> None:
    fuzz = Fuzz(seed)
    fuzz.run(1_000)
    assert fuzz.wrong == []
    assert fuzz.taken > 500
    assert fuzz.left > 500


def test_the_files_to_begin_with_are_many() -> None:
    assert len(corpus()) > 25
