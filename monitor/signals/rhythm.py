"""How irregular a run of RR intervals is: one index from 0 to 1, from intervals that nobody cleaned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.beat_runs import BeatRuns, Bools, Floats, beat_runs
from monitor.signals.hrv import TOO_FEW, WINDOW_MS, not_assessable
from monitor.signals.sample_entropy import sample_entropy
from monitor.signals.symbolic_entropy import LEAST, symbolic_entropy

ENOUGH = LEAST + 2
LAGS = (1, 2, 3, 4)
MOST_SPACING = 0.1

INTERCEPT = -8.98
COEFFICIENTS = (13.71, 0.70, 23.45)
"""Of symbolic entropy, sample entropy and spacing; made by `benchmarks/real_data/af.py`, fitted on all 17 people."""
THRESHOLD = 0.5
"""In people left out, sensitivity 0.96 and specificity 0.99 there."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Irregularity of n runs; all (n,), NaN or False where not assessable.

    Attributes
    ----------
    index : 0 regular to 1 irregular. irregular : index at the threshold or above.
    features : (n, 3), what the index is made of, see `rhythm_features`.
    beats : plausible intervals. reason : why not assessable, as in `hrv`; 0 assessable.
    """

    index: Floats
    irregular: Bools
    features: Floats
    beats: NDArray[np.int64]
    reason: NDArray[np.uint8]


def spacing(runs: BeatRuns) -> Floats:
    """Lower quartile of the distance between intervals 1, 2, 3 or 4 apart, whichever is smallest, over the median.

    (n,), at most 0.1; NaN where four intervals never follow one another. A pattern that repeats itself with every
    second, third or fourth beat is near itself at that lag; an irregular rhythm is at none. A project measure.

    >>> spacing(beat_runs(np.tile([600, 1000], 20), np.array([40]))).tolist()
    [0.0]
    """
    median = runs.median()
    least = np.full(len(runs.count), np.nan)
    reach = np.ones(len(runs.rr_ms), np.bool_)
    for lag in LAGS:
        pairs = max(len(runs.rr_ms) - lag, 0)
        reach = reach[:pairs] & runs.joined[lag - 1 : lag - 1 + pairs]
        distance = np.abs(runs.rr_ms[lag:] - runs.rr_ms[:pairs])[reach]
        quartile = runs.quantile(distance, runs.run[:pairs][reach], 0.25) / median
        least = np.fmin(least, quartile) if lag > 1 else quartile
    capped: Floats = np.minimum(least, MOST_SPACING)
    return capped


def rhythm_features(runs: BeatRuns) -> Floats:
    """Symbolic entropy, sample entropy and spacing of each run; (n, 3).

    >>> rhythm_features(beat_runs(np.full(40, 800), np.array([40]))).round(3).tolist()
    [[0.0, 0.0, 0.0]]
    """
    return np.column_stack([symbolic_entropy(runs), sample_entropy(runs), spacing(runs)])


def index_of(features: Floats) -> Floats:
    """Irregular-rhythm index of (n, 3) features; (n,) 0 to 1, NaN where a feature is.

    >>> index_of(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 0.1]])).round(2).tolist()
    [0.0, 1.0]
    """
    index: Floats = 1 / (1 + np.exp(-(INTERCEPT + features @ np.array(COEFFICIENTS))))
    return index


def rhythm(
    rr_ms: NDArray[np.integer] | NDArray[np.floating], count: NDArray[np.integer], window_ms: float = WINDOW_MS
) -> Rhythm:
    """Measure how irregular each run is, before any extra beat is removed from it.

    Parameters
    ----------
    rr_ms : (N,) milliseconds, runs behind each other. count : (n,) intervals of each run, five minutes at rest.
    window_ms : the time that each run should fill; 0 = not known, then gaps are not judged.

    Returns
    -------
    Index; not assessable with fewer than 20 intervals that follow one another or with fewer than 70 % of the beats. An
    index is no name of a rhythm: an extra beat in every four or five comes near the threshold, and flutter with
    steady conduction is regular.

    Source: features as their modules say; coefficients fitted for this project on the development part of the MIT-BIH
    AF database, 17 people, by `benchmarks/real_data/af.py`, which also has the figures for people left out.

    >>> steady = rhythm(np.full(375, 800), np.array([375]))
    >>> round(float(steady.index[0]), 2), steady.irregular.tolist()
    (0.0, [False])
    """
    runs = beat_runs(rr_ms, count)
    features = rhythm_features(runs)
    reason = not_assessable(runs, ENOUGH, window_ms)
    reason = np.where((reason == 0) & np.isnan(features).any(axis=1), TOO_FEW, reason).astype(np.uint8)
    features = np.where((reason == 0)[:, None], features, np.nan)
    index = index_of(features)
    return Rhythm(index, index >= THRESHOLD, features, runs.count, reason)
