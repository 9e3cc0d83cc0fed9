"""A worker's status: one JSON file, rewritten every second by an atomic rename."""

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from monitor.scoring.batcher import Batcher
from monitor.scoring.device import Device
from monitor.stream.core import Core
from monitor.stream.owner import Owner
from stream_schemas.reasons import Reason


class Status:
    """Writes `folder/<worker>.json`.

    The counts by topic and reason are functions of the log: a worker that took partitions over counts what it replayed,
    and two workers' files together count each record once. All others are of this process. `losses` are partitions that
    had to begin anew because the log no longer held what their state needed. `T_ms` is the oldest T of the partitions.
    """

    def __init__(
        self,
        folder: Path,
        worker: str,
        core: Core,
        owner: Owner,
        device: Device,
        batcher: Batcher,
        *,
        version: str,
        partitions: int,
    ) -> None:
        self._version, self._partitions = version, partitions
        self._path = folder / f"{worker}.json"
        self._worker, self._core, self._owner, self._device, self._batcher = worker, core, owner, device, batcher
        self._before = (time.monotonic(), 0)

    def write(self) -> None:
        """Write the status as of now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        staged = self._path.with_suffix(".staged")
        staged.write_text(json.dumps(self._document()) + "\n")
        staged.replace(self._path)

    def remove(self) -> None:
        """Say that the worker is gone: whoever takes its partitions over counts their records from the log."""
        self._path.unlink(missing_ok=True)

    def _left_out(self) -> Counter[str]:
        """Count, per input, the partitions whose T goes on without it now."""
        return Counter(topic for p, part in self._owner.parts.items() for topic in part.left_out)

    def _unowned(self) -> dict[str, str]:
        """Say of every partition that is assigned and not owned why that is so."""
        waiting = sorted(self._owner.assigned_partitions - set(self._owner.parts))
        return {str(p): self._owner.holdings.why.get(p, "it is being taken over") for p in waiting}

    def _document(self) -> dict[str, Any]:
        times = {p: self._core.position(p).T for p in self._owner.parts if self._core.has(p)}
        return {
            "worker_id": self._worker,
            "assigned": sorted(self._owner.parts),
            "events_ingested": dict(self._core.ingested()),
            "dead_letters": dict(self._core.dead_letters()),
            "envelopes_per_s": self._rate(),
            "T_ms": min(times.values(), default=0),
            "T_held_by": self._owner.planner.holds.get(min(times, key=lambda p: times[p])) if times else None,
            "left_out": dict(self._left_out()),
            "unowned": self._unowned(),
            "clock_ahead": {str(broker): s for broker, s in self._owner.clocks.ahead_s().items()},
            "quarantined": self._core.dead_letters()[Reason.ENGINE_ERROR.value],
            "differing": self._owner.replay.differing,
            "version": self._version,
            "partitions": self._partitions,
            "lag_records": self._owner.lag_records(),
            "cuts": self._core.cuts,
            "void_cuts": self._owner.stepper.void_cuts,
            "below_T": self._core.below_T,
            "late": self._core.late,
            "checkpoints_written": self._owner.checkpointer.written,
            "checkpoints_failed": self._owner.checkpointer.failed,
            "checkpoints_failing_in_a_row": self._owner.checkpointer.failures_in_a_row,
            "checkpoints_failing_s": round(self._owner.checkpointer.failing_since_s(), 1),
            "journal_spilled_mib": round(self._owner.checkpointer.journal.spilled_bytes / 2**20, 1),
            "journal_rows_lost": self._owner.checkpointer.journal.lost_rows,
            "oldest_checkpoint_s": round(self._owner.checkpointer.oldest_s(), 1),
            "losses": self._owner.losses,
            "recoveries": self._owner.recoveries,
            "last_recovery_s": round(self._owner.recovery_s, 3),
            "scores": self._batcher.scored,
            "scores_given_up": self._batcher.given_up,
            "model_version": self._device.version,
            "device": self._device.name,
            "rss_mib": round(rss_mib(), 1),
        }

    def _rate(self) -> float:
        """Records a second since the last call; what a replay or a hand-over jumps by is not a rate."""
        now, total = time.monotonic(), self._core.applied_records
        then, before = self._before
        self._before = (now, total)
        return round((total - before) / max(now - then, 1e-3), 1)


def rss_mib() -> float:
    """Return the memory that this process holds now; where the system does not say, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return pages * resource.getpagesize() / (1024 * 1024)
