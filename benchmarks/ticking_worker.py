"""A worker that also notes how long its loop stood still, what checkpoints cost, and when it had caught up.

``state_dir/ticks.json`` is rewritten every second; all its times are those of the machine's monotonic clock, which is
the same in every process.
"""

import asyncio
import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from monitor.clock import SystemClock
from monitor.errors import PulsewardenError
from monitor.settings import Settings, load
from monitor.stream import worker
from monitor.stream.core import Core
from monitor.wearers.checkpoint import Checkpoint, Checkpoints

TICK_S = 0.005
WRITE_S = 1.0
LIVE_MS = 1_000
"""Caught up: every partition is decided up to less than this ago."""
KEPT = 100_000


class Notes:
    """What was seen.

    Attributes
    ----------
    gaps : (when it ended, by how many ms a tick came late) of the worst tick of each 0.1 s.
    copies : (when, ms that the loop was held for the copy of a partition's state).
    writes : (when it began, seconds that writing one partition's checkpoint took).
    caught_up_s : when every partition was first decided up to now, or None.
    """

    def __init__(self, settings: Settings) -> None:
        self._path = settings.state_dir / "ticks.json"
        self.gaps: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self.copies: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self.writes: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self.caught_up_s: float | None = None

    def write(self) -> None:
        """Write all of it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".fresh")
        fresh.write_text(
            json.dumps(
                {
                    "gaps": list(self.gaps),
                    "copies": list(self.copies),
                    "writes": list(self.writes),
                    "caught_up_s": self.caught_up_s,
                }
            )
        )
        fresh.replace(self._path)

    def tick(self, began: float) -> float:
        """Note how late a tick came; return when it came."""
        now = time.monotonic()
        late_ms = (now - began - TICK_S) * 1000
        if self.gaps and int(10 * self.gaps[-1][0]) == int(10 * now):
            late_ms = max(late_ms, self.gaps.pop()[1])
        self.gaps.append((now, late_ms))
        return now


def run(settings: Settings) -> int:
    """Run the worker of the settings with notes."""
    notes = Notes(settings)
    save, write = Core.save, Checkpoints.write

    def saved(core: Core, partition: int) -> Checkpoint:
        began = time.monotonic()
        made = save(core, partition)
        notes.copies.append((began, (time.monotonic() - began) * 1000))
        return made

    def written(checkpoints: Checkpoints, checkpoint: Checkpoint) -> str:
        began = time.monotonic()
        name = write(checkpoints, checkpoint)
        notes.writes.append((began, time.monotonic() - began))
        return name

    Core.save, Checkpoints.write = saved, written  # type: ignore[method-assign,assignment]

    class Ticking(worker.Worker):
        async def work(self) -> None:
            ticking = asyncio.ensure_future(_tick(notes, self))
            try:
                await super().work()
            finally:
                ticking.cancel()

    worker.Worker = Ticking  # type: ignore[misc]
    return worker.run(settings)


async def _tick(notes: Notes, working: Any) -> None:
    clock, partitions = SystemClock(), working._settings.stream.partitions
    written = now = time.monotonic()
    while True:
        await asyncio.sleep(TICK_S)
        now = notes.tick(now)
        if now - written > WRITE_S:
            await asyncio.to_thread(notes.write)
            written = now = time.monotonic()
        if notes.caught_up_s is None and len(working.owner.parts) == partitions:
            T = min(working._core.position(p).T for p in working.owner.parts)
            if clock.now_ms() - T < LIVE_MS:
                notes.caught_up_s = now


def read(settings: Settings) -> dict[str, Any] | None:
    """Return what a ticking worker last noted, or None."""
    path: Path = settings.state_dir / "ticks.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return document


if __name__ == "__main__":
    try:
        sys.exit(run(load()))
    except PulsewardenError as error:
        print(f"pulsewarden: {error}", file=sys.stderr)
        sys.exit(2)
