"""Timelines: what a wearer's data does to the care team's board."""

import pytest

from stream_schemas.topics import RISK_SCORES
from tests.engine.feed import MINUTE, START, feed

DAY_START = START + 10 * 60 * MINUTE  # 10 in the morning, UTC


def test_ten_minutes_at_120_at_rest_raise_a_medium_alert_about_when_they_are_full() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [70] * 15 + [125] * 12)

    f.run(DAY_START + 30 * MINUTE)

    alerts = f.alerts("HR_HIGH_REST")
    assert [(a["version"], a["priority"], a["condition"], a["workflow"]) for a in alerts] == [
        (1, "medium", "present", "unacked")
    ]
    trigger = alerts[0]["trigger"]
    assert (trigger["value"], trigger["limit"], trigger["op"], trigger["unit"]) == (125, 120, ">=", "bpm")
    assert "2026-01-05T10:23" <= alerts[0]["updated_at"] <= "2026-01-05T10:26"


def test_from_131_the_alert_is_high_and_getting_there_is_told_as_a_new_version() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [70] * 15 + [125] * 12 + [136] * 12)

    f.run(DAY_START + 41 * MINUTE)

    assert f.told("HR_HIGH_REST") == [("medium", "present", "unacked"), ("high", "present", "unacked")]


@pytest.mark.parametrize(("steps", "context"), [(80, None), (None, None), (0, "exercise")])
def test_a_fast_heart_while_moving_or_with_activity_unknown_is_not_at_rest(
    steps: int | None, context: str | None
) -> None:
    f = feed()
    more = {} if context is None else {"context": context}
    f.minutes("w1", DAY_START, [125] * 30, steps=steps, **more)

    f.run(DAY_START + 40 * MINUTE)

    assert f.alerts("HR_HIGH_REST") == []


def test_steps_that_come_late_make_the_minutes_at_rest_and_raise_what_was_missed() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 15, steps=None)
    f.steps("w1", DAY_START, [0] * 15, stamp=DAY_START + 20 * MINUTE)

    f.run(DAY_START + 25 * MINUTE)

    (alert,) = f.alerts("HR_HIGH_REST")
    assert alert["updated_at"].startswith("2026-01-05T10:20")


@pytest.mark.parametrize(
    ("cadence_s", "per_envelope", "envelopes"), [(1, 60, 40), (60, 5, 8), (300, 3, 8), (900, 2, 8), (3600, 1, 8)]
)
def test_every_cadence_from_a_second_to_an_hour_alerts_and_is_scored(
    cadence_s: int, per_envelope: int, envelopes: int
) -> None:
    f = feed()
    span = cadence_s * per_envelope * 1000
    for k in range(envelopes):
        start = DAY_START + k * span
        f.heart_rate("w1", start, [124] * per_envelope, every_s=cadence_s)
        f.steps("w1", start // MINUTE * MINUTE, [0] * max(span // MINUTE, 1))

    f.run(DAY_START + envelopes * span + 5 * MINUTE, every=5 * MINUTE)

    assert len(f.alerts("HR_HIGH_REST")) == 1
    assert "w1" in f.scored


def test_one_outlying_minute_in_a_calm_quarter_hour_raises_nothing() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [70] * 20 + [180] + [70] * 20)

    f.run(DAY_START + 43 * MINUTE)

    assert f.out == []


def test_a_cleared_medium_alert_stays_listed_until_a_human_has_seen_it() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 15 + [80] * 30)
    f.run(DAY_START + 46 * MINUTE)
    assert f.told("HR_HIGH_REST") == [("medium", "present", "unacked"), ("medium", "absent", "unacked")]

    f.command(f.alerts("HR_HIGH_REST")[-1], "acknowledge", DAY_START + 50 * MINUTE)
    f.run(DAY_START + 52 * MINUTE)

    assert f.told("HR_HIGH_REST")[-1] == ("medium", "absent", "closed")
    assert f.alerts("HR_HIGH_REST")[-1]["actor"] == "nurse"


