"""The page's own JavaScript, style and icon, at an address that changes when they do."""

import hashlib
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["Assets"]


class Assets(StaticFiles):
    """Serves `folder`.

    The modules name each other relatively, so a change of any one gives all of them new addresses, and
    browsers may keep each for good.

    Attributes:
        folder: Where the files lie.
        address: Where it is to be mounted.
        head: Elements for the page's head, by which a browser gets the files at once. (The style sheet is not
            given to Gradio, which would bind it to the inside of its own container.)
    """

    def __init__(self) -> None:
        self.folder = Path(__file__).parent / "static"
        self.address = f"/gradio_web/{_fingerprint(self.folder)}"
        scripts = "".join(
            f'<link rel="modulepreload" href="{self.address}/{path.name}">'
            for path in sorted(self.folder.glob("*.js"))
        )
        self.head = f'<link rel="stylesheet" href="{self.address}/style.css">{scripts}'
        super().__init__(directory=self.folder)

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
