"""What a server leaves in the data directory that it owns: its socket, and where else it is reached."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["server_url", "socket_path", "url_file"]


def socket_path(data: Path) -> Path:
    """The owner's socket in a data directory."""
    return data / "chatcore.sock"


def server_url(data: Path) -> str | None:
    """Where the server of the data directory is reached; None where that is not known."""
    try:
        return _url_path(data).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


@contextmanager
def url_file(data: Path) -> Iterator[Callable[[str], None]]:
    """Where others can read where the server runs; gone when it stops."""
    path = _url_path(data)

    def write(url: str) -> None:
        path.write_text(f"{url}\n", "utf-8")

    try:
        yield write
    finally:
        path.unlink(missing_ok=True)


def _url_path(data: Path) -> Path:
    return data / "server.url"
