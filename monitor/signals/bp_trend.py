"""Blood pressure over days: the mean of the last week and the slope of the last weeks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.bp_average import Readings, sittings
from monitor.signals.why_not import WhyNot

DAY_MS = 86_400_000
MEAN_DAYS = 7
ENOUGH_READINGS = 6
SLOPE_DAYS = 28
ENOUGH_SITTINGS = 3
SHORTEST_SPAN_DAYS = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """Mean and slope of n wearers; all (n,).

    `systolic`, `diastolic` mmHg, mean of the last 7 days; `readings`, `sittings` behind it; `why_not` of the mean.
    `systolic_slope`, `diastolic_slope` mmHg a day, NaN = not known; `span_days` that the slope rests on, NaN = none.
    """

    systolic: NDArray[np.float64]
    diastolic: NDArray[np.float64]
    readings: NDArray[np.int64]
    sittings: NDArray[np.int64]
    why_not: NDArray[np.uint8]
    systolic_slope: NDArray[np.float64]
    diastolic_slope: NDArray[np.float64]
    span_days: NDArray[np.float64]


def trend(readings: Readings, now_ms: NDArray[np.int64]) -> Trend:
    """Mean of the cuff readings of the last 7 days, and least-squares slope of the sittings of the last 28.

    Parameters
    ----------
    readings : slots of n wearers. With 16 slots and 4 readings a day the week is cut to 4 days.
    now_ms : (n,) later readings are not looked at.

    Returns
    -------
    Trend. The mean is NaN with fewer than 6 readings; every reading weighs the same. The slope is NaN with fewer than
    3 sittings, or if they span less than 3 days. Cuffless readings never count.

    Source: home monitoring over 7 days, at least 3, with 2 readings morning and evening, so at least 12 (AHA/AMA 2020
    policy statement, checked in secondary pages). 6 readings are fewer than that: `readings` lets a caller ask for 12.
    Slope: ordinary least squares.

    >>> at = np.arange(1, 7)[None] * DAY_MS
    >>> found = trend(Readings(at, np.array([[120, 122, 124, 126, 128, 130]], np.int16),
    ...                        np.full((1, 6), 80, np.int16), np.ones((1, 6), np.uint8)), at[:, -1])
    >>> float(found.systolic[0]), round(float(found.systolic_slope[0]), 6)
    (125.0, 2.0)
    """
    week = readings.by_cuff(now_ms) & (readings.time_ms > now_ms[:, None] - MEAN_DAYS * DAY_MS)
    count = week.sum(axis=1)
    enough = count >= ENOUGH_READINGS
    means = [
        np.where(enough, (mmhg.astype(np.int64) * week).sum(axis=1) / np.maximum(count, 1), np.nan)
        for mmhg in (readings.systolic, readings.diastolic)
    ]
    sat = sittings(readings, now_ms)
    recent = sat.time_ms > np.maximum(now_ms[:, None] - SLOPE_DAYS * DAY_MS, 0)
    days = np.where(recent, (sat.time_ms - now_ms[:, None]) / DAY_MS, 0.0)
    many = recent.sum(axis=1)
    oldest = np.where(recent, days, 0.0).min(axis=1, initial=0.0)
    newest = np.where(recent, days, -np.inf).max(axis=1, initial=-np.inf)
    span = np.where(many > 0, newest - oldest, np.nan)
    fits = (many >= ENOUGH_SITTINGS) & (span >= SHORTEST_SPAN_DAYS)
    away = np.where(recent, days - (days.sum(axis=1) / np.maximum(many, 1))[:, None], 0.0)
    spread = np.where(fits, (away**2).sum(axis=1), 1.0)
    # Above the newest sitting's pressure, so that a constant pressure has slope 0 to the last bit.
    slopes = [
        np.where(fits, (away * np.where(recent, mmhg - mmhg[:, -1:], 0.0)).sum(axis=1) / spread, np.nan)
        for mmhg in (sat.systolic, sat.diastolic)
    ]
    why = np.where(count == 0, WhyNot.NOTHING, WhyNot.TOO_FEW)
    return Trend(
        means[0],
        means[1],
        count,
        (sat.time_ms > np.maximum(now_ms[:, None] - MEAN_DAYS * DAY_MS, 0)).sum(axis=1),
        np.where(enough, WhyNot.KNOWN, why).astype(np.uint8),
        slopes[0],
        slopes[1],
        span,
    )
