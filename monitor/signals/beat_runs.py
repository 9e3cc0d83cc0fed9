"""Runs of RR intervals behind each other: which intervals are plausible, which of them follow one another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHORTEST_MS = 200
LONGEST_MS = 3000
"""Wide on purpose: a limit on how fast intervals may change would remove what an irregular rhythm is known by."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BeatRuns:
    """The plausible intervals of n runs, behind each other.

    Attributes
    ----------
    rr_ms : (M,) plausible intervals, 200 to 3,000 ms. run : (M,) the run each belongs to.
    joined : (M,) the next interval follows directly: same run, none refused in between.
    count : (n,) plausible intervals of each run. refused : (n,) others.
    """

    rr_ms: Floats
    run: Ints
    joined: Bools
    count: Ints
    refused: Ints

    def summed(self, values: Floats) -> Floats:
        """Sum of (M,) values over each run; (n,), 0 for an empty run."""
        totals: Floats = np.bincount(self.run, weights=values, minlength=len(self.count)).astype(np.float64)
        return totals

    def mean(self) -> Floats:
        """Mean interval of each run; (n,) ms, NaN for an empty run."""
        return self.summed(self.rr_ms) / np.where(self.count > 0, self.count, np.nan)

    def median(self) -> Floats:
        """Median interval of each run; (n,) ms, NaN for an empty run."""
        return self.quantile(self.rr_ms, self.run, 0.5)

    def quantile(self, values: Floats, run: Ints, q: float) -> Floats:
        """Quantile of the values of each run, between neighbours in proportion; (n,), NaN where there is none.

        Parameters
        ----------
        values, run : (K,) values and the run each belongs to, ascending. q : 0 to 1.
        """
        ordered = values[np.lexsort((values, run))]
        count = np.bincount(run, minlength=len(self.count))
        result = np.full(len(count), np.nan)
        some = count > 0
        at = (np.cumsum(count) - count)[some] + q * (count[some] - 1)
        below = np.floor(at).astype(np.int64)
        above = np.ceil(at).astype(np.int64)
        result[some] = ordered[below] + (at - below) * (ordered[above] - ordered[below])
        return result


def beat_runs(rr_ms: NDArray[np.integer] | NDArray[np.floating], count: NDArray[np.integer]) -> BeatRuns:
    """Take the plausible intervals of each run, before any cleaning of extra beats.

    Parameters
    ----------
    rr_ms : (N,) milliseconds, runs behind each other, time-ordered within a run; NaN or any other number that is no
    interval is refused. count : (n,) intervals of each run.

    Raises
    ------
    ValueError
        If the counts do not sum to the number of intervals.

    >>> runs = beat_runs(np.array([800, 0, 810, 820, 900]), np.array([4, 1]))
    >>> runs.rr_ms.tolist(), runs.joined.tolist(), runs.refused.tolist()
    ([800.0, 810.0, 820.0, 900.0], [False, True, False, False], [1, 0])
    """
    lengths = count.astype(np.int64)
    if (lengths < 0).any() or lengths.sum() != len(rr_ms):
        raise ValueError(f"Counts of runs sum to {lengths.sum()}, there are {len(rr_ms)} intervals.")
    values = rr_ms.astype(np.float64)
    run = np.repeat(np.arange(len(lengths)), lengths)
    plausible = (values >= SHORTEST_MS) & (values <= LONGEST_MS)
    follows = np.zeros(len(values), np.bool_)
    follows[:-1] = plausible[:-1] & plausible[1:] & (run[1:] == run[:-1])
    kept = np.bincount(run[plausible], minlength=len(lengths)).astype(np.int64)
    return BeatRuns(values[plausible], run[plausible], follows[plausible], kept, lengths - kept)
