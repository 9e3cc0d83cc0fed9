"""Formulas against NeuroKit2, which takes seconds to import: all comparisons are here."""

import math
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from monitor.signals.beat_runs import beat_runs
from monitor.signals.hrv import BIN_MS, hrv
from monitor.signals.sample_entropy import TOLERANCE, sample_entropy
from tests.signals.beats import irregular, sinus

RUNS = {
    "at rest": sinus(1).round(),
    "extra beats": sinus(2, extra=0.08).round(),
    "irregular": irregular(3).round(),
}


@pytest.fixture(scope="module")
def neurokit() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neurokit2  # type: ignore[import-untyped]
    module: ModuleType = neurokit2
    return module


@pytest.mark.parametrize("name", RUNS)
def test_time_domain_measures_equal_neurokit(neurokit: ModuleType, name: str) -> None:
    run = RUNS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peaks = neurokit.intervals_to_peaks(run, sampling_rate=1000)
        theirs: dict[str, Any] = neurokit.hrv_time(peaks, sampling_rate=1000).iloc[0].to_dict()

    ours = hrv(run, np.array([len(run)]))

    assert ours.mean_ms[0] == pytest.approx(theirs["HRV_MeanNN"])
    assert ours.rmssd_ms[0] == pytest.approx(theirs["HRV_RMSSD"])
    assert ours.sdnn_ms[0] == pytest.approx(theirs["HRV_SDNN"])
    assert ours.cv[0] == pytest.approx(theirs["HRV_CVNN"])
    assert ours.cvsd[0] == pytest.approx(theirs["HRV_CVSD"])
    # NeuroKit divides by the number of intervals, the definition by the number of differences
    assert ours.pnn50_pct[0] == pytest.approx(theirs["HRV_pNN50"] * len(run) / (len(run) - 1))


@pytest.mark.parametrize("name", RUNS)
def test_shannon_entropy_equals_neurokit(neurokit: ModuleType, name: str) -> None:
    run = RUNS[name]

    theirs, _ = neurokit.entropy_shannon(np.floor(run / BIN_MS), base=2)

    assert hrv(run, np.array([len(run)])).entropy_bits[0] == pytest.approx(theirs)


@pytest.mark.parametrize("name", RUNS)
def test_sample_entropy_equals_neurokit_but_for_the_ones_that_keep_it_finite(neurokit: ModuleType, name: str) -> None:
    run = RUNS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, _ = neurokit.entropy_sample(run, delay=1, dimension=1, tolerance=TOLERANCE * float(np.median(run)))

    ours = sample_entropy(beat_runs(run, np.array([len(run)])))[0]

    assert ours == pytest.approx(theirs, abs=0.003)
    assert math.isfinite(theirs)
