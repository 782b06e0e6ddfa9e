"""Listening sockets of a server: bound before anything else, so that what is taken is known at once."""

import errno
import os
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio

from chatcore.errors import ChatcoreError

__all__ = ["AddressTaken", "AddressUnusable", "open_owner_socket", "open_tcp", "reachable_path"]

_Identity = tuple[int, int]

_MAX_UNIX_PATH_BYTES = 107
"""What the kernel's `sockaddr_un` holds, less the NUL at its end."""


class AddressTaken(ChatcoreError):
    """Another program listens there already; `data` holds ``address``."""

    code = "address_taken"


class AddressUnusable(ChatcoreError):
    """Nobody can listen there: no such host, no right to, no such folder; `data` holds ``address``."""

    code = "address_unusable"


@asynccontextmanager
async def open_tcp(host: str, port: int) -> AsyncIterator[list[socket.socket]]:
    """Sockets bound to every address of `host` (empty: all there are) and the same port; 0: a free one.

    Raises:
        AddressTaken: The port is taken.
        AddressUnusable: No such host, or no right to use the port.
    """
    address = f"{host}:{port}"
    try:
        found = await anyio.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise AddressUnusable(f"There is no host called {host!r}.", address=address) from error
    bound: list[socket.socket] = []
    try:
        for family, _, _, _, where in dict.fromkeys(found):
            number = bound[0].getsockname()[1] if bound else port
            if (sock := _bind(family, (where[0], number, *where[2:]), address)) is not None:
                bound.append(sock)
        if not bound:
            raise AddressUnusable(f"This machine has no address of {host!r}.", address=address)
        yield bound
    finally:
        for sock in bound:
            sock.close()


def _bind(family: socket.AddressFamily, where: tuple[str | int, ...], address: str) -> socket.socket | None:
    """The bound socket, or None where the machine lacks this address (such as IPv6 switched off)."""
    try:
        # asyncio switches Nagle's delay off only for sockets that say that they are TCP: 40 ms a token else
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError:
        return None
    try:
        # a restarted server need not wait for the old one's connections to time out
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
        sock.listen(0)  # two may bind one port, only one may listen: now is known which
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(
                f"Port {where[1]} of {where[0]} is taken by another program; choose another one.",
                address=address,
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        raise AddressUnusable(
            f"Can't listen on port {where[1]} of {where[0]}: {error.strerror}.", address=address
        ) from error
    sock.setblocking(False)
    return sock


@contextmanager
def reachable_path(path: Path) -> Iterator[str]:
    """A name of the Unix socket `path` that the kernel takes, however long `path` is.

    It holds while the context lasts: a long path is named by way of its opened folder.

    Raises:
        FileNotFoundError, NotADirectoryError: Its folder is not there.
    """
    if len(os.fsencode(path)) <= _MAX_UNIX_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@asynccontextmanager
async def open_owner_socket(path: Path) -> AsyncIterator[socket.socket]:
    """The owner's Unix socket, bound and for its user only; its file is removed when the context ends.

    A socket file that a dead process left behind is replaced.

    Raises:
        AddressTaken: A living process listens there.
        AddressUnusable: There is something else of that name, or no folder that can be written to.
    """
    sock, identity = await anyio.to_thread.run_sync(_bind_owner_socket, path)
    try:
        yield sock
    finally:
        sock.close()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_remove_own, path, identity)


def _bind_owner_socket(path: Path) -> tuple[socket.socket, _Identity | None]:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable_path(path) as name:
            _remove_stale(path, name)
            sock.bind(name)
        path.chmod(0o600)  # nobody can connect before listen(), so it never stood open
    except OSError as error:
        sock.close()
        raise AddressUnusable(
            f"Can't make the socket {path}: {error.strerror or error}.", address=str(path)
        ) from error
    except ChatcoreError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock, _identity(path)


def _remove_own(path: Path, identity: _Identity | None) -> None:
    if identity is not None and _identity(path) == identity:  # not one that another process has made since
        path.unlink(missing_ok=True)


def _remove_stale(path: Path, name: str) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise AddressUnusable(f"{path} is in the way: it is not a socket.", address=str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise AddressTaken(f"Another process listens at {path}.", address=str(path))


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
