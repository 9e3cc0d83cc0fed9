"""The fleet that the engine, the worker and stock Faust are given: who sends what, when.

Every wearer's watch sends one heart-rate envelope a minute (60 one-second samples, about 700 bytes) that begins at a
second of its own, and every fifth minute one activity envelope with the steps of five minutes. Every fifth wearer
walks, the others sit. Every 200th wearer has tachycardia at rest from the fourth minute on, so that rules raise
alerts and do not only say no.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulators import envelopes
from simulators.chance import generator
from stream_schemas.rfc3339 import text as rfc3339

MINUTE_MS = 60_000
START_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
WEARERS = 10_000
STEPS_EVERY_MIN = 5
ILL_ONE_IN = 200
ILL_FROM_MIN = 3
ARRIVES_AFTER_MS = 1_000
MIX = (
    "60-sample heart-rate JSON envelopes of about 700 bytes, and for every five of them one activity envelope of five"
    " minutes; 1 wearer in 200 has tachycardia at rest"
)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What arrives together: (arrival epoch ms, key, value) of both kinds."""

    arrived_ms: int
    heart_rate: list[tuple[bytes, bytes]]
    activity: list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Some wearers, spread evenly over the minute in `sweeps` groups.

    Attributes
    ----------
    wearers : a multiple of sweeps.
    sweeps : a minute; each holds wearers / sweeps heart-rate envelopes.
    start_ms : whole minute.
    """

    wearers: int = WEARERS
    sweeps: int = 25
    start_ms: int = START_MS
    seed: int = 1

    @property
    def names(self) -> list[str]:
        """Ids."""
        return [f"fleet-{number:06d}" for number in range(self.wearers)]

    def minute(self, minute: int) -> Iterator[Sweep]:
        """Yield the sweeps of one minute. The same arguments give the same bytes."""
        rng = generator(self.seed, "benchmark", minute)
        many = self.wearers // self.sweeps
        for sweep in range(self.sweeps):
            first = sweep * many
            phase_ms = sweep * MINUTE_MS // self.sweeps // 1000 * 1000
            at_ms = self.start_ms + minute * MINUTE_MS + phase_ms
            bpm = np.rint(70 + 2 * rng.standard_normal((many, 60)) + 8 * rng.random((many, 1))).astype(np.int64)
            if minute >= ILL_FROM_MIN:
                bpm[-first % ILL_ONE_IN :: ILL_ONE_IN] += 70
            beats = bpm.tolist()
            heart_rate, activity = [], []
            for row in range(many):
                number = first + row
                name = f"fleet-{number:06d}"
                key = name.encode()
                value = envelopes.heart_rate(
                    name, f"{name}-h{minute}", at_ms, envelopes.EVERY_SECOND, beats[row], context="unknown"
                )
                heart_rate.append((key, value))
                if minute and (minute + number) % STEPS_EVERY_MIN == 0:
                    begin_ms = self.start_ms + (minute - STEPS_EVERY_MIN) * MINUTE_MS
                    steps = [90 if number % STEPS_EVERY_MIN == 1 else 0] * STEPS_EVERY_MIN
                    activity.append((key, envelopes.activity(name, f"{name}-a{minute}", begin_ms, steps)))
            yield Sweep(at_ms + MINUTE_MS - 1000 + ARRIVES_AFTER_MS, heart_rate, activity)

    def profiles(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield everybody's wearer/1 record."""
        start = rfc3339(self.start_ms)
        for number, name in enumerate(self.names):
            yield (
                name.encode(),
                (
                    f'{{"schema":"wearer/1","event_id":"{name}-p","wearer_id":"{name}","start":"{start}",'
                    f'"team":"{"north" if number % 2 else "south"}","time_zone":"UTC","age_years":{20 + number % 60},'
                    '"conditions":[],"medications":[],"consent":true}'
                ).encode(),
            )
