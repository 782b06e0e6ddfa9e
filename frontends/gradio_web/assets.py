"""The page's own JavaScript, style and icon, at an address that changes when they do."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["Assets"]

_PAGE_STYLE = "page.css"


class Assets(StaticFiles):
    """Serves `folder`.

    The modules name each other relatively, so a change of any one gives all of them new addresses, and
    browsers may keep each for good.

    Attributes:
        folder: Where the files lie.
        address: Where they are found, relative to the page.
    """

    def __init__(self) -> None:
        self.folder = Path(__file__).parent / "static"
        self.address = f"gradio_web/{_fingerprint(self.folder)}"
        super().__init__(directory=self.folder)

    def head(self, *, is_page: bool) -> str:
        """Elements for the page's head, by which a browser gets the files at once.

        The style sheets are not given to Gradio, which would bind them to the inside of its own container.

        Args:
            is_page: Whether the chat is all of the page: that takes some style more.
        """
        names = sorted(path.name for path in self.folder.iterdir())
        styles = [name for name in names if name.endswith(".css") and name != _PAGE_STYLE]
        styles += [_PAGE_STYLE] if is_page else []  # the last one, since it overrules the others
        scripts = [name for name in names if name.endswith(".js")]
        return self._links("stylesheet", styles) + self._links("modulepreload", scripts)

    def _links(self, relation: str, names: Iterable[str]) -> str:
        return "".join(f'<link rel="{relation}" href="{self.address}/{name}">' for name in names)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept by browsers."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
