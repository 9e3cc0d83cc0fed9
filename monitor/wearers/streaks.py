"""Streaks: events of one row that follow each other, and what runs through them.

A wearer who sends thousands of records at once would cost a round each. What such records do to a row mostly is a
highest, a lowest or a newest of what came so far; `Streaks` says it of every event of many rows at once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Streaks:
    """Where the streaks of a sequence of events begin and end; all (n,).

    Attributes
    ----------
    first, last : of its streak. index, begin : its own index, and that of the first event of its streak.
    longest : events in the longest streak, 0 of none.
    """

    first: Mask
    last: Mask
    index: Ints
    begin: Ints
    longest: int

    @staticmethod
    def of(row: Ints) -> "Streaks":
        """Find the streaks of equal neighbours."""
        index = np.arange(len(row))
        change = np.ones(len(row) + 1, np.bool_)
        np.not_equal(row[1:], row[:-1], out=change[1:-1])
        first, last = change[:-1], change[1:]
        if first.all():
            return Streaks(first, last, index, index, min(len(row), 1))
        begin = np.maximum.accumulate(np.where(first, index, 0))
        return Streaks(first, last, index, begin, int((index - begin).max()) + 1)

    def before(self, value: NDArray[Any], at_first: NDArray[Any]) -> NDArray[Any]:
        """Return what `value` was one event earlier; before the first of a streak, what `at_first` says there."""
        if self.longest <= 1:
            return at_first
        return np.where(self.first, at_first, np.append(at_first[:1], value[:-1]))

    def latest(self, flag: Mask) -> Ints:
        """Return the index of the newest event of the streak so far, itself included, that has the flag; -1 = none."""
        here = np.where(flag, self.index, -1)
        if self.longest <= 1:
            return here
        newest = np.maximum.accumulate(here)
        return np.where(newest >= self.begin, newest, -1)

    def highest(self, value: Ints) -> Ints:
        """Return the highest value of the streak so far, itself included."""
        return self._outermost(np.maximum, value)

    def lowest(self, value: Ints) -> Ints:
        """Return the lowest value of the streak so far, itself included."""
        return self._outermost(np.minimum, value)

    def _outermost(self, outer: np.ufunc, value: Ints) -> Ints:
        if self.longest <= 1:
            return value
        value, reach = value.copy(), 1
        while reach < self.longest:  # after each pass a value is the outermost of twice as many
            at = np.flatnonzero(self.index - self.begin >= reach)
            value[at] = outer(value[at], value[at - reach])
            reach *= 2
        return value
