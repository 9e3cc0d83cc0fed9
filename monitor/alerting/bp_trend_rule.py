"""BP_TREND: the mean of a week of cuff readings against the home limit, the wearer's own first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import lacking
from monitor.alerting.evidence import Evidence, Lack, Priority, Rule
from monitor.alerting.limits import Limits
from monitor.signals.bp_average import Readings
from monitor.signals.bp_trend import DAY_MS, MEAN_DAYS, trend

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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


def bp_trend(readings: Readings, now_ms: NDArray[np.int64], of_wearer: HomeLimits, limits: Limits) -> Evidence:
    """Judge the cuff readings of the week that ends now.

    Parameters
    ----------
    readings : slots of n wearers, in any order; a wearer's state holds the last 16. now_ms : (n,) later readings do not
    count.

    Returns
    -------
    Raised: the mean systolic or diastolic pressure of the last 7 days reaches the home limit. Cleared: both means lie
    `bp_trend_clear_mmhg` or more below. Not assessable: fewer than `bp_trend_min_readings` cuff readings, or on fewer
    than `bp_trend_min_days` days, counted back from now (BLOOD_PRESSURE). value, limit : mmHg, diastolic where only
    that is high. start_minute : of the first of the readings.

    Who measures four times a day fills the 16 slots in four days: the mean is of those.
    Source: Parati et al. 2021 (ESH), home monitoring of 7 days, at least 3, 135/85 mmHg; they ask for 12 readings, two
    each morning and evening, where 6 are enough here.

    >>> at = np.arange(1, 7)[None] * DAY_MS
    >>> week = Readings(at, np.full((1, 6), 138, np.int16), np.full((1, 6), 80, np.int16), np.ones((1, 6), np.uint8))
    >>> found = bp_trend(week, at[:, -1], home_limits(np.int64([0]), np.int64([0]), Limits()), Limits())
    >>> found.raised.tolist(), found.value.tolist(), found.samples.tolist()
    ([True], [138.0], [6])
    """
    week = trend(readings, now_ms)
    back = (now_ms[:, None] - readings.time_ms) // DAY_MS
    use = readings.by_cuff(now_ms) & (back < MEAN_DAYS)
    days = np.stack([(use & (back == day)).any(axis=1) for day in range(MEAN_DAYS)]).sum(axis=0)
    assessable = (
        ~np.isnan(week.systolic) & (week.readings >= limits.bp_trend_min_readings) & (days >= limits.bp_trend_min_days)
    )
    clear = limits.bp_trend_clear_mmhg
    with np.errstate(invalid="ignore"):
        high = week.systolic >= of_wearer.systolic_mmhg
        high_diastolic = week.diastolic >= of_wearer.diastolic_mmhg
        low = (week.systolic <= of_wearer.systolic_mmhg - clear) & (week.diastolic <= of_wearer.diastolic_mmhg - clear)
    by_diastolic = high_diastolic & ~high
    none = np.iinfo(np.int64).max
    first_ms = np.where(use, readings.time_ms, none).min(axis=1, initial=none)
    return Evidence(
        rule=Rule.BP_TREND,
        raised=assessable & (high | high_diastolic),
        cleared=assessable & low,
        assessable=assessable,
        priority=np.full(len(now_ms), Priority.LOW, np.uint8),
        value=np.where(by_diastolic, week.diastolic, week.systolic),
        limit=np.where(by_diastolic, of_wearer.diastolic_mmhg, of_wearer.systolic_mmhg),
        samples=week.readings,
        start_minute=np.where(use.any(axis=1), first_ms, now_ms) // 60_000,
        unverified=np.zeros(len(now_ms), bool),
        lacked=lacking((Lack.BLOOD_PRESSURE, ~assessable)),
    )
