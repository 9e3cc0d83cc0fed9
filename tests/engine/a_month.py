"""Four weeks of a few wearers, 16 h a day: enough for every rule that looks at days, rhythm and weeks to raise."""

import random
from typing import Any

from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import SLEEP
from tests.engine.feed import MINUTE, START, Feed

DAY = 1440 * MINUTE
DAYS = 24
HOURS = 8  # of one envelope; a sample every 5 min
LAST = START + (DAYS - 1) * DAY
END = LAST + DAY
RULES_OF_DAYS = ("NIGHT_SIGNAL", "PERSONAL_CUSUM", "TREND_DEV", "POOR_RECOVERY", "SLEEP_DEBT", "SUB_HEALTH")


def a_month(f: Feed, seed: int, *, days: int = DAYS) -> None:
    """Records in the order of their stamps: `ill` falls ill, `tired` sleeps little, `beats` is irregular on one day."""
    rng = random.Random(seed)
    for d in range(days):
        midnight = START + d * DAY
        sick = d >= DAYS - 4
        a_day(f, "ill", midnight, 56 + rng.random() + 10 * sick, 10 if sick else 70 + rng.randrange(4))
        a_day(f, "tired", midnight, 60 + rng.random(), 10)
        slept(f, "tired", midnight + 6 * 60 * MINUTE, 300)
        for at in (7, 8):
            f.pressure("tired", midnight + at * 60 * MINUTE, 150 + rng.randrange(4), 96)
        hard = d >= DAYS - 3
        a_day(f, "runner", midnight, 52 + rng.random() + 7 * hard, 60, run_min=90 if hard else 20)
    for m in range(100 if days == DAYS else 0):
        at = LAST + 9 * 60 * MINUTE + m * MINUTE
        rr = [rng.choice([460, 520, 600]) for _ in range(60)] if 20 <= m < 80 else [520] * 60
        f.heart_rate("beats", at, [115] * 60, rr_ms=rr)
        f.steps("beats", at, [0])
    if days == DAYS:
        f.pressure("beats", LAST + 9 * 60 * MINUTE + 30 * MINUTE, 88, 60)
    for log in f.records.values():
        log.sort(key=lambda r: r.stamp_ms)


def a_day(f: Feed, wearer: str, midnight: int, bpm: float, steps: int, *, run_min: int = 0) -> None:
    """Midnight to 16:00: still until 8:00, then a run if there is one, then steps in the first half of each hour."""
    for begins in range(0, 16, HOURS):
        start = midnight + begins * 60 * MINUTE
        samples = [round(bpm) + (k % 3 == 0) for k in range(HOURS * 12)]
        f.heart_rate(wearer, start, samples, every_s=300)
        minutes = range(begins * 60, (begins + HOURS) * 60)
        walked = [0 if m < 480 else 110 if m < 480 + run_min else steps * (m % 60 < 30) for m in minutes]
        f.steps(wearer, start, walked, stamp=start + (HOURS * 60 - 5) * MINUTE + 1000)


def slept(f: Feed, wearer: str, end: int, minutes: int) -> None:
    """One night, told half an hour after it ended."""
    event: dict[str, Any] = {
        "schema": "sleep/1",
        "event_id": f.name(),
        "wearer_id": wearer,
        "device_id": "d",
        "start": rfc3339(end - minutes * MINUTE),
        "end": rfc3339(end),
        "stage_start_s": [0],
        "stage": ["light"],
        "total_sleep_min": minutes,
        "source_record_id": f"{wearer}-{end}",
        "revision": 0,
    }
    f.publish(SLEEP, event, end + 30 * MINUTE)
