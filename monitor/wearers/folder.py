"""A store in a folder: every file is staged beside its name, fsynced and renamed.

Files and folders are their owner's only. A staged file's name is unique, so two processes may write the same file at
once, and its writer holds a lock on it: a staged file without a lock is what a killed process left, and the next write
into its folder deletes it.
"""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from models.private import make_folder, new_file, say_if_open

STAGED = ".staged"
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}


class FolderStore:
    """`monitor.wearers.store.Store` in a local or shared folder; made when the first file is.

    Parameters
    ----------
    root : Path
    """

    def __init__(self, root: Path) -> None:
        self.place = str(root)
        self._root = root

    def folders(self) -> list[str]:
        """See `Store.folders`."""
        return sorted(entry.name for entry in _entries(self._root) if entry.is_dir() and entry.name[0] != ".")

    def list(self, folder: str) -> list[str]:
        """See `Store.list`."""
        entries = _entries(self._root / folder)
        return sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_file())

    def read(self, name: str, size: int | None = None) -> memoryview:
        """See `Store.read`."""
        with (self._root / name).open("rb", buffering=0) as file:
            held = os.fstat(file.fileno()).st_size
            # Not a bytearray: that one is filled with zeros first, with the GIL held.
            view = np.empty(held if size is None else min(held, size), np.uint8).data
            filled = 0
            while filled < len(view):
                got = file.readinto(view[filled:])
                if not got:
                    return view[:filled]
                filled += got
        return view

    def write(self, name: str, parts: Sequence[memoryview | bytes]) -> None:
        """See `Store.write`."""
        path = self._root / name
        for made in make_folder(path.parent):
            _sync(made.parent)  # a file is lost with the folder that holds it
        say_if_open(self._root)
        _clean(path.parent)
        with _staged(path) as (staged, descriptor):
            for part in parts:
                view = memoryview(part).cast("B")
                while len(view):
                    view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
            staged.replace(path)
        _sync(path.parent)

    def delete(self, name: str) -> None:
        """See `Store.delete`."""
        (self._root / name).unlink(missing_ok=True)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # how some network file systems say that a folder needs none
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _staged(path: Path) -> Iterator[tuple[Path, int]]:
    """Give a new locked file beside *path*; it is gone at the end unless it was renamed."""
    staged, descriptor = _new(path)
    try:
        yield staged, descriptor
    finally:
        with suppress(FileNotFoundError):
            staged.unlink()
        os.close(descriptor)


def _new(path: Path) -> tuple[Path, int]:
    while True:
        staged = path.with_name(f".{path.name}.{secrets.token_hex(8)}{STAGED}")
        descriptor = new_file(staged)
        try:
            _lock(descriptor, fcntl.LOCK_EX)
            # Between open and lock another process may have taken it for a leftover.
            if os.fstat(descriptor).st_nlink:
                return staged, descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, how: int) -> bool:
    """Lock a file; False where the file system has no locks, then nothing is ever taken for a leftover."""
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def _clean(folder: Path) -> None:
    """Delete staged files whose writer is gone: whoever still writes one holds its lock."""
    for entry in _entries(folder):
        if not (entry.name.startswith(".") and entry.name.endswith(STAGED)):
            continue
        # Locked by its writer, renamed meanwhile, or not ours to open: then it stays, and the write does not suffer.
        with suppress(OSError):
            descriptor = os.open(entry.path, os.O_WRONLY)
            try:
                if _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    os.unlink(entry.path)
            finally:
                os.close(descriptor)
