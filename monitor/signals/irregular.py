"""Irregularity of RR intervals: RMSSD relative to the mean, before any ectopic cleaning."""

import numpy as np
from numpy.typing import NDArray

ENOUGH = 20


def irregular_pct(rr_ms: NDArray[np.int16], count: NDArray[np.int32]) -> NDArray[np.float64]:
    """100 * RMSSD / mean of each run of RR intervals.

    Parameters
    ----------
    rr_ms : (N,) milliseconds, runs behind each other, time-ordered within a run.
    count : (n,) intervals of each run.

    Returns
    -------
    (n,) percent; NaN for fewer than 20 intervals: not assessable. Divisor: number of differences.

    Source: ESC/NASPE Task Force (1996), RMSSD; normalised by the mean as in AF detectors on RR intervals.

    >>> round(float(irregular_pct(np.tile(np.int16([800, 880]), 10), np.int32([20]))[0]), 2)
    9.52
    """
    result = np.full(len(count), np.nan)
    enough = count >= ENOUGH
    if not enough.any():
        return result
    values = rr_ms.astype(np.float64)
    begins = np.cumsum(count) - count
    squared = np.append(np.diff(values) ** 2, 0.0)
    last = begins[count > 0] + count[count > 0] - 1
    squared[last] = 0.0  # a difference across two runs is none
    total = np.append(0.0, np.cumsum(values))
    squares = np.append(0.0, np.cumsum(squared))
    first, end = begins[enough], begins[enough] + count[enough]
    n = count[enough]
    mean = (total[end] - total[first]) / n
    result[enough] = 100 * np.sqrt((squares[end] - squares[first]) / (n - 1)) / mean
    return result
