"""BP_TREND: the mean of a week of cuff readings against the home limit, the wearer's own first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import lacking
from monitor.alerting.evidence import Evidence, Lack, Priority, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import mean

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class HomeLimits:
    """At or above either limit a week's mean is too high for this wearer; (n,) mmHg."""

    systolic_mmhg: Floats
    diastolic_mmhg: Floats


def home_limits(own_systolic: Ints, own_diastolic: Ints, limits: Limits) -> HomeLimits:
    """The care team's own home limits, where it set them (0 = none); else the default.

    >>> home_limits(np.int64([0, 150]), np.int64([0, 0]), Limits()).systolic_mmhg.tolist()
    [135.0, 150.0]
    """
    return HomeLimits(
        np.where(own_systolic > 0, own_systolic, limits.bp_trend_systolic_mmhg).astype(np.float64),
        np.where(own_diastolic > 0, own_diastolic, limits.bp_trend_diastolic_mmhg).astype(np.float64),
    )


def bp_trend(
    reading_minute: Ints,
    systolic_mmhg: Floats,
    diastolic_mmhg: Floats,
    cuff: NDArray[np.bool_],
    minute: Ints,
    of_wearer: HomeLimits,
    limits: Limits,
) -> Evidence:
    """Judge the cuff readings of the week that ends with each minute.

    Parameters
    ----------
    reading_minute, systolic_mmhg, diastolic_mmhg, cuff : (n, R) epoch minutes (0 = no reading), pressures, whether a
    cuff took them, in any order; a wearer's state holds the last 16. minute : (n,) now; later readings do not count.

    Returns
    -------
    Raised: the mean systolic or diastolic pressure of the last `bp_trend_days` days reaches the home limit. Cleared:
    both means lie `bp_trend_clear_mmhg` or more below. Not assessable: fewer than `bp_trend_min_readings` readings, or
    on fewer than `bp_trend_min_days` days (BLOOD_PRESSURE). value, limit : mmHg, diastolic where only that is high.
    start_minute : the first of the readings.

    Who measures four times a day fills the 16 in four days: the mean is of those.
    Source: Parati et al. 2021 (ESH), home monitoring of 7 days, at least 3, 135/85 mmHg; they ask for 12 readings, two
    each morning and evening, where 6 are enough here.

    >>> at = np.arange(1, 7)[None] * 1440
    >>> week = bp_trend(at, np.full((1, 6), 138.0), np.full((1, 6), 80.0), at > 0, at[:, -1],
    ...                 home_limits(np.int64([0]), np.int64([0]), Limits()), Limits())
    >>> week.raised.tolist(), week.value.tolist(), week.samples.tolist()
    ([True], [138.0], [6])
    """
    age = minute[:, None] - reading_minute
    use = cuff & (reading_minute > 0) & (age >= 0) & (age < limits.bp_trend_days * DAY_MIN)
    use &= ~np.isnan(systolic_mmhg) & ~np.isnan(diastolic_mmhg)
    systolic, count = mean(np.where(use, systolic_mmhg, np.nan))
    diastolic, _ = mean(np.where(use, diastolic_mmhg, np.nan))
    days = np.zeros(len(minute), np.int64)
    for back in range(limits.bp_trend_days):
        days += (use & (age // DAY_MIN == back)).any(axis=1)
    assessable = (count >= limits.bp_trend_min_readings) & (days >= limits.bp_trend_min_days)
    clear = limits.bp_trend_clear_mmhg
    with np.errstate(invalid="ignore"):
        high = systolic >= of_wearer.systolic_mmhg
        high_diastolic = diastolic >= of_wearer.diastolic_mmhg
        low = (systolic <= of_wearer.systolic_mmhg - clear) & (diastolic <= of_wearer.diastolic_mmhg - clear)
    by_diastolic = high_diastolic & ~high
    first = np.where(use, reading_minute, np.iinfo(np.int64).max).min(axis=1, initial=np.iinfo(np.int64).max)
    return Evidence(
        rule=Rule.BP_TREND,
        raised=assessable & (high | high_diastolic),
        cleared=assessable & low,
        assessable=assessable,
        priority=np.full(len(minute), Priority.LOW, np.uint8),
        value=np.where(by_diastolic, diastolic, systolic),
        limit=np.where(by_diastolic, of_wearer.diastolic_mmhg, of_wearer.systolic_mmhg),
        samples=count,
        start_minute=np.where(use.any(axis=1), first, minute),
        unverified=np.zeros(len(minute), bool),
        lacked=lacking((Lack.BLOOD_PRESSURE, ~assessable)),
    )
