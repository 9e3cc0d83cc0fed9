"""When changed minutes are decided: after each event of a streak, as if it were the last one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.limits import Limits
from monitor.wearers.fields import DECIDE, NEVER
from monitor.wearers.state import State
from monitor.wearers.streaks import Streaks

MINUTE_MS = 60_000
SAMPLE_MS = 1000
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Changes:
    """What events did to minutes: (n,), by row and in their order.

    Attributes
    ----------
    first : first minute that changed. age_ms : how old the newest one was when it was received.
    top_ms : time of the wearer's newest sample, this event's included.
    """

    row: Ints
    stamp_ms: Ints
    first: Ints
    age_ms: Ints
    top_ms: Ints


@dataclass(frozen=True, slots=True)
class Due:
    """Fields of the row as each event leaves them, (n,): see `monitor.wearers.fields`; timer_ms is that of DECIDE."""

    decided_minute: Ints
    dirty_minute: Ints
    timer_ms: Ints
    burst_ms: Ints

    def put(self, state: State, row: Ints, at: Ints) -> None:
        """Make rows what these events left."""
        state.decided_minute[row] = self.decided_minute[at]
        state.dirty_minute[row] = self.dirty_minute[at]
        state.timer_ms[row, DECIDE] = self.timer_ms[at]
        state.burst_ms[row] = self.burst_ms[at]


def due(state: State, limits: Limits, streaks: Streaks, changes: Changes) -> Due:
    """Follow the fields of each row through its events: revised minutes and complete ones are due when they settle.

    A late upload waits until it pauses, for a minute at most, so that its minutes are judged in their own order.
    """
    row, stamp_ms, first, top = changes.row, changes.stamp_ms, changes.first, changes.top_ms
    decided = state.decided_minute[row]
    decided = np.where(decided == 0, first[streaks.begin] - 1, decided)
    revised = first <= decided
    dirty = state.dirty_minute[row].astype(np.int64)
    dirty = streaks.lowest(np.minimum(np.where(dirty > 0, dirty, NEVER), np.where(revised, first, NEVER)))
    timer = state.timer_ms[row, DECIDE]
    calm = streaks.lowest(np.minimum(timer, _settled(limits, revised, decided, stamp_ms, top)))

    burst = state.burst_ms[row]
    timer = np.where(burst > 0, timer, calm)
    late = changes.age_ms > limits.late_after_s * 1000
    if late.any():
        newest = streaks.latest(late)
        begins = streaks.latest(late & (streaks.before(newest, np.full(len(row), -1)) < 0))
        burst = np.where(burst > 0, burst, np.where(begins >= 0, stamp_ms[begins], 0))
        pause = stamp_ms[newest] + round(limits.late_settle_s * 1000)
        longest = burst + round(limits.late_settle_most_s * 1000)
        timer = np.where(newest >= 0, np.minimum(pause, longest), timer)
    return Due(decided, np.where(dirty == NEVER, 0, dirty), timer, burst)


def _settled(limits: Limits, revised: NDArray[np.bool_], decided: Ints, stamp_ms: Ints, top_ms: Ints) -> Ints:
    """Return when what changed is due if no late upload is going on."""
    top = top_ms // MINUTE_MS
    now = revised | ((top_ms + SAMPLE_MS) // MINUTE_MS - 1 > decided)
    at = np.where(now, stamp_ms, np.maximum(stamp_ms, (top + 1) * MINUTE_MS)) + round(limits.settle_s * 1000)
    return np.where(now | (top > decided), at, NEVER)
