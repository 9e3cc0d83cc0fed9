"""Where the Kafka of a running ``python -m monitor up`` is, so that a simulator beside it needs no option.

The monitor writes ``stack.json`` into its state folder and holds ``stack.lock`` while its servers run; a file whose
lock is free was left by a stack that was killed and is not believed. (The same rule as monitor.local.address, which a
simulator may not import: it only knows what any gateway knows.)
"""

import fcntl
import json
import os
from pathlib import Path

KAFKA = "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS"
STATE_DIR = "PULSEWARDEN_STATE_DIR"


def bootstrap_servers() -> str | None:
    """Return the running stack's Kafka, or None if no stack runs on the state folder (``.pulsewarden``)."""
    state_dir = Path(os.environ.get(STATE_DIR) or ".pulsewarden")
    if not _held(state_dir / "stack.lock"):
        return None
    try:
        found = json.loads((state_dir / "stack.json").read_text())["environment"].get(KAFKA)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
