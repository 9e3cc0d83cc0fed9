"""One worker of each name: claims, status files and the group would mix two of them up."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import WorkerNameTaken

LEAVING_S = 3.0
"""A worker of this name that is just ending is waited for so long."""
_POLL_S = 0.1


@contextmanager
def hold_name(state_dir: Path, worker_id: str) -> Iterator[None]:
    """Hold a worker's name on this state folder; the kernel lets go of it when the process ends, however it ends.

    Raises
    ------
    WorkerNameTaken
        If another process holds it.
    """
    folder = state_dir / "status"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{worker_id}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LEAVING_S
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                owner = os.pread(descriptor, 20, 0).decode().strip()
                raise WorkerNameTaken(
                    f"A worker named {worker_id} already runs on {state_dir} (process {owner or 'unknown'}): give this "
                    "one another name with PULSEWARDEN_STREAM__WORKER_ID, or end that one."
                )
            time.sleep(_POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
