"""A worker's memory with 10,000 wearers, the risk model included, after all of them were scored."""

import time
from typing import Any

from benchmarks.broker import Bench, running, status, wait_for
from benchmarks.catching_up import counted, publish
from benchmarks.child_process import peak_rss_mib, pid_under
from benchmarks.figure import Figure, Target
from benchmarks.fleet_load import WEARERS

MINUTES = 3
TIMEOUT_S = 180.0
SCORING_S = 60.0
"""Longest wait for everybody's score: what is held while scores wait counts too, and is at its largest early."""


class WorkerMemory:
    """One worker that takes in three minutes of everybody and scores everybody."""

    def __init__(self, bench: Bench, wearers: int = WEARERS) -> None:
        self._bench, self._wearers = bench, wearers
        self._peak: list[float] = []
        self._after: list[float] = []
        self._rounds = self._scored = 0

    def prepare(self) -> None:
        """Nothing; each round has a log of its own."""

    def round(self) -> None:
        """Publish, let the worker come to rest, and ask the kernel."""
        self._rounds += 1
        settings = self._bench.settings(f"memory-{self._rounds}", stream={"clock": "log"}, scoring={"device": "cpu"})
        publish(self._bench, settings, self._wearers, MINUTES)
        with running(self._bench.start("worker", "monitor", ["worker"], settings)) as leash:

            def scored() -> dict[str, Any] | None:
                said = status(settings)
                if said is None or counted(said)[0] < self._wearers * MINUTES:
                    return None
                done = said["scores"] + said["scores_given_up"] >= self._wearers
                return said if done or time.monotonic() - began > SCORING_S else None

            began = time.monotonic()
            said = wait_for("Taking in everybody's minutes", scored, TIMEOUT_S, leash)
            self._scored = said["scores"]
            self._peak.append(peak_rss_mib(pid_under(leash)))
            self._after.append(said["rss_mib"])

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        note = (
            f"One `python -m monitor worker` on the CPU with {self._wearers:,} wearers after {MINUTES} minutes of data"
            f" and {self._scored:,} scores, torch included"
        )
        return [
            Figure("memory", "MiB", tuple(self._peak), f"{note}: the largest resident size.", Target("at most", 800)),
            Figure("memory-after", "MiB", tuple(self._after), f"{note}: resident size afterwards."),
        ]
