"""Where the place of a (row, minute) pair is: a hash table in one array, asked for many pairs at once.

A dict costs 130 bytes a pair and a Python step each; this one 8 to 16 bytes, and a few array passes for all.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.state import zeros

_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: minutes that follow each other lie far apart
_EMPTY, _GONE = 0, -1

Ints = NDArray[np.int64]


class PairIndex:
    """Places by key; the keys themselves are the caller's.

    Parameters
    ----------
    places : 2**k of them; the table has twice as many slots.
    key_of : gives the keys of places.
    """

    def __init__(self, places: int, key_of: Callable[[Ints], Ints]) -> None:
        self._key_of = key_of
        self._slots = zeros((2 * places,), np.dtype(np.int32))  # place + 1; 0 = never used, -1 = used once
        self._shift = np.uint64(64 - (2 * places).bit_length() + 1)
        self._used = 0

    def has_room(self, keys: int) -> bool:
        """Tell whether so many more leave a quarter of the slots unused; with fewer, looking takes long."""
        return 4 * (self._used + keys) <= 3 * len(self._slots)

    def find(self, key: Ints) -> Ints:
        """Return the place of each key; -1 = it has none."""
        slot = self._slot(key)
        return np.where(slot >= 0, self._slots[slot], 0).astype(np.int64) - 1

    def add(self, key: Ints, place: Ints) -> None:
        """Give distinct keys that have none their places."""
        at, left = self._begin(key), np.arange(len(key))
        while len(left):
            free = self._slots[at] <= _EMPTY
            self._used += int((self._slots[np.unique(at[free])] == _EMPTY).sum())
            self._slots[at[free]] = place[left[free]] + 1  # of those that want the same slot the last has it
            lost = ~free | (self._slots[at] != place[left] + 1)
            at, left = (at[lost] + 1) % len(self._slots), left[lost]

    def remove(self, key: Ints) -> None:
        """Forget keys that have a place."""
        self._slots[self._slot(key)] = _GONE

    def _begin(self, key: Ints) -> Ints:
        return (key.astype(np.uint64) * _SPREAD >> self._shift).astype(np.int64)

    def _slot(self, key: Ints) -> Ints:
        """Return the slot of each key; -1 = none."""
        found = np.full(len(key), -1, np.int64)
        at, left = self._begin(key), np.arange(len(key))
        while len(left):
            held = self._slots[at]
            same = (held > _EMPTY) & (self._key_of(np.maximum(held - 1, 0)) == key[left])
            found[left[same]] = at[same]
            goes = ~same & (held != _EMPTY)
            at, left = (at[goes] + 1) % len(self._slots), left[goes]
        return found
