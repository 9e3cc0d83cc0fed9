"""An effort that ends in rest shows how fast the heart rate falls; anything else shows nothing."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.signals.recovery import NOT_EXPONENTIAL, TOO_FEW, Recoveries, median_drop, recoveries
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_heart_rate import Minute
from tests.signals.minutes import columns_of, minutes_of


def falls(tau_s: float, rise: float = 70, floor: float = 80, minutes: int = 8) -> list[int | None]:
    return [round(floor + rise * float(np.exp(-60 * k / tau_s))) for k in range(1, minutes + 1)]


def ended(rates: Sequence[int | None], steps: Sequence[int | None], resting: float = 60.0) -> Recoveries:
    day = columns_of([minutes_of(rates, steps)])
    return recoveries(day.bpm, day.steps, day.known, np.array([resting]))


def effort(after: Sequence[int | None], steps_after: Sequence[int | None] | None = None) -> Recoveries:
    """Recover from six minutes at 150 bpm and 120 steps a minute, and one in which they end."""
    steps = steps_after or [0] * len(after)
    return ended([*[150] * 7, *after], [*[120] * 6, 55, *steps])


@st.composite
def days(draw: st.DrawFn) -> list[Minute]:
    pieces = draw(
        st.lists(
            st.sampled_from([(5, 130), (6, 80), (3, 120), (7, 0), (8, 59), (1, 60), (1, 79), (1, None)]), max_size=8
        )
    )
    steps = [step for long, step in pieces for _ in range(long)]
    rates = draw(st.lists(st.none() | st.integers(60, 170), min_size=len(steps), max_size=len(steps)))
    return minutes_of(rates, steps)


@settings(max_examples=80)
@given(days())
def test_ends_and_drops_equal_their_slow_twin(minutes: list[Minute]) -> None:
    day = columns_of([minutes])
    fast = recoveries(day.bpm, day.steps, day.known, np.array([70.0]))
    twin = slow.recoveries(minutes, 70.0)

    assert fast.column.tolist() == [one.column for one in twin]
    assert fast.peak_bpm.tolist() == [one.peak for one in twin]
    np.testing.assert_array_equal(fast.drop_1_bpm, [one.drop_1 for one in twin])
    np.testing.assert_array_equal(fast.drop_2_bpm, [one.drop_2 for one in twin])


@settings(max_examples=30)
@given(days(), st.integers(0, 40))
def test_cutting_the_future_takes_ends_away_and_changes_none(minutes: list[Minute], end: int) -> None:
    day = columns_of([minutes])
    whole = recoveries(day.bpm, day.steps, day.known, np.array([70.0]))
    before = recoveries(day.bpm[:, :end], day.steps[:, :end], day.known[:, :end], np.array([70.0]))
    stays = whole.column + 7 < end

    for field in dataclasses.fields(Recoveries):
        assert getattr(whole, field.name)[stays].tobytes() == getattr(before, field.name).tobytes(), field.name


@pytest.mark.parametrize("tau_s", [45, 60, 90, 120, 180])
def test_a_first_order_fall_gives_back_its_time_constant(tau_s: float) -> None:
    one = effort(falls(tau_s))

    assert one.time_constant_s[0] == pytest.approx(tau_s, abs=0.12 * tau_s)
    assert one.reason[0] == 0


@pytest.mark.parametrize("tau_s", [60, 120])
def test_the_best_time_constant_is_the_one_that_a_plain_fit_finds(tau_s: float) -> None:
    rng = np.random.default_rng(3)
    rates = [None if rate is None else int(rate + rng.integers(-2, 3)) for rate in falls(tau_s)]

    def misfit(tau: float) -> float:
        design = np.stack([np.exp(-60 * np.arange(6) / tau), np.ones(6)], axis=1)
        return float(np.linalg.lstsq(design, np.array(rates[:6], float), rcond=None)[1][0])

    assert effort(rates).time_constant_s[0] == min(range(30, 301, 5), key=misfit)


def test_drops_are_taken_from_the_peak_of_the_last_three_minutes() -> None:
    one = ended([150, 150, 150, 158, 155, 150, 150, *falls(90)], [120] * 6 + [0] * 9)

    assert one.peak_bpm.tolist() == [158]
    assert one.drop_1_bpm.tolist() == [158 - 116]
    assert one.drop_2_bpm.tolist() == [158 - 98]


def test_walking_on_is_no_recovery() -> None:
    assert len(effort(falls(90), [0, 60, 0, 0, 0, 0, 0, 0]).row) == 0
    assert len(effort(falls(90), [None, 0, 0, 0, 0, 0, 0, 0]).row) == 0


def test_walking_again_takes_the_time_constant_and_not_the_drops() -> None:
    one = effort(falls(90), [0, 0, 0, 60, 0, 0, 0, 0])

    assert one.drop_1_bpm.tolist() == [150 - 116]
    assert np.isnan(one.time_constant_s[0])
    assert one.reason[0] == TOO_FEW


def test_an_effort_may_end_at_once_or_within_a_minute() -> None:
    for ending in (0, 79, None):
        assert ended([*[150] * 7, *falls(90)], [*[120] * 6, ending, *[0] * 8]).column.tolist() == [5]


def test_a_stroll_that_hardly_moved_the_heart_is_no_effort() -> None:
    assert len(ended([79] * 6 + [70] * 9, [110] * 6 + [0] * 9).row) == 0
    assert len(ended([80] * 6 + [70] * 9, [110] * 6 + [0] * 9).row) == 1


def test_an_effort_without_steps_is_not_seen() -> None:
    assert len(ended([*[150] * 20, *falls(90)], [0] * 28).row) == 0


def test_without_a_resting_rate_nothing_is_assessable() -> None:
    assert len(ended([*[150] * 7, *falls(90)], [120] * 6 + [0] * 9, float("nan")).row) == 0


def test_a_missing_minute_takes_its_drop_and_the_time_constant_with_it() -> None:
    rates = falls(90)
    rates[0] = None
    one = effort(rates)

    assert np.isnan(one.drop_1_bpm[0])
    assert one.drop_2_bpm[0] == 150 - 98
    assert np.isnan(one.time_constant_s[0])
    assert one.reason[0] == TOO_FEW


@pytest.mark.parametrize(
    "after",
    [
        [150] * 8,
        [150, 148, 146, 144, 142, 140, 138, 136],  # a line
        [100, 81, 80, 80, 80, 80, 80, 80],  # over within a minute
        [140, 110, 125, 100, 110, 92, 90, 90],  # up and down
        [86, 83, 82, 81, 80, 80, 80, 80],  # hardly anything
    ],
)
def test_a_rate_that_stays_or_falls_otherwise_has_no_time_constant(after: list[int | None]) -> None:
    one = effort(after)

    assert np.isnan(one.time_constant_s[0])
    assert one.reason[0] == NOT_EXPONENTIAL


def test_a_rate_that_rises_is_a_negative_drop() -> None:
    assert effort([155] * 8).drop_1_bpm.tolist() == [-5]


def test_a_days_drop_is_the_median_of_its_efforts() -> None:
    rates = [*[150] * 7, *falls(90), *[150] * 7, *falls(60)]
    steps = [120] * 6 + [0] * 9
    day = columns_of([minutes_of(rates, steps * 2), minutes_of([70] * 30, 0)])
    found = recoveries(day.bpm, day.steps, day.known, np.array([60.0, 60.0]))

    assert median_drop(found, 2)[0] == np.median(found.drop_1_bpm)
    assert len(found.row) == 2
    assert np.isnan(median_drop(found, 2)[1])


def test_missing_short_and_empty_days_hold_no_recovery() -> None:
    for shape in ((0, 1440), (2, 0), (2, 10), (2, 1440)):
        nothing = np.zeros(shape, np.uint8)
        assert len(recoveries(nothing, nothing, nothing > 0, np.full(shape[0], 60.0)).row) == 0
    assert median_drop(effort([70] * 3), 0).shape == (0,)
