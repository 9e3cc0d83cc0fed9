"""What one more cut costs a worker: the same idle worker at two rates of cuts, and the difference."""

import time

from benchmarks.broker import Bench, BenchmarkFailed, running, status, wait_for
from benchmarks.child_process import cpu_s, pid_under
from benchmarks.figure import Figure, Target

PARTITIONS = 8
SECONDS = 15.0
START_S = 60.0
PACE_MS = 50
SELDOM_MS, OFTEN_MS = 1_000, 50


class CutCost:
    """Two workers, one after the other, that have nothing to read and cut all their partitions together."""

    def __init__(self, bench: Bench, seconds: float = SECONDS) -> None:
        self._bench, self._seconds = bench, seconds
        self._rounds = 0
        self._cost_us: list[float] = []
        self._a_second: list[float] = []

    def prepare(self) -> None:
        """Nothing; each worker has topics of its own."""

    def round(self) -> None:
        """Measure both rates."""
        self._rounds += 1
        seldom, often = self._run(SELDOM_MS), self._run(OFTEN_MS)
        if often[0] <= 2 * seldom[0]:
            raise BenchmarkFailed(f"The two workers cut alike: {seldom[0]:.0f} and {often[0]:.0f} cuts a second.")
        self._cost_us.append(1e6 * (often[1] - seldom[1]) / (often[0] - seldom[0]))
        self._a_second.append(often[0])

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        return [
            Figure(
                "cut",
                "us of CPU",
                tuple(self._cost_us),
                f"An idle worker with {PARTITIONS} partitions, cut together in one step: CPU time of its process at"
                f" {max(self._a_second):,.0f} cuts a second less that at few, over the cuts more.",
                Target("at most", 150),
            )
        ]

    def _run(self, idle_cut_ms: int) -> tuple[float, float]:
        """Return cuts and CPU seconds a second."""
        settings = self._bench.settings(
            f"cuts-{self._rounds}-{idle_cut_ms}",
            stream={"partitions": PARTITIONS, "pace_ms": PACE_MS, "idle_cut_ms": idle_cut_ms},
            scoring={"enabled": False},
        )
        more = {"PULSEWARDEN_STREAM__IDLE_CUT_MS": str(idle_cut_ms), "PULSEWARDEN_STREAM__PACE_MS": str(PACE_MS)}
        with running(self._bench.start("worker", "monitor", ["worker"], settings, **more)) as leash:

            def cuts() -> int | None:
                said = status(settings)
                return said["cuts"] if said is not None and len(said["assigned"]) == PARTITIONS else None

            def changed(before: int) -> tuple[int, float, float]:
                def seen() -> tuple[int, float, float] | None:
                    now = cuts()
                    return None if now in (None, before) else (now or 0, time.monotonic(), cpu_s(pid_under(leash)))

                found: tuple[int, float, float] = wait_for("The worker's next status", seen, START_S, leash)
                return found

            first = changed(wait_for("The start of the worker", cuts, START_S, leash))
            until = first[1] + self._seconds
            wait_for("Time", lambda: True if time.monotonic() >= until else None, self._seconds + 10, leash)
            last = changed(wait_for("The worker's status", cuts, START_S, leash))
        seconds = last[1] - first[1]
        return (last[0] - first[0]) / seconds, (last[2] - first[2]) / seconds
