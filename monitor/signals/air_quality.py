"""Fine particles in the air, PM2.5: hourly values to a mean, and the index of two countries."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Standard = Literal["us_2024", "china_2012"]

DAY_HOURS = 24
ENOUGH_HOURS: dict[Standard, int] = {"us_2024": 18, "china_2012": 20}
NOWCAST_HOURS = 12
NOWCAST_LOWEST = 0.5

# Upper and lower ends of each step: concentration (ug/m3) and index.
US = ((0.0, 9.0, 0, 50), (9.1, 35.4, 51, 100), (35.5, 55.4, 101, 150), (55.5, 125.4, 151, 200),
      (125.5, 225.4, 201, 300), (225.5, 325.4, 301, 500))  # fmt: skip
CHINA_UGM3 = (0.0, 35.0, 75.0, 115.0, 150.0, 250.0, 350.0, 500.0)
CHINA_INDEX = (0.0, 50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0)


def day_mean(pm25_ugm3: NDArray[np.float64], standard: Standard) -> NDArray[np.float64]:
    """Mean of the last 24 hourly values, ug/m3.

    `pm25_ugm3` (n, 24) newest last, NaN = not known; negative values count as not known. NaN with fewer than 18 hours
    (US, three quarters; checked in the AirNow forum of EPA) or 20 (China, GB 3095-2012; from memory).

    >>> day_mean(np.array([[10.0] * 18 + [np.nan] * 6]), "us_2024").tolist()
    [10.0]
    """
    known = pm25_ugm3 >= 0
    count = known.sum(axis=1)
    mean = np.where(known, pm25_ugm3, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count >= ENOUGH_HOURS[standard], mean, np.nan)


def nowcast(pm25_ugm3: NDArray[np.float64]) -> NDArray[np.float64]:
    """EPA NowCast: a mean of the last 12 hours that follows fast changes, ug/m3.

    Parameters
    ----------
    pm25_ugm3 : (n, 12) hourly, newest last, NaN = not known; negative values count as not known.

    Returns
    -------
    (n,). Weights fall by a factor an hour: lowest over highest value of the 12 h, at least 0.5. NaN unless two of the
    last three hours are known.

    Source: EPA, PM NowCast fact sheet (steps checked, nepis P100X0J6). Two of the last three hours: EPA's rule, from
    memory.

    >>> nowcast(np.array([[np.nan] * 9 + [10.0, 20.0, 40.0]])).round(2).tolist()
    [30.0]
    """
    known = pm25_ugm3 >= 0
    value = np.where(known, pm25_ugm3, 0.0)
    highest = value.max(axis=1, initial=0.0)
    lowest = np.where(known, pm25_ugm3, np.inf).min(axis=1, initial=np.inf)
    same = (highest <= 0) | ~known.any(axis=1)
    ratio = np.where(same, 1.0, np.where(same, 1.0, lowest) / np.where(same, 1.0, highest))
    age = np.arange(pm25_ugm3.shape[1] - 1, -1, -1)
    weight = np.where(known, np.maximum(ratio, NOWCAST_LOWEST)[:, None] ** age, 0.0)
    fits = known[:, -3:].sum(axis=1) >= 2
    return np.where(fits, (weight * value).sum(axis=1) / np.where(fits, weight.sum(axis=1), 1.0), np.nan)


def index(mean_ugm3: NDArray[np.float64], standard: Standard) -> NDArray[np.float64]:
    """Air quality index of a PM2.5 mean.

    Parameters
    ----------
    mean_ugm3 : (n,) 24-h mean, or a NowCast (US only); NaN = not known.
    standard : which country's steps.

    Returns
    -------
    (n,) whole numbers; NaN where the mean is NaN or negative. US: the mean is cut to tenths, then interpolated and
    rounded; above 325.4 the last step goes on beyond 500. China: interpolated and rounded up; 500 stands for 500 and
    more, where its scale ends. One pollutant only, at the place that the phone reported: not the city's index, and not
    what the wearer breathed indoors.

    Source
    ------
    US: 40 CFR part 58 appendix G as revised on 6 May 2024. Checked in secondary pages: 9.0 -> 50, 125.4 -> 200, the
    last step 225.5-325.4. The full table (EPA-454/B-24-002, table 6) could not be opened; the step beyond 500 is from
    memory. China: HJ 633-2012. Checked in secondary pages: 35 -> 50, 75 -> 100, 115 -> 150, 150 -> 200, 250 -> 300,
    500 -> 500; 350 -> 400 and the rounding up are from memory. HJ 633-2026 replaces it since 1 March 2026 with stricter
    steps (checked in the news); its table could not be found, so it is not offered.

    >>> index(np.array([9.0, 35.4, 35.5, 200.0]), "us_2024").tolist(), index(np.array([150.0]), "china_2012").tolist()
    ([50.0, 100.0, 101.0, 275.0], [200.0])
    """
    known = mean_ugm3 >= 0
    mean = np.where(known, mean_ugm3, 0.0)
    if standard == "china_2012":
        steps = np.interp(mean, CHINA_UGM3, CHINA_INDEX)
        # A mean that lies on a step but for its last bits must not be rounded up past it.
        return np.where(known, np.ceil(np.round(steps, 6)), np.nan)
    tenths = np.floor(np.round(mean * 10, 6)) / 10
    low, high, first, last = (np.array(ends, float) for ends in zip(*US, strict=True))
    step = np.clip(np.searchsorted(low, tenths, side="right") - 1, 0, len(US) - 1)
    slope = (last - first)[step] / (high - low)[step]
    return np.where(known, np.floor(np.round(first[step] + slope * (tenths - low[step]), 6) + 0.5), np.nan)
