"""SLEEP_DEBT: hours of sleep that two weeks fell short of what the wearer needs."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import known
from monitor.signals.order import median

Floats = NDArray[np.float64]


def need_h(slept_h: Floats, age_years: Floats, limits: Limits) -> Floats:
    """Hours of sleep that each wearer needs, (n,): the own median of the known nights, held within the recommendation.

    A median below 7 h counts as 7 h, one above 9 h (8 h from 65 years) as that; without a known night it is 7 h.
    Source: Hirshkowitz et al. 2015 (Sleep Health 1:40).

    >>> need_h(np.array([[8.0, 8.0], [5.0, 5.0], [8.5, 8.5]]), np.array([np.nan, 40, 70]), Limits()).tolist()
    [8.0, 7.0, 8.0]
    """
    own, _ = median(slept_h)
    with np.errstate(invalid="ignore"):
        older = age_years >= limits.sleep_older_age_years
    most = np.where(older, limits.sleep_need_most_older_h, limits.sleep_need_most_h)
    return np.where(np.isnan(own), limits.sleep_need_least_h, np.clip(own, limits.sleep_need_least_h, most))


def sleep_debt(slept_min: Floats, age_years: Floats, day: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the nights up to the newest of each row.

    Parameters
    ----------
    slept_min : (n, D) minutes asleep of each night, newest last, NaN = not known.
    age_years : (n,), NaN = not known: an adult below 65. day : (n,) local epoch day of the newest night.

    Returns
    -------
    Raised: the sum of need - slept over the known nights of the last 14 reaches `sleep_debt_h`; longer nights pay back,
    and a night that is not known adds nothing. Cleared: the sum is below `sleep_debt_clear_h`. Not assessable: fewer
    than `sleep_debt_min_nights` of the 14 are known (SLEEP); PROFILE is lacked where the age is not known.
    value, limit : hours.

    Source: Hirshkowitz et al. 2015 for the need; Van Dongen et al. 2003 (Sleep 26:117) for 14 nights: 6 h in bed a
    night, some 28 h in sum below 8 h, impaired as two nights without sleep do. What a tracker calls asleep is some
    half an hour to an hour less than time in bed, and naps that it does not see pay nothing back.

    >>> sleep_debt(np.full((1, 14), 330.0), np.array([40.0]), np.int64([20]), Limits(sleep_debt_h=14)).value.tolist()
    [21.0]
    """
    nights = slept_min[:, -limits.sleep_debt_nights :] / 60
    there = known(nights)
    count = there.sum(axis=1)
    short = np.where(there, need_h(slept_min / 60, age_years, limits)[:, None] - nights, 0.0).sum(axis=1)
    assessable = count >= limits.sleep_debt_min_nights
    return day_evidence(
        Rule.SLEEP_DEBT,
        raised=short >= limits.sleep_debt_h,
        cleared=assessable & (short < limits.sleep_debt_clear_h),
        assessable=assessable,
        lacked=lacking((Lack.SLEEP, ~assessable), (Lack.PROFILE, np.isnan(age_years))),
        value=np.where(assessable, short, np.nan),
        limit=np.full(len(day), limits.sleep_debt_h),
        samples=count,
        day=day,
        days_back=np.full(len(day), limits.sleep_debt_nights - 1),
    )
