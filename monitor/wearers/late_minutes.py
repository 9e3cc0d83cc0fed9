"""Late minutes: the seconds of minutes that have left the seconds ring, while a late upload brings them.

A watch that was away for ten hours sends them at once, in any order, twice, and with minutes cut in two between
envelopes. The seconds ring holds 15 minutes; older minutes are put together here, 60 bytes each, so that they end as
the minutes that the live stream would have made. A minute lives for two hours of received time after it was last
touched; touched later it begins anew, empty. So its life is a function of the log, and freeing it early or late is not
seen.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

KEEP_MS = 2 * 3_600_000
_BEGIN = 1024
_NOBODY = -1

Ints = NDArray[np.int64]


class LateMinutes:
    """Seconds of (row, minute) pairs, in a pool that grows by doubling.

    Attributes
    ----------
    row, minute, touched_ms : (capacity,) int64; row -1 = a free place.
    seconds : (capacity, 60) uint8, bpm of each second; 0 = no sample, 255 = out of range.
    """

    def __init__(self) -> None:
        self._place: dict[int, int] = {}
        self._free: list[int] = []
        self.row = np.full(_BEGIN, _NOBODY, np.int64)
        self.minute = np.zeros(_BEGIN, np.int64)
        self.touched_ms = np.zeros(_BEGIN, np.int64)
        self.seconds = np.zeros((_BEGIN, 60), np.uint8)
        self._used = 0

    def __len__(self) -> int:
        """Count the minutes that are held."""
        return len(self._place)

    def places(self, row: Ints, minute: Ints, stamp_ms: Ints) -> Ints:
        """Find or begin the minute of each distinct pair, touched at its stamp; return where its seconds are."""
        keys = ((row << 31) | minute).tolist()
        found = np.empty(len(keys), np.int64)
        for i, key in enumerate(keys):
            place = self._place.get(key)
            if place is None:
                place = self._place[key] = self._begin()
            elif stamp_ms[i] - self.touched_ms[place] > KEEP_MS:
                self.seconds[place] = 0
            found[i] = place
        self.row[found], self.minute[found], self.touched_ms[found] = row, minute, stamp_ms
        return found

    def of_rows(self, rows: Ints) -> Ints:
        """Return the places of all minutes of these rows, by row and minute."""
        held = np.flatnonzero(np.isin(self.row[: self._used], rows))
        return held[np.lexsort((self.minute[held], self.row[held]))]

    def free(self, places: Iterable[int]) -> None:
        """Forget minutes."""
        for place in places:
            del self._place[int(self.row[place]) << 31 | int(self.minute[place])]
            self.row[place] = _NOBODY
            self.seconds[place] = 0
            self._free.append(int(place))

    def expire(self, T_of_row: Ints) -> None:
        """Free what no later record can add to: (rows,) T of each row's partition, 0 where it is not known."""
        row = self.row[: self._used]
        dead = (row >= 0) & (self.touched_ms[: self._used] + KEEP_MS < T_of_row[row])
        self.free(np.flatnonzero(dead).tolist())

    def _begin(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self.row):
            self.row = np.append(self.row, np.full(self._used, _NOBODY, np.int64))
            self.minute = np.append(self.minute, np.zeros(self._used, np.int64))
            self.touched_ms = np.append(self.touched_ms, np.zeros(self._used, np.int64))
            self.seconds = np.concatenate([self.seconds, np.zeros((self._used, 60), np.uint8)])
        self._used += 1
        return self._used - 1
