"""POOR_RECOVERY: after a hard day the night's rate stays above the own usual, and a second sign agrees."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import newest
from monitor.signals.order import median

Floats = NDArray[np.float64]


def poor_recovery(
    nights_bpm: Floats,
    resting_bpm: Floats,
    active_min: Floats,
    recovery_bpm: Floats,
    day: NDArray[np.int64],
    limits: Limits,
) -> Evidence:
    """Judge the newest night of each row, after the newest day.

    Parameters
    ----------
    nights_bpm : (n, D) nightly rate, newest last, NaN = missing.
    resting_bpm, active_min : (n, D) resting rate and active minutes of the days; the newest column is the day before
    the newest night.
    recovery_bpm : (n,) fall of the rate in the first minute after that day's effort, NaN = none was seen.
    day : (n,) local epoch day of the newest night.

    Returns
    -------
    Raised: the day had `poor_recovery_hard_min` active minutes or more and `poor_recovery_hard_times_usual` times the
    own median of the days before; the night lies `poor_recovery_above_bpm` or more above the own median of the nights
    before; and the day's resting rate lies `poor_recovery_resting_above_bpm` or more above its own median, or the rate
    fell by `poor_recovery_hrr_bpm` or less after effort. Cleared: the night lies less than `poor_recovery_clear_bpm`
    above its median. Not assessable: the night (HEART_RATE), the day's activity (STEPS), the second sign (HEART_RATE),
    or `poor_recovery_min_days` days of either before are missing (HISTORY).

    Source: Cole et al. 1999 (N Engl J Med 341:1351) for the fall of 12 bpm or less, there after exercise to the limit
    of the symptoms: after a walk the fall is small in healthy people too, so it never raises alone. Bosquet et al. 2008
    (Br J Sports Med 42:709) find resting rates only 0.55 SD higher after short overload, within what days differ by:
    the limits are this project's. Beat-to-beat variability, the better sign, is not among a wearer's days.

    >>> nights, resting = np.array([[55.0] * 20 + [61.0]]), np.array([[60.0] * 20 + [64.0]])
    >>> active = np.array([[20.0] * 20 + [90.0]])
    >>> poor_recovery(nights, resting, active, np.array([np.nan]), np.int64([9]), Limits()).raised.tolist()
    [True]
    """
    night, night_usual, nights = _newest_and_usual(nights_bpm)
    resting, resting_usual, days = _newest_and_usual(resting_bpm)
    active, active_usual, active_days = _newest_and_usual(active_min)
    with np.errstate(invalid="ignore"):
        hard = (active >= limits.poor_recovery_hard_min) & (
            active >= limits.poor_recovery_hard_times_usual * active_usual
        )
        above = night - night_usual
        second = (resting - resting_usual >= limits.poor_recovery_resting_above_bpm) | (
            recovery_bpm <= limits.poor_recovery_hrr_bpm
        )
        raised = hard & (above >= limits.poor_recovery_above_bpm) & second
        calm = above < limits.poor_recovery_clear_bpm
    least = limits.poor_recovery_min_days
    no_rate = np.isnan(night) | (np.isnan(resting) & np.isnan(recovery_bpm))
    no_steps = np.isnan(active)
    by_resting = ~np.isnan(resting) & (days >= least)
    short = (nights < least) | (active_days < least) | (np.isnan(recovery_bpm) & ~by_resting)
    return day_evidence(
        Rule.POOR_RECOVERY,
        raised=raised,
        cleared=calm & (nights >= least),
        assessable=~no_rate & ~no_steps & ~short,
        lacked=lacking((Lack.HEART_RATE, no_rate), (Lack.STEPS, no_steps), (Lack.HISTORY, short)),
        value=night,
        limit=night_usual + limits.poor_recovery_above_bpm,
        samples=nights,
        day=day,
        days_back=np.zeros(len(day), np.int64),
    )


def _newest_and_usual(values: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Newest column, median of the columns before it, and how many of those are known."""
    usual, count = median(values[:, :-1])
    return newest(values), usual, count
