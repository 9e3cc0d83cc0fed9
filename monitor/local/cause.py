"""Why a process ended, in a few words: what killed it, or what it said of the world, or else its last line."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SENTENCE_CHARS = 300
READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sign:
    """Words in a log that tell a cause, and the cause."""

    words: str
    cause: str


SERVER_SIGNS = (
    Sign("No space left on device", "the disk is full"),
    Sign("Address already in use", "its port is taken by another process"),
    Sign("java.lang.OutOfMemoryError", "out of memory"),
    Sign("Out Of Memory", "out of memory"),
    Sign("insufficient memory for the Java Runtime", "out of memory"),
    Sign("Permission denied", "its files may not be read or written"),
    Sign("Read-only file system", "its files are on a read-only file system"),
)
"""Of Kafka and Valkey; the first that is found counts, for one failure leads to others."""


def why(log: Path, began: int, status: int, signs: Sequence[Sign] = (), killed_for_memory: bool = False) -> str:
    """Return why a process ended.

    Parameters
    ----------
    log : Path
        Where it wrote.
    began : int
        Size of the log when it was started.
    status : int
        Its exit status; negative for a signal.
    signs : sequence of Sign
        What to look for in the log.
    killed_for_memory : bool
        Whether the kernel has ended processes for want of memory meanwhile.
    """
    if status < 0:
        more = ": the machine is out of memory" if killed_for_memory and -status == signal.SIGKILL else ""
        return f"killed by {_signal(-status)}{more}"
    text = _written(log, began)
    for sign in signs:
        if sign.words in text:
            return sign.cause
    last = next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "it said nothing")
    return f"status {status}: {last.removeprefix('pulsewarden: ').rstrip('.')[:SENTENCE_CHARS]}"


def kills_for_memory() -> int:
    """Return how many processes the kernel has ended for want of memory since the machine started."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def _written(log: Path, began: int) -> str:
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(began, size - READ_BYTES) if size > began else 0)
            return file.read(READ_BYTES).decode(errors="replace") if size > began else ""
    except OSError:
        return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
