"""Keeps processes running: one that ends is started again, later each time that it ends soon.

A worker that cannot go on ends itself with a sentence (the watchdog, a broken environment); somebody has to start it
again. `python -m monitor up` does so with this; elsewhere systemd, Docker or Kubernetes do (docs/operating.md).
"""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.local.leash import PATIENCE_S, Leashed, spawn

FIRST_S = 1.0
LONGEST_S = 30.0
STEADY_S = 60.0
"""Who ran so long has recovered: its next end counts as the first again."""
SENTENCE_CHARS = 300
_READ_BYTES = 64 * 1024

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A process to keep running.

    Attributes
    ----------
    name : what to call it; its log is ``<name>.log``.
    argv : command line.
    environment : variables to add to our own.
    patience_s : how long it has from being asked to end to being killed.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = PATIENCE_S


@dataclass(slots=True)
class _Kept:
    part: Part
    log: Path
    running: Leashed | None = None
    began_s: float = 0.0
    log_began: int = 0
    due_s: float = 0.0
    wait_s: float = 0.0


class Supervisor:
    """Starts parts and restarts them; a context manager that ends them all.

    Parameters
    ----------
    parts : sequence of Part
    logs : Path
        Folder of their logs.
    say : callable
        Told one line whenever a part has ended.
    held : sequence of int
        Descriptors that their leashes keep; see `monitor.local.leash.spawn`.
    first_s, longest_s, steady_s : float
        Wait before the first restart, longest wait, and how long a part must run to be well again.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        logs: Path,
        say: Say,
        *,
        held: Sequence[int] = (),
        first_s: float = FIRST_S,
        longest_s: float = LONGEST_S,
        steady_s: float = STEADY_S,
    ) -> None:
        self._kept = [_Kept(part, logs / f"{part.name}.log") for part in parts]
        self._say, self._held = say, held
        self._first_s, self._longest_s, self._steady_s = first_s, longest_s, steady_s

    def look(self) -> None:
        """Start what is due, and note what has ended; call it a few times a second."""
        now = time.monotonic()
        for kept in self._kept:
            if kept.running is not None and (status := kept.running.poll()) is not None:
                self._ended(kept, status, now)
            if kept.running is None and now >= kept.due_s:
                self._start(kept, now)

    def stop(self) -> None:
        """Ask all parts to end, and wait for them; those that do not are killed by their leashes."""
        running = [kept.running for kept in self._kept if kept.running is not None]
        for one in running:
            one.ask_to_end()
        for one in running:
            one.stop()
        for kept in self._kept:
            kept.running, kept.due_s = None, float("inf")

    def __enter__(self) -> Self:
        """Start everything."""
        self.look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.stop()

    def _start(self, kept: _Kept, now: float) -> None:
        kept.log_began = kept.log.stat().st_size if kept.log.exists() else 0
        kept.began_s = now
        part = kept.part
        kept.running = spawn(
            part.name, part.argv, kept.log, part.environment, held=self._held, patience_s=part.patience_s
        )

    def _ended(self, kept: _Kept, status: int, now: float) -> None:
        if kept.running is not None:
            kept.running.ask_to_end()  # its leash has ended; this closes our end of the pipe
        steady = now - kept.began_s >= self._steady_s
        kept.wait_s = self._first_s if steady or not kept.wait_s else min(2 * kept.wait_s, self._longest_s)
        kept.running, kept.due_s = None, now + kept.wait_s
        self._say(f"{kept.part.name} ended ({_why(kept, status)}); it starts again in {kept.wait_s:g} s.")


def _why(kept: _Kept, status: int) -> str:
    """Return the signal that killed a part, or its status and the last line that it wrote."""
    if status < 0:
        return f"killed by {_signal(-status)}"
    with kept.log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(kept.log_began, size - _READ_BYTES))
        lines = file.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return f"status {status}: {last.removeprefix('pulsewarden: ').rstrip('.')[:SENTENCE_CHARS]}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
