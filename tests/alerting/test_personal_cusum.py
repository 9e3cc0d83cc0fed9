"""PERSONAL_CUSUM against cases worked by hand and its slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.evidence import Evidence, Lack
from monitor.alerting.limits import Limits
from monitor.alerting.personal_cusum import LEAST_SPREAD_BPM, personal_cusum
from tests.reference.slow_detectors import slow_cusum

CALM = [60.0, 61.0, 59.0] * 7
PUBLISHED = Limits(personal_cusum_sum=5)


def judge(week: list[float], limits: Limits = PUBLISHED) -> Evidence:
    return personal_cusum(np.array([CALM + week]), np.array([20_000], np.int64), limits)


def test_a_small_lasting_rise_raises_where_no_single_night_is_far() -> None:
    """MAD 1 bpm, so the spread is the least, 2 bpm; 62.5 lies 1.25 above and adds 0.75: seven nights 5.25."""
    found = judge([62.5] * 7)

    assert found.raised[0]
    assert found.value[0] == pytest.approx(5.25)
    assert found.start_minute[0] == (20_000 - 6) * 1440


def test_the_default_limit_asks_for_twice_the_published_sum() -> None:
    assert not judge([63.0] * 7, Limits()).raised[0]  # 7 * (1.5 - 0.5) = 7
    assert judge([64.0] * 7, Limits()).raised[0]  # 7 * (2 - 0.5) = 10.5


def test_one_extreme_night_alone_does_not_raise() -> None:
    assert judge([60.0] * 6 + [120.0]).value[0] == pytest.approx(2.5)


def test_it_does_not_raise_on_a_night_that_is_back_to_usual() -> None:
    found = judge([66.0] * 6 + [60.0])

    assert found.value[0] > PUBLISHED.personal_cusum_sum
    assert not found.raised[0]
    assert not found.cleared[0]


def test_a_week_as_usual_clears() -> None:
    assert judge([60.0] * 7).cleared[0]


def test_a_missing_night_is_not_assessable() -> None:
    found = judge([66.0] * 6 + [np.nan])

    assert not found.assessable[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.HEART_RATE


nightly = st.one_of(st.none(), st.integers(110, 150).map(lambda half: half / 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(nightly, min_size=1, max_size=35))
def test_it_equals_sums_taken_night_by_night(nights: list[float | None]) -> None:
    limits = Limits(personal_cusum_min_nights=10, personal_cusum_sum=3)
    expected = slow_cusum(nights, 10, LEAST_SPREAD_BPM)

    found = personal_cusum(
        np.array([[np.nan if one is None else one for one in nights]]), np.array([9], np.int64), limits
    )

    assert found.assessable[0] == (expected is not None)
    if expected is not None:
        assert found.value[0] == pytest.approx(expected)
