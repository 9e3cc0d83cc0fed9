"""A day of two wearers through the real engine, and the journal that its worker would have written."""

from pathlib import Path

from monitor.engine import Engine
from monitor.wearers.journal import Journal
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import RISK_SCORES, SLEEP
from tests.engine.feed import MINUTE, PARTITIONS, START, Feed, feed

ILL, WELL = "w-ill", "w-well"
HOUR = 60 * MINUTE


def published() -> Feed:
    """Publish what the devices would send: one is ill for an hour, both sleep, one measures pressure."""
    day = feed()
    for wearer in (ILL, WELL):
        day.profile(wearer, START, sex="female", height_cm=170.0, weight_kg=70.5, conditions=["copd"])
        day.weather(wearer, START + HOUR, 21.5, 40.0)
        for hour in range(26):
            bpm = 130 if wearer == ILL and hour == 9 else 70
            at = START + hour * HOUR
            day.heart_rate(wearer, at, [bpm] * 360, every_s=10)
            day.steps(wearer, at, [0] * 60)
        day.publish(SLEEP, _night(day, wearer), START + 7 * HOUR)
        day.publish(RISK_SCORES, _scores(wearer), START + 12 * HOUR, key=wearer)
    day.pressure(ILL, START + 10 * HOUR, 150, 90)
    return day


def write_day(folder: str | Path, *, every_h: int = 2) -> Engine:
    """Step the engine through the day, a journal file every so many hours."""
    day, journal = published(), Journal(folder, log="0a1b2c3d")
    written = dict.fromkeys(range(PARTITIONS), -1)
    for T in range(START, START + 26 * HOUR + 10 * MINUTE, 10 * MINUTE):
        step = day.cut(T)
        journal.add(step.journal)
        if (T - START) % (every_h * HOUR) == 0:
            for p in range(PARTITIONS):
                at = day.engine.position(p).at
                journal.write(p, 0, written[p], at, journal.take(p))
                written[p] = at
    for p in range(PARTITIONS):
        journal.write(p, 0, written[p], day.engine.position(p).at, journal.take(p))
    return day.engine


def _night(day: Feed, wearer: str) -> dict[str, object]:
    return {
        "schema": "sleep/1",
        "event_id": day.name(),
        "wearer_id": wearer,
        "device_id": "watch",
        "source_record_id": "night-1",
        "revision": 0,
        "start": rfc3339(START),
        "end": rfc3339(START + 6 * HOUR),
        "stage_start_s": [0, 3600],
        "stage": ["light", "deep"],
        "total_sleep_min": 360,
        "deep_min": 300,
    }


def _scores(wearer: str) -> dict[str, object]:
    return {
        "schema": "risk-scores/1",
        "scored_at_ms": START + 12 * HOUR - 1,
        "model_version": "abcdef012345",
        "heads": ["infection", "heat_strain"],
        "limit": [0.9, None],
        "wearer_id": [wearer],
        "probability": [[0.25], [None]],
        "coverage": [0.5],
        "missing": [0],
        "modalities": ["heart_rate"],
    }
