"""SUB_HEALTH: five named parts of how a wearer lives and rests, each 0, 1 or 2; never a training label.

A model that learned from these points would learn the limits below, and nothing of anyone's health.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.trend_dev import DaySignals
from monitor.alerting.usual import mean, standard_deviation
from monitor.signals.bp_category import category
from monitor.signals.order import median

Floats = NDArray[np.float64]

PARTS = ("sleep", "activity", "resting_rate_trend", "blood_pressure", "sleep_irregularity")
LACKS = (Lack.SLEEP, Lack.STEPS, Lack.HEART_RATE, Lack.BLOOD_PRESSURE, Lack.SLEEP)
UNKNOWN = -1
DAYS = 14  # of sleep, steps and pressure
ENOUGH_DAYS = 7
RECENT, ENOUGH_RECENT, ENOUGH_BEFORE = 7, 4, 10  # days of the resting rate: newest, known of them, known before
ENOUGH_READING_DAYS = 3
MOST = 2
ELEVATED = 2  # code of the category; above it comes high

# hours a night (Hirshkowitz et al. 2015): recommended, and what "may be appropriate"; beyond it is "not recommended"
SLEEP_H = ((7.0, 9.0), (6.0, 10.0))
SLEEP_OLDER_H = ((7.0, 8.0), (5.0, 9.0))


def _points(
    value: Floats, one: NDArray[np.bool_], two: NDArray[np.bool_], enough: NDArray[np.bool_]
) -> NDArray[np.int8]:
    found = np.where(two, 2, np.where(one, 1, 0))
    return np.where(enough & ~np.isnan(value), found, UNKNOWN).astype(np.int8)


def sub_health_parts(
    signals: DaySignals, diastolic_mmhg: Floats, age_years: Floats, limits: Limits
) -> NDArray[np.int8]:
    """Points of each part, (n, 5) in the order of PARTS: 0, 1, 2, or -1 where too little is known.

    sleep : mean of 14 nights outside what is recommended for the age, 1; outside what may be appropriate, 2.
    activity : mean of 14 days below 7500 steps, 1; below 5000, 2.
    resting_rate_trend : median of the last 7 nights' rate 3 bpm above that of the 21 before, 1; 5 bpm, 2.
    blood_pressure : home category of the mean of 14 days in ESC 2024: elevated, 1; high, 2.
    sleep_irregularity : SD of 14 nights' duration above 90 min, 1; above 120 min, 2.

    Sources: Hirshkowitz et al. 2015; Tudor-Locke and Bassett 2004; ESC 2024; Huang et al. 2020.
    The trend's limits are this project's.
    """
    slept, nights = mean(signals.sleep_min[:, -DAYS:] / 60)
    steps, days = mean(signals.steps[:, -DAYS:])
    recent, recent_days = median(signals.night_bpm[:, -RECENT:])
    before, before_days = median(signals.night_bpm[:, :-RECENT])
    systolic, readings = mean(signals.systolic_mmhg[:, -DAYS:])
    diastolic, _ = mean(diastolic_mmhg[:, -DAYS:])
    spread, _ = standard_deviation(signals.sleep_min[:, -DAYS:])
    with np.errstate(invalid="ignore"):
        older = age_years >= limits.sleep_older_age_years
        beyond = []
        for (least, most), (least_older, most_older) in zip(SLEEP_H, SLEEP_OLDER_H, strict=True):
            low, high = np.where(older, least_older, least), np.where(older, most_older, most)
            beyond.append((slept < low) | (slept > high))
        trend = recent - before
        rate_days = (recent_days >= ENOUGH_RECENT) & (before_days >= ENOUGH_BEFORE)
        pressure = category(systolic, diastolic, readings, "esc_2024", "home")
        return np.stack(
            [
                _points(slept, beyond[0], beyond[1], nights >= ENOUGH_DAYS),
                _points(
                    steps, steps < limits.sub_health_steps, steps < limits.sub_health_few_steps, days >= ENOUGH_DAYS
                ),
                _points(
                    trend,
                    trend >= limits.sub_health_resting_up_bpm,
                    trend >= limits.sub_health_resting_far_up_bpm,
                    rate_days,
                ),
                _points(systolic, pressure == ELEVATED, pressure > ELEVATED, readings >= ENOUGH_READING_DAYS),
                _points(
                    spread,
                    spread > limits.sub_health_sleep_sd_min,
                    spread > limits.sub_health_sleep_wide_sd_min,
                    nights >= ENOUGH_DAYS,
                ),
            ],
            axis=1,
        )


def sub_health(
    signals: DaySignals, diastolic_mmhg: Floats, age_years: Floats, day: NDArray[np.int64], limits: Limits
) -> Evidence:
    """Judge the weeks up to the newest day of each row.

    Parameters
    ----------
    signals : (n, D) each, newest last. diastolic_mmhg : (n, D), of the days of `signals.systolic_mmhg`.
    age_years : (n,), NaN = not known: an adult below 65. day : (n,) local epoch day of the newest column.

    Returns
    -------
    Raised: the points of the known parts reach `sub_health_share` of the most that they could have. Cleared: they are
    below `sub_health_clear_share` of it. Not assessable: fewer than `sub_health_min_parts` parts are known; `lacked`
    names the unknown ones always. value, limit : shares, 0..1. Alerts name the parts: see `sub_health_parts`.

    Source: the parts' own; that they are added up, and the limit of the sum, is this project's. It is a proxy for the
    questionnaires of suboptimal health (SHSQ-25, Yan et al. 2009), of which it asks none: not validated against them.

    >>> signals = DaySignals(*(np.full((1, 28), value) for value in (60.0, 4000.0, 320.0, 140.0, np.nan)))
    >>> diastolic, age = np.full((1, 28), 80.0), np.array([50.0])
    >>> found = sub_health(signals, diastolic, age, np.int64([30]), Limits())
    >>> found.raised.tolist(), found.value.tolist()
    ([False], [0.6])
    """
    points = sub_health_parts(signals, diastolic_mmhg, age_years, limits)
    there = points != UNKNOWN
    count = there.sum(axis=1)
    assessable = count >= limits.sub_health_min_parts
    share = np.where(there, points, 0).sum(axis=1) / np.maximum(MOST * count, 1)
    return day_evidence(
        Rule.SUB_HEALTH,
        raised=share >= limits.sub_health_share,
        cleared=assessable & (share < limits.sub_health_clear_share),
        assessable=assessable,
        lacked=lacking(*((lack, ~there[:, k]) for k, lack in enumerate(LACKS)), (Lack.PROFILE, np.isnan(age_years))),
        value=np.where(assessable, share, np.nan),
        limit=np.full(len(day), limits.sub_health_share),
        samples=count,
        day=day,
        days_back=np.full(len(day), DAYS - 1),
    )
