"""What lowers the quality of a window, what does not, and where there is none."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from monitor.signals.quality import GATE, NO_CADENCE, NOT_WORN, MinuteColumns, Quality, assess
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minute, Minutes
from tests.signals.minutes import GAPS_S, columns_of, cut, minutes_of, windows

PARTS = ("index", "validity", "outlier_share", "wear", "plausibility")
LIVELY = [66, 70, 68, 73, 71] * 3


def quality(minutes: Minutes, gap_s: float = 5.0) -> Quality:
    return assess(columns_of([minutes]), np.array([gap_s]))


def index(minutes: Minutes, gap_s: float = 5.0) -> float:
    return float(quality(minutes, gap_s).index[0])


@settings(max_examples=150)
@given(windows(), GAPS_S)
def test_every_part_equals_its_slow_twin(minutes: Minutes, gap_s: float) -> None:
    fast, twin = quality(minutes, gap_s), slow.quality(minutes, gap_s)

    for part in PARTS:
        assert getattr(fast, part)[0] == pytest.approx(getattr(twin, part), abs=1e-12, nan_ok=True), part


@settings(max_examples=40)
@given(windows(), GAPS_S)
def test_it_lies_from_0_to_1_or_says_why_not(minutes: Minutes, gap_s: float) -> None:
    one = quality(minutes, gap_s)

    for part in PARTS:
        value = getattr(one, part)[0]
        assert np.isnan(value) or 0 <= value <= 1
    if one.reason[0]:
        assert np.isnan(one.index[0])


@settings(max_examples=15)
@given(st.lists(windows(shortest=15, longest=15), min_size=2, max_size=5), GAPS_S)
def test_a_wearers_quality_does_not_depend_on_who_is_beside(rows: list[Minutes], gap_s: float) -> None:
    together = assess(columns_of(rows), np.full(len(rows), gap_s))

    for field in dataclasses.fields(Quality):
        alone = [getattr(quality(row, gap_s), field.name)[0] for row in rows]
        np.testing.assert_array_equal(getattr(together, field.name), alone)


def every_minute(row: MinuteColumns, gap_s: float) -> Quality:
    window = MinuteColumns(
        **{field.name: sliding_window_view(getattr(row, field.name)[0], 15) for field in dataclasses.fields(row)}
    )
    return assess(window, np.full(len(window.bpm), gap_s))


@settings(max_examples=15)
@given(windows(shortest=30, longest=60), GAPS_S)
def test_cutting_the_future_changes_no_bit_of_the_past(minutes: Minutes, gap_s: float) -> None:
    row = columns_of([minutes])
    whole, before = every_minute(row, gap_s), every_minute(cut(row, 20), gap_s)

    for field in dataclasses.fields(Quality):
        of_whole, of_before = getattr(whole, field.name)[:6], getattr(before, field.name)
        assert of_whole.tobytes() == of_before.tobytes(), field.name


def test_a_lively_window_of_a_worn_device_is_good() -> None:
    assert index(minutes_of(LIVELY)) == 1.0
    assert index(minutes_of(LIVELY, None)) == 1.0


def test_a_device_that_measures_every_five_minutes_is_as_good_as_a_fast_one() -> None:
    rates = [None if k % 5 else 70 + k % 7 for k in range(61)][1:]
    samples = [Minute(one.rate, one.low, one.high, 1 if one.rate else 0, steps=0) for one in minutes_of(rates)]

    assert index(samples, 300.0) > 0.9
    assert index(samples, 5.0) < 0.1


def test_a_fast_device_that_loses_nine_samples_of_ten_is_poor() -> None:
    thin = [Minute(rate, rate, rate, 1, steps=0) for rate in LIVELY]

    assert index(thin, 5.0) < GATE


def test_a_device_that_was_just_put_on_has_to_earn_its_quality() -> None:
    assert index(minutes_of([*[None] * 10, *LIVELY[:5]])) < GATE
    assert index(minutes_of([*[None] * 7, *LIVELY[:8]])) > GATE


def test_a_device_that_is_off_has_no_quality_and_not_a_low_one() -> None:
    one = quality(minutes_of([*LIVELY[:6], *[None] * 9]))

    assert np.isnan(one.index[0])
    assert one.reason[0] == NOT_WORN
    assert 0 < one.wear[0] < 1


def test_without_a_measured_cadence_there_is_no_quality() -> None:
    one = quality(minutes_of(LIVELY), 0.0)

    assert np.isnan(one.index[0])
    assert one.reason[0] == NO_CADENCE
    for gap_s in (float("nan"), float("inf"), -1.0):
        assert np.isnan(index(minutes_of(LIVELY), gap_s))


def test_a_stuck_sensor_falls_below_the_gate() -> None:
    assert index(minutes_of([88] * 15, [0, 40, 80] * 5)) < GATE


@pytest.mark.parametrize("rate", [120, 150, 240])
def test_a_flat_line_at_120_or_above_is_told_and_lowers_nothing(rate: int) -> None:
    one = quality(minutes_of([rate] * 15, [0, 40, 80] * 5))

    assert one.flat_min[0] == 15
    assert one.index[0] == 1.0


def test_a_long_cadence_lock_falls_below_the_gate_and_a_short_one_does_not() -> None:
    steps = [110] * 3 + [0] * 12

    assert index(minutes_of([*LIVELY[:12], 110, 111, 109], steps[::-1])) > GATE
    assert index(minutes_of([*LIVELY[:5], *[163] * 10], [0] * 5 + [163] * 10)) < GATE


def test_values_of_20_to_24_are_doubted_and_still_there() -> None:
    one = quality(minutes_of([*LIVELY[:9], *[22] * 6]))

    assert one.plausibility[0] == pytest.approx(0.6)
    assert one.validity[0] == 1.0


def test_a_minute_is_doubted_once_for_all_that_speaks_against_it() -> None:
    assert quality(minutes_of([22] * 15, [0, 40, 80] * 5)).plausibility[0] == 0.0
    assert quality(minutes_of([70, 22, 70, *[88] * 12], [0, 40, 80] * 5)).plausibility[0] == pytest.approx(2 / 15)


def test_one_outlier_does_not_silence_a_window() -> None:
    jumps = minutes_of([*LIVELY[:14], 160])
    jumps[-1] = dataclasses.replace(jumps[-1], outlier=True)
    one = quality(jumps)

    assert one.held[0]
    assert one.outlier_share[0] == pytest.approx(1 / 15)
    assert one.plausibility[0] == pytest.approx(14 / 15)
    assert one.index[0] > 0.8


def test_missing_single_constant_and_empty_series_are_defined() -> None:
    assert np.isnan(index(minutes_of([None] * 15)))
    assert index(minutes_of([*[None] * 14, 70])) == pytest.approx(1 / 15)
    assert index(minutes_of([70] * 15)) == 1.0
    assert assess(columns_of([]), np.zeros(0)).index.shape == (0,)
    no_minute = assess(columns_of([[], []]), np.full(2, 5.0))
    assert np.isnan(no_minute.index).all()
    assert no_minute.reason.tolist() == [NOT_WORN, NOT_WORN]


def test_a_reversed_series_is_another_series_and_defined() -> None:
    minutes = minutes_of([*LIVELY[:10], None, None, None, None, None, None])

    assert np.isnan(index(minutes))
    assert 0 < index(minutes[::-1]) < 1
