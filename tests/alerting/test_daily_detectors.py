"""TREND_DEV, POOR_RECOVERY, SLEEP_DEBT and SUB_HEALTH against cases worked by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from monitor.alerting.evidence import Evidence, Lack
from monitor.alerting.limits import Limits
from monitor.alerting.poor_recovery import poor_recovery
from monitor.alerting.sleep_debt import need_h, sleep_debt
from monitor.alerting.sub_health import PARTS, sub_health, sub_health_parts
from monitor.alerting.trend_dev import DaySignals, trend_dev

DAY = np.array([20_000], np.int64)
RATE = [60.0, 61.0, 59.0] * 5
STEPS = [8000.0, 8500.0, 7500.0] * 5
NOTHING = [np.nan] * 16


def trend(night: list[float], steps: list[float], sleep: list[float] = NOTHING) -> Evidence:
    rows = (np.array([row]) for row in (night, steps, sleep, NOTHING, NOTHING))
    return trend_dev(DaySignals(*rows), DAY, Limits())


def test_a_fast_night_after_a_day_in_bed_raises() -> None:
    """Spread of the rate: MAD 1 bpm, scaled 1.4826, floor 1.5; 66 lies (66 - 60) / 1.5 = 4 above. Steps: MAD 500."""
    found = trend([*RATE, 66.0], [*STEPS, 5000.0])

    assert found.raised[0]
    assert found.value[0] == pytest.approx(4.0)


def test_one_signal_alone_does_not_raise_however_far_it_is() -> None:
    found = trend([*RATE, 90.0], [*STEPS, 8000.0])

    assert not found.raised[0]
    assert found.cleared[0]


def test_many_steps_are_no_bad_sign() -> None:
    assert not trend([*RATE, 90.0], [*STEPS, 30_000.0]).raised[0]


def test_one_known_signal_is_not_assessable_and_what_was_lacked_is_named() -> None:
    found = trend([*RATE, 66.0], [np.nan] * 16)

    assert not found.assessable[0]
    assert found.lacked is not None
    assert Lack(int(found.lacked[0])) == Lack.STEPS | Lack.SLEEP | Lack.BLOOD_PRESSURE | Lack.RR


def test_a_signal_without_ten_days_of_past_does_not_count() -> None:
    found = trend([np.nan] * 6 + RATE[:9] + [66.0], [*STEPS, 3000.0], [420.0] * 15 + [300.0])

    assert found.lacked is not None
    assert Lack.HISTORY in Lack(int(found.lacked[0]))
    assert found.samples[0] == 2


def recovery(
    night: float, resting: float, active: float, fall: float = np.nan, limits: Limits | None = None
) -> Evidence:
    nights, rested, moved = (
        np.array([[usual] * 20 + [newest]]) for usual, newest in ((55.0, night), (60.0, resting), (20.0, active))
    )
    return poor_recovery(nights, rested, moved, np.array([fall]), DAY, limits or Limits())


def test_a_fast_night_after_a_hard_day_raises_when_the_resting_rate_agrees() -> None:
    assert recovery(60.0, 64.0, 40.0).raised[0]


@pytest.mark.parametrize(
    ("night", "resting", "active", "fall"),
    [(59.9, 64.0, 40.0, np.nan), (60.0, 63.9, 40.0, np.nan), (60.0, 64.0, 39.0, np.nan), (60.0, 60.0, 40.0, 13.0)],
)
def test_without_one_of_its_signs_it_does_not_raise(night: float, resting: float, active: float, fall: float) -> None:
    found = recovery(night, resting, active, fall)

    assert found.assessable[0]
    assert not found.raised[0]


def test_a_fall_of_12_bpm_after_effort_is_the_other_second_sign() -> None:
    assert recovery(60.0, 60.0, 40.0, fall=12.0).raised[0]
    assert recovery(60.0, np.nan, 40.0, fall=12.0).raised[0]


def test_without_any_second_sign_it_is_not_assessable() -> None:
    found = recovery(60.0, np.nan, 40.0)

    assert not found.assessable[0]
    assert found.lacked is not None
    assert Lack(int(found.lacked[0])) == Lack.HEART_RATE | Lack.HISTORY


def debt(hours: list[float], age: float = 40.0) -> Evidence:
    return sleep_debt(np.array([hours]) * 60, np.array([age]), DAY, Limits())


def test_fourteen_nights_of_five_and_a_half_hours_are_21_hours_short_of_seven() -> None:
    found = debt([5.5] * 14)

    assert found.raised[0]
    assert found.value[0] == pytest.approx(21.0)
    assert found.start_minute[0] == (20_000 - 13) * 1440


def test_who_usually_sleeps_eight_hours_is_measured_by_them() -> None:
    assert debt([8.0] * 14 + [6.5] * 7).value[0] == pytest.approx(7 * 1.5)


def test_long_nights_pay_back_and_unknown_ones_add_nothing() -> None:
    assert debt([5.0] * 8 + [10.0] * 2 + [np.nan] * 4).value[0] == pytest.approx(8 * 2.0 - 2 * 3.0)


def test_nine_known_nights_are_too_few() -> None:
    found = debt([np.nan] * 5 + [4.0] * 9)

    assert not found.assessable[0]
    assert not found.raised[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.SLEEP


def test_the_need_stays_within_the_recommendation_for_the_age() -> None:
    long = np.full((2, 14), 9.5)

    assert need_h(long, np.array([64.0, 65.0]), Limits()).tolist() == [9.0, 8.0]


def parts(
    night: Sequence[float] | float,
    steps: float,
    sleep: Sequence[float] | float,
    pressure: tuple[float, float],
    age: float = 40,
) -> list[int]:
    rows = [np.broadcast_to(np.array(row, float), (1, 28)) for row in (night, steps, sleep, pressure[0], np.nan)]
    found = sub_health_parts(DaySignals(*rows), np.full((1, 28), pressure[1]), np.array([age], float), Limits())
    return [int(points) for points in found[0]]


def test_who_lives_as_recommended_has_no_points() -> None:
    assert dict(zip(PARTS, parts(60, 9000, 450, (115, 65)), strict=True)) == dict.fromkeys(PARTS, 0)


def test_each_part_has_one_and_two_points_where_its_source_says() -> None:
    assert parts([60] * 21 + [63] * 7, 7000, 400, (120, 65)) == [1, 1, 1, 1, 0]
    assert parts([60] * 21 + [65] * 7, 4999, 350, (118, 85)) == [2, 2, 2, 2, 0]
    assert parts(60, 9000, [390, 570] * 14, (115, 65))[4] == 1
    assert parts(60, 9000, [350, 610] * 14, (115, 65))[4] == 2


def test_five_and_a_half_hours_may_be_appropriate_from_65_years_on() -> None:
    assert parts(60, 9000, 330, (115, 65), age=40)[0] == 2
    assert parts(60, 9000, 330, (115, 65), age=70)[0] == 1


def test_unknown_parts_have_no_points_and_are_lacked_by_name() -> None:
    nothing = np.full((1, 28), np.nan)
    signals = DaySignals(np.full((1, 28), 60.0), np.full((1, 28), 3000.0), np.full((1, 28), 300.0), nothing, nothing)

    found = sub_health(signals, nothing, np.array([40.0]), DAY, Limits())

    assert found.samples[0] == 4
    assert found.value[0] == pytest.approx(4 / 8)
    assert found.lacked is not None
    assert found.lacked[0] == Lack.BLOOD_PRESSURE


def test_two_known_parts_are_too_few() -> None:
    nothing = np.full((1, 28), np.nan)
    signals = DaySignals(np.full((1, 28), 60.0), np.full((1, 28), 3000.0), nothing, nothing, nothing)

    found = sub_health(signals, nothing, np.array([np.nan]), DAY, Limits())

    assert not found.assessable[0]
    assert found.lacked is not None
    assert Lack(int(found.lacked[0])) == Lack.SLEEP | Lack.BLOOD_PRESSURE | Lack.PROFILE
