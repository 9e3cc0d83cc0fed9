"""100,000 wearers live on one worker: what they cost, what checkpoints cost them, and how soon a killed worker is back.

One fleet is published, by a process of its own, at one envelope a wearer and minute; everybody gets some minutes of
history first. The phases follow one another on the same topics: a minute of live load is measured, then the worker
is killed and started again, once for each way of running it.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import ticking_worker
from benchmarks.broker import Bench, BenchmarkFailed, running, status, wait_for
from benchmarks.child_process import cpu_s, peak_rss_mib, pid_under
from benchmarks.figure import Figure, Target
from benchmarks.fleet_load import MINUTE_MS
from monitor.clock import SystemClock
from monitor.local.leash import Leashed

WEARERS = 100_000
HISTORY_MIN = 3
START_S = 180.0
PHASES = ("checkpoint", "live", "recovery")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run the worker that is killed."""

    figure: str
    scoring: bool
    static: bool

    def __str__(self) -> str:
        scoring = "the risk model on, on the CPU" if self.scoring else "the risk model off"
        group = (
            "static membership, as `up --workers` and deploy/ have it"
            if self.static
            else "without static membership: the dead one's session of 10 s is waited for"
        )
        return f"{scoring}, {group}"


WAYS = (
    Way("recovery", scoring=False, static=True),
    Way("recovery-scoring", scoring=True, static=True),
    Way("recovery-dynamic", scoring=False, static=False),
)


