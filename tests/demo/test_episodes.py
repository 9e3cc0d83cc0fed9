"""Which alert belongs to which episode, and which episodes must not be without one."""

import json

import pytest

from monitor.demo.alert_log import newest
from monitor.demo.episodes import CRISES, RULE_OF_KIND, Episode, RaisedAlert, match, missed_crises

MINUTE = 60_000
ONSET = 1_000 * MINUTE
END = ONSET + 30 * MINUTE
CRISIS = Episode("w-1", "hypertensive_crisis", ONSET, END)


def alert(
    minute: int, *, rule: str = "BP_SEVERE", wearer: str = "w-1", alert_id: str = "a", closed: int | None = None
) -> RaisedAlert:
    closed_ms = None if closed is None else ONSET + closed * MINUTE
    return RaisedAlert(alert_id, 1, wearer, rule, ONSET + minute * MINUTE, closed_ms)


@pytest.mark.parametrize("minute", [-2, 0, 29, 30, 50])
def test_an_alert_from_two_minutes_before_the_onset_to_twenty_after_the_end_belongs(minute: int) -> None:
    assert match([CRISIS], [alert(minute)])[0].alert_id == "a"


@pytest.mark.parametrize("minute", [-3, 51])
def test_an_alert_outside_that_time_does_not(minute: int) -> None:
    assert match([CRISIS], [alert(minute, closed=minute + 1)])[0].alert_id is None


def test_another_wearers_and_another_rules_alert_do_not_belong() -> None:
    others = [alert(1, wearer="w-2"), alert(1, rule="HR_HIGH_REST")]

    assert match([CRISIS], others)[0].alert_id is None


def test_the_earliest_of_several_is_taken() -> None:
    assert match([CRISIS], [alert(40, alert_id="later"), alert(29, alert_id="first")])[0].alert_id == "first"


def test_an_alert_that_is_still_open_stands_for_the_next_episode_and_one_that_was_closed_does_not() -> None:
    again = Episode("w-1", "hypertensive_crisis", END + 60 * MINUTE, END + 90 * MINUTE)

    assert [found.alert_id for found in match([CRISIS, again], [alert(1)])] == ["a", "a"]
    assert [found.alert_id for found in match([CRISIS, again], [alert(1, closed=89)])] == ["a", None]
    own = alert(91, alert_id="own")
    assert [found.alert_id for found in match([CRISIS, again], [alert(1), own])] == ["a", "own"]


def test_a_kind_without_a_rule_has_no_alert() -> None:
    infection = Episode("w-1", "infection", ONSET, END)

    assert match([infection], [alert(1)])[0].alert_id is None


def test_only_crises_that_ended_within_the_published_time_count_as_missed() -> None:
    slow = Episode("w-1", "bradycardia", ONSET, END)
    matches = match([CRISIS, slow], [])

    assert missed_crises(matches, END) == [CRISIS]
    assert missed_crises(matches, END - 1) == []
    assert missed_crises(match([CRISIS], [alert(0)]), END) == []


def test_every_crisis_has_a_rule() -> None:
    assert RULE_OF_KIND.keys() >= CRISES


def test_the_newest_version_of_an_alert_counts_whatever_the_order_and_a_closed_one_is_not_open() -> None:
    def value(version: int, workflow: str) -> bytes:
        document = {
            "alert_id": "a",
            "version": version,
            "wearer_id": "w-1",
            "rule": "BP_SEVERE",
            "event_time": "2026-01-05T08:00:00Z",
            "updated_at": "2026-01-05T08:10:00Z",
            "workflow": workflow,
        }
        return json.dumps(document).encode()

    alerts = newest([value(1, "unacked"), value(3, "closed"), value(2, "acked"), None])

    assert (alerts["a"].version, alerts["a"].open) == (3, False)
