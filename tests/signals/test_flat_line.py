"""A line is flat if every sample is the same while the wearer moves."""

import numpy as np
from hypothesis import given, settings

from monitor.signals.flat_line import flat_minutes
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minute, Minutes
from tests.signals.minutes import columns_of, minutes_of, windows

WALKS = [0, 40] * 20


def flat(minutes: Minutes) -> int:
    window = columns_of([minutes])
    return int(flat_minutes(window.low, window.high, window.steps, window.known)[0])


@settings(max_examples=80)
@given(windows(shortest=8))
def test_it_equals_its_slow_twin(minutes: Minutes) -> None:
    assert flat(minutes) == len(slow.flat_run(minutes))


def test_ten_equal_minutes_while_walking_are_a_flat_line() -> None:
    assert flat(minutes_of([88] * 9, WALKS[:9])) == 0
    assert flat(minutes_of([88] * 10, WALKS[:10])) == 10
    assert flat(minutes_of([60, 88, 90] + [88] * 12, WALKS[:15])) == 12


def test_a_still_wearer_may_have_a_still_heart_rate() -> None:
    assert flat(minutes_of([55] * 15, 0)) == 0
    assert flat(minutes_of([100] * 15, 110)) == 0
    assert flat(minutes_of([88] * 15, [5, 24, 24] * 5)) == 0
    assert flat(minutes_of([88] * 15, [5, 25, 24] * 5)) == 15
    assert flat(minutes_of([55] * 15, None)) == 0


def test_equal_medians_of_samples_that_differ_are_not_flat() -> None:
    alive = [Minute(88, 85, 91, 12, steps=steps) for steps in WALKS[:15]]

    assert flat(alive) == 0


def test_a_line_that_moved_in_the_newest_minute_is_over() -> None:
    assert flat(minutes_of([88] * 14 + [89], WALKS[:15])) == 0


def test_minutes_without_a_value_neither_count_nor_end_the_line() -> None:
    rates = [88, None] * 10 + [88]

    assert flat(minutes_of(rates, [0, 0, 40] * 7)) == 11
    assert flat(minutes_of([88] * 14 + [None], WALKS[:15])) == 0


def test_a_line_of_flutter_is_told_like_any_other() -> None:
    assert flat(minutes_of([150] * 15, WALKS[:15])) == 15


def test_missing_and_empty_series_hold_no_line() -> None:
    assert flat(minutes_of([None] * 15, WALKS[:15])) == 0
    for shape in ((0, 15), (3, 0)):
        nothing = np.zeros(shape, np.uint8)
        assert flat_minutes(nothing, nothing, nothing, nothing > 0).tolist() == [0] * shape[0]
