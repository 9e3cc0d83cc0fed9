"""Keeps processes running: one that ends is started again, later each time that it ends soon.

A worker that cannot go on ends itself with a sentence (the watchdog, a broken environment); somebody has to start it
again. `python -m monitor up` does so with this; elsewhere systemd, Docker or Kubernetes do (docs/operating.md).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from monitor.local.cause import Sign, kills_for_memory, why
from monitor.local.leash import PATIENCE_S, Leashed, spawn

FIRST_S = 1.0
LONGEST_S = 30.0
STEADY_S = 60.0
"""Who ran so long has recovered: its next end counts as the first again."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A process to keep running.

    Attributes
    ----------
    name : what to call it; its log is ``<name>.log``, in small letters.
    argv : command line.
    environment : variables to add to our own.
    patience_s : how long it has from being asked to end to being killed.
    signs : what in its log tells why it ended.
    unwanted : while this file exists, it is not started.
    """

    name: str
    argv: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = PATIENCE_S
    signs: Sequence[Sign] = ()
    unwanted: Path | None = None


@dataclass(slots=True)
class _Kept:
    part: Part
    log: Path
    running: Leashed | None = None
    began_s: float = 0.0
    log_began: int = 0
    due_s: float = 0.0
    wait_s: float = 0.0
    kills_before: int = 0
    told_unwanted: bool = False


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
        self._kept = [_Kept(part, logs / f"{part.name.lower()}.log") for part in parts]
        self._say, self._held = say, held
        self._first_s, self._longest_s, self._steady_s = first_s, longest_s, steady_s

    def look(self) -> None:
        """Start what is due, and note what has ended; call it a few times a second."""
        now = time.monotonic()
        for kept in self._kept:
            if kept.running is not None and (status := kept.running.poll()) is not None:
                self._ended(kept, status, now)
            if kept.running is None and now >= kept.due_s and self._wanted(kept):
                self._start(kept, now)

    def running(self) -> list[Leashed]:
        """Return the parts as they were started last; those that have ended since are among them until `look`."""
        return [kept.running for kept in self._kept if kept.running is not None]

    def why(self, name: str) -> str:
        """Return why a part that has ended did so, in a few words."""
        kept = next(kept for kept in self._kept if kept.part.name == name)
        status = None if kept.running is None else kept.running.poll()
        return "it was not started" if status is None else self._why(kept, status)

    def stop(self) -> None:
        """Ask all parts to end, and wait for them; those that do not are killed by their leashes."""
        running = self.running()
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

    def _wanted(self, kept: _Kept) -> bool:
        unwanted = kept.part.unwanted
        if unwanted is None or not unwanted.exists():
            kept.told_unwanted = False
            return True
        if not kept.told_unwanted:
            self._say(f"{kept.part.name} is not started while {unwanted} is there.")
        kept.told_unwanted = True
        return False

    def _start(self, kept: _Kept, now: float) -> None:
        kept.began_s = now
        kept.kills_before = kills_for_memory()
        try:
            kept.log_began = kept.log.stat().st_size if kept.log.exists() else 0
            part = kept.part
            kept.running = spawn(
                part.name, part.argv, kept.log, part.environment, held=self._held, patience_s=part.patience_s
            )
        except OSError as error:  # a full disk, no process to be had: what runs must go on running
            self._wait(kept, now)
            self._say(f"{kept.part.name} cannot be started ({error}); it is tried again in {kept.wait_s:g} s.")

    def _ended(self, kept: _Kept, status: int, now: float) -> None:
        if kept.running is not None:
            kept.running.ask_to_end()  # its leash has ended; this closes our end of the pipe
        kept.running = None
        self._wait(kept, now)
        unwanted = kept.part.unwanted
        if status == 0 and unwanted is not None and unwanted.exists():
            kept.told_unwanted = True
            self._say(f"{kept.part.name} ended as it was told to; it starts again when {unwanted} is gone.")
            return
        self._say(f"{kept.part.name} ended ({self._why(kept, status)}); it starts again in {kept.wait_s:g} s.")

    def _wait(self, kept: _Kept, now: float) -> None:
        steady = now - kept.began_s >= self._steady_s
        kept.wait_s = self._first_s if steady or not kept.wait_s else min(2 * kept.wait_s, self._longest_s)
        kept.due_s = now + kept.wait_s

    @staticmethod
    def _why(kept: _Kept, status: int) -> str:
        killed_for_memory = kills_for_memory() > kept.kills_before
        return why(kept.log, kept.log_began, status, kept.part.signs, killed_for_memory)