class HundredThousand:
    """The fleet, its worker, and the phases that were asked for.

    Attributes
    ----------
    failures : what could not be measured, and why.
    """

    def __init__(
        self,
        bench: Bench,
        phases: Collection[str] = PHASES,
        *,
        wearers: int = WEARERS,
        history_min: int = HISTORY_MIN,
        seconds: float = 60.0,
        interval_s: float = 60.0,
        ways: Collection[Way] = WAYS,
    ) -> None:
        self._bench, self._phases, self._wearers, self._history_min = bench, frozenset(phases), wearers, history_min
        self._seconds, self._interval_s, self._ways = seconds, interval_s, ways
        self._found: list[Figure] = []
        self.failures: list[str] = []

    def prepare(self) -> None:
        """Publish everybody's profile and some minutes of history."""
        self._settings = self._bench.settings("hundred-thousand", scoring={"enabled": False})
        first_ms = (SystemClock().now_ms() // MINUTE_MS - self._history_min - 1) * MINUTE_MS
        arguments = ["--wearers", str(self._wearers), "--minutes", str(self._history_min), "--start-ms", str(first_ms)]
        with running(self._bench.start("publisher", "benchmarks.publishing", arguments, self._settings)) as leash:
            if wait_for("Publishing the history", leash.poll, START_S, leash) != 0:
                raise BenchmarkFailed(f"The history was not published:\n{leash.tail(12)}")

    def round(self) -> None:
        """Run all phases."""
        way = Way("", scoring=False, static=True)
        worker = self._worker(way)
        try:
            with self._live():
                self._caught_up("The first catching up", worker)
                self._take_a_minute(worker)
                if "recovery" in self._phases:
                    for one in self._ways:
                        worker, way = self._through_a_kill(worker, way, one)
        except BenchmarkFailed as failure:  # what was measured before it stands
            self.failures.append(f"With {self._wearers:,} wearers not all could be measured: {failure}")
        finally:
            worker.stop()

    def figures(self) -> list[Figure]:
        """Return what the phases gave."""
        return self._found

    # ---------------------------------------------------------------------------------------------------- the phases

    def _take_a_minute(self, worker: Leashed) -> None:
        """Measure live load, while every partition is checkpointed once."""
        pid = pid_under(worker)
        began, cpu = time.monotonic(), cpu_s(pid)
        self._rest(self._seconds, worker)
        ended, cpu = time.monotonic(), cpu_s(pid) - cpu
        notes = self._until_noted(ended, worker)
        during = {name: [value for at, value in notes[name] if began <= at <= ended] for name in ("copies", "writes")}
        meanwhile, else_ = _gaps(notes, began, ended)
        size_mib = sum(_newest_sizes(Path(self._settings.checkpoint_place))) / 2**20
        if not during["writes"]:
            raise BenchmarkFailed("No checkpoint was written in the time that was measured.")
        fleet = (
            f"{self._wearers:,} wearers live at one heart-rate envelope a minute each (60 samples, and activity every"
            f" fifth minute), {self._settings.stream.partitions} partitions, broker clock, a worker with"
            f" {self._history_min} minutes of history (a wearer's state has its full size from the first envelope),"
            f" the risk model off; {ended - began:.0f} s"
        )
        checkpoints = f"{fleet}, in which {len(during['writes'])} partitions' checkpoints were written"
        if "checkpoint" in self._phases:
            self._found += [
                Figure(
                    "checkpoint-stall",
                    "ms",
                    (max(meanwhile),),
                    f"{checkpoints}: the longest time by which a tick of the worker's event loop came late while a"
                    " checkpoint was taken or written, whatever the reason: copies, steps, other processes here.",
                    Target("at most", 50),
                ),
                Figure(
                    "checkpoint-stall-else",
                    "ms",
                    (max(else_),),
                    f"{checkpoints}: the longest time by which a tick came late while none was taken or written: what"
                    " steps and this machine do without.",
                ),
                Figure(
                    "checkpoint-copy",
                    "ms",
                    (max(during["copies"]),),
                    f"{checkpoints}: the longest time that the copy of one partition's state held the loop.",
                ),
                Figure(
                    "checkpoint-time",
                    "s",
                    (sum(during["writes"]) / len(during["writes"]) * self._settings.stream.partitions,),
                    f"{checkpoints}: time in the writing thread for all partitions together, fsync included.",
                ),
                Figure("checkpoint-size", "MiB", (size_mib,), f"{checkpoints}: the newest files of all partitions."),
            ]
        if "live" in self._phases:
            self._found += [
                Figure(
                    "live-cpu",
                    "% of one core",
                    (100 * cpu / (ended - began),),
                    f"{fleet}; CPU time of the worker process, cuts, journal and checkpoints included.",
                    Target("at most", 35),
                ),
                Figure(
                    "live-memory",
                    "MiB",
                    (peak_rss_mib(pid),),
                    f"{fleet}; the largest resident size of the worker.",
                ),
            ]

    def _through_a_kill(self, worker: Leashed, way: Way, then: Way) -> tuple[Leashed, Way]:
        """Kill -9 a worker that has run live for a while, start it again and see when it has caught up."""
        if (way.scoring, way.static) != (then.scoring, then.static):
            worker.stop()
            worker = self._worker(then)
            self._caught_up("Catching up", worker)
            self._rest(self._interval_s / 2, worker)
        os.kill(pid_under(worker), signal.SIGKILL)
        killed = time.monotonic()
        worker.wait(10)
        worker.ask_to_end()
        again = self._worker(then)
        try:
            took_s = self._caught_up(f"Recovery ({then})", again) - killed
        except BaseException:
            again.stop()
            raise
        said = wait_for("The worker's status", lambda: status(self._settings), START_S, again)
        self._found.append(
            Figure(
                then.figure,
                "s",
                (took_s,),
                f"kill -9 of a worker with {self._wearers:,} wearers live, started again at once, until every partition"
                f" is decided up to less than a second ago; {then}; checkpoints of each partition every"
                f" {self._interval_s:.0f} s, and the records that came meanwhile included; claims, checkpoints and"
                f" replay took {said['last_recovery_s']:.1f} s of it.",
                Target("at most", 20),
            )
        )
        return again, then

    # ------------------------------------------------------------------------------------------------------- children

    def _worker(self, way: Way) -> Leashed:
        status_file = self._settings.state_dir / "status" / f"{self._settings.stream.worker_id}.json"
        for left_by_the_dead in (self._settings.state_dir / "ticks.json", status_file):
            left_by_the_dead.unlink(missing_ok=True)
        more = {
            "PULSEWARDEN_CHECKPOINT__INTERVAL_S": str(self._interval_s),
            "PULSEWARDEN_STREAM__STATIC_MEMBERSHIP": str(way.static).lower(),
            "PULSEWARDEN_SCORING__ENABLED": str(way.scoring).lower(),
            "PULSEWARDEN_SCORING__DEVICE": "cpu",
        }
        return self._bench.start("worker", "benchmarks.ticking_worker", [], self._settings, **more)

    @contextmanager
    def _live(self) -> Iterator[None]:
        arguments = ["--wearers", str(self._wearers), "--for-ever"]
        with running(self._bench.start("live publisher", "benchmarks.publishing", arguments, self._settings)) as leash:
            self._publisher = leash
            yield

    def _caught_up(self, what: str, worker: Leashed) -> float:
        """Wait until a worker has caught up, and return when it had."""
        return float(self._seen(what, worker, lambda notes: notes["caught_up_s"]))

    def _until_noted(self, moment: float, worker: Leashed) -> dict[str, Any]:
        return dict(
            self._seen("Notes of the worker", worker, lambda notes: notes if notes["gaps"][-1][0] >= moment else None)
        )

    def _seen(self, what: str, worker: Leashed, look: Callable[[dict[str, Any]], Any]) -> Any:
        def noted() -> Any:
            notes = ticking_worker.read(self._settings)
            return None if notes is None else look(notes)

        return wait_for(what, noted, START_S, worker, self._publisher)

    def _rest(self, seconds: float, worker: Leashed) -> None:
        until = time.monotonic() + seconds
        wait_for("Time", lambda: True if time.monotonic() >= until else None, seconds + 10, worker, self._publisher)


def _gaps(notes: dict[str, Any], began: float, ended: float) -> tuple[list[float], list[float]]:
    """Return by how many ms ticks came late while a checkpoint was under way, and while none was."""
    copies = [(at, at + ms / 1000) for at, ms in notes["copies"]]
    spans = copies + [(at, at + seconds) for at, seconds in notes["writes"]]
    meanwhile, else_ = [0.0], [0.0]
    for at, ms in notes["gaps"]:
        if began <= at <= ended:
            # the worst tick of 0.1 s: it ended at most so long ago
            touched = any(at - ms / 1000 - 0.1 <= end and begin <= at + 0.1 for begin, end in spans)
            (meanwhile if touched else else_).append(ms)
    return meanwhile, else_


def _newest_sizes(place: Path) -> Iterator[int]:
    for folder in sorted(place.iterdir()):
        names = sorted(folder.glob("*.safetensors"))
        if names:
            yield names[-1].stat().st_size
