import json

import pytest

from benchmarks.in_process import Message, OutOfOrder, run
from monitor.alerting.limits import Limits
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import ACTIVITY, HEART_RATE
from tests.engine.feed import feed

START = 1_767_571_200_000
MINUTE = 60_000


def messages(minutes: int, bpm: int, wearer: str = "w1", start: int = START) -> list[Message]:
    """One envelope of 1-s samples and one of steps a minute, received when the minute is over."""
    made: list[Message] = []
    for m in range(minutes):
        at = start + m * MINUTE
        about = {"event_id": f"{wearer}{m}", "wearer_id": wearer, "device_id": "d", "start": rfc3339(at)}
        rate = {"schema": "heart-rate/1", **about, "offset_ms": list(range(0, MINUTE, 1000)), "bpm": [bpm] * 60}
        steps = {"schema": "activity/1", **about, "steps": [0]}
        for topic, event in ((HEART_RATE, rate), (ACTIVITY, steps)):
            made.append((topic, wearer.encode(), json.dumps(event).encode(), at + MINUTE))
    return made


def test_a_fast_rate_at_rest_is_raised_once_and_what_was_read_is_counted() -> None:
    ran = run(messages(30, 140))

    assert [alert.rule for alert in ran.raised()] == ["HR_HIGH_REST"]
    assert ran.records == {HEART_RATE: 30, ACTIVITY: 30}
    assert ran.wearer_days == 1
    assert not ran.refused
    assert ran.below_T == 0
    assert len(ran.journal["minutes"]["minute"]) >= 29


def test_the_alerts_are_those_that_the_feed_of_the_engine_tests_tells() -> None:
    other = feed(log_clock=True)
    for topic, key, value, stamp in messages(30, 140):
        other.publish(topic, value, stamp, key=(key or b"").decode())
    other.run(START + 31 * MINUTE)

    ran = run(messages(30, 140), until_ms=START + 31 * MINUTE)

    assert [(a.alert_id, a.version, a.condition) for a in ran.alerts] == [
        (a["alert_id"], a["version"], a["condition"]) for a in other.out
    ]


def test_coarse_cuts_and_many_partitions_change_no_alert_but_the_time_at_which_it_was_raised() -> None:
    both = sorted(messages(40, 140) + messages(40, 45, "w2") + messages(40, 150, "w3"), key=lambda one: one[3])

    fine = run(both)
    coarse = run(both, every_ms=20 * MINUTE, partitions=3)

    assert {(a.alert_id, a.version, a.updated_at) for a in fine.alerts} == {
        (a.alert_id, a.version, a.updated_at) for a in coarse.alerts
    }
    assert len(fine.raised()) >= 2


def test_silence_is_noticed_only_where_time_is_said_to_go_on() -> None:
    there = messages(20, 70)

    assert not run(there).alerts
    later = run(there, until_ms=START + 600 * MINUTE)
    assert [alert.rule for alert in later.raised()] == ["NO_DATA"]


def test_limits_are_those_given() -> None:
    assert not run(messages(30, 140), Limits(hr_high_rest_bpm=150, hr_high_rest_urgent_bpm=160)).alerts


def test_messages_out_of_order_are_refused_with_a_sentence() -> None:
    with pytest.raises(OutOfOrder, match="60000 ms before the one before it"):
        run(messages(3, 70)[::-2])


def test_nothing_gives_nothing() -> None:
    assert run([]).wearer_days == 0
