"""Files for the journal that its place did not take, on the local disk until it does.

A spilled file has the bytes and the name that it will have in the journal. They belong to the process: if it is killed,
nothing is lost, for no checkpoint stands behind cuts whose rows are only here, so its successor decides those cuts
again and writes their rows. What a dead process left is deleted by the next one that starts.

Room is bounded. Beyond it the oldest files are dropped, counted and said: a journal with a hole is better than a worker
without memory. A disk that refuses as well, as when everything lies on one that is full, costs no rows at once: a
little is held in memory.
"""

import fcntl
import os
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import structlog

from models.private import make_folder, new_file

IN_MEMORY_BYTES = 64 << 20
"""What is held at most while the local disk takes nothing either."""
_LOCK = ".lock"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Spilled:
    """One file for the journal; its bytes are in `content` where the disk did not take them.

    Attributes
    ----------
    path : where it belongs in the journal.
    partition, epoch : whose rows, under which claim.
    rows, size_bytes : how many.
    """

    path: str
    partition: int
    epoch: int
    rows: int
    size_bytes: int
    file: Path | None
    content: pa.Buffer | None


class Spill:
    """Holds files until they can be written; any thread may use it.

    Parameters
    ----------
    folder : Path
        Of all processes; each has a folder of its own in it while it holds something.
    limit_bytes : int
        Of what lies on the disk.

    Attributes
    ----------
    dropped_rows : rows for which there was no room.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder, self._limit_bytes = folder, limit_bytes
        self._own: tuple[Path, int] | None = None
        self._held: list[Spilled] = []
        self._lock = threading.Lock()
        self._names = 0
        self.dropped_rows = 0
        _sweep(folder)

    @property
    def size_bytes(self) -> int:
        """Bytes held, on the disk and in memory."""
        return sum(one.size_bytes for one in self._held)

    @property
    def memory_bytes(self) -> int:
        """Bytes held in memory."""
        return sum(one.size_bytes for one in self._held if one.content is not None)

    def put(self, path: str, partition: int, epoch: int, content: pa.Buffer, rows: int) -> None:
        """Hold a file; the oldest ones go if there is no room."""
        file = self._written(content)
        one = Spilled(path, partition, epoch, rows, content.size, file, None if file else content)
        with self._lock:
            self._held.append(one)
        self._bound()

    def of(self, partition: int, epoch: int) -> list[Spilled]:
        """Return what is held of a partition under a claim, oldest first; what is of other claims goes."""
        with self._lock:
            mine = [one for one in self._held if one.partition == partition]
        for one in mine:
            if one.epoch != epoch:
                self.done(one)
        return [one for one in mine if one.epoch == epoch]

    def holds(self, partition: int) -> bool:
        """Tell whether anything is held of a partition."""
        with self._lock:
            return any(one.partition == partition for one in self._held)

    def content(self, one: Spilled) -> pa.Buffer:
        """Read a file back.

        Raises
        ------
        OSError
            If the local disk does not give it.
        """
        return one.content if one.file is None else pa.py_buffer(one.file.read_bytes())

    def done(self, one: Spilled) -> bool:
        """Let go of a file; False if it was gone already."""
        with self._lock:
            left = [other for other in self._held if other is not one]
            was_held = len(left) < len(self._held)
            self._held = left
        if one.file is not None:
            with suppress(OSError):  # the next start deletes it
                one.file.unlink(missing_ok=True)
        return was_held

    def forget(self, partition: int) -> None:
        """Let go of everything of a partition: its next owner writes those rows."""
        with self._lock:
            mine = [one for one in self._held if one.partition == partition]
        for one in mine:
            self.done(one)

    def drop(self, one: Spilled, why: str) -> None:
        """Give rows up, and say so, unless they were forgotten meanwhile."""
        if not self.done(one):
            return
        self.dropped_rows += one.rows
        log.error("rows of the journal are lost", partition=one.partition, file=one.path, rows=one.rows, why=why)

    def close(self) -> None:
        """Delete what is held; its successor writes those rows."""
        with self._lock:
            self._held = []
        if self._own is not None:
            folder, lock = self._own
            self._own = None
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def _bound(self) -> None:
        for in_memory, limit in ((False, self._limit_bytes), (True, IN_MEMORY_BYTES)):
            with self._lock:
                there = [one for one in self._held if (one.content is not None) is in_memory]
            over = sum(one.size_bytes for one in there) - limit
            for one in there:
                if over <= 0:
                    break
                over -= one.size_bytes
                self.drop(one, "its place fails and the room for spilled rows is full (journal.spill_mib)")

    def _written(self, content: pa.Buffer) -> Path | None:
        """Write a file of our own; None if the disk does not take it."""
        self._names += 1
        try:
            if self._own is None:
                self._own = _own(self._folder)
            file = self._own[0] / f"{self._names:08d}.parquet"
            try:
                with os.fdopen(new_file(file), "wb") as out:
                    out.write(memoryview(content))
            except OSError:
                file.unlink(missing_ok=True)
                raise
        except OSError as failure:
            log.error("the local disk takes no rows of the journal: they are held in memory", why=str(failure))
            return None
        return file


def _own(folder: Path) -> tuple[Path, int]:
    """Make a folder for this process, and lock it for as long as the descriptor is open."""
    while True:
        own = folder / secrets.token_hex(8)
        make_folder(own)
        descriptor = new_file(own / _LOCK)
        with suppress(OSError):  # a file system without locks: nobody takes it for a leftover
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return own, descriptor
        os.close(descriptor)  # taken for a leftover between its making and its lock


def _sweep(folder: Path) -> None:
    """Delete what dead processes left: a living one holds its lock."""
    for lock in folder.glob(f"*/{_LOCK}"):
        with suppress(OSError):
            descriptor = os.open(lock, os.O_WRONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lock.unlink()
                shutil.rmtree(lock.parent)
            finally:
                os.close(descriptor)
