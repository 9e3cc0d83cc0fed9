"""Heart-rate reserve: how hard a minute is for this wearer, between resting and highest heart rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.why_not import WhyNot

ADULT_YEARS = 18
MODERATE = 0.40
VIGOROUS = 0.60


@dataclass(frozen=True, slots=True)
class Effort:
    """`reserve` (n, T) share of the reserve, NaN = not known; `moderate`, `vigorous` (n,) minutes; `why_not` (n,)."""

    reserve: NDArray[np.float64]
    moderate: NDArray[np.float64]
    vigorous: NDArray[np.float64]
    why_not: NDArray[np.uint8]


def highest_bpm(age_years: NDArray[np.float64], beta_blocker: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Expected highest heart rate of an adult: 208 - 0.7 * age, bpm.

    `age_years` (n,), NaN = no profile; `beta_blocker` (n,). NaN without an age, below 18 years, or with a beta
    blocker: the formula was fitted to healthy adults, and a drug that slows the heart makes it wrong. Its error is
    about 10 bpm for one person.

    Source: Tanaka, Monahan and Seals (2001), J Am Coll Cardiol 37:153 (equation checked as quoted in PMC9830234).

    >>> highest_bpm(np.array([40.0, 40.0, np.nan]), np.array([False, True, False])).tolist()
    [180.0, nan, nan]
    """
    fits = (age_years >= ADULT_YEARS) & ~beta_blocker
    return np.where(fits, 208 - 0.7 * age_years, np.nan)


def effort(bpm: NDArray[np.floating], resting_bpm: NDArray[np.float64], highest: NDArray[np.float64]) -> Effort:
    """Share of the heart-rate reserve that each minute uses, and the minutes of moderate and vigorous effort.

    Parameters
    ----------
    bpm : (n, T) NaN = not known.
    resting_bpm : (n,) the wearer's own, NaN = not known.
    highest : (n,) from `highest_bpm`.

    Returns
    -------
    Effort: (bpm - resting) / (highest - resting), neither cut at 0 nor at 1. Moderate from 0.40 to below 0.60,
    vigorous from 0.60. All NaN where a rate is not known (NO_PROFILE for the highest, whatever the cause) or the
    highest is not above the resting rate. A raised rate is not always work: heat, fever and fright raise it too, so
    ask for steps beside it.

    Source: Karvonen et al. (1957); 40 % and 60 % of the reserve as ACSM moderate and vigorous (checked in
    CADENCE-Adults, McAvoy et al. 2021).

    >>> found = effort(np.array([[60.0, 108.0, 140.0]]), np.array([60.0]), np.array([180.0]))
    >>> found.reserve.round(2).tolist(), found.moderate.tolist(), found.vigorous.tolist()
    ([[0.0, 0.4, 0.67]], [1.0], [1.0])
    """
    room = highest - resting_bpm
    fits = room > 0
    reserve = (bpm - resting_bpm[:, None]) / np.where(fits, room, np.nan)[:, None]
    some = ~np.isnan(reserve).all(axis=1) if reserve.shape[1] else np.zeros(len(reserve), bool)
    vigorous = (reserve >= VIGOROUS).sum(axis=1)
    at_least = (reserve >= MODERATE).sum(axis=1)
    lacks = np.where(np.isnan(highest), WhyNot.NO_PROFILE, WhyNot.TOO_FEW)
    why = np.where(np.isnan(room), lacks, np.where(fits, WhyNot.NOTHING, WhyNot.CONTRADICTION))
    return Effort(
        reserve,
        np.where(some, at_least - vigorous, np.nan),
        np.where(some, vigorous, np.nan),
        np.where(some, WhyNot.KNOWN, why).astype(np.uint8),
    )
