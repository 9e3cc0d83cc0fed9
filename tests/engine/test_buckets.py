"""I12: every input record ends in exactly one counted bucket, and nothing valid beside it is lost."""

import json
from typing import Any

import pytest

from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import ALERT_COMMANDS, HEART_RATE
from tests.engine.feed import MINUTE, PARTITIONS, START, feed

DAY_START = START + 10 * 60 * MINUTE
GOOD: dict[str, Any] = {
    "schema": "heart-rate/1",
    "event_id": "e",
    "wearer_id": "w1",
    "device_id": "d",
    "start": rfc3339(DAY_START),
    "offset_ms": [0],
    "bpm": [70],
}


def with_(**change: Any) -> bytes:
    return json.dumps({**GOOD, **change}).encode()


BAD: list[tuple[str, bytes | None, str]] = [
    ("truncated JSON", b'{"schema": "heart-r', "malformed_json"),
    ("not a number", with_().replace(b"[70]", b"[NaN]"), "malformed_json"),
    ("a number as a string", with_(bpm=["70"]), "invalid_field"),
    ("a wrong type", with_(bpm={"a": 1}), "invalid_field"),
    ("out of range", with_(bpm=[301]), "invalid_field"),
    ("a naive time", with_(start="2026-01-05T10:00:00"), "invalid_time"),
    ("two megabytes", with_(device_id="d", note="x" * 2_000_000), "too_large"),
    ("a newline in the id", with_(wearer_id="w\n1"), "invalid_field"),
    ("a future event", with_(start=rfc3339(DAY_START + 60 * MINUTE)), "future"),
    ("an event of 40 days ago", with_(start=rfc3339(DAY_START - 40 * 1440 * MINUTE)), "too_old"),
    ("an unknown schema version", with_(schema="heart-rate/9"), "unknown_schema"),
    ("a null value", None, "null_value"),
    ("lengths that differ", with_(bpm=[70, 71]), "length_mismatch"),
]


@pytest.mark.parametrize(("value", "reason"), [(v, r) for _, v, r in BAD], ids=[name for name, _, _ in BAD])
def test_a_bad_record_becomes_a_dead_letter_with_reason_and_origin(value: bytes | None, reason: str) -> None:
    f = feed()
    f.heart_rate("w1", DAY_START, [70] * 60)
    f.publish(HEART_RATE, value, DAY_START + MINUTE, key="w1")
    f.heart_rate("w1", DAY_START + MINUTE, [71] * 60)

    f.run(DAY_START + 5 * MINUTE)

    assert f.refused == {reason: 1}
    assert f.ingested == {HEART_RATE: 2}
    (letter,) = f.dead
    assert (letter["reason"], letter["origin_topic"], letter["origin_offset"]) == (reason, HEART_RATE, 1)


def test_a_key_that_is_not_the_wearer_and_another_partitioner_are_told_apart() -> None:
    f = feed()
    right = murmur2_partition(b"w1", PARTITIONS)
    f.publish(HEART_RATE, GOOD, DAY_START, key="w2")
    f.publish(HEART_RATE, GOOD, DAY_START, p=(right + 1) % PARTITIONS)

    f.run(DAY_START + MINUTE)

    assert f.refused == {"key_mismatch": 1, "wrong_partition": 1}
    assert len(f.engine.state) == 0


def test_a_command_for_no_open_alert_or_of_no_known_action_is_a_dead_letter() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 15)
    f.run(DAY_START + 16 * MINUTE)
    (alert,) = f.alerts("HR_HIGH_REST")
    f.command({**alert, "alert_id": "nobody"}, "acknowledge", DAY_START + 17 * MINUTE)
    f.command(alert, "snooze", DAY_START + 17 * MINUTE)
    f.command(alert, "acknowledge", DAY_START + 17 * MINUTE)

    f.run(DAY_START + 20 * MINUTE)

    assert f.refused == {"unknown_alert": 1, "unsupported_action": 1}
    assert f.ingested[ALERT_COMMANDS] == 1
    published = sum(len(records) for records in f.records.values())
    assert published == f.ingested.total() + f.refused.total()
