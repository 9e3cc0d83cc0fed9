"""Late minutes: the seconds of minutes that have left the seconds ring, while a late upload brings them.

A watch that was away for ten hours sends them at once, in any order, twice, and with minutes cut in two between
envelopes. The seconds ring holds 15 minutes; older minutes are put together here, 60 bytes each, so that they end as
the minutes that the live stream would have made. A minute lives for two hours of received time after it was last
touched; touched later it begins anew, empty. So its life is a function of the log, and freeing it early or late is not
seen.

A gateway may bring half a day of everybody, so what is held beside the 60 bytes is 16 and an index of 8 to 16; and
memory is given back when most of the minutes are gone.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.pair_index import PairIndex
from monitor.wearers.state import zeros

KEEP_MS = 2 * 3_600_000
_BEGIN = 1024
_NOBODY = -1
_BLOCK = 1 << 20
"""Places looked at in one go: what a look at all of them needs beside must not grow with them."""

Ints = NDArray[np.int64]


class LateMinutes:
    """Seconds of (row, minute) pairs, in a pool that grows by doubling.

    Attributes
    ----------
    row, minute : (capacity,) int32; row -1 = a free place. touched_ms : (capacity,) int64.
    seconds : (capacity, 60) uint8, bpm of each second; 0 = no sample, 255 = out of range.
    """

    row: NDArray[np.int32]
    minute: NDArray[np.int32]
    touched_ms: Ints
    seconds: NDArray[np.uint8]
    _free: NDArray[np.int32]
    _used: int
    _index: PairIndex

    def __init__(self) -> None:
        self._held = 0
        self._reserve(_BEGIN)

    def __len__(self) -> int:
        """Count the minutes that are held."""
        return self._held

    def places(self, row: Ints, minute: Ints, stamp_ms: Ints) -> Ints:
        """Find or begin the minute of each distinct pair, touched at its stamp; return where its seconds are."""
        key = (row << 31) | minute
        found = self._index.find(key)
        new = np.flatnonzero(found < 0)
        known = found[found >= 0]
        self.seconds[known[stamp_ms[found >= 0] - self.touched_ms[known] > KEEP_MS]] = 0
        if len(new):
            if self._held + len(new) > len(self.row) or not self._index.has_room(len(new)):
                self._move(self._held + len(new))
                found = self._index.find(key)
            found[new] = begun = self._begin(len(new))
            self.row[begun], self.minute[begun] = row[new], minute[new]
            self._index.add(key[new], begun)
        self.touched_ms[found] = stamp_ms
        return found

    def of_rows(self, rows: Ints) -> Ints:
        """Return the places of all minutes of these rows, by row and minute."""
        held = np.flatnonzero(np.isin(self.row[: self._used], rows))
        return held[np.lexsort((self.minute[held], self.row[held]))]

    def free(self, places: Iterable[int]) -> None:
        """Forget minutes."""
        gone = np.fromiter(places, np.int64)
        self._forget(gone)
        self._shrink()

    def expire(self, T_of_row: Ints) -> None:
        """Free what no later record can add to: (rows,) T of each row's partition, 0 where it is not known."""
        for first in range(0, self._used, _BLOCK):
            row = self.row[first : min(first + _BLOCK, self._used)]
            touched_ms = self.touched_ms[first : first + len(row)]
            self._forget(first + np.flatnonzero((row >= 0) & (touched_ms + KEEP_MS < T_of_row[row])))
        self._shrink()

    def _forget(self, gone: Ints) -> None:
        self._index.remove(self._key_of(gone))
        self.row[gone] = _NOBODY
        self.seconds[gone] = 0
        self._free[self._free_count : self._free_count + len(gone)] = gone
        self._free_count += len(gone)
        self._held -= len(gone)

    def _begin(self, count: int) -> Ints:
        """Take places that were used before, then new ones."""
        again = min(count, self._free_count)
        self._free_count -= again
        begun = np.arange(self._used - again, self._used - again + count)
        begun[:again] = self._free[self._free_count : self._free_count + again]
        self._used += count - again
        self._held += count
        return begun

    def _shrink(self) -> None:
        if len(self.row) > _BEGIN and 8 * self._held < len(self.row):
            self._move(2 * self._held)

    def _move(self, room: int) -> None:
        """Move what is held to new memory with room for so many minutes, and as many again at most."""
        held = np.flatnonzero(self.row[: self._used] != _NOBODY)
        columns: tuple[NDArray[Any], ...] = self.row, self.minute, self.touched_ms, self.seconds
        self._reserve(max(_BEGIN, 1 << (room - 1).bit_length()))
        moved: tuple[NDArray[Any], ...] = self.row, self.minute, self.touched_ms, self.seconds
        for old, new in zip(columns, moved, strict=True):
            for first in range(0, len(held), _BLOCK):
                part = held[first : first + _BLOCK]
                new[first : first + len(part)] = old[part]
        for first in range(0, len(held), _BLOCK):
            place = np.arange(first, min(first + _BLOCK, len(held)))
            self._index.add(self._key_of(place), place)
        self._used = len(held)

    def _reserve(self, capacity: int) -> None:
        self.row = zeros((capacity,), np.dtype(np.int32))
        self.minute = zeros((capacity,), np.dtype(np.int32))
        self.touched_ms = zeros((capacity,), np.dtype(np.int64))
        self.seconds = zeros((capacity, 60), np.dtype(np.uint8))
        self._free = zeros((capacity,), np.dtype(np.int32))
        self._free_count = self._used = 0
        self._index = PairIndex(capacity, self._key_of)

    def _key_of(self, place: Ints) -> Ints:
        return (self.row[place].astype(np.int64) << 31) | self.minute[place]
