"""The checker is checked: each kind of fault, put into a history by hand, is found and counted where it belongs."""

import json
from typing import Any

from tests.faults.history import Told, check, silences
from tests.faults.story import Expected, heart_rate

WANTED = [Expected("w1", "BP_SEVERE", 1)]


def told(version: int = 1, wearer: str = "w1", alert_id: str = "a", **other: Any) -> Told:
    alert = {
        "alert_id": alert_id,
        "version": version,
        "wearer_id": wearer,
        "rule": "BP_SEVERE",
        "workflow": "unacked",
        "flap_count": 0,
        **other,
    }
    return Told("alerts.north.v1", 0, version, 0, json.dumps(alert).encode())


def counts(*rows: Told, expected: list[Expected] = WANTED) -> tuple[int, int, int, int]:
    found = check(rows, expected)
    assert bool(found.why) == bool(found.lost + found.doubled + found.different)
    return found.lost, found.doubled, found.different, found.repeated


def test_a_good_history_is_clean() -> None:
    assert counts(told(1), told(2, workflow="acked"), told(3, workflow="closed")) == (0, 0, 0, 0)


def test_an_alert_that_nobody_was_told_is_lost() -> None:
    assert counts() == (1, 0, 0, 0)


def test_a_version_that_is_missing_is_lost() -> None:
    assert counts(told(1), told(3)) == (1, 0, 0, 0)


def test_an_episode_that_raised_two_alerts_is_doubled() -> None:
    assert counts(told(1, workflow="closed"), told(1, alert_id="b")) == (0, 1, 0, 0)


def test_a_second_episode_may_be_a_flap_of_a_listed_alert() -> None:
    twice = [Expected("w1", "BP_SEVERE", 2)]
    assert counts(told(1), told(2, flap_count=1), expected=twice) == (0, 0, 0, 0)
    assert counts(told(1), told(2), expected=twice) == (1, 0, 0, 0)


def test_a_version_with_two_contents_is_doubled() -> None:
    assert counts(told(1), told(1, workflow="acked")) == (0, 1, 0, 0)


def test_an_exact_repetition_is_only_counted() -> None:
    assert counts(told(1), told(2), told(1), told(2)) == (0, 0, 0, 2)


def test_a_version_that_goes_back_is_different() -> None:
    assert counts(told(1), told(3), told(2))[2] == 1


def test_two_open_alerts_of_one_rule_and_wearer_are_different() -> None:
    assert counts(told(1), told(1, alert_id="b")) == (0, 1, 1, 0)


def test_an_alert_that_nothing_explains_is_different() -> None:
    assert counts(told(1), told(1, wearer="w2", alert_id="b")) == (0, 0, 1, 0)


def deliveries(*seconds: int) -> list[tuple[str, int, bytes]]:
    return [("vitals.heart-rate.v1", s * 1000, heart_rate("w1", s * 60_000, [70])) for s in seconds]


def test_a_silence_must_be_told_and_a_short_one_must_not() -> None:
    assert silences(deliveries(0, 1, 2), 70_000) == ([Expected("w1", "NO_DATA", 1)], [])
    assert silences(deliveries(0, 1, 2), 50_000) == ([], [])
    assert silences(deliveries(0, 1, 2), 62_000) == ([], [("w1", "NO_DATA")])


def test_a_duplicate_is_no_sign_of_life() -> None:
    again = [("vitals.heart-rate.v1", 60_000, heart_rate("w1", 0, [70]))]
    assert silences([*deliveries(0, 1), *again], 70_000) == ([Expected("w1", "NO_DATA", 1)], [])
