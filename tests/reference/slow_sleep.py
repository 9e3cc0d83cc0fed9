"""The slow, obvious twins of the sleep signals: one wearer, sessions as a list, every minute looked at."""

import cmath
import math
import statistics
from dataclasses import dataclass

DAY = 1440
NOON = 720


@dataclass(frozen=True)
class SlowSession:
    source: int
    revision: int
    start: int
    end: int
    offset: int


def standing(sessions: list[SlowSession], now: int) -> list[SlowSession]:
    ended = [s for s in sessions if s.start > 0 and 0 < s.end <= now]
    newest = [s for s in ended if not any(o.source == s.source and o.revision > s.revision for o in ended)]
    true = [s for s in newest if 0 < s.end - s.start <= DAY]
    kept: list[SlowSession] = []
    for one in sorted(true, key=lambda s: (s.start - s.end, s.start, s.source)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return kept


def regularity(kept: list[SlowSession], now: int, slots: int, held: int, days: int = 14) -> tuple[float, int]:
    """Index and pairs of days; `held` of `slots` slots are taken."""
    if not kept:
        return math.nan, 0
    newest = max(kept, key=lambda s: s.end)
    last = (now + newest.offset - NOON) // DAY  # the day from this noon on is not whole yet
    asleep = {minute + s.offset for s in kept for minute in range(s.start, s.end)}
    known = set()
    for s in kept:
        middle = (s.start + s.end + 2 * s.offset - 2 * NOON) // (2 * DAY)
        if s.end - s.start >= 180 and last - days <= middle < last:
            known.add(middle)
    if held == slots and known:
        known.discard(min(known))
    pairs = [day for day in known if day + 1 in known]
    if len(pairs) < 5:
        return math.nan, len(pairs)
    same = sum(
        (minute in asleep) == (minute + DAY in asleep)
        for day in pairs
        for minute in range(day * DAY + NOON, day * DAY + NOON + DAY)
    )
    return 200 * same / (len(pairs) * DAY) - 100, len(pairs)


def mean_clock(minutes: list[float]) -> float:
    total = sum(cmath.exp(2j * math.pi * m / DAY) for m in minutes)
    return cmath.phase(total) / (2 * math.pi) * DAY % DAY


def around(minutes: float) -> float:
    return (minutes + NOON) % DAY - NOON


def midpoint_sd(minutes: list[float]) -> float:
    if len(minutes) < 5:
        return math.nan
    middle = mean_clock(minutes)
    return statistics.stdev([around(m - middle) for m in minutes], xbar=0.0)


def waking(stages: list[int]) -> tuple[float, float]:
    """Latency and wake after onset of one session, minute by minute."""
    slept = [k for k, stage in enumerate(stages) if stage > 1]
    if not slept or 0 in stages:
        return math.nan, math.nan
    return float(slept[0]), float(sum(stage == 1 for stage in stages[slept[0] :]))
