"""Heart rate variability of runs of RR intervals: the time-domain measures and an entropy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.beat_runs import BeatRuns, Floats, beat_runs

WINDOW_MS = 300_000
SHARE = 0.7  # of the beats that the window should have at its own median interval
ENOUGH = 20
BIN_MS = 1000 / 128
TOO_FEW, GAPS = 1, 2


@dataclass(frozen=True, slots=True)
class Hrv:
    """Heart rate variability of n runs; all (n,), NaN where not assessable.

    Attributes
    ----------
    mean_ms, rmssd_ms, sdnn_ms : milliseconds. pnn50_pct : percent of the differences beyond 50 ms.
    cv, cvsd : SDNN and RMSSD over the mean interval. entropy_bits : Shannon entropy of the intervals, bins of 1/128 s.
    beats : plausible intervals. reason : why not: TOO_FEW intervals, or GAPS (below 70 % of the beats); 0 assessable.
    """

    mean_ms: Floats
    rmssd_ms: Floats
    sdnn_ms: Floats
    pnn50_pct: Floats
    cv: Floats
    cvsd: Floats
    entropy_bits: Floats
    beats: NDArray[np.int64]
    reason: NDArray[np.uint8]


def not_assessable(runs: BeatRuns, enough: int, window_ms: float) -> NDArray[np.uint8]:
    """Tell of each run why it is not assessable, 0 where it is.

    Parameters
    ----------
    enough : intervals needed. window_ms : the time that the run should fill; 0 = not known, then gaps are not judged.

    Returns
    -------
    (n,) TOO_FEW or GAPS: fewer than 70 % of the beats that fit into the window at the run's median interval.
    """
    with np.errstate(invalid="ignore"):
        gaps = runs.count * runs.median() < SHARE * window_ms
    return np.where(runs.count < enough, TOO_FEW, np.where(gaps, GAPS, 0)).astype(np.uint8)


def hrv(
    rr_ms: NDArray[np.integer] | NDArray[np.floating], count: NDArray[np.integer], window_ms: float = WINDOW_MS
) -> Hrv:
    """Measure the variability of each run, with all plausible intervals in it: extra beats are not removed.

    Parameters
    ----------
    rr_ms : (N,) milliseconds, runs behind each other. count : (n,) intervals of each run.
    window_ms : the time that each run should fill, see `not_assessable`.

    Notes
    -----
    RMSSD and pNN50 divide by the number of differences, SDNN by intervals - 1. A difference across a refused interval
    is none. Values of windows with extra beats or an irregular rhythm say nothing about the autonomic nervous system.

    Source: ESC/NASPE Task Force, Circulation 1996, tables 1 and 2. Entropy: Shannon 1948, with the bin of the Task
    Force's geometric measures. 70 %: a project rule.

    >>> one = hrv(np.tile([800, 880], 10), np.array([20]), window_ms=0)
    >>> float(one.rmssd_ms[0]), float(one.pnn50_pct[0]), float(one.entropy_bits[0])
    (80.0, 100.0, 1.0)
    """
    runs = beat_runs(rr_ms, count)
    reason = not_assessable(runs, ENOUGH, window_ms)
    good = reason == 0
    mean = np.where(good, runs.mean(), np.nan)
    difference = np.where(runs.joined, np.append(np.diff(runs.rr_ms), 0.0)[: len(runs.rr_ms)], 0.0)
    differences = runs.summed(runs.joined.astype(np.float64))
    divisor = np.where(good & (differences > 0), differences, np.nan)
    rmssd = np.sqrt(runs.summed(difference**2) / divisor)
    centred = runs.rr_ms - mean[runs.run]
    sdnn = np.sqrt(np.where(good, runs.summed(centred**2), np.nan) / np.where(good, runs.count - 1, np.nan))
    return Hrv(
        mean_ms=mean,
        rmssd_ms=rmssd,
        sdnn_ms=sdnn,
        pnn50_pct=100 * runs.summed((np.abs(difference) > 50).astype(np.float64)) / divisor,
        cv=sdnn / mean,
        cvsd=rmssd / mean,
        entropy_bits=np.where(good, _entropy_bits(runs), np.nan),
        beats=runs.count,
        reason=reason,
    )


def _entropy_bits(runs: BeatRuns) -> Floats:
    """Shannon entropy of the intervals of each run in bins of 1/128 s; (n,) bits."""
    width = int(3000 / BIN_MS) + 1
    cell, held = np.unique(runs.run * width + (runs.rr_ms / BIN_MS).astype(np.int64), return_counts=True)
    run = cell // width
    share = held / runs.count[run]
    bits: Floats = np.bincount(run, weights=-share * np.log2(share), minlength=len(runs.count)).astype(np.float64)
    return bits
