"""Order statistics over windows with holes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = 255
"""Stands behind every valid bpm in an ascending order."""


def lower_median(window: NDArray[np.uint8], valid: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lower median of the valid values of each row, and how many there are.

    Parameters
    ----------
    window : (n, width) uint8 below 255.
    valid : (n, width).

    Returns
    -------
    (n,) median, 255 where no value is valid; (n,) count.

    >>> m, n = lower_median(np.array([[70, 90, 80, 0]], np.uint8), np.array([[True, True, True, False]]))
    >>> int(m[0]), int(n[0])
    (80, 3)
    """
    count: NDArray[np.int64] = valid.sum(axis=1)
    ordered = np.sort(np.where(valid, window, np.uint8(MISSING)), axis=1)
    return ordered[np.arange(len(window)), np.maximum(count - 1, 0) // 2], count


def median(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Median of the known values along the last axis, and how many there are.

    Parameters
    ----------
    values : (..., D), NaN = missing.

    Returns
    -------
    (...) median, NaN where nothing is known; (...) count. Of an even count the mean of the two in the middle.

    >>> m, count = median(np.array([[60.0, np.nan, 64.0, 61.0], [np.nan] * 4]))
    >>> m.tolist(), count.tolist()
    ([61.0, nan], [3, 0])
    """
    count: NDArray[np.int64] = (~np.isnan(values)).sum(axis=-1)
    if not values.shape[-1]:
        return np.full(count.shape, np.nan), count
    ordered = np.sort(values, axis=-1)  # NaN last
    ends = (np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[-1] - 1))
    below, above = (np.take_along_axis(ordered, end[..., None], axis=-1)[..., 0] for end in ends)
    return np.where(count > 0, (below + above) / 2, np.nan), count


def last_valid(window: NDArray[Any], valid: NDArray[np.bool_], n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Columns of the last n valid values of each row, oldest first, and whether the row has that many.

    >>> at, enough = last_valid(np.zeros((1, 5)), np.array([[True, False, True, True, False]]), 2)
    >>> at.tolist(), enough.tolist()
    ([[2, 3]], [True])
    """
    width = window.shape[1]
    rank = np.cumsum(valid[:, ::-1], axis=1)[:, ::-1]  # of a valid column: how many valid ones from here to the end
    at = np.empty((len(window), n), np.int64)
    for k in range(n):
        hit = valid & (rank == n - k)
        at[:, k] = np.where(hit.any(axis=1), width - 1 - np.argmax(hit[:, ::-1], axis=1), 0)
    return at, rank[:, 0] >= n
