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
    first, last : of its streak. begin : index of the first event of the same streak.
    longest : events in the longest streak, 0 of none.
    """

    first: Mask
    last: Mask
    begin: Ints
    longest: int

    @staticmethod
    def of(row: Ints) -> "Streaks":
        """Find the streaks of equal neighbours."""
        n = len(row)
        change = np.ones(n + 1, np.bool_)
        if n:
            np.not_equal(row[1:], row[:-1], out=change[1:-1])
        begin = np.flatnonzero(change[:-1])
        size = np.diff(np.append(begin, n))
        return Streaks(change[:-1], change[1:], np.repeat(begin, size), int(size.max(initial=0)))

    def before(self, value: NDArray[Any], at_first: NDArray[Any]) -> NDArray[Any]:
        """Return what `value` was one event earlier; before the first of a streak, what `at_first` says there."""
        if self.longest <= 1:
            return at_first
        shifted = np.empty_like(value)
        shifted[1:] = value[:-1]
        return np.where(self.first, at_first, shifted)

    def latest(self, flag: Mask) -> Ints:
        """Return the index of the newest event of the streak so far, itself included, that has the flag; -1 = none."""
        here = np.where(flag, np.arange(len(flag)), -1)
        if self.longest <= 1:
            return here
        newest = np.maximum.accumulate(here)
        return np.where(newest >= self.begin, newest, -1)

    def highest(self, value: Ints) -> Ints:
        """Return the highest value of the streak so far, itself included."""
        if self.longest <= 1:
            return value
        value, index, reach = value.copy(), np.arange(len(value)), 1
        while reach < self.longest:  # after each pass a value is the highest of twice as many
            at = np.flatnonzero(index - reach >= self.begin)
            value[at] = np.maximum(value[at], value[at - reach])
            reach *= 2
        return value

    def lowest(self, value: Ints) -> Ints:
        """Return the lowest value of the streak so far, itself included."""
        return ~self.highest(~value)
