"""Trailing windows over the minutes ring, gathered for many (row, minute) pairs at once."""

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.fields import MINUTES
from monitor.wearers.ranges import runs
from monitor.wearers.state import State


def minutes_before(state: State, row: NDArray[np.int64], minute: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Gather the last `width` minutes up to and including each pair's minute.

    Returns
    -------
    (n_pairs, width, 8) uint8, oldest first, fields as in `monitor.wearers.fields`; zeros where the ring holds nothing.
    """
    wanted = minute[:, None] + np.arange(1 - width, 1)
    gathered: NDArray[np.uint64] = state.minutes[row[:, None], wanted % MINUTES]
    head = state.head_minute[row][:, None]
    gathered[(wanted > head) | (wanted <= head - MINUTES)] = 0
    return gathered.view(np.uint8).reshape(len(row), width, 8)


def held_pairs(
    state: State, row: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the (row, minute) pairs in the closed runs [first, last] that hold anything, by row and time."""
    first = np.maximum(first, state.head_minute[row] - MINUTES + 1)
    run, minute = runs(first, np.minimum(last, state.head_minute[row]))
    pair_row = row[run]
    held = state.minutes[pair_row, minute % MINUTES] != 0
    return pair_row[held], minute[held]
