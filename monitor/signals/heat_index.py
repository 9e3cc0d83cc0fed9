"""NWS heat index: how hot humid air feels in the shade."""

import numpy as np
from numpy.typing import NDArray


def heat_index_c(temperature_c: NDArray[np.float64], humidity_pct: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heat index in degrees Celsius.

    Parameters
    ----------
    temperature_c, humidity_pct : same shape; NaN where not known.

    Returns
    -------
    Same shape; NaN where either input is NaN. Below 80 F the simple form holds, above it the regression with both
    corrections. Outdoor weather is not exposure: direct sun adds up to 8 C, air conditioning takes away. The chart that
    the NWS prints leaves out the correction for humid air: at 80 F and 100 % it is 2 F lower than this.

    Source: NWS technical attachment SR 90-23 (Rothfusz 1990) with the corrections of the NWS heat index page.

    >>> f = lambda t, r: heat_index_c((np.array([t]) - 32) / 1.8, np.array([r]))[0] * 1.8 + 32
    >>> round(float(f(90.0, 70.0)), 1), round(float(f(96.0, 65.0)), 1)
    (105.9, 121.0)
    """
    t = temperature_c * 1.8 + 32
    r = humidity_pct
    simple = (0.5 * (t + 61 + (t - 68) * 1.2 + r * 0.094) + t) / 2
    full = (
        -42.379
        + 2.04901523 * t
        + 10.14333127 * r
        - 0.22475541 * t * r
        - 0.00683783 * t**2
        - 0.05481717 * r**2
        + 0.00122874 * t**2 * r
        + 0.00085282 * t * r**2
        - 0.00000199 * t**2 * r**2
    )
    dry = (r < 13) & (t >= 80) & (t <= 112)
    wet = (r > 85) & (t >= 80) & (t <= 87)
    full = full - np.where(dry, (13 - r) / 4 * np.sqrt(np.maximum(17 - np.abs(t - 95), 0) / 17), 0)
    full = full + np.where(wet, (r - 85) / 10 * (87 - t) / 5, 0)
    index: NDArray[np.float64] = (np.where(simple < 80, simple, full) - 32) / 1.8
    return index
