"""How far back to look, and how long a silence may last, by the device's own cadence.

Devices take a heart rate every second, or every ten minutes. A fixed span with a fixed number of samples would silence
every rule on the slow ones, so spans grow with the measured cadence and the number of samples in them stays.
"""

import numpy as np
from numpy.typing import NDArray

SHORTEST = 15  # minutes
LONGEST = 1440  # minutes: what a wearer's ring holds
PROMISED = 12  # samples that a span promises at least, at the device's cadence
MISSED_FACTOR = 2.5  # two samples further apart than this many cadences are not consecutive
SHORTEST_SILENCE = 5  # minutes: a watch that is shaken loses contact for a few minutes and is still worn


def span_minutes(gap_s: NDArray[np.floating]) -> NDArray[np.int64]:
    """Minutes that a trailing window must span: 15 for fast devices, doubled until it promises 12 samples.

    Parameters
    ----------
    gap_s : (n,) measured seconds between samples; 0 or NaN = not measured.

    Returns
    -------
    (n,) one of 15, 30, 60, ... 960, 1440: few different widths, so that rows can be handled by width. 15 where the
    cadence is not measured.

    >>> span_minutes(np.array([0, 5, 60, 300, 600, 86400.0])).tolist()
    [15, 15, 15, 60, 120, 1440]
    """
    measured = np.where(gap_s > 0, gap_s, 1.0)
    doublings = np.ceil(np.log2(np.maximum(PROMISED * measured / 60 / SHORTEST, 1.0)))
    return np.minimum(SHORTEST * 2 ** np.minimum(doublings, 8).astype(np.int64), LONGEST)


def silence_minutes(gap_s: NDArray[np.floating]) -> NDArray[np.int64]:
    """Longest run of minutes without a sample that the device's cadence explains.

    Parameters
    ----------
    gap_s : (n,) measured seconds between samples; 0 or NaN = not measured.

    Returns
    -------
    (n,) minutes: 2.5 cadences, rounded up, 5 at least; 5 where the cadence is not measured.

    >>> silence_minutes(np.array([0, 1, 60, 300.0])).tolist()
    [5, 5, 5, 13]
    """
    measured = np.where(gap_s > 0, np.minimum(gap_s, 86_400.0), 0.0)
    return np.maximum(np.ceil(MISSED_FACTOR * measured / 60).astype(np.int64), SHORTEST_SILENCE)
