"""Cosinor, personal baseline and CUSUM."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.baseline import STARTER, Cohort, personal_baseline, shrunken, update
from monitor.signals.cosinor import TOO_FEW_DAYS, Cosinor, HourlyMeans, cosinor, hourly_means
from monitor.signals.cusum import cusum
from tests.reference import slow_days as slow

Floats = NDArray[np.float64]


def hours(seed: int, days: int = 4, missing: float = 0.1) -> HourlyMeans:
    rng = np.random.default_rng(seed)
    middle = np.arange(24 * days) + 0.5
    steps = rng.exponential(8, (2, len(middle))) * (rng.random((2, len(middle))) < 0.5)
    first = rng.uniform(2, 12) * np.cos(2 * np.pi * (middle - rng.uniform(0, 24)) / 24)
    second = rng.uniform(0.5, 4) * np.cos(4 * np.pi * (middle - rng.uniform(0, 12)) / 24)
    bpm = 70 + first + second + 0.3 * steps + rng.normal(0, 2, steps.shape)
    minutes = np.where(rng.random(steps.shape) < missing, 0.0, rng.integers(4, 61, steps.shape))
    return HourlyMeans(np.where(minutes > 0, bpm, np.nan), np.where(minutes > 0, steps, np.nan), minutes)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 23))
def test_the_cosinor_equals_its_slow_twin(seed: int, first_hour: int) -> None:
    these = hours(seed)

    found = cosinor(these, np.array([first_hour, first_hour]))

    for row in range(2):
        if found.reason[row]:
            continue
        bpm, steps, minutes = (part[row].tolist() for part in (these.bpm, these.steps, these.minutes))
        expected = slow.cosinor(bpm, steps, minutes, first_hour)
        for name in ("mesor_bpm", "amplitude_bpm", "second_share", "bpm_per_step"):
            assert getattr(found, name)[row] == pytest.approx(expected[name], abs=1e-4), name
        for name in ("acrophase_h", "bathyphase_h"):
            apart = abs(float(getattr(found, name)[row]) - expected[name])
            assert min(apart, 24 - apart) < 0.01, name


def made(rhythm: Floats, days: int = 3) -> Cosinor:
    flat = np.zeros((1, 24 * days))
    return cosinor(HourlyMeans(np.tile(rhythm, days)[None], flat, flat + 60), np.array([0]))


def test_a_minute_curve_comes_back_with_its_level_peak_trough_and_share() -> None:
    # M 72, 9 bpm with its peak at 15 h, and 3 bpm with peaks at 9 h and 21 h: a variance share of 9 / 90
    angle = 2 * np.pi * np.arange(1440) / 1440
    curve = 72 + 9 * np.cos(angle - 2 * np.pi * 15 / 24) + 3 * np.cos(2 * (angle - 2 * np.pi * 9 / 24))
    clock = np.arange(1440) / 60

    one = made(curve.reshape(24, 60).mean(axis=1))

    assert one.mesor_bpm[0] == pytest.approx(72, abs=0.01)
    assert one.second_share[0] == pytest.approx(0.1, abs=0.001)
    assert one.amplitude_bpm[0] == pytest.approx((curve.max() - curve.min()) / 2, abs=0.03)
    assert one.acrophase_h[0] == pytest.approx(clock[curve.argmax()], abs=0.06)
    assert one.bathyphase_h[0] == pytest.approx(clock[curve.argmin()], abs=0.06)


def test_steps_that_come_at_the_same_hours_are_taken_out() -> None:
    hour = np.arange(24 * 7)
    rng = np.random.default_rng(1)
    steps = np.where((hour % 24 == 18) & (rng.random(len(hour)) < 0.7), 90.0, 1.0)
    rhythm = 65 + 5 * np.cos(2 * np.pi * (hour + 0.5 - 15) / 24)
    all_of_it = np.full((1, len(hour)), 60.0)

    with_steps = cosinor(HourlyMeans((rhythm + 0.4 * steps)[None], steps[None], all_of_it), np.array([0]))
    without = cosinor(HourlyMeans((rhythm + 0.4 * steps)[None], 0 * steps[None], all_of_it), np.array([0]))

    assert with_steps.bpm_per_step[0] == pytest.approx(0.4, abs=0.01)
    assert with_steps.amplitude_bpm[0] == pytest.approx(5, abs=0.1)
    assert with_steps.mesor_bpm[0] == pytest.approx(65, abs=0.1)
    assert without.amplitude_bpm[0] > 6
    assert without.bpm_per_step[0] == 0


def test_three_days_of_sixteen_hours_are_needed() -> None:
    minutes = np.full((3, 72), 60.0)
    minutes[0, 24:33] = 0  # 15 hours of the second day
    minutes[1, 24:32] = 0
    minutes[2, 48:] = 0
    rate = np.where(minutes > 0, 70.0, np.nan)

    found = cosinor(HourlyMeans(rate, np.where(minutes > 0, 0.0, np.nan), minutes), np.zeros(3, np.int64))

    assert found.days.tolist() == [2, 3, 2]
    assert found.reason.tolist() == [TOO_FEW_DAYS, 0, TOO_FEW_DAYS]
    assert np.isnan(found.mesor_bpm).tolist() == [True, False, True]


def test_a_flat_day_has_a_level_and_no_peak() -> None:
    one = made(np.full(24, 63.0))

    assert one.mesor_bpm[0] == pytest.approx(63)
    assert one.amplitude_bpm[0] == pytest.approx(0, abs=1e-9)
    assert np.isnan([one.acrophase_h[0], one.bathyphase_h[0], one.second_share[0]]).all()


@pytest.mark.parametrize(("n", "width"), [(0, 72), (2, 0), (2, 24), (2, 24 * 365)])
def test_empty_and_missing_hours_are_no_error(n: int, width: int) -> None:
    missing = np.full((n, width), np.nan)

    found = cosinor(HourlyMeans(missing, missing, np.zeros((n, width))), np.zeros(n, np.int64))

    assert found.reason.tolist() == [TOO_FEW_DAYS] * n
    assert np.isnan(found.amplitude_bpm).all()


minute = st.tuples(st.one_of(st.just(0), st.integers(40, 180)), st.one_of(st.none(), st.integers(0, 130)))


@settings(max_examples=15, deadline=None)
@given(st.lists(minute, min_size=120, max_size=120))
def test_hourly_means_equal_their_slow_twin_and_know_no_future(minutes: list[tuple[int, int | None]]) -> None:
    bpm = np.array([[one[0] for one in minutes]], np.uint8)
    steps = np.array([[one[1] or 0 for one in minutes]], np.uint8)
    known = np.array([[one[1] is not None for one in minutes]])

    found = hourly_means(bpm, steps, known)
    cut = hourly_means(bpm[:, :60], steps[:, :60], known[:, :60])

    for hour in range(2):
        expected = slow.hour_mean([one[0] for one in minutes], [one[1] for one in minutes], hour)
        np.testing.assert_allclose(
            [found.bpm[0, hour], found.steps[0, hour], found.minutes[0, hour]], expected, rtol=1e-12
        )
    np.testing.assert_array_equal(cut.bpm, found.bpm[:, :1])


def test_a_part_of_an_hour_is_an_error() -> None:
    nothing = np.zeros((1, 61), np.uint8)
    with pytest.raises(ValueError, match="61 minutes are no whole hours"):
        hourly_means(nothing, nothing, nothing == 0)


COHORT = Cohort(np.full((2, 24), 70.0), np.full((2, 24), 5.0))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_the_window_baseline_equals_its_slow_twin(seed: int, days: int) -> None:
    rng = np.random.default_rng(seed)
    bpm = np.where(rng.random((1, days, 24)) < 0.2, np.nan, rng.normal(65, 4, (1, days, 24)))
    asleep, frozen = rng.integers(-1, 2, bpm.shape).astype(np.int8), rng.random((1, days)) < 0.2

    found = personal_baseline(bpm, asleep, frozen, COHORT)

    for state in range(2):
        for hour in range(0, 24, 5):
            usable = [
                float(bpm[0, day, hour])
                for day in range(max(days - 28, 0), days)
                if not frozen[0, day] and asleep[0, day, hour] == state and not math.isnan(bpm[0, day, hour])
            ]
            got = (found.level[0, state, hour], found.spread[0, state, hour], found.days[0, state, hour])
            assert got == pytest.approx(slow.baseline_cell(usable, 70.0, 5.0))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_running_baseline_equals_its_slow_twin_cell_by_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    level, days = np.zeros((2, 2, 24)), np.zeros((2, 2, 24), np.uint8)
    cells: dict[tuple[int, int, int], tuple[float, int]] = {}
    for _ in range(35):
        today = np.where(rng.random((2, 24)) < 0.2, np.nan, rng.normal(64, 9, (2, 24)))
        asleep, frozen = rng.integers(-1, 2, (2, 24)).astype(np.int8), rng.random(2) < 0.2
        level, days = update(level, days, today, asleep, frozen, COHORT)
        for row in np.flatnonzero(~frozen).tolist():
            for hour in range(24):
                state, value = int(asleep[row, hour]), float(today[row, hour])
                if state >= 0 and not math.isnan(value):
                    cells[row, state, hour] = slow.updated_cell(
                        *cells.get((row, state, hour), (0.0, 0)), value, (70.0, 5.0)
                    )

    assert int((days > 0).sum()) == len(cells)
    for at, (expected, count) in cells.items():
        assert (level[at], days[at]) == pytest.approx((expected, count))
    assert np.isnan(level[days == 0]).all()


def settled(seed: int) -> tuple[Floats, NDArray[np.uint8], "np.random.Generator"]:
    """Forty people after 28 healthy days, kept as float16."""
    rng = np.random.default_rng(seed)
    level, days = np.zeros((40, 2, 24)), np.zeros((40, 2, 24), np.uint8)
    awake, open_now = np.zeros((40, 24), np.int8), np.zeros(40, np.bool_)
    for _ in range(28):
        level, days = update(level, days, rng.normal(66, 3, (40, 24)), awake, open_now, COHORT)
        level = level.astype(np.float16).astype(np.float64)
    return level, days, rng


def ill(frozen_from: int) -> float:
    """Mean shift of the baseline by seven days of +8 bpm, of which those from `frozen_from` are in an open episode."""
    level, days, rng = settled(1)
    healthy, healthy_days = level, days
    awake = np.zeros((40, 24), np.int8)
    for day in range(7):
        usual, frozen = rng.normal(66, 3, (40, 24)), np.full(40, day >= frozen_from)
        level, days = update(level, days, usual + 8, awake, frozen, COHORT)
        healthy, healthy_days = update(healthy, healthy_days, usual, awake, np.zeros(40, np.bool_), COHORT)
        level = level.astype(np.float16).astype(np.float64)
    apart = shrunken(level, days, COHORT.level) - shrunken(healthy, healthy_days, COHORT.level)
    return float(apart[:, 0].mean())


def test_seven_days_of_illness_shift_the_baseline_by_less_than_one_bpm_while_an_episode_is_open() -> None:
    # an episode that opens after two days, as that of a rule which needs two nights
    assert 0 < ill(frozen_from=2) < 0.6
    assert abs(ill(frozen_from=0)) < 0.2
    assert ill(frozen_from=7) > 1.2


def test_the_same_holds_for_the_window_baseline() -> None:
    rng = np.random.default_rng(3)
    healthy = rng.normal(66, 3, (40, 28, 24))
    sick = healthy.copy()
    sick[:, 21:] += 8
    awake, never, opened = np.zeros(sick.shape, np.int8), np.zeros((40, 28), bool), np.zeros((40, 28), bool)
    opened[:, 23:] = True

    def shift(frozen: NDArray[np.bool_]) -> float:
        one, other = (
            personal_baseline(part, awake, which, COHORT) for part, which in ((sick, frozen), (healthy, never))
        )
        return float((one.level - other.level)[:, 0].mean())

    assert abs(shift(opened)) < 0.5
    assert shift(never) > 0.9


def test_one_strange_day_moves_the_running_baseline_little() -> None:
    level, days, _ = settled(2)
    awake, closed = np.zeros((40, 24), np.int8), np.zeros(40, bool)

    strange, _ = update(level, days, np.full((40, 24), 190.0), awake, closed, COHORT)

    assert np.abs(strange - level)[:, 0].max() == pytest.approx(12.5 / 28)


def test_a_day_that_is_missing_asleep_or_frozen_changes_no_other_cell() -> None:
    level, days, _ = settled(4)
    today, asleep = np.full((40, 24), 60.0), np.zeros((40, 24), np.int8)
    today[:, 0], asleep[:, 1], asleep[:, 2] = np.nan, 1, -1

    moved, _ = update(level, days, today, asleep, np.zeros(40, bool), COHORT)
    still, counted = update(level, days, today, asleep, np.ones(40, bool), COHORT)

    assert (moved[:, 0, [0, 1, 2]] == level[:, 0, [0, 1, 2]]).all()
    assert (moved[:, 1, 1] == 60).all()
    assert (moved[:, 0, 3:] != level[:, 0, 3:]).all()
    np.testing.assert_array_equal(still, np.where(days > 0, level, np.nan))
    assert counted.tolist() == days.tolist()


def test_nobody_and_nothing_known_are_no_error() -> None:
    nobody = update(*(np.zeros((0, 2, 24)), np.zeros((0, 2, 24), np.uint8)), np.zeros((0, 24)),
                    np.zeros((0, 24), np.int8), np.zeros(0, bool), STARTER)  # fmt: skip
    unknown = personal_baseline(
        np.full((1, 0, 24), np.nan), np.zeros((1, 0, 24), np.int8), np.zeros((1, 0), bool), STARTER
    )

    assert nobody[0].shape == (0, 2, 24)
    assert unknown.level[0].tolist() == STARTER.level.tolist()
    assert not unknown.days.any()


day = st.one_of(st.just(math.nan), st.floats(50, 80))


@settings(max_examples=60, deadline=None)
@given(st.lists(day, max_size=40), st.floats(0.5, 3))
def test_the_cusum_equals_its_slow_twin(days: list[float], least: float) -> None:
    found = cusum(np.array([days], np.float64).reshape(1, -1), least)

    if not days:
        assert np.isnan(found.upper).all()
    else:
        np.testing.assert_allclose([found.upper[0], found.lower[0]], slow.cusum(days, least), atol=1e-9)


def test_a_hand_worked_cusum() -> None:
    # reference: median 60, MAD 1, so 1.4826; z of 62.9652 is 2, of 57.0348 is -2
    reference = [59.0, 60.0, 61.0] * 7
    week = [62.9652, 62.9652, math.nan, 60.0, 57.0348, 62.9652, 62.9652]

    found = cusum(np.array([reference + week]), 0.5)

    # upper: 1.5, 3, 3, 2.5, 0, 1.5, 3; lower: 0, 0, 0, 0, 1.5, 0, 0
    assert (found.upper[0], found.lower[0], found.z[0]) == pytest.approx((3.0, 0.0, 2.0), abs=1e-9)


def test_a_cusum_is_of_the_last_28_days_alone() -> None:
    rng = np.random.default_rng(5)
    days = rng.normal(60, 2, (3, 400))

    assert cusum(days, 1.0).upper.tolist() == cusum(days[:, -28:], 1.0).upper.tolist()
    assert cusum(days[:, :300], 1.0).upper.tolist() == cusum(days[:, 272:300], 1.0).upper.tolist()


def test_chance_reaches_the_limit_rarely_and_a_shift_of_two_deviations_in_most_weeks() -> None:
    rng = np.random.default_rng(6)
    healthy = rng.normal(60, 2, (4000, 28))
    shifted = healthy.copy()
    shifted[:, -5:] += 4

    assert (cusum(healthy, 1.0).upper >= 5).mean() < 0.02
    assert (cusum(shifted, 1.0).upper >= 5).mean() > 0.6


def test_a_cusum_without_enough_days_says_so() -> None:
    nine = np.full((1, 28), 60.0)
    nine[0, :12] = np.nan
    no_newest = np.full((1, 28), 60.0)
    no_newest[0, -1] = np.nan

    few, blind, nobody = cusum(nine, 1.0), cusum(no_newest, 1.0), cusum(np.zeros((0, 28)), 1.0)

    assert np.isnan([few.upper[0], few.lower[0], few.level[0]]).all()
    assert few.known.tolist() == [9]
    assert np.isnan([blind.upper[0], blind.z[0]]).all()
    assert blind.level.tolist() == [60.0]
    assert nobody.upper.shape == (0,)
