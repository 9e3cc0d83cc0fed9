"""The resting rate of each local night, computed from the minutes ring and kept for 28 days."""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.resting import night_rate
from monitor.wearers.fields import DAYS, HR_MEDIAN, MINUTES, STEPS
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before

Ints = NDArray[np.int64]


def begin_night(state: State, row: Ints, day: Ints) -> None:
    """Make `day` the newest local day of each row's ring; the nights between have no rate."""
    before = state.judged_day[row]
    passed = np.where(before > 0, np.minimum(day - before, DAYS), DAYS)
    for back in range(int(passed.max(initial=0))):
        some = passed > back
        state.night_bpm[row[some], (day[some] - back) % DAYS] = 0
    state.judged_day[row] = day


def write_night(state: State, row: Ints, begins: Ints, ends: Ints) -> None:
    """Compute the rate of each night of the newest local day, epoch minutes [begins, ends).

    A night in which the clock was changed is an hour shorter or longer than others.
    """
    width = int((ends - begins).max(initial=1))
    held = minutes_before(state, row, ends - 1, width)
    steps = held[:, :, STEPS]
    known = steps > 0
    night = np.arange(width) >= width - (ends - begins)[:, None]
    rate = night_rate(held[:, :, HR_MEDIAN], steps - known, known, night).bpm
    state.night_bpm[row, state.judged_day[row] % DAYS] = np.nan_to_num(rate, nan=0.0)


def rewrite_nights(state: State, row: Ints, first: Ints, last: Ints, begins: Ints, ends: Ints) -> None:
    """Compute the newest night again where minutes of it, of the closed run [first, last], were revised.

    Only while the ring holds all of the night: the daily rules saw it and do not judge again; they read it next noon.
    """
    touched = (first < ends) & (last >= begins) & (begins > state.head_minute[row] - MINUTES)
    touched &= state.judged_day[row] > 0
    if touched.any():
        write_night(state, row[touched], begins[touched], ends[touched])


def past_nights(state: State, row: Ints) -> NDArray[np.float64]:
    """Rates of the 28 nights up to the newest of each row, newest last; NaN where there is none. Shape (n, 28)."""
    day = state.judged_day[row].astype(np.int64)[:, None] - np.arange(DAYS - 1, -1, -1)
    rate = state.night_bpm[row[:, None], day % DAYS].astype(np.float64)
    return np.where(rate > 0, rate, np.nan)
