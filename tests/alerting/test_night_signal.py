"""NIGHT_SIGNAL against cases worked by hand and its slow twin."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.evidence import Evidence, Lack, Priority
from monitor.alerting.limits import Limits
from monitor.alerting.night_signal import above_usual, night_signal
from tests.reference.slow_detectors import SlowNightSignal

PUBLISHED = Limits(night_signal_above_bpm=4, night_signal_nights=2)
DAY = 20_000


def judge(nights: list[float], limits: Limits = PUBLISHED) -> Evidence:
    return night_signal(np.array([nights], float), np.array([DAY], np.int64), limits)


def test_two_nights_four_bpm_above_the_median_raise_at_the_published_limits() -> None:
    found = judge([60.0] * 14 + [64.0, 64.0])

    assert found.raised[0]
    assert found.priority[0] == Priority.LOW
    assert found.value[0] == 64.0
    assert found.limit[0] == 64.0


def test_one_high_night_is_no_more_than_yellow() -> None:
    assert not judge([60.0] * 15 + [70.0]).raised[0]


def test_two_nights_between_three_and_four_bpm_above_are_yellow_and_do_not_raise() -> None:
    found = judge([60.0] * 14 + [63.5, 63.5])

    assert not found.raised[0]
    assert not found.cleared[0]
    assert found.assessable[0]


def test_the_default_asks_for_a_third_night_and_one_more_bpm() -> None:
    assert not judge([60.0] * 14 + [65.0, 65.0], Limits()).raised[0]
    assert not judge([60.0] * 14 + [64.5, 64.5, 64.5], Limits()).raised[0]
    assert judge([60.0] * 14 + [65.0, 65.0, 65.0], Limits()).raised[0]


def test_the_median_is_of_earlier_nights_only() -> None:
    """With the night itself in it the median of 58, 58, 62, 66 would be 60, and 64 a red night; without it is 58."""
    above, count = above_usual(np.array([[58.0, 58.0, 62.0, 66.0]]))

    assert above[0].tolist()[1:] == [0.0, 4.0, 8.0]
    assert count[0].tolist() == [0, 1, 2, 3]


def test_a_missing_night_breaks_the_row_and_is_not_filled_with_its_neighbours() -> None:
    found = judge([60.0] * 14 + [66.0, np.nan, 66.0])

    assert not found.raised[0]
    assert not found.assessable[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.HEART_RATE


def test_too_short_a_history_is_said() -> None:
    found = judge([60.0] * 13 + [66.0, 66.0])

    assert not found.raised[0]
    assert found.lacked is not None
    assert found.lacked[0] == Lack.HISTORY


def test_the_episode_begins_with_the_first_high_night() -> None:
    assert judge([60.0] * 14 + [66.0] * 5).start_minute[0] == (DAY - 4) * 1440


def test_a_night_below_the_yellow_limit_clears() -> None:
    found = judge([60.0] * 14 + [66.0, 66.0, 62.0])

    assert found.cleared[0]
    assert not found.raised[0]


nightly = st.one_of(st.none(), st.integers(110, 140).map(lambda half: half / 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(nightly, min_size=1, max_size=28), st.integers(1, 3), st.integers(1, 10))
def test_it_equals_a_state_machine_that_goes_night_by_night(nights: list[float | None], run: int, least: int) -> None:
    limits = Limits(night_signal_above_bpm=4, night_signal_nights=run, night_signal_min_nights=least)
    twin = SlowNightSignal(4.0, 3.0, run, least)
    row = np.array([[np.nan if one is None else one for one in nights]])
    for k, bpm in enumerate(nights):
        found = night_signal(row[:, : k + 1], np.array([DAY], np.int64), limits)
        raised, cleared, assessable = twin.night(bpm)
        assert (found.raised[0], found.assessable[0]) == (raised, assessable)
        assert found.cleared[0] == (cleared and not raised)


@settings(max_examples=30, deadline=None)
@given(st.lists(nightly, min_size=2, max_size=28), st.integers(1, 27))
def test_later_nights_change_nothing_before_them(nights: list[float | None], cut: int) -> None:
    row = np.array([[np.nan if one is None else one for one in nights]])

    whole, past = above_usual(row)[0], above_usual(row[:, :cut])[0]

    np.testing.assert_array_equal(whole[:, :cut], past)