def test_an_acknowledged_alert_closes_by_itself_when_its_condition_is_gone() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 20)
    f.run(DAY_START + 20 * MINUTE)
    f.command(f.alerts("HR_HIGH_REST")[-1], "acknowledge", DAY_START + 20 * MINUTE)
    f.minutes("w1", DAY_START + 20 * MINUTE, [80] * 30)

    f.run(DAY_START + 55 * MINUTE)

    assert [w for _, _, w in f.told("HR_HIGH_REST")] == ["unacked", "acked", "closed"]


def test_an_acknowledgement_of_an_old_version_cannot_hide_a_worse_one() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 15 + [140] * 15)
    f.run(DAY_START + 31 * MINUTE)
    first, worse = f.alerts("HR_HIGH_REST")
    assert worse["priority"] == "high"

    f.command(first, "acknowledge", DAY_START + 32 * MINUTE)
    f.run(DAY_START + 34 * MINUTE)

    assert f.told("HR_HIGH_REST")[-1] == ("high", "present", "unacked")


def test_what_a_human_closed_while_present_is_not_raised_again_until_it_has_cleared() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 20)
    f.run(DAY_START + 20 * MINUTE)
    f.command(f.alerts("HR_HIGH_REST")[-1], "close", DAY_START + 20 * MINUTE)
    f.minutes("w1", DAY_START + 20 * MINUTE, [125] * 20 + [80] * 20 + [125] * 20)

    f.run(DAY_START + 85 * MINUTE)

    assert [w for _, _, w in f.told("HR_HIGH_REST")] == ["unacked", "closed", "unacked"]
    assert len({a["alert_id"] for a in f.alerts("HR_HIGH_REST")}) == 2


def test_a_slow_heart_by_day_is_medium_and_by_night_only_below_thirty() -> None:
    f = feed()
    f.minutes("day", DAY_START, [38] * 20)
    f.minutes("night", START + 2 * 60 * MINUTE, [38] * 20)
    f.minutes("slower", START + 2 * 60 * MINUTE, [29] * 20)

    f.run(DAY_START + 25 * MINUTE)

    assert {(a["wearer_id"], a["priority"]) for a in f.alerts("HR_LOW")} == {("day", "medium"), ("slower", "medium")}


def test_rates_of_20_to_24_bpm_are_told_as_unverified_not_dropped() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [22] * 20)

    f.run(DAY_START + 25 * MINUTE)

    assert [(a["priority"], a["unverified"]) for a in f.alerts("HR_LOW")] == [("high", True)]


def test_own_limits_come_first_and_the_defaults_are_off_for_children_and_in_pregnancy() -> None:
    f = feed()
    f.profile("athlete", DAY_START, limits={"hr_low_bpm": 34})
    f.profile("child", DAY_START, age_years=9)
    f.profile("pregnant", DAY_START, conditions=["pregnant"])
    f.minutes("athlete", DAY_START + MINUTE, [38] * 20)
    f.minutes("child", DAY_START + MINUTE, [130] * 20)
    f.minutes("pregnant", DAY_START + MINUTE, [130] * 20)

    f.run(DAY_START + 25 * MINUTE)

    assert f.out == []


def test_the_first_severe_reading_is_medium_and_unconfirmed_the_second_is_high() -> None:
    f = feed()
    f.pressure("w1", DAY_START, 185, 100)
    f.pressure("w1", DAY_START + 5 * MINUTE, 190, 104)

    f.run(DAY_START + 6 * MINUTE)

    first, second = f.alerts("BP_SEVERE")
    assert (first["priority"], first["unverified"], second["priority"], second["unverified"]) == (
        "medium",
        True,
        "high",
        False,
    )
    assert first["alert_id"] == second["alert_id"]
    assert "unconfirmed" in first["text"]


