"""Heart rate and activity as they come: what is new in each event of a streak, and where the streak is parted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.silence import SAME_DELIVERY_MS
from monitor.deciding.departures import ABSENT_MS
from monitor.deciding.due import Changes, Due
from monitor.wearers.days import WORN
from monitor.wearers.events import Events, Kind
from monitor.wearers.fields import MINUTES, REPEAT, SECOND_MINUTES, SILENCE
from monitor.wearers.state import State
from monitor.wearers.streaks import Streaks

MINUTE_MS = 60_000
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Events of a round, (n,), by row and in their order, and what each of them finds and leaves.

    Attributes
    ----------
    heart_rate : or activity. newest : last minute that it may change. age_ms : of what it brings, when received.
    top_ms : time of the newest sample so far. fresh : it brought one. new_stamp_ms : when the last fresh one came.
    quiet_ms : time between it and the fresh one before; its stamp if there was none.
    gap_s, gap_before_s : seconds between samples as this event leaves and finds them.
    """

    streaks: Streaks
    events: Events
    heart_rate: Mask
    newest: Ints
    age_ms: Ints
    top_ms: Ints
    fresh: Mask
    new_stamp_ms: Ints
    quiet_ms: Ints
    gap_s: NDArray[np.float32]
    gap_before_s: NDArray[np.float32]

    @property
    def changes(self) -> Changes:
        """Tell what happens to minutes."""
        these = self.events
        return Changes(these.row, these.stamp_ms, these.a, self.age_ms, self.top_ms)


def follow(state: State, these: Events) -> Deliveries:
    """Follow each row through its events."""
    row, stamp_ms, streaks = these.row, these.stamp_ms, Streaks.of(these.row)
    heart_rate = these.kind == Kind.HEART_RATE
    end_minute = these.a + these.count
    sample_ms = np.where(heart_rate, these.b, 0)
    top_ms = streaks.highest(np.maximum(sample_ms, state.top_ms[row]))
    top_before = streaks.before(top_ms, state.top_ms[row])
    fresh = sample_ms > top_before
    newest_fresh = streaks.latest(fresh)
    new_stamp_ms = np.where(newest_fresh >= 0, stamp_ms[newest_fresh], state.new_stamp_ms[row])

    single = fresh & (these.c == 0) & (top_before > 0)
    between = np.where(single, sample_ms - top_before, these.c)
    measures = streaks.latest(heart_rate & (between > 0))
    gap_s = np.where(measures >= 0, (between[measures] / 1000).astype(np.float32), state.sample_gap_s[row])
    return Deliveries(
        streaks=streaks,
        events=these,
        heart_rate=heart_rate,
        newest=np.where(heart_rate, these.b // MINUTE_MS, end_minute - 1),
        age_ms=stamp_ms - np.where(heart_rate, these.b, end_minute * MINUTE_MS),
        top_ms=top_ms,
        fresh=fresh,
        new_stamp_ms=new_stamp_ms,
        quiet_ms=stamp_ms - streaks.before(new_stamp_ms, state.new_stamp_ms[row]),
        gap_s=gap_s,
        gap_before_s=streaks.before(gap_s, state.sample_gap_s[row]),
    )


def taken(state: State, what: Deliveries, due: Due, silence_ms: Ints) -> Mask:
    """Tell which events act now: of each streak, those before the first that something parts from the one before it.

    Parameters
    ----------
    silence_ms : (n,) the timer SILENCE as each event leaves it.
    """
    streaks, row, stamp_ms = what.streaks, what.events.row, what.events.stamp_ms
    if streaks.longest <= 1:
        return np.ones(len(row), np.bool_)
    timers = np.minimum(np.minimum(due.timer_ms, silence_ms), state.timer_ms[row, REPEAT])
    alarm = np.minimum(timers, stamp_ms + ABSENT_MS)
    rings = streaks.before(alarm, stamp_ms) < stamp_ms
    measures = what.fresh & (what.quiet_ms > SAME_DELIVERY_MS)
    fresh_before = streaks.before(streaks.latest(what.fresh), np.full(len(row), -1)) >= 0
    breaks_silence = what.fresh & ~fresh_before & (state.silent[row] > 0)

    head = state.head_minute[row].astype(np.int64)
    reach = streaks.highest(np.maximum(what.newest, head))
    goes_on = reach > streaks.before(reach, head)
    day = state.day[row].astype(np.int64)
    keeps_day = goes_on & (day > 0) & (state.day_so_far[row, WORN] == 0) & (reach // MINUTES > day)
    seconds_from = state.head_second_minute[row] - SECOND_MINUTES
    forgets = (reach > head) & (state.head_second_minute[row] > 0) & (seconds_from <= reach - MINUTES)

    parts = rings | measures | breaks_silence | keeps_day | forgets | (due.decided_minute == 0)
    return streaks.latest(parts & ~streaks.first) < 0


def silence_after(state: State, what: Deliveries, limit_ms: Ints) -> Ints:
    """Return the timer SILENCE as each event leaves it; `limit_ms` : (n,) how long each row may be silent."""
    came = what.streaks.latest(what.fresh) >= 0
    return np.where(came, what.new_stamp_ms + limit_ms, state.timer_ms[what.events.row, SILENCE])
