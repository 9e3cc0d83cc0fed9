"""TREND_DEV: two different signals of a day lie far from the own two weeks before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import known, newest, robust_z

Floats = NDArray[np.float64]

# of each signal: its name, the way that counts (+1 up, -1 down, 0 both), the least spread in its unit, what lacks
SIGNALS: tuple[tuple[str, int, float, Lack], ...] = (
    ("night_bpm", 1, 1.5, Lack.HEART_RATE),
    ("steps", -1, 500.0, Lack.STEPS),
    ("sleep_min", 0, 20.0, Lack.SLEEP),
    ("systolic_mmhg", 0, 4.0, Lack.BLOOD_PRESSURE),
    ("irregular_share", 1, 0.02, Lack.RR),
)


@dataclass(frozen=True, slots=True)
class DaySignals:
    """One row a wearer, one column a day, newest last; all (n, D), NaN = missing.

    night_bpm : resting rate of the night. steps, sleep_min, systolic_mmhg : of the day; the mean of its readings.
    irregular_share : share of the minutes with RR intervals that were irregular, 0..1.
    """

    night_bpm: Floats
    steps: Floats
    sleep_min: Floats
    systolic_mmhg: Floats
    irregular_share: Floats


def deviations(signals: DaySignals, limits: Limits) -> Floats:
    """Robust z of each signal's newest day in the way that counts, (n, 5) in the order of SIGNALS; NaN = not known."""
    columns = []
    for name, way, least_spread, _ in SIGNALS:
        values: Floats = getattr(signals, name)
        z, count = robust_z(newest(values), values[:, -limits.trend_dev_days - 1 : -1], least_spread)
        z = way * z if way else np.abs(z)
        columns.append(np.where(count >= limits.trend_dev_min_days, z, np.nan))
    return np.stack(columns, axis=1)


def trend_dev(signals: DaySignals, day: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the newest day of each row.

    Parameters
    ----------
    day : (n,) local epoch day of the newest column.

    Returns
    -------
    Raised: at least `trend_dev_signals` (2) signals lie `trend_dev_z` (4) or more scaled MADs from the median of the 14
    days before: the nightly rate up, steps down, sleep or systolic pressure either way, irregularity up. Cleared: fewer
    than that many lie at or beyond `trend_dev_clear_z` (2.5). Not assessable: fewer signals than must agree have today
    and 10 of the 14 days. `lacked` names every signal that was not there, also where the others were enough.
    value : the z of the weakest of those that must agree (the second largest).

    Steps cannot fall below none: a wearer whose days differ much never has 4 MADs of room below the median.
    Source: design of this project, after the modified z-score of Iglewicz and Hoaglin (1993), who flag |z| > 3.5.

    >>> nights, steps = [60.0, 61.0, 59.0] * 5 + [67.0], [8000.0, 8500.0, 7500.0] * 5 + [3000.0]
    >>> nothing = np.full((1, 16), np.nan)
    >>> signals = DaySignals(np.array([nights]), np.array([steps]), nothing, nothing, nothing)
    >>> found = trend_dev(signals, np.int64([100]), Limits())
    >>> found.raised.tolist(), Lack(int(found.lacked[0])) == Lack.SLEEP | Lack.BLOOD_PRESSURE | Lack.RR
    ([True], True)
    """
    z = deviations(signals, limits)
    there = known(z)
    agree = limits.trend_dev_signals
    weakest = -np.sort(-np.where(there, z, -np.inf), axis=1)[:, agree - 1]
    assessable = there.sum(axis=1) >= agree
    lacks = {lack: ~there[:, k] for k, (_, _, _, lack) in enumerate(SIGNALS)}
    return day_evidence(
        Rule.TREND_DEV,
        raised=weakest >= limits.trend_dev_z,
        cleared=assessable & (weakest < limits.trend_dev_clear_z),
        assessable=assessable,
        lacked=lacking(*lacks.items(), (Lack.HISTORY, _short_history(signals, there))),
        value=np.where(assessable, weakest, np.nan),
        limit=np.full(len(day), limits.trend_dev_z),
        samples=there.sum(axis=1),
        day=day,
        days_back=np.zeros(len(day), np.int64),
    )


def _short_history(signals: DaySignals, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows in which a signal is there today but not its past."""
    short = np.zeros(len(there), bool)
    for k, (name, *_) in enumerate(SIGNALS):
        short |= known(newest(getattr(signals, name))) & ~there[:, k]
    return short
