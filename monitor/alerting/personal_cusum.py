"""PERSONAL_CUSUM: nights that lie a little above the own usual, added up."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import day_evidence, lacking
from monitor.alerting.evidence import Evidence, Lack, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.usual import first_of_run, known, newest, robust_z

Floats = NDArray[np.float64]

LEAST_SPREAD_BPM = 1.5  # nights that are all alike would make every bpm a large z


def nightly_z(nights_bpm: Floats, limits: Limits) -> Floats:
    """Robust z of each night against the known nights before it in its row, at most `personal_cusum_most_z`.

    (n, D); NaN where the night is missing or fewer than `personal_cusum_min_nights` nights are known before it.
    """
    z = np.full(nights_bpm.shape, np.nan)
    for night in range(nights_bpm.shape[1]):
        one, count = robust_z(nights_bpm[:, night], nights_bpm[:, :night], LEAST_SPREAD_BPM)
        z[:, night] = np.where(count >= limits.personal_cusum_min_nights, one, np.nan)
    winsorised: Floats = np.minimum(z, limits.personal_cusum_most_z)
    return winsorised


def running_sum(z: Floats, slack: float) -> Floats:
    """Upper CUSUM of each row: S = max(0, S + z - slack), from 0; a missing z leaves it as it was. (n, D).

    >>> running_sum(np.array([[1.5, np.nan, 2.0, -5.0, 1.0]]), 0.5).tolist()
    [[1.0, 1.0, 2.5, 0.0, 0.5]]
    """
    total = np.zeros(z.shape)
    before = np.zeros(len(z))
    for night in range(z.shape[1]):
        before = np.where(np.isnan(z[:, night]), before, np.maximum(before + z[:, night] - slack, 0.0))
        total[:, night] = before
    return total


def personal_cusum(nights_bpm: Floats, day: NDArray[np.int64], limits: Limits) -> Evidence:
    """Judge the newest night of each row.

    Parameters
    ----------
    nights_bpm : (n, D) nightly rate, newest last, NaN = missing. day : (n,) local epoch day of the newest night.

    Returns
    -------
    Raised: the sum of what each night's z exceeds `personal_cusum_slack` by reaches `personal_cusum_sum`, and the
    newest night is known and adds to it. Cleared: the sum is below `personal_cusum_clear_sum`. Not assessable: the
    newest night is missing (HEART_RATE), or too few nights before it are known (HISTORY). value, limit : the sum and
    its limit. The episode begins with the first night since which the sum has been above 0.

    A row holds 28 nights: the sum runs over the last of them only, those with enough nights before.
    Source: Page 1954 (Biometrika 41:100), upper CUSUM with k = 0.5 and h = 4 to 5 (NIST/SEMATECH handbook 6.3.2.3).
    Their run lengths hold for independent normal values with a known mean; nights are neither.

    >>> nights = np.array([[60.0, 61.0, 59.0] * 6 + [64.0, 64.0, 64.0]])
    >>> published = Limits(personal_cusum_slack=0.5, personal_cusum_sum=5)
    >>> personal_cusum(nights, np.int64([100]), published).raised.tolist()
    [True]
    """
    z = nightly_z(nights_bpm, limits)
    total = running_sum(z, limits.personal_cusum_slack)
    there, judged = known(newest(nights_bpm)), known(newest(z))
    with np.errstate(invalid="ignore"):
        adds = newest(z) > limits.personal_cusum_slack
    reached = np.where(judged, newest(total), np.nan)
    with np.errstate(invalid="ignore"):
        raised, cleared = reached >= limits.personal_cusum_sum, reached < limits.personal_cusum_clear_sum
    return day_evidence(
        Rule.PERSONAL_CUSUM,
        raised=raised & adds,
        cleared=cleared,
        assessable=judged,
        lacked=lacking((Lack.HEART_RATE, ~there), (Lack.HISTORY, there & ~judged)),
        value=reached,
        limit=np.full(len(day), limits.personal_cusum_sum),
        samples=known(z).sum(axis=1),
        day=day,
        days_back=first_of_run(total > 0),
    )
