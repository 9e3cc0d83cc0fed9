"""Half a day of three wearers of one partition, and the moment at which engines of every checkpoint format saved it.

At `SAVED_AT` alerts of several rules are open, one has ended, late minutes are being put together, the rules have been
switched and will be again, and an event of every kind waits for T. Files of `tests/engine/saved_by_format_N` are what
`write` left with the engine of that format; this module keeps to what all those engines understand.
"""

import sys
from pathlib import Path
from typing import Any

from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import CONTROL, INPUTS, RISK_SCORES, SLEEP
from tests.engine.feed import MINUTE, PARTITIONS, START, Feed, feed

PARTITION = 3
BEGIN = START + 10 * 60 * MINUTE
SAVED_AT = BEGIN + 60 * MINUTE
END = SAVED_AT + 90 * MINUTE
READ_AHEAD_MS = 30_000


def _named(role: str) -> str:
    names = (f"{role}-{n}" for n in range(1000))
    return next(name for name in names if murmur2_partition(name.encode(), PARTITIONS) == PARTITION)


FAST, SLOW, GONE = _named("fast"), _named("slow"), _named("gone")


def lived(f: Feed) -> None:
    """Publish all of it, but for what answers an alert (`answered`)."""
    f.profile(FAST, BEGIN - 400 * MINUTE, time_zone="Asia/Kolkata", team="south")
    f.profile(SLOW, BEGIN - 400 * MINUTE, time_zone="America/Lima", conditions=["pregnant"])
    f.profile(GONE, BEGIN - 400 * MINUTE, time_zone="America/Lima")
    _switched(f, "hr_high_rest_bpm = 118", BEGIN - 390 * MINUTE)
    _slept(f, FAST, BEGIN - 200 * MINUTE, 420)
    f.minutes(FAST, BEGIN, [70] * 25 + [126] * 95 + [75] * 30)
    f.minutes(SLOW, BEGIN, [62] * 20)
    f.minutes(SLOW, BEGIN + 30 * MINUTE, [62] * 120)
    f.minutes(GONE, BEGIN, [66] * 20)
    for at in (30, 36, 75):
        f.pressure(SLOW, BEGIN + at * MINUTE, 186, 118)
    f.weather(FAST, BEGIN, 41, 40)
    late = BEGIN - 300 * MINUTE
    for m in range(6):
        f.heart_rate(GONE, late + m * MINUTE, [90] * 40, stamp=SAVED_AT - 4 * MINUTE + m * 1000)
    _of_every_kind(f)
    _scored(f, SAVED_AT - 20 * MINUTE, 0.6)
    _scored(f, SAVED_AT + 3 * MINUTE, 0.2)
    for log in f.records.values():
        log.sort(key=lambda r: r.stamp_ms)


def _of_every_kind(f: Feed) -> None:
    """One record of every kind that is read before T has passed it, and a switch of rules."""
    at = SAVED_AT + 2000
    f.profile(GONE, at, time_zone="Asia/Kolkata", team="south")
    f.heart_rate(GONE, at - 30_000, [68] * 20, stamp=at + 1000)
    f.steps(GONE, SAVED_AT - 2 * MINUTE, [3], stamp=at + 2000)
    _slept(f, SLOW, at - 31 * MINUTE, 300, stamp=at + 3000)
    f.weather(SLOW, at + 3000, 38, 70)
    f.pressure(SLOW, at + 4000, 187, 121)
    _scored(f, at + 6000, 0.7)
    _switched(f, "hr_high_rest_bpm = 130", at + 8000)


def answered(f: Feed) -> None:
    """Let a nurse acknowledge the blood pressure; the answer waits at `SAVED_AT`."""
    *_, alert = f.alerts("BP_SEVERE")
    f.command(alert, "acknowledge", SAVED_AT + 9000)


def _switched(f: Feed, content: str, at: int) -> None:
    event = {"schema": "control/1", "kind": "rules", "content": content, "at": rfc3339(at)}
    f.publish(CONTROL, event, at, key="", p=PARTITION)


def _scored(f: Feed, at: int, probability: float) -> None:
    event = {
        "schema": "risk-scores/1",
        "scored_at_ms": at,
        "model_version": "abc",
        "heads": ["infection", "sub_health"],
        "limit": [0.4, None],
        "wearer_id": [FAST, SLOW],
        "probability": [[probability, 0.1], [0.9, 0.1]],
        "coverage": [0.9, 0.9],
        "missing": [2, 2],
        "modalities": ["heart_rate", "sleep"],
    }
    f.publish(RISK_SCORES, event, at + 100, key="", p=PARTITION)


def _slept(f: Feed, wearer: str, end: int, minutes: int, *, stamp: int | None = None) -> None:
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
    f.publish(SLEEP, event, end + 30 * MINUTE if stamp is None else stamp)


def until_saved(f: Feed) -> None:
    """Live up to `SAVED_AT`, and read on half a minute."""
    lived(f)
    for T in range(BEGIN - 410 * MINUTE, SAVED_AT, MINUTE):
        f.cut(T, upto=T + READ_AHEAD_MS)
    answered(f)
    f.cut(SAVED_AT, upto=SAVED_AT + READ_AHEAD_MS)


def until_the_end(f: Feed) -> None:
    """Live on to `END`."""
    for T in range(SAVED_AT + MINUTE, END, MINUTE):
        f.cut(T, upto=T + READ_AHEAD_MS)


def write(place: Path) -> None:
    """Keep the partition as this version's engine saves it, with this version's checkpoints."""
    f = feed()
    until_saved(f)
    books = b'{"read":{},"refused":[]}'
    checkpoint = Checkpoint(PARTITION, f.engine.position(PARTITION), f.engine.save(PARTITION), books, INPUTS)
    Checkpoints(place, partitions=PARTITIONS).write(checkpoint)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
