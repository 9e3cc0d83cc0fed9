"""A gateway that was away brings half a day of many wearers: the memory that the process needs for it.

Run as a program it is the process that is measured: it prints one JSON object.
"""

import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.child_process import peak_rss_mib
from benchmarks.figure import Figure, Target
from benchmarks.in_process import MINUTE_MS, TEAMS, Log, Message
from monitor.alerting.limits import Limits
from monitor.engine import Engine
from monitor.errors import PulsewardenError
from simulators import envelopes
from simulators.chance import generator
from stream_schemas.topics import DEAD_LETTER, HEART_RATE

WEARERS, HOURS = 20_000, 12
OF_A_STEP = 4_000
START_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
NOW_MS = START_MS + 1440 * MINUTE_MS
RECORDS_A_SECOND = 4_000
"""As they are received: all of 14.4 million come within the two hours that a late minute lives."""
ILL_ONE_IN, ILL_MIN = 200, 90
KINDS = 64
TIMEOUT_S = 3_600.0


class BurstFailed(PulsewardenError):
    """The process that was to be measured ended early."""


def messages(wearers: int, hours: int) -> Iterator[Message]:
    """Yield a minute of the present of everybody, then all that the gateway held, wearer by wearer, oldest first.

    Every wearer's minutes begin at a second of their own, so that most lie in two envelopes. One in 200 had
    tachycardia for an hour and a half.
    """
    rng = generator(1, "burst")
    minute = np.rint(70 + 3 * rng.standard_normal((KINDS, 60))).astype(np.int64)
    calm, ill = minute.tolist(), (minute + 70).tolist()
    for number in range(wearers):
        name = f"burst-{number:06d}"
        value = _minute(name, "now", NOW_MS - MINUTE_MS, calm[number % KINDS])
        yield HEART_RATE, name.encode(), value, NOW_MS + number * 1000 // RECORDS_A_SECOND
    sent = wearers
    for number in range(wearers):
        name = f"burst-{number:06d}"
        key, begin_ms = name.encode(), NOW_MS - (hours * 60 + 2) * MINUTE_MS + number % 60 * 1000
        is_ill = number % ILL_ONE_IN == 1
        for k in range(hours * 60):
            beats = (ill if is_ill and k < ILL_MIN else calm)[(number + k) % KINDS]
            yield (
                HEART_RATE,
                key,
                _minute(name, str(k), begin_ms + k * MINUTE_MS, beats),
                NOW_MS + sent * 1000 // RECORDS_A_SECOND,
            )
            sent += 1


def _minute(name: str, event: str, start_ms: int, bpm: list[int]) -> bytes:
    return envelopes.heart_rate(name, f"{name}-{event}", start_ms, envelopes.EVERY_SECOND, bpm, context="at_rest")


def take_in(wearers: int, hours: int) -> dict[str, Any]:
    """Take all of it in; return the peak memory, the CPU time, and what identifies the alerts."""
    engine = Engine(Limits(), partitions=1, teams=TEAMS)
    engine.open(0)
    log, part = Log(engine, 1), list[Message]()
    records = alerts = digest = 0
    began = time.process_time()

    def step(T: int) -> None:
        nonlocal records, alerts, digest
        told = log.step(T, part)
        if told.dead_letters:
            raise RuntimeError(f"The load is not valid: {dict(told.dead_letters)}.")
        for output in told.outputs.get(0, []):
            if output.topic != DEAD_LETTER:
                alerts, digest = alerts + 1, zlib.crc32(output.value, digest)
        records += len(part)
        part.clear()

    last_ms = NOW_MS
    for message in messages(wearers, hours):
        part.append(message)
        last_ms = message[3]
        if len(part) == OF_A_STEP:
            step(last_ms + 1)
    step(last_ms + 2 * MINUTE_MS)
    return {
        "peak_mib": peak_rss_mib(os.getpid()),
        "cpu_s": time.process_time() - began,
        "records": records,
        "alerts": alerts,
        "digest": digest,
    }


class BurstMemory:
    """A process of its own that takes in half a day of everybody."""

    def __init__(self, wearers: int = WEARERS, hours: int = HOURS) -> None:
        self._wearers, self._hours = wearers, hours
        self._said: list[dict[str, Any]] = []

    def prepare(self) -> None:
        """Nothing; each round is a process."""

    def round(self) -> None:
        """Run it, and read what it says.

        Raises
        ------
        BurstFailed
            If it ends without a word.
        """
        command = [sys.executable, "-m", "benchmarks.burst_memory", str(self._wearers), str(self._hours)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode:
            raise BurstFailed(f"The process of burst-memory ended with {done.returncode}: {done.stderr[-300:]}")
        self._said.append(json.loads(done.stdout))

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        last = self._said[-1]
        note = (
            f"In a process of its own: a gateway brings {self._hours} h of {self._wearers:,} wearers, wearer by wearer,"
            f" {last['records']:,} envelopes of 60 samples that are all late, {OF_A_STEP:,} a step, within"
            f" the two hours that a late minute lives; {last['alerts']:,} versions of alerts"
        )
        peak = tuple(one["peak_mib"] for one in self._said)
        taken = tuple(one["records"] / one["cpu_s"] for one in self._said)
        return [
            Figure("burst-memory", "MiB", peak, f"{note}: the largest resident size.", Target("at most", 3072)),
            Figure("burst-memory-rate", "records/s of one core", taken, f"{note}: with the making of the records."),
        ]


if __name__ == "__main__":
    print(json.dumps(take_in(int(sys.argv[1]), int(sys.argv[2]))))
