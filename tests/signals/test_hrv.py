"""Variability of RR runs, and the entropies that the rhythm is judged by."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.signals.beat_runs import beat_runs
from monitor.signals.hrv import GAPS, TOO_FEW, hrv
from monitor.signals.rhythm import spacing
from monitor.signals.sample_entropy import sample_entropy
from monitor.signals.symbolic_entropy import symbolic_entropy
from tests.reference import slow_rhythm as slow

interval = st.one_of(st.integers(400, 1200), st.integers(780, 820), st.sampled_from([0, -5, 150, 3500]))
run = st.one_of(st.lists(interval, max_size=40), st.lists(interval, min_size=40, max_size=90))


def flat(runs: list[list[int]]) -> tuple["np.ndarray", "np.ndarray"]:
    return np.array([rr for one in runs for rr in one], np.int16), np.array([len(one) for one in runs], np.int32)


@settings(max_examples=40, deadline=None)
@given(st.lists(run, max_size=4))
def test_variability_equals_its_slow_twin(runs: list[list[int]]) -> None:
    found = hrv(*flat(runs), window_ms=0)

    for k, one in enumerate(runs):
        values = [float(rr) for rr in one]
        assert found.beats[k] == len(slow.kept(values))
        if found.beats[k] < 20:
            assert found.reason[k] == TOO_FEW
            assert np.isnan([found.mean_ms[k], found.rmssd_ms[k], found.sdnn_ms[k], found.entropy_bits[k]]).all()
            continue
        assert found.sdnn_ms[k] == pytest.approx(slow.sdnn(values), abs=1e-6)
        assert found.entropy_bits[k] == pytest.approx(slow.entropy_bits(values), abs=1e-9)
        if slow.differences(values):
            assert found.rmssd_ms[k] == pytest.approx(slow.rmssd(values), abs=1e-6)
            assert found.pnn50_pct[k] == pytest.approx(slow.pnn50(values), abs=1e-9)
        else:
            assert math.isnan(found.rmssd_ms[k])
            assert math.isnan(found.pnn50_pct[k])


@settings(max_examples=40, deadline=None)
@given(st.lists(run.filter(lambda one: len(slow.kept([float(rr) for rr in one])) > 0), max_size=4))
def test_entropies_and_spacing_equal_their_slow_twins(runs: list[list[int]]) -> None:
    these = beat_runs(*flat(runs))
    found = np.column_stack([sample_entropy(these), symbolic_entropy(these), spacing(these)])

    for k, one in enumerate(runs):
        values = [float(rr) for rr in one]
        expected = [slow.sample_entropy(values), slow.symbolic_entropy(values), slow.spacing(values)]
        np.testing.assert_allclose(found[k], expected, atol=1e-9)


def test_a_hand_worked_case() -> None:
    # differences of 10, -20, 70, -60, again and again
    one = hrv(np.array([800, 810, 790, 860] * 5 + [800]), np.array([21]), window_ms=0)

    assert one.rmssd_ms[0] == pytest.approx(math.sqrt((100 + 400 + 4900 + 3600) / 4))
    assert one.pnn50_pct[0] == 50
    assert one.mean_ms[0] == pytest.approx((3260 * 5 + 800) / 21)


def test_below_70_percent_of_the_beats_nothing_is_told() -> None:
    # five minutes at 75 a minute are 375 beats; 70 percent are 262.5
    told = hrv(np.full(263 + 262, 800), np.array([263, 262]))

    assert told.reason.tolist() == [0, GAPS]
    assert told.rmssd_ms[0] == 0
    assert math.isnan(told.rmssd_ms[1])


def test_a_difference_across_a_refused_interval_is_none() -> None:
    one = hrv(np.array([800] * 15 + [0] + [900] * 15), np.array([31]), window_ms=0)

    assert one.rmssd_ms[0] == 0
    assert one.beats[0] == 30


def test_a_run_does_not_depend_on_the_runs_behind_it() -> None:
    rng = np.random.default_rng(1)
    rr, count = rng.integers(500, 1100, 600), np.array([300, 100, 200])

    both, first = beat_runs(rr, count), beat_runs(rr[:400], count[:2])

    for measure in (sample_entropy, symbolic_entropy, spacing):
        assert measure(both)[:2].tolist() == measure(first).tolist()
    assert hrv(rr, count, 0).rmssd_ms[:2].tolist() == hrv(rr[:400], count[:2], 0).rmssd_ms.tolist()


@pytest.mark.parametrize("counts", [[], [0], [0, 0, 0]])
def test_no_intervals_are_no_error(counts: list[int]) -> None:
    nothing = np.zeros(0, np.int16), np.array(counts, np.int32)

    assert np.isnan(hrv(*nothing).rmssd_ms).all()
    assert hrv(*nothing).reason.tolist() == [TOO_FEW] * len(counts)
    assert np.isnan(symbolic_entropy(beat_runs(*nothing))).all()
    assert np.isnan(spacing(beat_runs(*nothing))).all()


def test_one_value_only_has_no_variability_and_nan_is_refused() -> None:
    one = hrv(np.array([800.0] * 25 + [np.nan]), np.array([26]), window_ms=0)

    assert (one.rmssd_ms[0], one.sdnn_ms[0], one.entropy_bits[0], one.beats[0]) == (0, 0, 0, 25)


def test_counts_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="Counts of runs sum to 5"):
        beat_runs(np.array([800, 810]), np.array([5]))
