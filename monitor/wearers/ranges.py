"""Runs of integers as flat arrays: the arithmetic under every ring."""

import numpy as np
from numpy.typing import NDArray


def runs(first: NDArray[np.int64], last: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Expand closed runs [first, last] into (index of the run, value) pairs; an empty run (last < first) gives none.

    >>> [a.tolist() for a in runs(np.array([3, 9]), np.array([5, 9]))]
    [[0, 0, 0, 1], [3, 4, 5, 9]]
    """
    count = np.maximum(last - first + 1, 0)
    run = np.repeat(np.arange(len(first)), count)
    begins = np.cumsum(count) - count
    return run, np.arange(len(run)) - begins[run] + first[run]


def distinct(row: NDArray[np.int64], minute: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct (row, minute) pairs in ascending order; minutes are epoch minutes below 2**31."""
    key = np.unique((row << 31) | minute)
    return key >> 31, key & ((1 << 31) - 1)
