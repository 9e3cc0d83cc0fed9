"""Small lasting changes of a daily value against the wearer's own past: a CUSUM of personal z-scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.order import median

SLACK = 0.5
LIMIT = 5.0
"""Half of the shift to be found, and the sum that tells of it: with a known mean and independent normal values one side
is reached by chance every 930 days (h = 4: every 336), a lasting shift of one deviation after 10 (8)."""
DAYS = 28
JUDGED = 7
LEAST_REFERENCE = 10  # known days of the 21 before the judged week
MOST_Z = 3.0
CONSISTENT = 1.4826

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cusum:
    """CUSUM of n wearers at the newest day; all (n,).

    Attributes
    ----------
    upper, lower : sums of what the week lies above and below the own usual, in deviations; NaN where the newest day is
    missing or fewer than 10 of the 21 days of reference are known. z : of the newest day. level, spread : of the
    reference. known : known days of the reference, so that a NaN says why.
    """

    upper: Floats
    lower: Floats
    z: Floats
    level: Floats
    spread: Floats
    known: NDArray[np.int64]


def cusum(days: Floats, least_spread: float) -> Cusum:
    """Compare the last 7 days of each row with the 21 before them.

    Parameters
    ----------
    days : (n, D), newest last, NaN = missing; only the last 28 are used, and nothing else is.
    least_spread : smallest deviation to divide by, in the unit of the values: days that are all alike have a MAD of 0.

    Returns
    -------
    S = max(0, S + z - 0.5) over the week, from 0, and the same for -z. A day that is missing leaves the sum as it was.
    The sums can reach 5 within the week; `LIMIT` is for the caller.

    Notes
    -----
    z is the distance from the reference's median in scaled MADs, cut at 3, so that one day alone reaches at most 2.5.
    A reference that ends a week ago is not pulled along by what is to be found. The published run lengths hold for an
    endless sum and a mean that is known, so they are no promise here: the week makes chance hits rarer, the estimated
    reference makes them more frequent.

    Source: Page, Biometrika 1954; k = 0.5 with h = 4 or 5, Montgomery, Introduction to Statistical Quality Control, and
    NIST/SEMATECH e-Handbook 6.3.2.3; cutting outliers, Lucas and Crosier, Commun Stat Theory Methods 1982.

    >>> nights = np.array([[60.0, 61.0, 59.0] * 7 + [62.0] * 7])
    >>> float(cusum(nights, 1.0).upper[0].round(2))
    5.94
    """
    n = len(days)
    held = days[:, -DAYS:]
    reference, week = held[:, : max(held.shape[1] - JUDGED, 0)], held[:, max(held.shape[1] - JUDGED, 0) :]
    level, known = median(reference)
    spread = np.maximum(CONSISTENT * median(np.abs(reference - level[:, None]))[0], least_spread)
    enough = known >= LEAST_REFERENCE
    z = np.clip((week - level[:, None]) / spread[:, None], -MOST_Z, MOST_Z)
    sums = np.zeros((2, n))
    for day in range(week.shape[1]):
        both = np.stack([z[:, day], -z[:, day]])
        sums = np.where(np.isnan(both), sums, np.maximum(sums + both - SLACK, 0.0))
    newest = z[:, -1] if week.shape[1] else np.full(n, np.nan)
    told = enough & ~np.isnan(newest)
    upper, lower, newest, level, spread = (
        np.where(cond, part, np.nan)
        for cond, part in ((told, sums[0]), (told, sums[1]), (told, newest), (enough, level), (enough, spread))
    )
    return Cusum(upper, lower, newest, level, spread, known)
