"""PERSONAL_CUSUM against a textbook's table and its slow twin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.evidence import Lack
from monitor.alerting.limits import Limits
from monitor.alerting.personal_cusum import LEAST_SPREAD_BPM, nightly_z, personal_cusum, running_sum
from tests.reference.slow_detectors import slow_cusum, slow_nightly_z

DAY = np.int64([20_000])
CALM = [60.0, 61.0, 59.0] * 6


def test_the_sum_meets_the_worked_table_of_the_nist_handbook() -> None:
    """NIST/SEMATECH 6.3.2.3: mean 325, k 0.3175, twenty group means and their upper sums, retold from memory."""
    means = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600]
    means += [324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350]
    printed = [0, 0, 0, 0, 0.03, 0, 0, 0, 0, 0, 0, 0, 3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]

    sums = running_sum(np.array([means]) - 325, 0.3175)[0]

    assert np.abs(sums - printed).max() < 0.011


def test_a_small_lasting_rise_raises_where_no_single_night_is_far() -> None:
    limits = Limits(personal_cusum_slack=0.5, personal_cusum_sum=5)
    found = personal_cusum(np.array([CALM + [62.5] * 5]), DAY, limits)

    assert found.raised[0]
    assert found.start_minute[0] == (20_000 - 4) * 1440
    assert np.nanmax(nightly_z(np.array([CALM + [62.5] * 5]), limits)) < 2


def test_one_extreme_night_alone_does_not_raise() -> None:
    assert not personal_cusum(np.array([[*CALM, 120.0]]), DAY, Limits()).raised[0]


def test_it_does_not_raise_on_a_night_that_is_back_to_usual() -> None:
    found = personal_cusum(np.array([CALM + [64.0] * 4 + [60.0]]), DAY, Limits())

    assert not found.raised[0]
    assert not found.cleared[0]


def test_a_missing_night_is_not_assessable_and_leaves_the_sum() -> None:
    found = personal_cusum(np.array([CALM + [64.0] * 4 + [np.nan]]), DAY, Limits())

    assert not found.assessable[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.HEART_RATE


nightly = st.one_of(st.none(), st.integers(110, 150).map(lambda half: half / 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(nightly, min_size=1, max_size=28), st.integers(3, 12))
def test_it_equals_sums_taken_night_by_night(nights: list[float | None], least: int) -> None:
    limits = Limits(personal_cusum_min_nights=least, personal_cusum_sum=3)
    z = slow_nightly_z(nights, least, limits.personal_cusum_most_z, LEAST_SPREAD_BPM)
    sums = slow_cusum(z, limits.personal_cusum_slack)

    found = personal_cusum(np.array([[np.nan if one is None else one for one in nights]]), DAY, limits)

    assert found.assessable[0] == (z[-1] is not None)
    if z[-1] is not None:
        assert abs(found.value[0] - sums[-1]) < 1e-9
        assert found.raised[0] == (sums[-1] >= 3 and z[-1] > limits.personal_cusum_slack) or abs(sums[-1] - 3) < 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(nightly, min_size=2, max_size=28), st.integers(1, 27))
def test_later_nights_change_nothing_before_them(nights: list[float | None], cut: int) -> None:
    row = np.array([[np.nan if one is None else one for one in nights]])

    np.testing.assert_array_equal(nightly_z(row, Limits())[:, :cut], nightly_z(row[:, :cut], Limits()))
