"""Is the device on the wearer? Steps read 0 on a bedside table too, so only heart rate tells."""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.sampling import silence_minutes


def worn_minutes(bpm: NDArray[np.uint8], gap_s: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell of every minute whether a heart rate was measured so lately that the device is on the wearer.

    Parameters
    ----------
    bpm : (n, T) a minute, oldest first, 0 = missing.
    gap_s : (n,) measured seconds between samples; 0 or NaN = not measured.

    Returns
    -------
    (n, T) bool: a value in this minute or within the 5 minutes, or the 2.5 cadences, before it. What came before the
    first column is not known and tells nothing. False is not worn, or nothing was told.

    Notes
    -----
    Causal: the first minutes after the device is taken off still count as worn. Steps alone are no sign of wear, since
    they may come from a phone. A sensor that invents a pulse on the bedside table is not seen here.

    Source: steps are valid only where heart rate is, as RAPIDS does (Vega et al., Front Digit Health 2021); spans from
    the measured cadence.

    >>> worn_minutes(np.array([[0, 70, 0, 0, 0, 0, 0, 0, 70]], np.uint8), np.array([5.0]))[0].astype(int).tolist()
    [0, 1, 1, 1, 1, 1, 1, 0, 1]
    """
    columns = np.arange(bpm.shape[1], dtype=np.int32)
    longest = silence_minutes(gap_s).astype(np.int32)[:, None]
    latest = np.maximum.accumulate(np.where(bpm > 0, columns, -1 - longest), axis=1)
    worn: NDArray[np.bool_] = columns - latest <= longest
    return worn


def is_worn(bpm: NDArray[np.uint8], gap_s: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell the same of the newest minute alone; (n,) bool, False for W = 0.

    >>> is_worn(np.array([[70, 0, 0]], np.uint8), np.array([5.0])).tolist()
    [True]
    """
    n, width = bpm.shape
    if not width:
        return np.zeros(n, np.bool_)
    latest = np.argmax(bpm[:, ::-1] > 0, axis=1)
    worn: NDArray[np.bool_] = (bpm[np.arange(n), width - 1 - latest] > 0) & (latest <= silence_minutes(gap_s))
    return worn
