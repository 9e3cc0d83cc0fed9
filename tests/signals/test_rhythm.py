"""The irregular-rhythm index, and burden and persistence from minute bytes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.af_burden import burden, five_of_six, irregular_windows, persists
from monitor.signals.hrv import GAPS, TOO_FEW
from monitor.signals.rhythm import COEFFICIENTS, INTERCEPT, rhythm
from tests.signals.beats import Run, irregular, sinus


def indexes(runs: list[Run]) -> list[float]:
    found = rhythm(np.concatenate(runs), np.array([len(run) for run in runs]))
    assert found.reason.tolist() == [0] * len(runs)
    return [float(one) for one in found.index]


@pytest.mark.parametrize("bpm", [55, 70, 90, 130])
def test_intervals_without_memory_are_irregular(bpm: float) -> None:
    assert min(indexes([irregular(seed, bpm) for seed in range(10)])) > 0.9


@pytest.mark.parametrize("breathing", [0.0, 0.03, 0.08])
def test_breathing_at_rest_is_regular(breathing: float) -> None:
    assert max(indexes([sinus(seed, 58, breathing) for seed in range(10)])) < 0.1


@pytest.mark.parametrize("extra", [0.02, 0.05, 0.1])
def test_extra_beats_up_to_one_in_ten_are_regular(extra: float) -> None:
    runs = [sinus(seed, 70, extra=extra) for seed in range(20)]

    assert max(indexes(runs)) < 0.2
    plain = [float(np.sqrt(np.mean(np.diff(run) ** 2)) / run.mean()) for run in runs]
    assert extra < 0.05 or min(plain) > 0.14  # what a limit on RMSSD alone would have called irregular


@pytest.mark.parametrize("every", [2, 3])
def test_extra_beats_in_a_fixed_order_stay_below_the_threshold_in_most_windows(every: int) -> None:
    found = indexes([sinus(seed, 72, every=every) for seed in range(20)])

    assert np.median(found) < 0.5


def test_an_extra_beat_in_every_four_comes_near_the_threshold_as_the_docstring_says() -> None:
    found = indexes([sinus(seed, 72, every=4) for seed in range(20)])

    assert 0.3 < np.median(found) < 0.7


def test_the_index_is_what_the_coefficients_say() -> None:
    one = rhythm(*(lambda run: (run, np.array([len(run)])))(irregular(1)))

    logit = INTERCEPT + sum(c * float(f) for c, f in zip(COEFFICIENTS, one.features[0], strict=True))
    assert one.index[0] == pytest.approx(1 / (1 + math.exp(-logit)))


def test_too_few_beats_and_too_many_gaps_are_not_assessable() -> None:
    found = rhythm(np.full(19 + 200 + 300, 800), np.array([19, 200, 300]))

    assert found.reason.tolist() == [TOO_FEW, GAPS, 0]
    assert np.isnan(found.index).tolist() == [True, True, False]
    assert found.irregular.tolist() == [False, False, False]


def test_without_intervals_nothing_is_assessable() -> None:
    found = rhythm(np.zeros(0, np.int16), np.zeros(3, np.int32))

    assert found.reason.tolist() == [TOO_FEW] * 3
    assert np.isnan(found.index).all()
    assert len(rhythm(np.zeros(0, np.int16), np.zeros(0, np.int32)).index) == 0


def test_a_run_that_is_broken_everywhere_is_not_assessable() -> None:
    every_other = np.tile([800, 0], 400)

    assert rhythm(every_other, np.array([800])).reason.tolist() == [TOO_FEW]


codes = st.lists(st.sampled_from([0, 3, 14, 15, 16, 30]), max_size=60)


def slow_windows(code: list[int], still: list[bool]) -> list[tuple[bool, bool]]:
    found = []
    for end in range(len(code)):
        five = [code[k] for k in range(max(end - 4, 0), end + 1) if code[k] and still[k]]
        told = len(five) >= 4
        found.append((told and sum(one - 1 >= 14 for one in five) >= 4, told))
    return found


@settings(max_examples=60, deadline=None)
@given(codes, st.integers(0, 2**20))
def test_windows_of_bytes_equal_their_slow_twin(code: list[int], seed: int) -> None:
    still = np.random.default_rng(seed).random(len(code)) < 0.9

    irregular_now, told = irregular_windows(np.array([code], np.uint8).reshape(1, -1), still[None])

    assert list(zip(irregular_now[0].tolist(), told[0].tolist(), strict=True)) == slow_windows(code, still.tolist())


def test_cutting_the_future_changes_no_window() -> None:
    rng = np.random.default_rng(2)
    code, still = rng.integers(0, 40, (3, 200)).astype(np.uint8), rng.random((3, 200)) < 0.9

    for part, whole in zip(irregular_windows(code[:, :90], still[:, :90]), irregular_windows(code, still), strict=True):
        assert part.tolist() == whole[:, :90].tolist()


def flags(*spans: tuple[int, bool]) -> NDArray[np.bool_]:
    return np.array([[value for length, value in spans for _ in range(length)]])


def test_half_an_hour_must_be_irregular_throughout() -> None:
    everything = flags((26, True))
    one_regular = flags((10, True), (1, False), (15, True))

    assert [bool(part[0]) for part in persists(everything, everything)] == [True, True]
    assert [bool(part[0]) for part in persists(everything[:, 1:], everything[:, 1:])] == [False, False]
    # the windows end 0, 3, 5, 8, 10, 13, 15, 18, 20, 23 and 25 minutes ago
    assert [bool(part[0]) for part in persists(one_regular, everything)] == [False, True]


def test_persistence_is_not_told_where_a_window_is_missing_and_none_is_regular() -> None:
    irregular_now, told = flags((26, True)), flags((25, True), (1, False))

    assert [bool(part[0]) for part in persists(irregular_now & told, told)] == [False, False]


def test_five_of_six_looks_a_quarter_of_an_hour_apart() -> None:
    told = flags((90, True))

    assert [bool(one[0]) for one in five_of_six(flags((75, True), (15, False)), told)] == [True, True]
    assert [bool(one[0]) for one in five_of_six(flags((15, False), (75, True)), told)] == [False, True]
    assert [bool(one[0]) for one in five_of_six(flags((60, True), (30, False)), told)] == [False, True]
    assert [bool(one[0]) for one in five_of_six(told[:, :75], told[:, :75])] == [False, False]


def test_looks_that_are_missing_are_passed_over() -> None:
    told = flags((45, True), (200, False), (45, True))

    assert [bool(one[0]) for one in five_of_six(told, told)] == [True, True]


def test_a_share_needs_an_hour_that_can_be_told() -> None:
    half = flags((30, True), (30, False))
    hour, less = np.ones((1, 60), np.bool_), flags((59, True), (1, False))

    assert burden(half, hour).share.tolist() == [0.5]
    assert np.isnan(burden(half, less).share).all()
    assert burden(half, less).assessable.tolist() == [59]


@pytest.mark.parametrize("shape", [(0, 100), (2, 0), (2, 1)])
def test_empty_and_short_arrays_are_no_error(shape: tuple[int, int]) -> None:
    nothing = np.zeros(shape, np.uint8)
    irregular_now, told = irregular_windows(nothing, nothing == 0)

    assert not told.any()
    assert np.isnan(burden(irregular_now, told).share).all()
    assert not persists(irregular_now, told)[1].any()
    assert not five_of_six(irregular_now, told)[1].any()
