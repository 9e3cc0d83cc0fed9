"""Where the stack of a state folder can be found: its lock, and the addresses it left in stack.json.

The lock is held by the owner and by the leash of every server, so it is free only when the last of them has ended; a
stack.json whose lock is free is left over from a killed owner and is not believed.
"""

import fcntl
import json
import os
from pathlib import Path


def lock_file(state_dir: Path) -> Path:
    """Return the path of the state folder's lock; it holds the owner's process id as text."""
    return state_dir / "stack.lock"


def address_file(state_dir: Path) -> Path:
    """Return the path of the file with the running stack's addresses."""
    return state_dir / "stack.json"


def try_lock(state_dir: Path) -> int | None:
    """Take the state folder's lock and return its open descriptor, or None if a stack holds it."""
    descriptor = os.open(lock_file(state_dir), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(state_dir: Path) -> bool:
    """Tell whether a stack, or a server that a killed owner left for a moment, holds the state folder."""
    try:
        descriptor = os.open(lock_file(state_dir), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def running_environment(state_dir: Path) -> dict[str, str]:
    """Return the ``PULSEWARDEN_`` variables that point at the stack running on *state_dir*; empty if none runs."""
    if not is_locked(state_dir):
        return {}
    try:
        document = json.loads(address_file(state_dir).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    environment = document.get("environment", {}) if isinstance(document, dict) else {}
    return {str(name): str(value) for name, value in environment.items()}
