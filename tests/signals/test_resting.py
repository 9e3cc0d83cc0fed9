"""Resting rates come from known, worn, still minutes, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.resting import RestingRate, night_minutes, night_rate, resting_rate, still_minutes
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minutes
from tests.signals.minutes import GAPS_S, columns_of, minutes_of, windows

HOUR = [61, 62, 60] * 20


def still(minutes: Minutes, gap_s: float = 60.0) -> NDArray[np.bool_]:
    day = columns_of([minutes])
    one: NDArray[np.bool_] = still_minutes(day.bpm, day.steps, day.known, np.array([gap_s]))[0]
    return one


def resting(minutes: Minutes, gap_s: float = 60.0) -> RestingRate:
    day = columns_of([minutes])
    return resting_rate(day.bpm, day.steps, day.known, np.array([gap_s]))


def night(minutes: Minutes, dark: list[bool] | None = None) -> RestingRate:
    day = columns_of([minutes])
    return night_rate(day.bpm, day.steps, day.known, np.array([dark or [True] * len(minutes)], bool))


@st.composite
def quiet_days(draw: st.DrawFn) -> list[slow.Minute]:
    """Mostly still, so that runs of twelve come up."""
    pieces = draw(st.lists(st.sampled_from([(64, 0, 30), (60, 0, 13), (None, 0, 4), (62, 9, 2), (61, None, 1)])))
    return minutes_of(
        [rate for rate, _, long in pieces for _ in range(long)],
        [steps for _, steps, long in pieces for _ in range(long)],
    )


@settings(max_examples=40)
@given(quiet_days(), GAPS_S)
def test_both_rates_equal_their_slow_twins(minutes: Minutes, gap_s: float) -> None:
    dark = [k % 7 > 0 for k in range(len(minutes))]

    assert still(minutes, gap_s).tolist() == slow.still(minutes, gap_s)
    assert resting(minutes, gap_s).bpm[0] == pytest.approx(slow.resting_rate(minutes, gap_s), nan_ok=True)
    assert night(minutes, dark).bpm[0] == pytest.approx(slow.night_rate(minutes, dark), nan_ok=True)


@settings(max_examples=20)
@given(windows(shortest=2), GAPS_S)
def test_cutting_the_future_changes_no_still_minute(minutes: Minutes, gap_s: float) -> None:
    end = len(minutes) // 2

    assert still(minutes, gap_s)[:end].tolist() == still(minutes[:end], gap_s).tolist()


def test_a_step_ends_rest_for_twelve_minutes() -> None:
    steps = [0] * 60
    steps[20] = 1

    assert np.flatnonzero(still(minutes_of(HOUR, steps))).tolist() == [*range(11, 20), *range(32, 60)]


def test_zero_steps_while_not_worn_are_no_rest() -> None:
    """Taken off for half an hour, put on again after a walk that it did not see."""
    minutes = minutes_of([*HOUR[:15], *[None] * 30, *HOUR[:15]], 0)

    assert np.flatnonzero(still(minutes)).tolist() == [11, 12, 13, 14, 56, 57, 58, 59]


def test_unknown_steps_are_not_zero_steps() -> None:
    one = resting(minutes_of(HOUR, None))

    assert np.isnan(one.bpm[0])
    assert one.minutes[0] == 0
    assert np.isnan(night(minutes_of(HOUR, None)).bpm[0])


def test_too_few_minutes_are_no_rate_and_say_how_few() -> None:
    assert resting(minutes_of(HOUR[:22])).minutes[0] == 11
    assert np.isnan(resting(minutes_of(HOUR[:22])).bpm[0])
    assert resting(minutes_of(HOUR[:23])).bpm[0] == 61
    assert np.isnan(night(minutes_of(HOUR[:11])).bpm[0])
    assert night(minutes_of(HOUR[:12])).bpm[0] == 61


def test_a_device_that_measures_every_ten_minutes_has_a_resting_rate() -> None:
    rates = [None if k % 10 else 58 for k in range(240)]

    assert resting(minutes_of(rates), 600.0).bpm[0] == 58
    assert night(minutes_of(rates)).bpm[0] == 58


def test_a_nightly_rate_is_a_mean_of_the_dark_still_minutes_alone() -> None:
    minutes = minutes_of([90] * 20 + [60, 63] * 10 + [120] * 20, [0] * 20 + [0] * 20 + [30] * 20)
    dark = [False] * 20 + [True] * 40

    assert night(minutes, dark).bpm[0] == 61.5
    assert night(minutes, dark).minutes[0] == 20


def test_a_night_has_eight_hours_when_the_clock_goes_back_and_six_when_it_goes_on() -> None:
    back = np.array([*range(180), *range(120, 1440)])  # from 03:00 to 02:00
    on = np.array([*range(120), *range(180, 1440)])

    assert night_minutes(back).sum() == 480
    assert night_minutes(on).sum() == 360


def test_missing_constant_and_empty_days_are_defined() -> None:
    assert np.isnan(resting(minutes_of([None] * 60)).bpm[0])
    assert np.isnan(night(minutes_of([None] * 60)).bpm[0])
    assert np.isnan(resting(minutes_of([70])).bpm[0])
    assert resting(minutes_of([70] * 60)).bpm[0] == 70
    for shape in ((0, 60), (2, 0)):
        nothing = np.zeros(shape, np.uint8)
        some = nothing > 0
        assert np.isnan(resting_rate(nothing, nothing, some, np.zeros(shape[0])).bpm).tolist() == [True] * shape[0]
        assert np.isnan(night_rate(nothing, nothing, some, some).bpm).tolist() == [True] * shape[0]
