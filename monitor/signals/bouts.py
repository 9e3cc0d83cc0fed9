"""Bouts: runs of brisk walking, with short breaks allowed, and runs of sitting still."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.cadence import MODERATE

BOUT_MINUTES = 10
LONGEST_BREAK = 2
ACTIVE_SHARE = 0.8
STILL_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Bouts:
    """Of n wearers, all (n,), NaN = no known minute: `count` of bouts, `minutes` in them, `longest` in minutes."""

    count: NDArray[np.float64]
    minutes: NDArray[np.float64]
    longest: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stillness:
    """Of n wearers, all (n,), NaN = no known minute awake.

    `minutes` still; `long` how many runs lasted 30 min; `long_minutes` in those; `longest` run; `breaks` how often a
    still run ended with a step.
    """

    minutes: NDArray[np.float64]
    long: NDArray[np.float64]
    long_minutes: NDArray[np.float64]
    longest: NDArray[np.float64]
    breaks: NDArray[np.float64]


def active_bouts(steps: NDArray[np.floating], at_least: float = MODERATE) -> Bouts:
    """Find bouts of activity: at least 10 min, from active to active minute, four fifths of them active.

    Parameters
    ----------
    steps : (n, T) steps a minute, NaN = not known.
    at_least : steps that make a minute active.

    Returns
    -------
    Bouts. One or two minutes below the limit are a break within a bout; a third ends it, and so does a minute that is
    not known. A bout is settled 3 minutes after its last active minute; cutting the series there or later changes
    nothing of it.

    Source: 10-minute bouts with 8 of 10 minutes above the limit, Troiano et al. (2008), Med Sci Sports Exerc 40:181
    (from memory; that bouts mean 10 min or more is checked in Clarke and Janssen 2014). Guidelines since 2018 count
    every minute, in a bout or not: use `cadence.mvpa` for totals.

    >>> walk = np.array([[0, *[110] * 6, 20, *[115] * 5, 0, 0, 0]], float)
    >>> found = active_bouts(walk); found.count.tolist(), found.minutes.tolist()
    ([1.0], [12.0])
    """
    known = steps >= 0
    active = steps >= at_least
    n = len(active)
    row, at = np.nonzero(active)
    # Only active minutes are looked at: a day has few. One goes on from the one before it if the break is short.
    goes_on = (row[1:] == row[:-1]) & (at[1:] - at[:-1] <= LONGEST_BREAK + 1)
    for back in range(1, LONGEST_BREAK + 1):
        goes_on &= known[row[1:], np.maximum(at[1:] - back, at[:-1])]
    opens = np.concatenate([np.ones(min(len(row), 1), bool), ~goes_on])
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(row))[: len(first)] - 1
    lasted = at[last] - at[first] + 1
    true = (lasted >= BOUT_MINUTES) & (last - first + 1 >= ACTIVE_SHARE * lasted)
    row, lasted = row[first][true], lasted[true]
    some = known.any(axis=1)
    longest = np.zeros(n)
    np.maximum.at(longest, row, lasted)
    return Bouts(
        np.where(some, np.bincount(row, minlength=n), np.nan),
        np.where(some, np.bincount(row, weights=lasted, minlength=n), np.nan),
        np.where(some, longest, np.nan),
    )


def stillness(steps: NDArray[np.floating], awake: NDArray[np.bool_]) -> Stillness:
    """Find still time: known minutes awake without a step.

    Parameters
    ----------
    steps : (n, T) steps a minute, NaN = not known: a device on the table does not sit.
    awake : (n, T) False in sleep sessions, which are no sitting.

    Returns
    -------
    Stillness. A run ends with a step, with sleep, or with an unknown minute; only a step is a break. Standing still
    looks the same to a step counter.

    Source: zero cadence during wear as sign of sedentary time, Tudor-Locke et al. (2018) (checked); breaks in
    sedentary time, Healy et al. (2008), and runs of 30 min or more: common use, from memory.

    >>> found = stillness(np.array([[0.0] * 40 + [12.0] + [0.0] * 5]), np.ones((1, 46), bool))
    >>> found.minutes.tolist(), found.long.tolist(), found.breaks.tolist()
    ([45.0], [1.0], [1.0])
    """
    n, width = steps.shape
    still = (steps == 0) & awake
    row, begin, end = _runs(still)
    lasted = end - begin
    stepped = (steps > 0) & awake
    ended = np.zeros(len(row), bool)
    inner = end < width
    ended[inner] = stepped[row[inner], end[inner]]
    long = lasted >= STILL_MINUTES
    some = ((steps >= 0) & awake).any(axis=1)
    longest = np.zeros(n)
    np.maximum.at(longest, row, lasted)
    counted = (
        still.sum(axis=1),
        np.bincount(row[long], minlength=n),
        np.bincount(row[long], weights=lasted[long], minlength=n),
        longest,
        np.bincount(row[ended], minlength=n),
    )
    return Stillness(*(np.where(some, values, np.nan) for values in counted))


def _runs(true: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, first column and column behind the last of every run of True, row by row."""
    n, width = true.shape
    padded = np.zeros((n, width + 1), bool)  # the column behind the last ends every run
    padded[:, :-1] = true
    flat = padded.ravel()
    change = np.flatnonzero(np.concatenate([flat[:1], flat[1:] != flat[:-1]]))
    row, begin = np.divmod(change[::2], width + 1)
    return row, begin, change[1::2] - row * (width + 1)
