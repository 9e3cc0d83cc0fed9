"""Causal low-pass over a finite trailing window: the slow course of heart rate."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WINDOW = 60  # minutes: long enough that the start has died away (the poles have radius 0.64)
CUTOFF_HZ = 1 / 600  # periods of 10 min
SAMPLING_HZ = 1 / 60
LONGEST_GAP = 2
ENOUGH = 30


@lru_cache(maxsize=1)
def _design() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Second-order sections, and their state in the steady response to a step of 1."""
    from scipy.signal import butter, sosfilt_zi  # 80 MB of a worker's memory: only where it is hot is it needed

    sections = butter(2, CUTOFF_HZ, fs=SAMPLING_HZ, output="sos")
    return sections, sosfilt_zi(sections)


def smooth(window: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the newest value of a 2nd-order Butterworth low-pass (10 min) over each row.

    Parameters
    ----------
    window : (n, 60) bpm a minute, oldest first.
    valid : (n, 60) which of them count.

    Returns
    -------
    (n,) bpm; NaN where fewer than 30 minutes are valid, or the newest valid one is more than 2 minutes old.

    Notes
    -----
    Holes hold the value before them inside the filter only; nothing of that is stored. The filter starts in the steady
    state of the first valid value and carries nothing from call to call, so late data needs no special path.

    Source: scipy.signal.butter and sosfilt; Butterworth (1930).

    >>> round(float(smooth(np.full((1, 60), 72, np.uint8), np.ones((1, 60), bool))[0]), 6)
    72.0
    """
    columns = np.arange(window.shape[1])
    source = np.maximum.accumulate(np.where(valid, columns, -1), axis=1)
    first = np.argmax(valid, axis=1)
    filled = np.take_along_axis(window, np.where(source < 0, first[:, None], source), axis=1).astype(np.float64)
    from scipy.signal import sosfilt

    sections, steady = _design()
    filtered, _ = sosfilt(sections, filled, axis=1, zi=steady[:, None, :] * filled[None, :, :1])
    known = (valid.sum(axis=1) >= ENOUGH) & (columns[-1] - source[:, -1] <= LONGEST_GAP)
    return np.where(known, filtered[:, -1], np.nan)
