"""Change of outdoor temperature: from the last day to the next, and within the last day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.why_not import WhyNot

HOUR_MS = 3_600_000
DAY_HOURS = 24
ENOUGH_HOURS = 18
LONGEST_AGE_H = 24


@dataclass(frozen=True, slots=True)
class Change:
    """Of n places, degrees Celsius, all (n,), NaN = not known.

    `coming` mean of the next 24 h as forecast less that of the last 24 h as reported; `daily_range` highest less
    lowest of the last 24 h; `why_not` of `coming`.
    """

    coming: NDArray[np.float64]
    daily_range: NDArray[np.float64]
    why_not: NDArray[np.uint8]


def next_day(
    forecast_c: NDArray[np.float64],
    forecast_hour: NDArray[np.int64],
    issued_ms: NDArray[np.int64],
    now_ms: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Forecast of each of the next 24 hours, as it stood when it was issued.

    Parameters
    ----------
    forecast_c : (n, H) temperatures, NaN = none, in slots of any order.
    forecast_hour : (n, H) epoch hour that each slot is for.
    issued_ms : (n,) when the forecast was issued; 0 = none.

    Returns
    -------
    (n, 24) the hour after now first; NaN where the forecast has no value for it. All NaN if it was issued after now
    (nobody knew it) or more than 24 h before.

    >>> hours = np.array([[101, 102]])
    >>> next_day(np.array([[5.0, 6.0]]), hours, np.array([99 * HOUR_MS]), np.array([100 * HOUR_MS]))[0, :3].tolist()
    [5.0, 6.0, nan]
    """
    n = len(now_ms)
    ahead = forecast_hour - (now_ms // HOUR_MS)[:, None] - 1
    age = now_ms - issued_ms
    valid = (issued_ms > 0) & (age >= 0) & (age <= LONGEST_AGE_H * HOUR_MS)
    rows, slots = np.nonzero((ahead >= 0) & (ahead < DAY_HOURS) & valid[:, None])
    coming = np.full((n, DAY_HOURS), np.nan)
    coming[rows, ahead[rows, slots]] = forecast_c[rows, slots]
    return coming


def change(past_c: NDArray[np.float64], coming_c: NDArray[np.float64]) -> Change:
    """Change of temperature from the last 24 h to the next, and range of the last 24 h.

    Parameters
    ----------
    past_c : (n, 24) hourly reports, newest last, NaN = none.
    coming_c : (n, 24) from `next_day`: the forecast as issued, never the weather as it turned out.

    Returns
    -------
    Change. A mean or a range needs 18 of 24 hours, else it is NaN. Outdoor weather is not exposure: most people spend
    most of the day indoors, and these numbers say nothing of that.

    Source: change between neighbouring days (difference of daily means) and diurnal range (highest less lowest), as in
    Vicedo-Cabrera et al. (2016) and Kan et al. (2007) (definitions checked in both abstracts). There both days are
    observed days; here the later one is the forecast. 18 hours: this project's, as for the air.

    >>> found = change(np.full((1, 24), 20.0), np.full((1, 24), 12.0))
    >>> found.coming.tolist(), found.daily_range.tolist()
    ([-8.0], [0.0])
    """
    before, before_hours = _mean(past_c)
    after, after_hours = _mean(coming_c)
    known = ~np.isnan(past_c)
    low = np.where(known, past_c, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, past_c, -np.inf).max(axis=1, initial=-np.inf)
    seen = before_hours >= ENOUGH_HOURS
    fits = seen & (after_hours >= ENOUGH_HOURS)
    nothing = (before_hours == 0) | (after_hours == 0)
    return Change(
        np.where(fits, after - before, np.nan),
        np.where(seen, np.where(seen, high, 0.0) - np.where(seen, low, 0.0), np.nan),
        np.where(fits, WhyNot.KNOWN, np.where(nothing, WhyNot.NOTHING, WhyNot.TOO_FEW)).astype(np.uint8),
    )


def _mean(hours: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n,) mean of the known hours and how many there are."""
    known = ~np.isnan(hours)
    count: NDArray[np.int64] = known.sum(axis=1)
    return np.where(known, hours, 0.0).sum(axis=1) / np.maximum(count, 1), count
