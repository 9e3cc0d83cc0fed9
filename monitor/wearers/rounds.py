"""The order of decisions: each wearer's events and timers in the order of their stamps, many wearers at once.

A round takes a timer, an event, or a streak of heart rate and activity of each wearer, so that everything inside a
round is independent and can be done on arrays; rounds go on until no event or timer lies below T. How the log was cut
decides nothing here: what decides waits until T has passed its stamp, and then runs in the order of stamps.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.events import Events, Kind, in_order
from monitor.wearers.fields import NEVER, TIMERS
from monitor.wearers.ranges import runs
from monitor.wearers.state import State

Rows = NDArray[np.int64]
OnEvents = Callable[[Events], NDArray[np.bool_]]
OnTimer = Callable[[int, Rows, NDArray[np.int64]], None]

STREAK_MS = 30_000
"""No farther than this is looked ahead: a minute's timer or the next delivery would part what is offered."""
MOST_EVENTS = 1024
"""Nor at more events: what a streak offers and a handler does not take is looked at again in the next round."""


def of_minutes(these: Events) -> NDArray[np.bool_]:
    """Tell which events are heart rate or activity: they change minutes, and may act together."""
    either: NDArray[np.bool_] = (these.kind == Kind.HEART_RATE) | (these.kind == Kind.ACTIVITY)
    return either


def run(state: State, ready: Events, T_of_partition: NDArray[np.int64], on_events: OnEvents, on_timer: OnTimer) -> None:
    """Run all events and timers below T.

    Parameters
    ----------
    ready : events whose stamps lie below the T of their partition.
    T_of_partition : (partitions,) epoch ms; 0 for a partition that this step does not cut.
    on_events : called once a round with the next event of each row, and those that may act with it: by row, in their
        order, many of a row only `of_minutes`. It tells which it took: of each row the first, and those behind it up
        to the first that a timer, or what the one before it did, parts from it.
    on_timer : called once a round and timer, with distinct rows, ascending, and the times at which they fire. It must
        move the timer forward or set it to NEVER.
    """
    queue = in_order(ready)
    used = state.used
    T_of_row = np.append(T_of_partition, 0)[state.partition[:used]]  # partition -1 = free row: the appended 0
    ringing = state.timer_ms[:used].min(axis=1) < T_of_row
    rows = np.union1d(queue.row, np.flatnonzero(ringing))
    at = np.searchsorted(queue.row, rows, side="left")
    end = np.searchsorted(queue.row, rows, side="right")
    T = T_of_row[rows]
    stamps = np.append(queue.stamp_ms, NEVER)
    offers = _Offers(queue)
    while len(rows):
        next_stamp = np.where(at < end, stamps[at], NEVER)
        timers = state.timer_ms[rows]
        which = timers.argmin(axis=1)
        alarm = timers[np.arange(len(rows)), which]
        rings = (alarm < T) & (alarm < next_stamp)
        takes = ~rings & (at < end)
        for timer in range(TIMERS):
            if (fires := rings & (which == timer)).any():
                on_timer(timer, rows[fires], alarm[fires])
        at[takes] += _take(queue, at[takes], offers, on_events)
        busy = rings | takes
        rows, at, end, T = rows[busy], at[busy], end[busy], T[busy]


def _take(queue: Events, at: NDArray[np.int64], offers: "_Offers", on_events: OnEvents) -> NDArray[np.int64]:
    """Offer the next events of each row; return how many of each were taken."""
    if not len(at):
        return at
    until = offers.until(at)
    if (until == at + 1).all():
        on_events(queue.take(at))
        return np.ones(len(at), np.int64)
    whose, event = runs(at, until - 1)
    taken: NDArray[np.int64] = np.bincount(whose[on_events(queue.take(event))], minlength=len(at))
    return taken


class _Offers:
    """Tells how many events of a queue may be looked at together."""

    def __init__(self, queue: Events) -> None:
        n = len(queue)
        self._of_minutes = of_minutes(queue)
        parted = np.ones(n, np.bool_)  # from the next event
        parted[:-1] = (queue.row[1:] != queue.row[:-1]) | ~(self._of_minutes[1:] & self._of_minutes[:-1])
        self._end: NDArray[np.int64] | None = None
        if parted.all():
            return
        self._end = np.minimum.accumulate(np.where(parted, np.arange(1, n + 1), n)[::-1])[::-1]
        since_ms = queue.stamp_ms - queue.stamp_ms.min()
        self._time = queue.row * (int(since_ms.max()) + STREAK_MS + 1) + since_ms  # ascends, as row and stamp do

    def until(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where what may be offered together from these events on ends."""
        if self._end is None or not self._of_minutes[at].any():
            return at + 1
        late = np.searchsorted(self._time, self._time[at] + STREAK_MS, side="right")
        until: NDArray[np.int64] = np.minimum(np.minimum(self._end[at], late), at + MOST_EVENTS)
        return until
