"""NIGHT_SIGNAL: nights in a row whose resting rate lies above the median of the nights before them."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import first_of_run, known, newest
from monitor.signals.order import median

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def above_usual(nights_bpm: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """How far each night lies above the median of the known nights before it in its row, and how many those are.

    Parameters
    ----------
    nights_bpm : (n, D), oldest first, NaN = missing.

    Returns
    -------
    (n, D) bpm, NaN where the night or every night before it is missing; (n, D) count.

    >>> above, count = above_usual(np.array([[60.0, 62.0, np.nan, 66.0]]))
    >>> above.tolist(), count.tolist()
    ([[nan, 2.0, nan, 5.0]], [[0, 1, 2, 2]])
    """
    above = np.full(nights_bpm.shape, np.nan)
    count = np.zeros(nights_bpm.shape, np.int64)
    for night in range(nights_bpm.shape[1]):
        usual, count[:, night] = median(nights_bpm[:, :night])
        above[:, night] = nights_bpm[:, night] - usual
    return above, count


def night_signal(nights_bpm: Floats, day: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the newest night of each row.

    Parameters
    ----------
    nights_bpm : (n, D) mean rate of the minutes without steps from 00:00 to 07:00 local time, newest last, NaN =
    missing; the last 28 nights are what a wearer's state holds.
    day : (n,) local epoch day of the newest night.

    Returns
    -------
    Raised: the last `night_signal_nights` nights are known and each lies `night_signal_above_bpm` or more above the
    median of the nights before it. Cleared: the newest night lies less than `night_signal_clear_bpm` above its median.
    Not assessable: one of these nights is missing (HEART_RATE), or fewer than `night_signal_min_nights` nights are
    known before the first of them (HISTORY). value, limit : the newest night and what it was held against, bpm.

    Source: Alavi et al. 2022 (Nat Med 28:175), NightSignal, and its public code: red after two nights in a row at or
    above the median + 4 bpm, yellow from + 3. Here the median is of earlier nights only (there: of the night itself
    too), of 28 nights at most (there: of all), not cut to whole bpm, and a missing night is missing: there a single
    one becomes the mean of its neighbours, the later one included.

    >>> nights = np.array([[60.0] * 20 + [64.5, 64.0], [60.0] * 20 + [64.5, 63.5]])
    >>> published = Limits(night_signal_above_bpm=4, night_signal_nights=2)
    >>> night_signal(nights, np.int64([100, 100]), published).raised.tolist()
    [True, False]
    """
    run = limits.night_signal_nights
    above, count = above_usual(nights_bpm)
    with np.errstate(invalid="ignore"):
        high: Bools = above >= limits.night_signal_above_bpm
        low = newest(above) < limits.night_signal_clear_bpm
    there = known(nights_bpm[:, -run:]).all(axis=1) & (nights_bpm.shape[1] >= run)
    before = count[:, -run] if nights_bpm.shape[1] >= run else np.zeros(len(day), np.int64)
    enough = before >= limits.night_signal_min_nights
    return day_evidence(
        Rule.NIGHT_SIGNAL,
        raised=np.all(high[:, -run:], axis=1),
        cleared=low & enough,
        assessable=there & enough,
        lacked=lacking((Lack.HEART_RATE, ~there), (Lack.HISTORY, ~enough)),
        value=newest(nights_bpm),
        limit=newest(nights_bpm) - newest(above) + limits.night_signal_above_bpm,
        samples=before,
        day=day,
        days_back=first_of_run(high),
    )
