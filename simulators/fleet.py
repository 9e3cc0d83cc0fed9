"""Load: heart-rate envelopes of a large fleet, encoded, at a given rate. The numbers have no physiology."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from simulators import envelopes
from simulators.chance import generator

MINUTE_MS = 60_000
START_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
NAP_S = 0.001

T = TypeVar("T")


def wearer_ids(wearers: int) -> list[str]:
    """Return the ids of a fleet."""
    return [f"fleet-{index:07d}" for index in range(wearers)]


def heart_rate_envelopes(
    wearers: int, minutes: int = 1, *, start_ms: int = START_MS, seed: int = 1
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) of 60-sample heart-rate/1 messages of about 700 bytes, minute by minute, wearer by wearer.

    Rates wander around 74 bpm and never trigger a rule. The same arguments give the same bytes.
    """
    names = wearer_ids(wearers)
    keys = [name.encode() for name in names]
    for minute in range(minutes):
        rng = generator(seed, "fleet", minute)
        at_ms = start_ms + minute * MINUTE_MS
        number = at_ms // MINUTE_MS
        for begin in range(0, wearers, 4096):
            many = min(4096, wearers - begin)
            level = 74 + 8 * rng.standard_normal((many, 1)).clip(-2, 2)
            bpm = np.rint(level + 2 * rng.standard_normal((many, 60))).astype(np.int64).tolist()
            for row, rates in enumerate(bpm, begin):
                event_id = f"{names[row]}-h{number}"
                value = envelopes.heart_rate(
                    names[row], event_id, at_ms, envelopes.EVERY_SECOND, rates, context="unknown"
                )
                yield keys[row], value


def offered(items: Iterable[T], rate_per_s: float) -> Iterator[T]:
    """Yield *items* at *rate_per_s*, never faster; one that is late does not slow down those after it."""
    begun = time.monotonic()
    for number, item in enumerate(items):
        due = begun + number / rate_per_s
        while (left := due - time.monotonic()) > 0:
            time.sleep(min(left, 0.05) if left > NAP_S else NAP_S)
        yield item
