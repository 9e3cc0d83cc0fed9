"""The state folder: made or looked at before anything is started in it, and private, because it holds health data."""

import errno
import os
import tempfile
from pathlib import Path

from monitor.errors import StateFolderUnusable

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
UMASK = 0o077
"""With it, whatever a process makes is its user's alone."""
_PROBE_BYTES = 4096
_OTHER = "choose another with PULSEWARDEN_STATE_DIR."


def prepare(state_dir: Path) -> Path:
    """Make the state folder, see that files can be written there, and return its absolute path.

    Raises
    ------
    StateFolderUnusable
        With a sentence that says why and how to mend it.
    """
    try:
        state_dir = state_dir.resolve()
        if os.pathsep in str(state_dir):
            raise StateFolderUnusable(
                f"{state_dir} has a {os.pathsep!r} in it, which Java's class path cannot hold: {_OTHER}"
            )
        state_dir.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        owner = state_dir.stat().st_uid
        if owner != os.geteuid():
            raise StateFolderUnusable(f"{state_dir} belongs to {_user(owner)}: run this as that user, or {_OTHER}")
        with tempfile.TemporaryFile(dir=state_dir) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except (OSError, RuntimeError) as error:
        raise StateFolderUnusable(why(state_dir, error)) from error
    return state_dir


def why(path: Path, error: Exception) -> str:
    """Return a sentence about a folder or file that cannot be used, and how to mend it."""
    number = error.errno if isinstance(error, OSError) else None
    if number in {errno.ENOTDIR, errno.EEXIST}:
        return f"{path} cannot be a folder, a file is in its place: move that away, or {_OTHER}"
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk of {path} is full: make room, or {_OTHER}"
    if number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{path} cannot be written ({os.strerror(number)}): give this user the right to, or {_OTHER}"
    if number == errno.ENAMETOOLONG:
        return f"The path {path} is too long for this machine: {_OTHER}"
    return f"{path} cannot be used ({error}): {_OTHER}"


def private_folder(path: Path) -> Path:
    """Make a folder that only its user may enter, or make an old one so, and return it."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    path.chmod(PRIVATE_FOLDER)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its user may read; whoever reads meanwhile sees the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
        file.write(text)
    os.replace(fresh, path)


def _user(number: int) -> str:
    import pwd

    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
