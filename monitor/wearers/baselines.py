"""What heart rate at rest is usual for a wearer by local hour, awake and asleep: moved once a local day, at noon."""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.baseline import ASLEEP, AWAKE, HOURS, STARTER, UNKNOWN, shrunken, update
from monitor.signals.reasons import EXERCISE, OUTLIER, SAID_ASLEEP, SAID_AWAKE, SAID_REST
from monitor.wearers.fields import HR_COUNT, HR_MEDIAN, MINUTES, REASON, STAGE, STEPS
from monitor.wearers.local_time import Turned
from monitor.wearers.state import State

ENOUGH_MIN = 3  # minutes with a value: a device that measures every quarter of an hour has four
ENOUGH_DAYS = 7  # from here on the own days weigh as much as the cohort
STILL_MIN = 10  # this minute and the nine before: as long as the rules on heart rate look back
NOON_H = 12
STAGE_AWAKE = 1

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def usual_bpm(state: State, row: Ints, hour: Ints, asleep: Bools) -> NDArray[np.float64]:
    """Return what is usual at rest at a local hour, awake or asleep, (n,); NaN with fewer than 7 own days in it."""
    which = np.where(asleep, ASLEEP, AWAKE)
    own, days = state.baseline_bpm[row, which, hour].astype(np.float64), state.baseline_days[row, which, hour]
    return np.where(days >= ENOUGH_DAYS, shrunken(own, days, STARTER.level[which, hour]), np.nan)


def move_baseline(state: State, row: Ints, noon: Ints, clock: Turned, frozen: Bools) -> None:
    """Let the 24 hours before local noon, an epoch minute, count for each row; none of a row that is frozen.

    Parameters
    ----------
    clock : whose clock was changed in them: every minute counts to the hour that the clock showed then.
    """
    since = np.where(clock.by_min != 0, noon - clock.minute, 0)
    kinds = ((clock.by_min * (MINUTES + 1)) + since) * MINUTES + noon % MINUTES
    for kind in np.unique(kinds).tolist():
        these = kinds == kind
        one = int(np.argmax(these))
        held = _a_day(state, row[these], noon[these])
        bpm, asleep = hourly(held, _hours(int(clock.by_min[one]), int(since[one])) if clock.by_min[one] else None)
        before = state.baseline_bpm[row[these]], state.baseline_days[row[these]]
        level, days = update(*before, bpm, asleep, frozen[these], STARTER)
        state.baseline_bpm[row[these]], state.baseline_days[row[these]] = np.nan_to_num(level, nan=0.0), days


def _a_day(state: State, row: Ints, noon: Ints) -> NDArray[np.uint8]:
    """Return the 24 h before noon, of the same minute of the UTC day for all rows, oldest first, (n, 1440, 8)."""
    slots = np.roll(state.minutes[row], -int(noon[0]) % MINUTES, axis=1)  # the ring begins at midnight UTC
    minute = noon[:, None] + np.arange(-MINUTES, 0)
    head = state.head_minute[row][:, None]
    slots[(minute > head) | (minute <= head - MINUTES)] = 0
    return slots.view(np.uint8).reshape(len(row), MINUTES, 8)


def _hours(by_min: int, since_min: int) -> Ints:
    """Hour that the clock showed at each minute of the 24 h before noon, (1440,): `since_min` ago it was changed."""
    minute = np.arange(MINUTES) + NOON_H * 60
    return np.where(np.arange(MINUTES) < MINUTES - since_min, minute + by_min, minute) // 60 % HOURS


def hourly(held: NDArray[np.uint8], hour: Ints | None = None) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Mean heart rate at rest of each local hour, and whether the wearer slept: 1, 0, or -1 not known; (n, 24) each.

    Parameters
    ----------
    held : (n, 1440, 8) minutes from local noon to noon. At rest is a minute without steps that follows nine others: of
    unknown steps the device or a stage must say rest or sleep, and exercise is none. Outliers have no vote, and below 3
    minutes an hour is NaN. An hour is what more of its minutes tell: asleep by stage or the device's word, awake by
    these or by steps. hour : (1440,) local hour of each minute; None where the clock was not changed.
    """
    reason, stage, steps = held[..., REASON], held[..., STAGE], held[..., STEPS]
    up = ((reason & SAID_AWAKE) > 0) | (stage == STAGE_AWAKE) | (steps > 1)
    down = (((reason & SAID_ASLEEP) > 0) | (stage > STAGE_AWAKE)) & ~up
    said = down | ((reason & SAID_REST) > 0)
    still = ((steps == 1) | ((steps == 0) & said)) & ((reason & EXERCISE) == 0)
    counts = _long(still) & (held[..., HR_COUNT] > 0) & ((reason & OUTLIER) == 0)
    n = _by_hour(counts, hour)
    total = _by_hour(held[..., HR_MEDIAN] * counts, hour)
    ups, downs = _by_hour(up, hour), _by_hour(down, hour)
    asleep = np.where(downs > ups, ASLEEP, np.where(ups > downs, AWAKE, UNKNOWN)).astype(np.int8)
    return total / np.where(n >= ENOUGH_MIN, n, np.nan), asleep


def _long(still: Bools) -> Bools:
    """Tell which minutes end a run of 10 that are still; of the first nine too little is known."""
    seen = np.cumsum(still, axis=1, dtype=np.int16)
    long = np.zeros(still.shape, bool)
    long[:, STILL_MIN - 1] = seen[:, STILL_MIN - 1] == STILL_MIN
    long[:, STILL_MIN:] = seen[:, STILL_MIN:] - seen[:, :-STILL_MIN] == STILL_MIN
    return long


def _by_hour(values: NDArray[np.bool_] | NDArray[np.uint8], hour: Ints | None) -> Ints:
    """Sum the minutes of each local hour, (n, 24): what begins at noon is turned to begin at midnight."""
    if hour is not None:
        return np.stack([values[:, hour == h].sum(axis=1, dtype=np.int64) for h in range(HOURS)], axis=1)
    sums: Ints = np.roll(values.reshape(len(values), HOURS, 60).sum(axis=2, dtype=np.int64), NOON_H, axis=1)
    return sums
