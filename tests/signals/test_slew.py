"""A jump that no step explains waits for two confirmations."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.signals.slew import is_held
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minutes
from tests.signals.minutes import columns_of, minutes_of, windows


def held(minutes: Minutes) -> bool:
    window = columns_of([minutes])
    return bool(is_held(window.bpm, window.steps, window.known)[0])


@settings(max_examples=60)
@given(windows())
def test_it_equals_its_slow_twin(minutes: Minutes) -> None:
    assert held(minutes) == slow.is_held(minutes)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([None, 70, 75, 140, 145, 200]), min_size=1, max_size=14))
def test_it_equals_its_slow_twin_on_jumps_and_holes(rates: list[int | None]) -> None:
    assert held(minutes_of(rates)) == slow.is_held(minutes_of(rates))


def test_a_jump_is_held_for_two_minutes_and_believed_in_the_third() -> None:
    rates = [70, 70, 70, 150, 151, 149, 150]

    assert [held(minutes_of(rates[:k])) for k in range(1, 8)] == [False, False, False, True, True, False, False]


def test_forty_bpm_in_a_minute_is_still_believed() -> None:
    assert not held(minutes_of([70, 70, 110]))
    assert held(minutes_of([70, 70, 111]))
    assert held(minutes_of([111, 111, 70]))


def test_a_spike_is_held_and_the_way_back_is_not() -> None:
    assert held(minutes_of([70, 70, 150]))
    assert not held(minutes_of([70, 70, 150, 70]))


def test_a_jump_with_a_step_is_not_held() -> None:
    assert not held(minutes_of([70, 70, 150], [0, 12, 0]))
    assert not held(minutes_of([70, 70, 150], [0, 0, 12]))
    assert held(minutes_of([70, 70, 70, 150], [12, 12, 0, 0]))


def test_unknown_activity_excuses_nothing() -> None:
    assert held(minutes_of([70, 70, 150], None))


def test_a_steep_climb_over_many_minutes_is_not_held() -> None:
    rates = [70, 105, 140, 175, 210]

    assert not any(held(minutes_of(rates[:k])) for k in range(1, 6))


def test_a_hole_leaves_room_for_a_change() -> None:
    assert held(minutes_of([70, None, 155]))
    assert not held(minutes_of([70, None, 150]))


def test_missing_single_and_constant_series_hold_nothing() -> None:
    for rates in ([None] * 15, [None] * 14 + [180], [180] * 15, [180, None]):
        assert not held(minutes_of(rates))
    nothing = np.zeros((0, 15), np.uint8)
    assert is_held(nothing, nothing, nothing > 0).shape == (0,)
    no_minute = np.zeros((3, 0), np.uint8)
    assert is_held(no_minute, no_minute, no_minute > 0).tolist() == [False] * 3
