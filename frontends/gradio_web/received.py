"""Files that came with a message through Gradio: only what was uploaded, under the name it had."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from chatcore.errors import InvalidInput
from chatcore.uploads import Upload

__all__ = ["received_files"]


def received_files(paths: Iterable[str], names: Sequence[str], folder: Path) -> list[Upload]:
    """The uploads at `paths`, named by `names` as far as those go (then as their paths are).

    What a client says is its upload is a path of ours, and so is checked here once more, whatever Gradio
    has checked.

    Raises:
        InvalidInput: A path does not lie in `folder`.
    """
    uploads = []
    for number, given in enumerate(paths):
        path = Path(given).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InvalidInput("A file was not uploaded; choose it again.")
        uploads.append(Upload(names[number] if number < len(names) else path.name, path))
    return uploads
