"""The slow, obvious twins of the blood-pressure signals: one wearer, readings as a list."""

import math
from dataclasses import dataclass

CUFFS = (1, 2)
MINUTE = 60_000
DAY = 86_400_000


@dataclass(frozen=True, order=True)
class SlowReading:
    time_ms: int
    systolic: int
    diastolic: int
    method: int


def by_cuff(readings: list[SlowReading], now_ms: int) -> list[SlowReading]:
    return sorted(r for r in readings if 0 < r.time_ms <= now_ms and r.method in CUFFS and 0 < r.diastolic < r.systolic)


def sittings(readings: list[SlowReading], now_ms: int) -> list[list[SlowReading]]:
    found: list[list[SlowReading]] = []
    for reading in by_cuff(readings, now_ms):
        if found and reading.time_ms - found[-1][0].time_ms <= 10 * MINUTE:
            found[-1].append(reading)
        else:
            found.append([reading])
    return found


def mean(values: list[int]) -> float:
    return sum(values) / len(values)


def week_mean(readings: list[SlowReading], now_ms: int) -> float:
    week = [r.systolic for r in by_cuff(readings, now_ms) if r.time_ms > now_ms - 7 * DAY]
    return mean(week) if len(week) >= 6 else math.nan


def slope(readings: list[SlowReading], now_ms: int) -> float:
    points = [
        ((s[0].time_ms - now_ms) / DAY, mean([r.systolic for r in s]))
        for s in sittings(readings, now_ms)
        if s[0].time_ms > now_ms - 28 * DAY
    ]
    if len(points) < 3 or points[-1][0] - points[0][0] < 3:
        return math.nan
    x0, y0 = (sum(p[k] for p in points) / len(points) for k in (0, 1))
    return sum((x - x0) * (y - y0) for x, y in points) / sum((x - x0) ** 2 for x, _ in points)


def dip_percent(awake: list[int], asleep: list[int]) -> float:
    if len(awake) < 3 or len(asleep) < 2:
        return math.nan
    return 100 * (1 - mean(asleep) / mean(awake))
