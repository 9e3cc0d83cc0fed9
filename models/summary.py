"""A handful of numbers that a nurse would look at first, for a short path through the network beside the long one.

Trained on little data the attention layers forget what a single fresh reading says; this path cannot. Each number is
0.0 where its source is missing, and each source has a column that says whether it is there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baselines import heat_index, irregularity, recent_pulse, resting_rise
from models.snapshot import DAY_FEATURES, NO_STEPS, Snapshot
from models.sporadic import known, own_medians

F32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
LAST_MIN = 60
NOW_MIN = 10

# the block whose tokens a column comes from: hiding the block hides the column
SOURCES = (
    *("heart",) * 8,
    *("pressure",) * 6,
    *("heart",) * 3,
    *("weather",) * 3,
    *("sessions",) * 3,
    *("days",) * 2,
    *("activity",) * 2,
)


def summary_row(snapshot: Snapshot) -> F32:
    """Return float32 (B, 27), columns grouped as in SOURCES."""
    pulse = snapshot.hr_median[:, -LAST_MIN:]
    worn = pulse > 0
    here = worn.any(axis=1)
    resting, has_resting = known(recent_pulse(snapshot))
    own, has_own = known(own_medians(snapshot.days)[:, DAY_FEATURES.index("resting_bpm")])
    now = pulse[:, -NOW_MIN:]
    now_worn = (now > 0).sum(axis=1)
    rise = resting_rise(snapshot)
    steps = snapshot.steps[:, -LAST_MIN:]
    counted = steps != NO_STEPS
    columns: list[NDArray[Any]] = [
        np.asarray(here),
        (resting - 70) / 20 * has_resting,
        (pulse.max(axis=1).astype(np.float32) - 80) / 25 * here,
        (np.where(worn, pulse, 255).min(axis=1).astype(np.float32) - 60) / 15 * here,
        (now.sum(axis=1, dtype=np.float32) / np.maximum(now_worn, 1) - 70) / 20 * (now_worn > 0),
        now_worn > 0,
        (resting - own) / 15 * (has_resting & has_own),
        has_resting & has_own,
        *_pressure(snapshot),
        *_rhythm(snapshot),
        *_weather(snapshot),
        *_night(snapshot),
        np.where(rise > -99, rise / 5, 0),
        rise > -99,
        np.log1p(np.where(counted, steps, 0).sum(axis=1)) / 5,
        counted.any(axis=1),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _pressure(snapshot: Snapshot) -> list[NDArray[Any]]:
    """Newest reading of the last 24 h, and the highest and lowest systolic of its last 3 h."""
    age = snapshot.as_of_minute[:, None] - snapshot.bp_minute
    there = (snapshot.bp_minute > 0) & (age > 0) & (snapshot.bp_systolic > 0)
    newest = np.argmax(np.where(there, snapshot.bp_minute, 0), axis=1)
    row = np.arange(len(snapshot))
    fresh = there[row, newest] & (age[row, newest] <= 1440)
    systolic, diastolic = snapshot.bp_systolic[row, newest], snapshot.bp_diastolic[row, newest]
    lately = there & (age <= 180)
    highest = np.where(lately, snapshot.bp_systolic, 0).max(axis=1)
    lowest = np.where(lately, snapshot.bp_systolic, 999).min(axis=1)
    some = lately.any(axis=1)
    return [
        fresh,
        (systolic - 125.0) / 25 * fresh,
        (diastolic - 78.0) / 15 * fresh,
        np.log1p(np.where(fresh, age[row, newest], 0)) / 7,
        (highest - 125.0) / 25 * some,
        (lowest - 125.0) / 25 * some,
    ]


def _rhythm(snapshot: Snapshot) -> list[NDArray[Any]]:
    last = snapshot.irregular[:, -NOW_MIN:]
    there = last != 255
    now = np.where(there, last, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    hour = irregularity(snapshot)
    return [hour > 0, hour / 15, now / 15]


def _weather(snapshot: Snapshot) -> list[NDArray[Any]]:
    felt = heat_index(snapshot)
    there = felt > -99
    warmest = np.where(np.isfinite(snapshot.weather_past[:, -6:, 0]), snapshot.weather_past[:, -6:, 0], -99).max(axis=1)
    return [there, (felt - 25) / 10 * there, (warmest - 25) / 10 * (warmest > -99)]


def _night(snapshot: Snapshot) -> list[NDArray[Any]]:
    newest = np.argmax(snapshot.sleep_end, axis=1)
    row = np.arange(len(snapshot))
    total, there = known(snapshot.sleep_minutes[row, newest, 0])
    awake, has_awake = known(snapshot.sleep_minutes[row, newest, 4])
    fresh = there & (snapshot.as_of_minute - snapshot.sleep_end[row, newest] <= 1440)
    return [fresh, (total - 420) / 90 * fresh, (awake - 40) / 40 * (fresh & has_awake)]