def test_without_a_repeat_in_15_minutes_a_severe_reading_escalates() -> None:
    f = feed()
    f.pressure("w1", DAY_START, 185, 100)

    f.run(DAY_START + 20 * MINUTE)

    assert [a["escalation_level"] for a in f.alerts("BP_SEVERE")] == [0, 1]


def test_220_systolic_is_high_at_once_and_a_low_repeat_clears_to_returned_to_normal() -> None:
    f = feed()
    f.pressure("w1", DAY_START, 225, 100)
    f.pressure("w1", DAY_START + 10 * MINUTE, 150, 90)

    f.run(DAY_START + 30 * MINUTE)

    assert f.told("BP_SEVERE") == [("high", "present", "unacked"), ("high", "absent", "unacked")]


def test_a_cuffless_reading_alone_never_alerts() -> None:
    f = feed()
    f.pressure("w1", DAY_START, 210, 130, method="cuffless")
    f.pressure("w1", DAY_START + 3 * MINUTE, 210, 130, method="cuffless")

    f.run(DAY_START + 30 * MINUTE)

    assert f.out == []


def test_the_same_reading_twice_is_one_reading() -> None:
    f = feed()
    f.pressure("w1", DAY_START, 185, 100, event_id="same")
    f.pressure("w1", DAY_START, 185, 100, event_id="same", stamp=DAY_START + 2 * MINUTE)

    f.run(DAY_START + 5 * MINUTE)

    assert [a["priority"] for a in f.alerts("BP_SEVERE")] == ["medium"]


def test_in_pregnancy_and_six_weeks_after_birth_160_is_severe() -> None:
    f = feed()
    f.profile("w1", DAY_START, conditions=["postpartum_6w"])
    f.pressure("w1", DAY_START + MINUTE, 162, 90)

    f.run(DAY_START + 5 * MINUTE)

    assert [a["trigger"]["limit"] for a in f.alerts("BP_SEVERE")] == [160]


def test_two_low_readings_raise_bp_low_and_95_clears_it() -> None:
    f = feed()
    for k, systolic in enumerate((88, 86, 100)):
        f.pressure("w1", DAY_START + k * 20 * MINUTE, systolic, 55)

    f.run(DAY_START + 60 * MINUTE)

    assert f.told("BP_LOW") == [("medium", "present", "unacked"), ("medium", "absent", "unacked")]


def test_a_severe_reading_that_comes_two_days_late_is_low_and_says_so() -> None:
    f = feed()
    f.pressure("w1", DAY_START, 190, 100, stamp=DAY_START + 48 * 60 * MINUTE)

    f.run(DAY_START + 48 * 60 * MINUTE + 2 * MINUTE)

    assert [(a["priority"], a["late"]) for a in f.alerts("BP_SEVERE")] == [("low", True)]


def test_heat_needs_a_raised_rate_at_rest_but_not_in_the_vulnerable() -> None:
    f = feed()
    for wearer, bpm in (("calm", 70), ("strained", 100)):
        f.weather(wearer, DAY_START, 41.0, 40.0)
        f.minutes(wearer, DAY_START + MINUTE, [bpm] * 15)
    f.profile("old", DAY_START, age_years=80)
    f.weather("old", DAY_START, 33.0, 50.0)
    f.minutes("old", DAY_START + MINUTE, [70] * 15)

    f.run(DAY_START + 20 * MINUTE)

    assert {a["wearer_id"] for a in f.alerts("HEAT_LOAD")} == {"strained", "old"}
    assert {a["priority"] for a in f.alerts("HEAT_LOAD")} == {"low"}


def test_silence_is_told_relative_to_the_cadence_and_the_return_closes_it() -> None:
    f = feed()
    f.minutes("fast", DAY_START, [70] * 20)
    for k in range(8):
        f.heart_rate("hourly", DAY_START + k * 60 * MINUTE, [70])
    f.minutes("fast", DAY_START + 60 * MINUTE, [70] * 5)

    f.run(DAY_START + 8 * 60 * MINUTE, every=MINUTE)

    fast = [(a["priority"], a["condition"], a["workflow"]) for a in f.alerts("NO_DATA") if a["wearer_id"] == "fast"]
    assert fast[:2] == [("technical", "present", "unacked"), ("technical", "absent", "closed")]
    assert [a for a in f.alerts("NO_DATA") if a["wearer_id"] == "hourly"] == []


