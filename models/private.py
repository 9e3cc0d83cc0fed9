"""Files of health data: readable by their owner only, whatever the umask, in folders that nobody else may enter.

What exists already keeps its rights, for somebody may have meant them; a folder that others may enter is said once.
"""

import os
import stat
from pathlib import Path

import structlog

FILE, FOLDER = 0o600, 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_said: set[Path] = set()

log = structlog.get_logger()


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it that are missing; return those that were made, the uppermost first."""
    if folder.is_dir():
        return []
    made = make_folder(folder.parent)
    try:
        folder.mkdir(FOLDER)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return made
    folder.chmod(FOLDER)  # a umask takes from what mkdir is told
    return [*made, folder]


def new_file(path: Path) -> int:
    """Make a file that must not exist yet, and return its descriptor, open for writing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    try:
        os.fchmod(descriptor, FILE)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def say_if_open(folder: Path) -> None:
    """Warn, once a folder and process, of one that others than its owner may enter or list."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return  # whoever uses it finds out
    if mode & _OTHERS and folder not in _said:
        _said.add(folder)
        log.warning(
            "a folder of health data is open to others than its owner: chmod 700 it, unless that is meant",
            folder=str(folder),
            mode=f"{stat.S_IMODE(mode):o}",
        )
