"""Only a heart rate tells that a device is worn, and how lately it must have come is the device's cadence."""

import numpy as np
import pytest
from hypothesis import given, settings

from monitor.signals.sampling import silence_minutes, span_minutes
from monitor.signals.wear import is_worn, worn_minutes
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minutes
from tests.signals.minutes import GAPS_S, columns_of, minutes_of, windows


def worn(minutes: Minutes, gap_s: float) -> list[bool]:
    each: list[bool] = worn_minutes(columns_of([minutes]).bpm, np.array([gap_s]))[0].tolist()
    return each


@settings(max_examples=60)
@given(windows(), GAPS_S)
def test_it_equals_its_slow_twin(minutes: Minutes, gap_s: float) -> None:
    assert worn(minutes, gap_s) == slow.worn(minutes, gap_s)
    assert is_worn(columns_of([minutes]).bpm, np.array([gap_s])).tolist() == worn(minutes, gap_s)[-1:]


@pytest.mark.parametrize("gap_s", [0.0, 0.5, 1, 59, 60, 74.9, 75, 75.1, 150, 299.5, 300, 600, 3600, 7200, 86_400, 1e9])
def test_spans_equal_their_slow_twin(gap_s: float) -> None:
    assert span_minutes(np.array([gap_s])).tolist() == [slow.span(gap_s)]
    assert silence_minutes(np.array([min(gap_s, 86_400)])).tolist() == [slow.longest_silence(min(gap_s, 86_400))]


def test_zero_steps_on_a_bedside_table_are_not_worn() -> None:
    assert worn(minutes_of([70] * 3 + [None] * 8, 0), 5) == [True] * 8 + [False] * 3


def test_steps_alone_are_no_sign_of_wear() -> None:
    assert not any(worn(minutes_of([None] * 10, 100), 5))


def test_a_slow_device_may_be_silent_for_longer() -> None:
    rates = [70] + [None] * 14

    assert sum(worn(minutes_of(rates), 5)) == 6
    assert sum(worn(minutes_of(rates), 300)) == 14


def test_a_cadence_that_is_not_known_takes_the_shortest_silence() -> None:
    rates = [70] + [None] * 14

    assert sum(worn(minutes_of(rates), float("nan"))) == sum(worn(minutes_of(rates), 0)) == 6
    assert span_minutes(np.array([np.nan])).tolist() == [15]


@settings(max_examples=20)
@given(windows(shortest=2), GAPS_S)
def test_cutting_the_future_changes_nothing_of_the_past(minutes: Minutes, gap_s: float) -> None:
    end = len(minutes) // 2

    assert worn(minutes, gap_s)[:end] == worn(minutes[:end], gap_s)


def test_a_year_of_gaps_is_a_year_off_the_wrist() -> None:
    year = np.zeros((1, 525_600), np.uint8)
    year[0, ::100_000] = 70

    assert worn_minutes(year, np.array([5.0])).sum() == 6 * 6


def test_nobody_and_no_minute_are_not_worn() -> None:
    assert worn_minutes(np.zeros((0, 5), np.uint8), np.zeros(0)).shape == (0, 5)
    assert worn_minutes(np.zeros((2, 0), np.uint8), np.zeros(2)).shape == (2, 0)
    assert is_worn(np.zeros((2, 0), np.uint8), np.zeros(2)).tolist() == [False, False]
    assert is_worn(np.zeros((0, 5), np.uint8), np.zeros(0)).tolist() == []
