"""What heart rate is usual for a wearer at this hour, asleep or awake: from own days, leaning on a cohort's at first.

Which minutes of an hour make its heart rate is the caller's choice; the engine takes those at
rest (`monitor.wearers.baselines`), and `STARTER` is of such.

Two forms: `personal_baseline` from a window of days, and `update`, which needs no past days, for a state that has no
room for them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.order import median

HOURS = 24
AWAKE, ASLEEP, UNKNOWN = 0, 1, -1
DAYS = 28
PSEUDO_DAYS = 7.0  # the cohort counts as much as a week of own days
CONSISTENT = 1.4826  # MAD of a normal distribution to its standard deviation
FLOOR_BPM = 1.0
MOST_SPREADS = 2.5  # a day counts as if it lay no further from the level

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cohort:
    """What is usual in a cohort; level, spread : (2, 24) bpm, awake first, by hour of the local day."""

    level: Floats
    spread: Floats


STARTER = Cohort(
    level=np.array([[70.0] * 7 + [76.0] * 14 + [70.0] * 3, [65.0] * 24]),
    spread=np.array([[6.0] * 24, [4.0] * 24]),
)
"""To begin with, until there is a cohort of one's own: of minutes at rest (the last of ten without a step), rounded
medians of one to five people a cell, of the 6 with heart rate and steps in Furberg et al. 2016 (Zenodo 53894). Sleep is
taken to be half an hour without a step from 23:00 to 06:59. From 0:00 to 6:59 nobody was awake at rest on seven days,
and nobody slept at day: these hours have a value like those beside them."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Baselines of n wearers; all (n, 2, 24): awake first, by hour of the local day.

    level, spread : bpm, leaning on the cohort; where no own day is known they are the cohort's. days : own days in it.
    """

    level: Floats
    spread: Floats
    days: NDArray[np.int64]


def shrunken(own: Floats, days: NDArray[np.integer], cohort: Floats) -> Floats:
    """(days * own + 7 * cohort) / (days + 7); the cohort's value where days is 0, whatever `own` is then.

    Source: empirical Bayes shrinkage of a mean with a prior of fixed weight, Efron and Morris, J Am Stat Assoc 1975;
    the weight of 7 days is a project rule.

    >>> shrunken(np.array([60.0, np.nan]), np.array([7, 0]), np.array([66.0, 66.0])).tolist()
    [63.0, 66.0]
    """
    part = np.where(days > 0, own, 0.0) * days
    leaning: Floats = (part + PSEUDO_DAYS * cohort) / (days + PSEUDO_DAYS)
    return leaning


def personal_baseline(hourly_bpm: Floats, asleep: NDArray[np.int8], frozen: Bools, cohort: Cohort) -> Baseline:
    """Take median and spread of the last 28 days of each row, by hour and state, days with an open episode left out.

    Parameters
    ----------
    hourly_bpm : (n, D, 24) an hour's heart rate, newest day last, NaN = missing; only the last 28 days are used.
    asleep : (n, D, 24) 1 asleep, 0 awake, -1 not known: such an hour is not used.
    frozen : (n, D) an episode was open on the day.

    Returns
    -------
    Baselines. Spread: 1.4826 MAD, at least 1 bpm, shrunken like the level. Median and MAD winsorise by themselves.

    >>> cohort = Cohort(np.full((2, 24), 70.0), np.full((2, 24), 4.0))
    >>> days = np.full((1, 21, 24), 60.0)
    >>> one = personal_baseline(days, np.zeros((1, 21, 24), np.int8), np.zeros((1, 21), bool), cohort)
    >>> float(one.level[0, 0, 3]), float(one.level[0, 1, 3]), int(one.days[0, 0, 3])
    (62.5, 70.0, 21)
    """
    values, state = hourly_bpm[:, -DAYS:], asleep[:, -DAYS:]
    usable = ~np.isnan(values) & ~frozen[:, -DAYS:, None]
    stacked = np.stack([np.where(usable & (state == one), values, np.nan) for one in (AWAKE, ASLEEP)], axis=1)
    by_hour = np.moveaxis(stacked, 2, 3)
    middle, days = median(by_hour)
    mad, _ = median(np.abs(by_hour - middle[..., None]))
    spread = np.maximum(CONSISTENT * mad, FLOOR_BPM)
    return Baseline(shrunken(middle, days, cohort.level), shrunken(spread, days, cohort.spread), days)


def update(
    level: NDArray[np.floating],
    days: NDArray[np.uint8],
    today_bpm: Floats,
    asleep: NDArray[np.int8],
    frozen: Bools,
    cohort: Cohort,
) -> tuple[Floats, NDArray[np.uint8]]:
    """Move each wearer's own level towards one more day, once a local day.

    Parameters
    ----------
    level : (n, 2, 24) own level in bpm, not shrunken, whatever where days is 0; float16 is enough to keep it.
    days : (n, 2, 24) own days in it, 0 = none yet.
    today_bpm : (n, 24) the day's heart rate by hour, NaN = missing. asleep : (n, 24) 1, 0, or -1 not known.
    frozen : (n,) an episode is open: nothing moves.

    Returns
    -------
    New level and days, same shapes; the arguments are not changed. The baseline itself is
    ``shrunken(level, days, cohort.level)``.

    Notes
    -----
    The first 28 days are a running mean, later ones move the level by 1/28 of their distance. The distance counts up to
    2.5 of the cohort's spreads, and the first day of all is taken as if it lay no further from the cohort's level: one
    strange day moves little. What float16 rounds away (1/32 bpm at 64 bpm and above) keeps an old level still while a
    day differs by less than about 0.9 bpm.

    Source: winsorising, Tukey 1962; weight 1/28 of an exponential mean for a window of 28 days, a project rule.

    >>> cohort = Cohort(np.full((2, 24), 70.0), np.full((2, 24), 4.0))
    >>> level, days = np.zeros((1, 2, 24)), np.zeros((1, 2, 24), np.uint8)
    >>> today, awake = np.full((1, 24), 66.0), np.zeros((1, 24), np.int8)
    >>> level, days = update(level, days, today, awake, np.array([False]), cohort)
    >>> float(level[0, 0, 5]), days[0, :, 5].tolist()
    (66.0, [1, 0])
    """
    before = np.where(days > 0, level.astype(np.float64), cohort.level)
    distance = today_bpm[:, None, :] - before
    most = MOST_SPREADS * cohort.spread
    states = np.array([AWAKE, ASLEEP])[:, None]
    moves = (asleep[:, None, :] == states) & ~np.isnan(distance) & ~frozen[:, None, None]
    counted = np.where(moves, np.minimum(days, DAYS - 1) + np.uint8(1), days)
    share = 1 / np.maximum(counted, 1)
    moved = before + np.where(moves, np.clip(distance, -most, most), 0.0) * share
    return np.where(counted > 0, moved, np.nan), counted.astype(np.uint8)
