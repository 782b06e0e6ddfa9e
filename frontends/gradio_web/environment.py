"""What Gradio reads of the process's environment: set as soon as this package is imported.

Gradio asks for both whenever a component is made, which may be a user's own and long before the chat is.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["UPLOADS"]

_FOLDER = "GRADIO_TEMP_DIR"


def _uploads() -> Path:
    """Where uploads are kept while the process lives: readable by its owner only, unlike Gradio's own."""
    if (given := os.environ.get(_FOLDER)) is not None:
        return Path(given)
    made = Path(tempfile.mkdtemp(prefix="chatcore-uploads-"))
    os.environ[_FOLDER] = str(made)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # else it tells its makers of each start

UPLOADS = _uploads()
"""Where Gradio puts what is uploaded."""
