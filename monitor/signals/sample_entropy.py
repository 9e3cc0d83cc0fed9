"""Sample entropy of RR intervals: how badly one interval foretells the next."""

import numpy as np

from monitor.signals.beat_runs import BeatRuns, Bools, Floats, Ints

TOLERANCE = 0.05  # of the run's median interval
BLOCK = 1 << 16  # intervals at a time, so that what is compared stays in the processor's cache


def sample_entropy(runs: BeatRuns) -> Floats:
    """Sample entropy of each run for single intervals (m = 1), with a tolerance of 5 % of the run's median interval.

    Returns
    -------
    (n,) nats: -ln((A + 1) / (B + 1)), where B counts pairs of intervals within the tolerance, of those that have a
    successor, and A those of them whose successors are within it as well. The ones keep it finite when nothing
    matches; 0 for a run without any pair.

    Notes
    -----
    The tolerance is relative to the interval, not to the standard deviation as in the original: a standard deviation
    grows with an irregular rhythm and with every extra beat, and would hide both. Lake and Moorman fix it for this
    reason too, and take the shortest template.

    Source: Richman and Moorman, Am J Physiol 2000; Lake and Moorman, Am J Physiol 2011 (m = 1, fixed tolerance).

    >>> from monitor.signals.beat_runs import beat_runs
    >>> sample_entropy(beat_runs(np.tile([800, 900], 20), np.array([40]))).round(3).tolist()
    [0.0]
    """
    median = runs.median()
    result = np.zeros(len(runs.count))
    ends = np.cumsum(runs.count)
    first = 0
    while first < len(result):
        begin = int(ends[first] - runs.count[first])
        last = max(int(np.searchsorted(ends, begin + BLOCK, side="right")), first + 1)
        part = slice(begin, int(ends[last - 1]))
        limit = TOLERANCE * median[runs.run[part]]
        one, two = _matches(runs.rr_ms[part], limit, runs.run[part] - first, runs.joined[part], last - first)
        result[first:last] = np.log((one + 1) / (two + 1))
        first = last
    return result


def _matches(rr_ms: Floats, limit: Floats, run: Ints, joined: Bools, n: int) -> tuple[Floats, Floats]:
    """Count the pairs of intervals that match, and those whose successors match as well; (n,) each."""
    one, two = np.zeros(len(run)), np.zeros(len(run))
    longest = int(np.bincount(run, minlength=n).max(initial=0))
    for lag in range(1, longest):
        near = (np.abs(rr_ms[lag:] - rr_ms[:-lag]) <= limit[lag:]) & (run[lag:] == run[:-lag])
        match = near & joined[lag:] & joined[:-lag]
        one[:-lag] += match
        two[: -lag - 1] += match[:-1] & near[1:]
    return (
        np.bincount(run, weights=one, minlength=n).astype(np.float64),
        np.bincount(run, weights=two, minlength=n).astype(np.float64),
    )
