"""Memory into which rows are copied to be saved, mapped once and used again.

A page that is touched for the first time costs 2 us here, or 9 where numpy asks for huge pages: a fresh copy of 6,250
wearers takes 200 ms, one into memory that is mapped already 25 ms (measured).
"""

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.saved import Saved
from monitor.wearers.fields import FIELDS
from monitor.wearers.state import State, zeros


class Shelf:
    """Room for the rows of one partition, lent to one saved state at a time.

    Parameters
    ----------
    rows : reserved; only what is used is mapped.
    """

    def __init__(self, rows: int) -> None:
        self._room = {field.name: zeros((rows, *field.shape), np.dtype(field.dtype)) for field in FIELDS}
        self._mapped = 0
        self._lent: weakref.ref[Saved] | None = None

    def map(self, rows: int) -> None:
        """Touch the memory of so many rows now, while nobody waits."""
        for column in self._room.values():
            column[self._mapped : rows] = 0
        self._mapped = max(self._mapped, rows)

    def copy(self, state: State, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Copy these rows of every field: into our room, or into fresh memory while that is still lent."""
        free = self._lent is None or self._lent() is None
        chosen: Any = rows
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            chosen = slice(int(rows[0]), int(rows[-1]) + 1)  # whole pages
        copies = {}
        for field in FIELDS:
            column = state.column(field.name)
            copies[field.name] = self._room[field.name][: len(rows)] if free else np.empty_like(column[: len(rows)])
            if isinstance(chosen, slice):
                copies[field.name][:] = column[chosen]
            else:
                np.take(column, rows, axis=0, out=copies[field.name], mode="clip")  # "raise" would copy once more
        if free:
            self._mapped = max(self._mapped, len(rows))
        return copies

    def lend(self, saved: Saved) -> Saved:
        """Remember who uses the room."""
        if self._lent is None or self._lent() is None:
            self._lent = weakref.ref(saved)
        return saved
