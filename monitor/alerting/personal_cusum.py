"""PERSONAL_CUSUM: nights that lie a little above the own usual, added up over a week."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import first_of_run, known, newest
from monitor.signals.cusum import JUDGED, SLACK, cusum

Floats = NDArray[np.float64]

LEAST_SPREAD_BPM = 2.0  # nights that are all alike would make every bpm a large z


def personal_cusum(nights_bpm: Floats, day: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the last 7 nights of each row against the 21 before them.

    Parameters
    ----------
    nights_bpm : (n, D) nightly rate, newest last, NaN = missing; the last 28 are used. day : (n,) local epoch day of
    the newest night.

    Returns
    -------
    Raised: the upper sum of `monitor.signals.cusum` reaches `personal_cusum_sum`, and the newest night adds to it.
    Cleared: the sum is below `personal_cusum_clear_sum`. Not assessable: the newest night is missing (HEART_RATE), or
    fewer than `personal_cusum_min_nights` of the 21 are known (HISTORY). value, limit : the sum and its limit. The
    episode begins with the first of the nights in a row, of these 7, that lie above the median of the 21.

    Source: Page 1954 (Biometrika 41:100), upper CUSUM with k = 0.5 and h = 4 to 5 (NIST/SEMATECH handbook 6.3.2.3).
    Their run lengths hold for independent normal values with a known mean; nights are neither.

    >>> nights = np.array([[60.0, 61.0, 59.0] * 7 + [60.0, 60.0, 64.0, 64.0, 64.0, 64.0, 64.0]])
    >>> found = personal_cusum(nights, np.int64([100]), Limits(personal_cusum_sum=5))
    >>> found.raised.tolist(), found.value.tolist()
    ([True], [7.5])
    """
    sums = cusum(nights_bpm, LEAST_SPREAD_BPM)
    there = known(newest(nights_bpm))
    judged = known(sums.upper) & (sums.known >= limits.personal_cusum_min_nights)
    with np.errstate(invalid="ignore"):
        raised = (sums.upper >= limits.personal_cusum_sum) & (sums.z > SLACK)
        cleared = sums.upper < limits.personal_cusum_clear_sum
        above: NDArray[np.bool_] = np.greater(nights_bpm[:, -JUDGED:], sums.level[:, None])
    return day_evidence(
        Rule.PERSONAL_CUSUM,
        raised=raised,
        cleared=cleared & judged,
        assessable=judged,
        lacked=lacking((Lack.HEART_RATE, ~there), (Lack.HISTORY, there & ~judged)),
        value=np.where(judged, sums.upper, np.nan),
        limit=np.full(len(day), limits.personal_cusum_sum),
        samples=sums.known,
        day=day,
        days_back=first_of_run(above),
    )
