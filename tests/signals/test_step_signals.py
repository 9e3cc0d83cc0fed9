"""Steps: merging devices, cadence, bouts, stillness and effort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.bouts import active_bouts, stillness
from monitor.signals.cadence import cadence, known_steps
from monitor.signals.device_merge import merge
from monitor.signals.hr_reserve import effort, highest_bpm
from monitor.signals.why_not import WhyNot
from tests.reference import slow_steps as slow
from tests.reference.slow_steps import Minute

Floats = NDArray[np.float64]
minute = st.sampled_from([None, 0.0, 0.0, 1.0, 19.0, 20.0, 99.0, 100.0, 110.0, 110.0, 125.0, 140.0])
walks = st.lists(
    st.tuples(st.sampled_from([None, 0.0, 60.0, 110.0, 110.0, 130.0]), st.integers(1, 14)), min_size=1, max_size=8
).map(lambda runs: [told for told, length in runs for _ in range(length)])


def row(steps: list[Minute]) -> Floats:
    return np.array([[np.nan if s is None else s for s in steps]], np.float64)


def test_the_watch_and_the_phone_of_open_wearables_issue_1287() -> None:
    """A watch worn for part of a day (4,157 steps), a phone carried all day: 14,079 in truth.

    The watch sends zeros from its charger, as they do. The phone counts the same walks as the watch while that is
    worn, a little less of them. One device alone loses steps; both added count the morning twice.
    """
    rng = np.random.default_rng(1287)
    watch, phone = np.zeros(1440), np.zeros(1440)
    worn = np.zeros(1440, bool)
    worn[480:840] = True
    with_watch, without = rng.permutation(np.arange(490, 830))[:60], rng.permutation(np.arange(850, 1380))[:120]
    watch[with_watch] = np.bincount(rng.integers(0, 60, 4157), minlength=60)
    phone[with_watch] = np.floor(watch[with_watch] * 0.93)
    phone[without] = np.bincount(rng.integers(0, 120, 14_079 - 4_157), minlength=120)
    phone[:420] = np.nan
    assert watch.sum() == 4_157
    assert watch.sum() + np.nansum(phone) > 17_500

    found = merge(np.stack([watch, phone])[None], np.stack([worn, np.zeros(1440, bool)])[None])

    assert np.nansum(found.steps) == 14_079
    assert set(found.source[0, with_watch]) == {0}
    assert set(found.source[0, without]) == {1}
    assert np.isnan(found.steps[0, :420]).all()
    swapped = merge(np.stack([phone, watch])[None], np.stack([np.zeros(1440, bool), worn])[None])
    assert np.nansum(swapped.steps) == np.nansum(phone)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20).flatmap(lambda t: st.lists(
    st.tuples(st.lists(minute, min_size=t, max_size=t), st.lists(st.booleans(), min_size=t, max_size=t)),
    min_size=1, max_size=3)))  # fmt: skip
def test_merging_equals_its_slow_twin(devices: list[tuple[list[Minute], list[bool]]]) -> None:
    steps = np.concatenate([row(told) for told, _ in devices])[None]
    worn = np.array([[wear for _, wear in devices]])

    found = merge(steps, worn)
    np.testing.assert_array_equal(found.steps, row(slow.merged([t for t, _ in devices], [w for _, w in devices])))
    cut = merge(steps[:, :, :-1], worn[:, :, :-1])
    np.testing.assert_array_equal(found.steps[:, :-1], cut.steps)
    np.testing.assert_array_equal(found.source[:, :-1], cut.source)
    assert ((found.source == -1) == np.isnan(found.steps)).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(minute, min_size=1, max_size=60))
def test_bands_equal_their_slow_twin_and_fill_the_known_minutes(steps: list[Minute]) -> None:
    found = cadence(row(steps))

    known = sum(s is not None for s in steps)
    assert found.known[0] == known
    expected = slow.band_minutes(steps) if known else [np.nan] * 8
    np.testing.assert_array_equal(found.bands[0], expected)
    assert np.isnan(found.mvpa[0])
    assert found.why_not[0] == (WhyNot.TOO_FEW if known else WhyNot.NOTHING)


def test_a_day_worked_by_hand() -> None:
    day = np.full((2, 1440), np.nan, np.float32)
    day[:, 400:1000] = 0
    day[:, 500:520] = 105
    day[:, 700:715] = 131
    day[1, 999] = np.nan

    found = cadence(day)
    assert found.mvpa[0] == 35
    assert found.vigorous[0] == 15
    assert found.peak_30[0] == (15 * 131 + 15 * 105) / 30
    assert found.steps.tolist() == [20 * 105 + 15 * 131] * 2
    assert np.isnan([found.mvpa[1], found.vigorous[1], found.peak_30[1]]).all()


def test_a_zero_without_wear_is_not_rest() -> None:
    steps, worn = np.zeros((1, 1440), np.float32), np.zeros((1, 1440), bool)

    assert np.isnan(known_steps(steps, worn)).all()
    assert known_steps(steps, worn).dtype == np.float32
    assert np.isnan(stillness(known_steps(steps, worn), ~worn).minutes[0])


@settings(max_examples=60, deadline=None)
@given(walks)
def test_bouts_equal_their_slow_twin(steps: list[Minute]) -> None:
    found = active_bouts(np.concatenate([row(steps), row(steps[::-1])]))

    for k, one in enumerate((steps, steps[::-1])):
        if all(s is None for s in one):
            assert np.isnan(found.count[k])
            continue
        lengths = [last - first + 1 for first, last in slow.active_bouts(one)]
        assert (found.count[k], found.minutes[k], found.longest[k]) == (
            len(lengths),
            sum(lengths),
            max(lengths, default=0),
        )


@settings(max_examples=30, deadline=None)
@given(walks, walks)
def test_a_bout_is_settled_three_minutes_after_it(steps: list[Minute], future: list[Minute]) -> None:
    settled = [*steps, 0.0, 0.0, 0.0]

    before, after = active_bouts(row(settled)), active_bouts(row([*settled, *future]))
    alone = active_bouts(row(future))
    assert np.nan_to_num(after.count[0]) == before.count[0] + np.nan_to_num(alone.count[0])
    assert after.minutes[0] >= before.minutes[0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([None, 0.0, 0.0, 5.0]), st.integers(1, 45), st.booleans()), max_size=8))
def test_stillness_equals_its_slow_twin(runs: list[tuple[Minute, int, bool]]) -> None:
    steps = [told for told, length, _ in runs for _ in range(length)]
    awake = [up for _, length, up in runs for _ in range(length)]

    found = stillness(row(steps), np.array([awake], bool).reshape(1, -1))
    if not any(s is not None and up for s, up in zip(steps, awake, strict=True)):
        assert np.isnan([found.minutes[0], found.long[0], found.longest[0], found.breaks[0]]).all()
        return
    still = slow.still_runs(steps, awake)
    assert found.minutes[0] == sum(length for length, _ in still)
    assert found.long[0] == sum(length >= 30 for length, _ in still)
    assert found.long_minutes[0] == sum(length for length, _ in still if length >= 30)
    assert found.longest[0] == max((length for length, _ in still), default=0)
    assert found.breaks[0] == sum(ended for _, ended in still)


def test_the_reserve_of_a_published_worked_case() -> None:
    """PMC9830234, table 3: a woman of 30, resting 70 bpm; 187 highest, moderate from 117 to 140 bpm."""
    highest = highest_bpm(np.array([30.0]), np.array([False]))
    assert highest[0] == pytest.approx(187.0)

    found = effort(np.array([[116.0, 117.0, 140.0, 141.0]]), np.array([70.0]), highest)
    assert (found.reserve[0] >= 0.4).tolist() == [False, True, True, True]
    assert found.moderate[0] == 2
    assert found.vigorous[0] == 1


def test_wearers_without_a_profile_or_with_impossible_rates_have_no_effort() -> None:
    highest = highest_bpm(np.array([np.nan, 12.0, 40.0, 40.0, 40.0]), np.array([False, False, True, False, False]))
    assert np.isnan(highest).tolist() == [True, True, True, False, False]

    found = effort(np.full((5, 3), 100.0), np.array([60.0, 60.0, 60.0, np.nan, 200.0]), highest)
    assert np.isnan(found.reserve).all()
    assert np.isnan(found.moderate).all()
    assert found.why_not.tolist() == [WhyNot.NO_PROFILE] * 3 + [WhyNot.TOO_FEW, WhyNot.CONTRADICTION]


def test_a_missing_minute_of_heart_rate_is_no_effort_and_no_rest() -> None:
    found = effort(np.array([[np.nan, 190.0], [np.nan, np.nan]]), np.array([60.0, 60.0]), np.array([180.0, 180.0]))

    assert np.isnan(found.reserve[:, 0]).all()
    assert found.reserve[0, 1] > 1
    assert found.vigorous[0] == 1
    assert np.isnan(found.vigorous[1])
    assert found.why_not.tolist() == [WhyNot.KNOWN, WhyNot.NOTHING]


@pytest.mark.parametrize("n", [0, 2])
@pytest.mark.parametrize("width", [0, 1, 1440])
def test_nobody_and_nothing_have_defined_results(n: int, width: int) -> None:
    nothing = np.full((n, width), np.nan)

    assert np.isnan(cadence(nothing).bands).all()
    assert np.isnan(cadence(nothing).steps).all()
    assert np.isnan(active_bouts(nothing).count).all()
    assert np.isnan(stillness(nothing, np.ones((n, width), bool)).minutes).all()
    assert merge(np.stack([nothing, nothing], axis=1), np.ones((n, 2, width), bool)).steps.shape == (n, width)
    assert np.isnan(effort(nothing, np.full(n, 60.0), np.full(n, 180.0)).moderate).all()


def test_a_constant_day_and_a_single_minute_are_defined() -> None:
    constant = cadence(np.full((1, 1440), 110.0))
    assert (constant.mvpa[0], constant.peak_30[0]) == (1440, 110)
    assert active_bouts(np.full((1, 1440), 110.0)).longest[0] == 1440

    single = np.full((1, 1440), np.nan)
    single[0, 700] = 0
    assert cadence(single).steps[0] == 0
    assert stillness(single, np.ones((1, 1440), bool)).minutes[0] == 1
