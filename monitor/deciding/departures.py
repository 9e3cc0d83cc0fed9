"""Wearers that leave: erased by a tombstone, or absent for long. Their rows are given back when nobody can see it."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.board import Board
from monitor.wearers.fields import LEAVE
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.state import State
from monitor.wearers.waiting import Waiting

DAY_MS = 86_400_000
ABSENT_MS = 35 * DAY_MS
"""Longer than anything but a profile says something of a wearer: day features reach back 28 days."""
ERASED_MS = 15 * DAY_MS
"""An erased wearer's row goes when nothing that was measured before could still be accepted."""
EXPIRE_STEPS = 64

Ints = NDArray[np.int64]


class Departures:
    """Forgets wearers and what is held of them."""

    def __init__(self, state: State, board: Board, late: LateMinutes) -> None:
        self._state, self._board, self._late = state, board, late
        self._left: list[int] = []
        self._steps = 0

    def seen(self, row: Ints, stamp_ms: Ints) -> None:
        """Note that records of these rows act."""
        self._state.acted_ms[row] = stamp_ms
        self._state.timer_ms[row, LEAVE] = stamp_ms + ABSENT_MS

    def leave(self, row: Ints, at_ms: Ints) -> None:
        """Act on wearers of whom nothing came for long: erase them, unless they have a profile or an open alert."""
        for r, at in zip(row.tolist(), at_ms.tolist(), strict=True):
            if self._state.known[r] or self._board.has_open(r):
                self._state.timer_ms[r, LEAVE] = at + ABSENT_MS
            else:
                self._blank(np.array([r]))
                self._left.append(r)

    def erase(self, row: int, stamp_ms: int) -> None:
        """Erase a wearer as a tombstone asks, and let the row go later."""
        self._blank(np.array([row]))
        self._state.timer_ms[row, LEAVE] = stamp_ms + ERASED_MS

    def forget(self, rows: Ints) -> None:
        """Forget rows at once, telling nobody."""
        self._blank(rows)
        self._state.remove(rows)

    def discard(self) -> None:
        """Give back no row that a step which raised wanted to."""
        self._left = []

    def tidy(self, waiting: Waiting, T_of_partition: Ints) -> None:
        """Give back what nobody can see the lack of: rows that left, and late minutes that no record can touch.

        A row that a later record has used again, or that one waits for, stays.
        """
        if self._left:
            left = np.unique(self._left)
            self._left = []
            self._state.remove(left[(self._state.acted_ms[left] == 0) & ~waiting.any_of(left)])
        self._steps += 1
        if len(self._late) and self._steps % EXPIRE_STEPS == 0:
            self._late.expire(T_of_partition[self._state.partition[: self._state.used]])

    def _blank(self, rows: Ints) -> None:
        self._board.drop(rows)
        if len(self._late):
            self._late.free(self._late.of_rows(rows).tolist())
        self._state.blank(rows)
