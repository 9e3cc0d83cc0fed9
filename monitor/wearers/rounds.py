"""The order of decisions: each wearer's events and timers in the order of their stamps, many wearers at once.

A round takes at most one event or timer of each wearer, so that everything inside a round is independent and can be
done on arrays; rounds go on until no event or timer lies below T. How the log was cut decides nothing here: what
decides waits until T has passed its stamp, and then runs in the order of stamps.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.events import Events, Kind, in_order
from monitor.wearers.fields import NEVER, TIMERS
from monitor.wearers.state import State

Rows = NDArray[np.int64]
OnEvents = Callable[[Kind, Events], None]
OnTimer = Callable[[int, Rows, NDArray[np.int64]], None]


def run(state: State, ready: Events, T_of_partition: NDArray[np.int64], on_events: OnEvents, on_timer: OnTimer) -> None:
    """Run all events and timers below T.

    Parameters
    ----------
    ready : events whose stamps lie below the T of their partition.
    T_of_partition : (partitions,) epoch ms; 0 for a partition that this step does not cut.
    on_events : called once a round and kind, with events of distinct rows, ascending.
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
        taken = queue.take(at[takes])
        for kind in np.unique(taken.kind):
            on_events(Kind(kind), taken.take(taken.kind == kind))
        at[takes] += 1
        busy = rings | takes
        rows, at, end, T = rows[busy], at[busy], end[busy], T[busy]