def test_silence_makes_an_open_alert_unknown_and_closes_nothing() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 20)

    f.run(DAY_START + 120 * MINUTE)

    assert f.told("HR_HIGH_REST") == [("medium", "present", "unacked"), ("medium", "unknown", "unacked")]


def scores(f, at: int, probability: float | None, *, coverage: float = 0.9) -> None:  # type: ignore[no-untyped-def]
    event = {
        "schema": "risk-scores/1",
        "scored_at_ms": at,
        "model_version": "abc",
        "heads": ["infection", "sub_health"],
        "limit": [0.4, None],
        "wearer_id": ["w1"],
        "probability": [[probability], [0.99]],
        "coverage": [coverage],
        "missing": [2],
        "modalities": ["heart_rate", "sleep"],
    }
    partition = f.engine.state.partition[f.engine.state.row_of["w1"]]
    f.publish(RISK_SCORES, event, at + 100, key="", p=int(partition))


@pytest.mark.parametrize(
    ("probabilities", "coverage", "told"),
    [
        ((0.5, 0.2), 0.9, []),
        ((0.5, 0.5), 0.9, [("medium", "present", "unacked")]),
        ((0.5, 0.5), 0.1, []),
        ((None, None), 0.9, []),
        ((0.5, 0.5, 0.35, 0.35), 0.9, [("medium", "present", "unacked")]),
        ((0.5, 0.5, 0.2, 0.2), 0.9, [("medium", "present", "unacked"), ("medium", "absent", "unacked")]),
    ],
)
def test_two_scores_in_a_row_above_a_heads_limit_raise_risk_model_and_a_margin_clears_it(
    probabilities: tuple[float | None, ...], coverage: float, told: list[tuple[str, str, str]]
) -> None:
    f = feed()
    f.minutes("w1", DAY_START, [70] * 20)
    f.run(DAY_START + 4 * MINUTE)
    for k, p in enumerate(probabilities):
        scores(f, DAY_START + (5 + 15 * k) * MINUTE, p, coverage=coverage)

    f.run(DAY_START + 80 * MINUTE)

    assert f.told("RISK_MODEL") == told
    if told:
        assert (f.alerts("RISK_MODEL")[0]["model_version"], f.alerts("RISK_MODEL")[0]["missing"]) == ("abc", ["sleep"])


def test_the_first_score_of_a_wearer_and_T_counts() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [70] * 20)
    f.run(DAY_START + 4 * MINUTE)
    scores(f, DAY_START + 5 * MINUTE, 0.1)
    scores(f, DAY_START + 5 * MINUTE, 0.9)
    scores(f, DAY_START + 20 * MINUTE, 0.9)

    f.run(DAY_START + 30 * MINUTE)

    assert f.alerts("RISK_MODEL") == []


def test_a_wearer_without_consent_is_not_scored_but_still_watched() -> None:
    f = feed()
    f.profile("w1", DAY_START, consent=False)
    f.minutes("w1", DAY_START + MINUTE, [125] * 20)

    f.run(DAY_START + 24 * MINUTE)

    assert f.scored == []
    assert len(f.alerts("HR_HIGH_REST")) == 1


def test_a_tombstone_closes_and_erases() -> None:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 20)
    f.publish("context.wearer.v1", None, DAY_START + 25 * MINUTE, key="w1")

    f.run(DAY_START + 60 * MINUTE)

    assert f.told("HR_HIGH_REST")[-1] == ("medium", "present", "closed")
    row = f.engine.state.row_of["w1"]
    assert not f.engine.state.minutes[row].any()
    assert f.alerts("NO_DATA") == []
