"""SQLite's files on a simulated disk: a VFS of apsw's."""

import apsw

from tests.faults.disk import Inode, SimulatedDisk, folder_of

__all__ = ["SimulatedVfs"]

# Their first sync makes their name durable too, as SQLite's own VFS for Unix does it (os_unix.c, DIRSYNC).
_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class SimulatedVfs(apsw.VFS):
    """Opens paths on `disk`; there is no shared memory, so connections lock exclusively."""

    def __init__(self, name: str, disk: SimulatedDisk) -> None:
        self.disk = disk
        self.name = name
        super().__init__(name, base="", exclude={"xSetSystemCall", "xNextSystemCall", "xGetSystemCall"})

    def xOpen(  # type: ignore[override]  # noqa: N802
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> "_File":
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        if path is None:
            return _File(self.disk, "", Inode(), is_new_journal=False)
        path = path.lstrip("/")
        inode = self.disk.names.get(path)
        is_new = inode is None
        if inode is None:
            inode = self.disk.create(path)
        return _File(self.disk, path, inode, is_new_journal=is_new and bool(flags[0] & _JOURNALS))

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        return pathname.lstrip("/") in self.disk.names

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        path = filename.lstrip("/")
        self.disk.unlink(path)
        if syncdir:
            self.disk.sync_folder(folder_of(path))

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


class _File:
    def __init__(self, disk: SimulatedDisk, path: str, inode: Inode, *, is_new_journal: bool) -> None:
        self._disk = disk
        self._path = path
        self._inode = inode
        self._is_new_journal = is_new_journal

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._inode.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._inode.write(bytes(data), offset)
        self._disk.step()

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._inode.truncate(newsize)
        self._disk.step()

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._inode.sync()
        if self._is_new_journal:
            self._is_new_journal = False
            self._disk.sync_folder(folder_of(self._path))
        self._disk.step()

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._inode.now)

    def xClose(self) -> None:  # noqa: N802
        pass

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096  # as on Unix

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # as on Unix: a torn write harms nothing beside it
