"""Trailing Hampel filter: is the newest value an outlier of its own recent past?"""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.order import lower_median
from monitor.signals.sampling import span_minutes

WINDOW = 15
MADS = 3.0
CONSISTENT = 1.4826  # MAD of a normal distribution to its standard deviation
FLOOR_BPM = 2.0  # quiet sleep has a MAD near 0; without a floor every breath would be an outlier
ENOUGH = 5


def window_minutes(gap_s: NDArray[np.floating]) -> NDArray[np.int64]:
    """Minutes that the window must span: 15, or what promises 12 samples where 15 do not promise the 5 it takes.

    Parameters
    ----------
    gap_s : (n,) measured seconds between samples; 0 or NaN = not measured.

    Returns
    -------
    (n,) 15, or one of the widths of `span_minutes`. It grows no sooner than it must: the longer the window, the longer
    is a lasting change an outlier.

    >>> window_minutes(np.array([0, 120, 180, 181, 300, 3600.0])).tolist()
    [15, 15, 15, 60, 60, 960]
    """
    return np.where(np.nan_to_num(gap_s) * ENOUGH > WINDOW * 60, span_minutes(gap_s), WINDOW)


def is_outlier(window: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell of each row whether its last value lies beyond 3 scaled MADs of the row's median.

    Parameters
    ----------
    window : (n, width) bpm, oldest first, 0 = missing; the last column is the value in question.

    Returns
    -------
    (n,) bool. False where the last value is missing or fewer than 5 values are there: not assessable is not an outlier.
    A lasting change is an outlier only until it fills half of the window.

    Source: Hampel (1974), the median/MAD identifier; the window trails, so nothing is taken from the future.

    >>> is_outlier(np.array([[70, 71, 70, 69, 70, 140]], np.uint8)).tolist()
    [True]
    """
    valid = window > 0
    median, count = lower_median(window, valid)
    deviation = np.abs(window.astype(np.int16) - median[:, None]).astype(np.uint8)
    mad, _ = lower_median(deviation, valid)
    far = deviation[:, -1] > MADS * CONSISTENT * np.maximum(mad, FLOOR_BPM)
    outlier: NDArray[np.bool_] = far & valid[:, -1] & (count >= ENOUGH)
    return outlier
