"""What heart rate is usual for a wearer by local hour, awake and asleep: moved once a local day, at noon."""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.baseline import ASLEEP, AWAKE, HOURS, STARTER, UNKNOWN, update
from monitor.signals.reasons import OUTLIER, SAID_ASLEEP, SAID_AWAKE
from monitor.wearers.fields import HR_COUNT, HR_MEDIAN, MINUTES, REASON, STAGE, STEPS
from monitor.wearers.state import State

ENOUGH_MIN = 3  # minutes with a value: a device that measures every quarter of an hour has four
STAGE_AWAKE = 1

Ints = NDArray[np.int64]


def move_baseline(state: State, row: Ints, noon: Ints, offset_min: Ints, frozen: NDArray[np.bool_]) -> None:
    """Let the 24 hours before local noon, an epoch minute, count for each row; none of a row that is frozen.

    Parameters
    ----------
    offset_min : (n,) minutes by which the local clock is ahead of UTC.
    """
    for offset in np.unique(offset_min).tolist():
        these = offset_min == offset
        bpm, asleep = hourly(_a_day(state, row[these], noon[these], offset))
        before = state.baseline_bpm[row[these]], state.baseline_days[row[these]]
        level, days = update(*before, bpm, asleep, frozen[these], STARTER)
        state.baseline_bpm[row[these]], state.baseline_days[row[these]] = np.nan_to_num(level, nan=0.0), days


def _a_day(state: State, row: Ints, noon: Ints, offset: int) -> NDArray[np.uint8]:
    """Return the 24 h before noon by local hour and minute, (n, 24, 60, 8): the ring begins at midnight UTC."""
    slots = state.minutes[row]
    minute = noon[:, None] - MINUTES + (np.arange(MINUTES) - noon[:, None]) % MINUTES
    head = state.head_minute[row][:, None]
    slots[(minute > head) | (minute <= head - MINUTES)] = 0
    local = np.roll(slots, offset, axis=1) if offset else slots
    return local.view(np.uint8).reshape(len(row), HOURS, 60, 8)


def hourly(held: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Mean heart rate of each hour, NaN below 3 minutes, and whether the wearer slept: 1, 0, or -1 not known.

    Parameters
    ----------
    held : (n, 24, 60, 8) minutes. Outliers have no vote. An hour is what more of its minutes tell: asleep by stage or
    the device's word, awake by these or by steps.
    """
    reason, stage = held[..., REASON], held[..., STAGE]
    counts = (held[..., HR_COUNT] > 0) & ((reason & OUTLIER) == 0)
    n = counts.sum(axis=2)
    total = (held[..., HR_MEDIAN] * counts).sum(axis=2, dtype=np.int64)
    up = ((reason & SAID_AWAKE) > 0) | (stage == STAGE_AWAKE) | (held[..., STEPS] > 1)
    down = (((reason & SAID_ASLEEP) > 0) | (stage > STAGE_AWAKE)) & ~up
    ups, downs = up.sum(axis=2), down.sum(axis=2)
    asleep = np.where(downs > ups, ASLEEP, np.where(ups > downs, AWAKE, UNKNOWN)).astype(np.int8)
    return total / np.where(n >= ENOUGH_MIN, n, np.nan), asleep
