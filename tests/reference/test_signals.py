"""Signals against what can be checked by hand or by a plain filter."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, lfilter

from monitor.signals.butterworth import WINDOW, smooth
from monitor.signals.heat_index import heat_index_c

bpm = st.integers(30, 220)


@given(st.lists(bpm, min_size=WINDOW, max_size=WINDOW))
def test_the_low_pass_equals_a_plain_difference_equation_in_steady_state(values: list[int]) -> None:
    b, a = butter(2, 1 / 600, fs=1 / 60)
    settled = np.concatenate([np.full(2000, values[0]), values])

    expected = lfilter(b, a, settled)[-1]

    got = smooth(np.array([values], np.uint8), np.ones((1, WINDOW), bool))[0]
    assert abs(got - expected) < 1e-6 * expected


@given(st.lists(bpm, min_size=WINDOW, max_size=WINDOW), st.integers(0, 2**32 - 1))
def test_what_a_hole_holds_decides_nothing(values: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    valid = rng.random((1, WINDOW)) < 0.8
    one = np.array([values], np.uint8)
    other = np.where(valid, one, rng.integers(0, 255, one.shape).astype(np.uint8))

    np.testing.assert_array_equal(smooth(one, valid), smooth(other, valid))


@given(st.lists(st.lists(bpm, min_size=WINDOW, max_size=WINDOW), min_size=2, max_size=6))
def test_a_wearers_result_does_not_depend_on_who_is_beside(values: list[list[int]]) -> None:
    together = smooth(np.array(values, np.uint8), np.ones((len(values), WINDOW), bool))

    alone = [smooth(np.array([row], np.uint8), np.ones((1, WINDOW), bool))[0] for row in values]
    assert together.tolist() == alone


def test_too_few_or_too_old_minutes_are_not_known() -> None:
    half = np.zeros((2, WINDOW), bool)
    half[0, -29:] = True
    half[1, : WINDOW - 3] = True

    assert np.isnan(smooth(np.full((2, WINDOW), 70, np.uint8), half)).all()


def test_the_heat_index_meets_the_nws_chart() -> None:
    """Corners of the published chart, Fahrenheit and percent, rounded as there."""
    chart = {(80, 40): 80, (90, 50): 95, (100, 40): 109, (90, 85): 117, (110, 40): 136, (86, 90): 105}

    for (t, r), index in chart.items():
        got = heat_index_c((np.array([float(t)]) - 32) / 1.8, np.array([float(r)]))[0] * 1.8 + 32
        assert abs(got - index) <= 1.0
