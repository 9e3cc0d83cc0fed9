"""What workers' status files tell of trouble: the view names it, the doctor says how to mend it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from monitor.console.frame import WorkerStatus
from monitor.console.wording import duration, many
from monitor.settings import Settings

STALE_S = 5.0
"""A worker writes its status every second; five silent seconds are a fault."""
LATE_S = 10.0
"""A worker's log time follows the clock by less than a second; so far behind, alerts come late."""
OFTEN = 3
"""Failures in a row from which a place is not just slow for a moment."""
INTERVALS = 5
"""A checkpoint so many intervals old is no longer one that is just due."""

About = Literal["workers", "partitions", "log time", "inputs", "checkpoints", "quarantine", "clocks"]
ABOUT: tuple[About, ...] = ("workers", "partitions", "log time", "inputs", "checkpoints", "quarantine", "clocks")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, without a full stop, and what to do; an urgent one delays or loses alerts."""

    about: About
    found: str
    mend: str
    urgent: bool = True


def troubles(workers: Sequence[WorkerStatus], settings: Settings, now_ms: int) -> list[Trouble]:
    """Return what the status files tell, worst first."""
    live = [worker for worker in workers if worker.age_s < STALE_S]
    return list(
        chain(
            _stale(workers),
            _unowned(live, settings),
            _late(live, settings, now_ms),
            _left_out(live),
            _checkpoints(live, settings),
            _set_aside(live),
            _clocks(live),
            _versions(live),
        )
    )


def oldest(workers: Sequence[WorkerStatus]) -> WorkerStatus | None:
    """Return the worker with the oldest log time of those that have one."""
    known = [worker for worker in workers if worker.T_ms is not None]
    return min(known, key=lambda worker: worker.T_ms or 0, default=None)


def _stale(workers: Sequence[WorkerStatus]) -> Iterator[Trouble]:
    for worker in workers:
        if worker.age_s >= STALE_S:
            yield Trouble(
                "workers",
                f"STALE: {worker.worker_id} has said nothing for {duration(worker.age_s)}; its figures are old",
                "Look at its log and start it again; if it is gone for good, delete its file in state_dir/status.",
            )


def _unowned(live: Sequence[WorkerStatus], settings: Settings) -> Iterator[Trouble]:
    owned = frozenset[int]().union(*(worker.owned for worker in live))
    given = {p: why for worker in live for p, why in worker.unowned.items() if not (p.isdigit() and int(p) in owned)}
    for partition, why in given.items():
        yield Trouble(
            "partitions",
            f"Partition {partition} is not worked on" + (f": {why.rstrip('.')}" if why else ""),
            "Its wearers get no alerts: look at the worker's log and at the brokers.",
        )
    here = range(settings.stream.partitions)
    missing = [str(p) for p in here if p not in owned and str(p) not in given] if live else []
    if missing:
        yield Trouble(
            "partitions",
            f"No worker that reports here owns partitions {_some(missing)}",
            "Start a worker, unless one on another machine has them; for a moment after a start this is normal.",
            urgent=False,
        )


def _late(live: Sequence[WorkerStatus], settings: Settings, now_ms: int) -> Iterator[Trouble]:
    last = oldest(live)
    if settings.stream.clock == "log" or last is None or last.T_ms is None:
        return
    behind_s = (now_ms - last.T_ms) / 1000
    if behind_s > LATE_S:
        held = f"; {last.T_held_by} holds it back in {last.worker_id}" if last.T_held_by else ""
        yield Trouble(
            "log time",
            f"Alerts come late: decided up to {duration(behind_s)} ago{held}",
            "Look at the leaders of that topic's partitions." if held else "Look at the workers' lag and logs.",
        )


def _left_out(live: Sequence[WorkerStatus]) -> Iterator[Trouble]:
    totals: dict[str, int] = {}
    for worker in live:
        for topic, partitions in worker.left_out.items():
            totals[topic] = totals.get(topic, 0) + partitions
    for topic, partitions in sorted(totals.items()):
        if partitions:
            yield Trouble(
                "inputs",
                f"{many(partitions, 'partition')} without {topic}: what comes of it later counts as late",
                "Look at the leaders of that topic's partitions.",
            )


def _checkpoints(live: Sequence[WorkerStatus], settings: Settings) -> Iterator[Trouble]:
    most_s = INTERVALS * settings.checkpoint.interval_s
    mend = f"Mend the place of the checkpoints ({settings.checkpoint.place or 'state_dir/checkpoints'}): see the log."
    for worker in live:
        if worker.checkpoints_failing:
            times = many(worker.checkpoints_failing, "time")
            found = f"{worker.worker_id} failed to write a checkpoint, {times} in a row"
            yield Trouble("checkpoints", found, mend, urgent=worker.checkpoints_failing >= OFTEN)
        elif worker.oldest_checkpoint_s is not None and worker.oldest_checkpoint_s > most_s:
            found = f"The oldest checkpoint of {worker.worker_id} is {duration(worker.oldest_checkpoint_s)} old"
            yield Trouble("checkpoints", found, mend)


def _set_aside(live: Sequence[WorkerStatus]) -> Iterator[Trouble]:
    total = sum(worker.quarantined for worker in live)
    if total:
        yield Trouble(
            "quarantine",
            f"{many(total, 'record')} set aside because the engine failed on them (engine_error)",
            "Read them in dead-letter.v1 and report them: this is a fault of Pulsewarden.",
            urgent=False,
        )


def _clocks(live: Sequence[WorkerStatus]) -> Iterator[Trouble]:
    ahead: dict[str, float] = {}
    for worker in live:
        for broker, seconds in worker.clock_ahead.items():
            ahead[broker] = max(seconds, ahead.get(broker, seconds))
    for broker, seconds in sorted(ahead.items()):
        yield Trouble("clocks", f"The clock of broker {broker} is {seconds:.1f} s ahead", "Mend its time service.")


def _versions(live: Sequence[WorkerStatus]) -> Iterator[Trouble]:
    versions = sorted({worker.versions for worker in live if worker.versions})
    if len(versions) > 1:
        yield Trouble(
            "workers",
            f"Workers run different versions of the engine ({'; '.join(versions)})",
            "Finish the upgrade.",
            urgent=False,
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
