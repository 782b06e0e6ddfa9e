"""What Gradio reads of the process's environment: set as soon as this package is imported.

Gradio asks for both whenever a component is made, which may be a user's own and long before the chat is.
"""

import atexit
import os
import sys
from pathlib import Path

from chatcore.temporary import HeldFolder, hold_too

__all__ = ["UPLOADS"]

_FOLDER = "GRADIO_TEMP_DIR"


def _uploads() -> Path:
    """Where uploads are kept while the process lives: readable by its owner only, unlike Gradio's own."""
    if (given := os.environ.get(_FOLDER)) is not None:
        hold_too(Path(given))  # a process may have started us that ends before we do
        return Path(given)
    made = HeldFolder("uploads")
    os.environ[_FOLDER] = str(made.path)
    atexit.register(made.close)
    return made.path


def _tell_gradio(folder: Path) -> None:
    """Where Gradio was imported before, some of its modules have taken their folder from the environment."""
    for name in ("route_utils", "routes", "mcp", "screen_recording_utils"):
        if (module := sys.modules.get(f"gradio.{name}")) is not None:
            vars(module)["DEFAULT_TEMP_DIR"] = str(folder)


os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # else it tells its makers of each start

UPLOADS = _uploads()
"""Where Gradio puts what is uploaded."""

_tell_gradio(UPLOADS)
