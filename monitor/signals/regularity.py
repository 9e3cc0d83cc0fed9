"""Sleep regularity index: how likely the wearer is in the same state, asleep or awake, 24 hours apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.nights import DAY, MAIN_MINUTES, Sessions
from monitor.signals.why_not import WhyNot

NOON = 720
ENOUGH_PAIRS = 5
NO_DAY = -32_000  # of a piece that is none: no day follows it


@dataclass(frozen=True, slots=True)
class Regularity:
    """`index` (n,) -100..100, NaN = not known; `pairs` (n,) of neighbouring days compared; `why_not` (n,)."""

    index: NDArray[np.float64]
    pairs: NDArray[np.int64]
    why_not: NDArray[np.uint8]


def regularity(
    sessions: Sessions, keep: NDArray[np.bool_], now_minute: NDArray[np.int64], days: int = 14
) -> Regularity:
    """Sleep regularity index over the last `days` whole days, from sessions.

    Parameters
    ----------
    sessions, keep : from `nights.standing`.
    now_minute : (n,) epoch minute; days run from local noon to local noon, the last whole one counts as the newest.

    Returns
    -------
    Regularity. 100 * (2 * share - 1), the share over all minutes of two neighbouring days that are both known. A day is
    known if a session of at least 3 h has its middle in it: then the wearer is asleep in the sessions and awake
    outside. A night that was not recorded is unknown, never "awake". The oldest day is left out where every slot is
    taken, since part of it may have been pushed out. NaN with fewer than 5 pairs of days.

    Notes
    -----
    The clock is the local one of each session: the hour of a clock change, and a flight after which the wearer sleeps
    by the new clock, are no irregularity. Waking within a session is not seen, as in sleep diaries. Minutes are not
    laid out: sessions are cut at noon, and what two pieces of neighbouring days share is counted.

    Source: Phillips et al. (2017), Scientific Reports 7:3216, SRI (definition checked in the manual of GGIR and in
    modelling.md: 200 * P(same state 24 h apart) - 100). 5 days at least: default of the authors' package sleepreg
    (Windred et al. 2021, checked in its source).

    >>> start = np.arange(8)[None] * DAY + 100 * DAY + 1380
    >>> same = Sessions(np.arange(8)[None].astype(np.uint64), np.ones((1, 8), int), start, start + 480,
    ...                 np.zeros((1, 8), int), np.full((1, 8, 5), np.nan))
    >>> regularity(same, np.ones((1, 8), bool), np.array([108 * DAY])).index.tolist()
    [100.0]
    """
    n = len(sessions.start)
    offset = np.where(keep, sessions.offset, 0)
    newest = np.argmax(np.where(keep, sessions.end, 0), axis=1)
    local_now = now_minute + offset[np.arange(n), newest]
    origin = ((local_now - NOON) // DAY - days) * DAY + NOON
    start = np.where(keep, sessions.start + offset - origin[:, None], 0)
    end = np.where(keep, sessions.end + offset - origin[:, None], 0)

    middle = np.floor_divide(start + end, 2 * DAY)
    night = keep & (end - start >= MAIN_MINUTES) & (middle >= 0) & (middle < days)
    rows, at = np.nonzero(night)
    known = np.zeros((n, days + 1), bool)  # the column behind the last stays False: no day follows it
    known[rows, middle[rows, at]] = True
    full = (sessions.start > 0).all(axis=1)
    oldest = np.argmax(known, axis=1)
    known[np.arange(n)[full], oldest[full]] = False
    pair = known[:, :-1] & known[:, 1:]
    pairs = pair.sum(axis=1)

    day, begin, stop = _pieces(start, end, keep, days)
    length = (stop - begin).astype(np.int64)
    pair = np.concatenate([pair, np.zeros((n, 1), bool)], axis=1)
    held = (day >= 0) & (day < days)
    inside = np.where(held, day, days)
    first = np.take_along_axis(pair, inside, axis=1)
    second = np.take_along_axis(np.roll(pair, 1, axis=1), np.minimum(inside, days - 1), axis=1) & held
    asleep = (length * first).sum(axis=1) + (length * second).sum(axis=1)
    both = _shared(np.where(first, day, NO_DAY).astype(np.int16), day.astype(np.int16), begin, stop)

    minutes = pairs * DAY
    fits = pairs >= ENOUGH_PAIRS
    # Minutes that differ: asleep on one day, less twice those asleep on both.
    share = 1 - (asleep - 2 * both) / np.maximum(minutes, 1)
    why = np.where(known.any(axis=1), WhyNot.TOO_FEW, WhyNot.NOTHING)
    return Regularity(
        np.where(fits, 200 * share - 100, np.nan), pairs, np.where(fits, WhyNot.KNOWN, why).astype(np.uint8)
    )


def _pieces(
    start: NDArray[np.int64], end: NDArray[np.int64], keep: NDArray[np.bool_], days: int
) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int16]]:
    """Cut sessions at noon: (n, 2K) day, and begin and stop within the day in minutes; no two pieces overlap."""
    order = np.argsort(np.where(keep, start, np.iinfo(np.int64).max), axis=1, kind="stable")
    start, end = np.take_along_axis(start, order, axis=1), np.take_along_axis(end, order, axis=1)
    keep = np.take_along_axis(keep, order, axis=1)
    # On the local clock two sessions may overlap although in truth they did not: after a flight west.
    reach = np.maximum.accumulate(np.where(keep, end, np.iinfo(np.int64).min), axis=1)
    start = np.concatenate([start[:, :1], np.maximum(start[:, 1:], reach[:, :-1])], axis=1)
    keep = keep & (end > start) & (end > 0) & (start < days * DAY)
    start, end = np.where(keep, start, 0), np.where(keep, end, 0)
    day = np.floor_divide(start, DAY)
    noon = (day + 1) * DAY
    first = np.minimum(end, noon)
    day = np.concatenate([np.where(keep, day, NO_DAY), np.where(keep & (end > noon), day + 1, NO_DAY)], axis=1)
    begin = np.concatenate([start - noon + DAY, np.zeros_like(start)], axis=1)
    stop = np.concatenate([first - noon + DAY, np.maximum(end - noon, 0)], axis=1)
    return day, np.where(day == NO_DAY, 0, begin).astype(np.int16), np.where(day == NO_DAY, 0, stop).astype(np.int16)


def _shared(
    day: NDArray[np.int16], next_day: NDArray[np.int16], begin: NDArray[np.int16], stop: NDArray[np.int16]
) -> NDArray[np.int64]:
    """(n,) minutes that pieces of a day share with pieces of the day after it."""
    total = np.zeros(len(day), np.int64)
    for k in range(day.shape[1]):
        overlap = np.minimum(stop[:, k : k + 1], stop) - np.maximum(begin[:, k : k + 1], begin)
        follows = next_day == day[:, k : k + 1] + 1
        total += (np.maximum(overlap, 0) * follows).sum(axis=1)
    return total
