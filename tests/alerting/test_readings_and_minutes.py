"""BP_TREND, NEWS2_PARTS and AF_BURDEN against published cases and a slow twin."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.af_burden_rule import af_burden
from monitor.alerting.bp_trend_rule import bp_trend, home_limits
from monitor.alerting.evidence import Evidence, Lack, Priority
from monitor.alerting.limits import Limits
from monitor.alerting.news2_parts import news2_parts, pulse_points, systolic_points
from monitor.signals.bp_average import Readings
from tests.reference.slow_detectors import slow_af_run

CUFF, CUFFLESS = 1, 3
DAY_MS = 86_400_000
NOW = np.array([100 * DAY_MS], np.int64)


def week(
    hours_ago: list[float], systolic: list[int], diastolic: list[int], method: int = CUFF, own: int = 0
) -> Evidence:
    readings = Readings(
        NOW[:, None] - (np.array([hours_ago]) * 3_600_000).astype(np.int64),
        np.array([systolic], np.int16),
        np.array([diastolic], np.int16),
        np.full((1, len(systolic)), method, np.uint8),
    )
    return bp_trend(readings, NOW, home_limits(np.array([own], np.int64), np.array([0], np.int64), Limits()), Limits())


THREE_DAYS = [1.0, 2.0, 25.0, 26.0, 49.0, 50.0]


def test_a_mean_at_the_home_limit_raises_and_says_since_when() -> None:
    found = week(THREE_DAYS, [130, 140] * 3, [80] * 6)

    assert found.raised[0]
    assert (found.value[0], found.limit[0]) == (135.0, 135.0)
    assert found.start_minute[0] == NOW[0] // 60_000 - 50 * 60


def test_the_diastolic_mean_raises_alone_and_is_then_the_value() -> None:
    found = week(THREE_DAYS, [120] * 6, [86] * 6)

    assert found.raised[0]
    assert (found.value[0], found.limit[0]) == (86.0, 85.0)


def test_five_mmhg_below_both_limits_clears_and_between_it_does_neither() -> None:
    assert week(THREE_DAYS, [130] * 6, [80] * 6).cleared[0]
    between = week(THREE_DAYS, [131] * 6, [80] * 6)

    assert between.assessable[0]
    assert not between.raised[0]
    assert not between.cleared[0]


def test_the_teams_own_limit_comes_first() -> None:
    assert not week(THREE_DAYS, [140] * 6, [80] * 6, own=150).raised[0]


@pytest.mark.parametrize(
    "found",
    [
        week(THREE_DAYS[:5], [150] * 5, [95] * 5),
        week([1, 2, 3, 4, 5, 6], [150] * 6, [95] * 6),
        week([*THREE_DAYS[:5], 170.0], [150] * 6, [95] * 6),
        week(THREE_DAYS, [150] * 6, [95] * 6, method=CUFFLESS),
    ],
    ids=["five readings", "one day", "one is older than a week", "no cuff"],
)
def test_too_little_is_not_assessable(found: Evidence) -> None:
    assert not found.assessable[0]
    assert not found.raised[0]
    assert not found.cleared[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.BLOOD_PRESSURE


def test_every_edge_of_the_news2_chart_has_its_points() -> None:
    pulse = {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}
    systolic = {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}

    assert dict(zip(pulse, pulse_points(np.array([*pulse], float)), strict=True)) == pulse
    assert dict(zip(systolic, systolic_points(np.array([*systolic], float)), strict=True)) == systolic


def parts(pulse: float, systolic: float, age_min: int = 10, off: bool = False) -> Evidence:
    now = np.array([10_000], np.int64)
    return news2_parts(np.array([pulse]), np.array([systolic]), now - age_min, now, np.array([off]), Limits())


def test_two_parts_that_reach_five_raise_with_medium_priority() -> None:
    found = parts(111.0, 90.0)

    assert found.raised[0]
    assert found.value[0] == 5.0
    assert found.priority[0] == Priority.MEDIUM


def test_a_single_three_is_left_to_the_rules_of_rate_and_pressure() -> None:
    assert not parts(140.0, 120.0).raised[0]
    assert not parts(60.0, 85.0).raised[0]


@pytest.mark.parametrize(
    ("found", "lacked"),
    [
        (parts(np.nan, 85.0), Lack.HEART_RATE),
        (parts(140.0, np.nan), Lack.BLOOD_PRESSURE),
        (parts(140.0, 85.0, age_min=61), Lack.BLOOD_PRESSURE),
        (parts(140.0, 85.0, off=True), Lack.PROFILE),
    ],
)
def test_one_part_alone_is_not_assessable(found: Evidence, lacked: Lack) -> None:
    assert not found.assessable[0]
    assert not found.raised[0]
    assert not found.cleared[0]
    assert found.lacked is not None
    assert found.lacked[0] == lacked


def rhythm(pct: Sequence[float | None], still: bool = True) -> Evidence:
    row = np.array([[np.nan if one is None else one for one in pct]], float)
    return af_burden(row, np.full(row.shape, still), np.array([1000], np.int64), Limits())


def test_half_an_hour_of_irregular_minutes_raises_and_29_do_not() -> None:
    found = rhythm([4.0] * 30 + [20.0] * 30)

    assert found.raised[0]
    assert found.value[0] == 31
    assert not rhythm([4.0] * 32 + [20.0] * 28).raised[0]


def test_half_an_hour_of_regular_minutes_clears() -> None:
    assert rhythm([20.0] * 30 + [4.0] * 30).cleared[0]
    assert not rhythm([20.0] * 40 + [4.0] * 20).cleared[0]


def test_minutes_of_movement_are_not_assessable() -> None:
    found = rhythm([20.0] * 60, still=False)

    assert not found.assessable[0]
    assert not found.raised[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.RR


def test_breathing_that_sways_the_pulse_by_ten_percent_is_regular() -> None:
    assert rhythm([10.0] * 60).cleared[0]


minute = st.sampled_from([None, 4.0, 20.0, 20.0, 20.0, 20.0, 20.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(minute, min_size=1, max_size=70))
def test_the_run_equals_one_counted_backwards(pct: list[float | None]) -> None:
    found = rhythm(pct)

    assert found.value[0] == slow_af_run(pct, 14.0)
    if found.raised[0]:
        assert found.start_minute[0] == 1000 - found.value[0] + 1
