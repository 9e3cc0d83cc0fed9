"""A heart rate that follows the steps for three minutes may be the steps."""

import numpy as np
from hypothesis import given, settings

from monitor.signals.cadence_lock import locked_minutes
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minutes
from tests.signals.minutes import columns_of, minutes_of, windows


def locked(minutes: Minutes) -> int:
    window = columns_of([minutes])
    return int(locked_minutes(window.bpm, window.steps, window.known)[0])


@settings(max_examples=60)
@given(windows())
def test_it_equals_its_slow_twin(minutes: Minutes) -> None:
    assert locked(minutes) == len(slow.locked_run(minutes))


def test_three_minutes_within_three_of_the_steps_are_a_lock() -> None:
    assert locked(minutes_of([90, 160, 168], [0, 163, 165])) == 0
    assert locked(minutes_of([90, 160, 168, 171], [0, 163, 165, 168])) == 3
    assert locked(minutes_of([90, 160, 168, 172], [0, 163, 165, 168])) == 0


def test_a_lock_that_is_over_is_none() -> None:
    assert locked(minutes_of([165] * 10 + [130], 165)) == 0


def test_few_steps_are_no_rhythm() -> None:
    assert locked(minutes_of([58] * 10, 58)) == 0
    assert locked(minutes_of([60] * 10, 60)) == 10


def test_unknown_steps_and_missing_rates_end_the_run() -> None:
    assert locked(minutes_of([165] * 5, [165, 165, None, 165, 165])) == 0
    assert locked(minutes_of([165, 165, None, 165, 165], 165)) == 0
    assert locked(minutes_of([255] * 5, None)) == 0


def test_missing_and_empty_series_hold_no_lock() -> None:
    assert locked(minutes_of([None] * 15, 0)) == 0
    for shape in ((0, 15), (3, 0)):
        nothing = np.zeros(shape, np.uint8)
        assert locked_minutes(nothing, nothing, nothing > 0).tolist() == [0] * shape[0]
