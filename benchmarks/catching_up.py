"""A worker and, beside it, a stock Faust agent that does nothing: both catch up on the same log of a real broker."""

import json
import time
from dataclasses import replace
from typing import Any

from benchmarks.broker import Bench, BenchmarkFailed, forget_what_workers_wrote, running, status, wait_for
from benchmarks.child_process import cpu_s, pid_under
from benchmarks.figure import Figure, Target, rate
from benchmarks.fleet_load import MIX, WEARERS
from monitor.settings import Settings
from stream_schemas.topics import ACTIVITY, HEART_RATE

TIMEOUT_S = 240.0
FROM = 0.1
"""Share of the log after which the measurement begins: start-up and the fleet's first sight lie before."""
PEER = "stock Faust agent that does nothing"

Point = tuple[float, float, int]
"""Monotonic seconds, CPU seconds of the worker, heart-rate envelopes ingested."""


class CatchingUp:
    """One log, published once; in each round a fresh worker and a fresh stock Faust agent read it."""

    def __init__(
        self, bench: Bench, *, minutes: int = 20, wearers: int = WEARERS, stock_messages: int = 50_000
    ) -> None:
        self._bench, self._minutes, self._wearers = bench, minutes, wearers
        self._stock_messages = stock_messages
        self._total = minutes * wearers
        self._cpu: list[tuple[float, float]] = []
        self._wall: list[tuple[float, float]] = []
        self._all: list[tuple[float, float]] = []
        self._stock: list[tuple[float, float]] = []

    def prepare(self) -> None:
        """Publish the log."""
        self._settings = self._bench.settings("catching-up", stream={"clock": "log"}, scoring={"enabled": False})
        publish(self._bench, self._settings, self._wearers, self._minutes)

    def round(self) -> None:
        """Let the worker catch up, then stock Faust."""
        self._worker()
        self._stock_faust()

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        log = (
            f"a log of {self._total:,} {MIX}; {self._wearers:,} wearers, {self._settings.stream.partitions} partitions"
        )
        how = (
            f"One `python -m monitor worker` catching up on {log}. Cuts, journal and alerts included, risk model off;"
            f" taken from {FROM:.0%} of the log to its end. Heart-rate envelopes counted, the others worked but not"
        )
        stock = rate(
            "stock-faust",
            self._stock,
            "messages/s of one core",
            f"The peer: {PEER}, raw bytes, on the same topics, {self._stock_messages:,} messages after the first 5,000,"
            " in the same rounds; process CPU time. Here all messages count.",
            None,
        )
        messages = rate(
            "worker-messages",
            self._all,
            "messages/s of one core",
            "The same worker and CPU time with all messages counted, as for the peer.",
            Target("at least", 2, "ratio"),
        )
        return [
            rate("worker", self._cpu, "envelopes/s of one core", f"{how}; CPU time.", Target("at least", 20_000)),
            Figure(
                "worker-catch-up",
                "x real time",
                tuple(done / seconds / self._wearers * 60 for done, seconds in self._wall),
                f"{how}; minutes of the log in a minute of wall time, broker on the same machine: what a worker that"
                " was away needs to be live again.",
                Target("at least", 20),
            ),
            rate("worker-wall", self._wall, "envelopes/s", f"{how}; wall time, broker on the same machine.", None),
            replace(messages, peer=PEER, ratio=messages.value / stock.value),
            stock,
        ]

    def _worker(self) -> None:
        forget_what_workers_wrote(self._settings)
        points: list[Point] = []
        with running(self._bench.start("worker", "monitor", ["worker"], self._settings)) as leash:
            pid = wait_for("The start of the worker", lambda: _pid(leash), 10, leash)
            messages: list[int] = []

            def caught_up() -> bool | None:
                said = status(self._settings)
                if said is None:
                    return None
                done, every = counted(said)
                if not points or done != points[-1][2]:
                    points.append((time.monotonic(), cpu_s(pid), done))
                    messages.append(every)
                return True if done >= self._total else None

            wait_for("Catching up", caught_up, TIMEOUT_S, leash)
        first, last = measured(points, self._total)
        seconds, cpu, done = (points[last][i] - points[first][i] for i in range(3))
        self._cpu.append((done, cpu))
        self._wall.append((done, seconds))
        self._all.append((messages[last] - messages[first], cpu))

    def _stock_faust(self) -> None:
        prefix = self._settings.kafka.topic_prefix
        arguments = [
            self._settings.kafka.bootstrap_servers,
            f"{prefix}{HEART_RATE},{prefix}{ACTIVITY}",
            str(self._stock_messages),
            str(self._bench.folder / "stock-faust"),
        ]
        with running(self._bench.start("stock Faust", "benchmarks.stock_faust", arguments, self._settings)) as leash:
            wait_for("The end of stock Faust", leash.poll, TIMEOUT_S, leash)
            _, found, said = leash.tail(50).rpartition('{"messages"')  # Faust writes to the terminal before it
        if not found:
            raise BenchmarkFailed(f"Stock Faust did not say what it cost:\n{leash.tail(12)}")
        cost = json.loads((found + said).splitlines()[0])
        self._stock.append((cost["messages"], cost["cpu_s"]))


def publish(bench: Bench, settings: Settings, wearers: int, minutes: int) -> None:
    """Publish the fleet's minutes from a process of its own and wait for its end."""
    arguments = ["--wearers", str(wearers), "--minutes", str(minutes)]
    with running(bench.start("publisher", "benchmarks.publishing", arguments, settings)) as leash:
        if wait_for("Publishing the log", leash.poll, TIMEOUT_S, leash) != 0:
            raise BenchmarkFailed(f"The log was not published:\n{leash.tail(12)}")


def counted(said: dict[str, Any]) -> tuple[int, int]:
    """Return heart-rate envelopes and all messages that a worker's status says it took in.

    Raises
    ------
    BenchmarkFailed
        If anything was refused: the figure would be of something else.
    """
    if said["dead_letters"]:
        raise BenchmarkFailed(f"The worker refused records of the load: {said['dead_letters']}.")
    return said["events_ingested"].get(HEART_RATE, 0), sum(said["events_ingested"].values())


def measured(points: list[Point], total: int) -> tuple[int, int]:
    """Return which points to measure between: the first beyond the start, and the last before idleness begins."""
    first = next(i for i, point in enumerate(points) if point[2] >= FROM * total)
    last = len(points) - 1
    if last - first >= 3 and points[last][2] >= total:
        last -= 1  # the status that tells the end comes up to a second after it
    if last <= first:
        raise BenchmarkFailed(
            "The log is too short to be measured: the worker read it between two lines of its status."
        )
    return first, last


def _pid(leash: Any) -> int | None:
    try:
        return pid_under(leash)
    except (FileNotFoundError, IndexError):
        return None
