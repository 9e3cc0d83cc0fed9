"""Wind chill: how cold moving air feels on bare skin."""

import numpy as np
from numpy.typing import NDArray

MPH = 3600 / 1609.344  # of one metre a second
HIGHEST_F = 50.0
CALM_MPH = 3.0
FROSTBITE_C = -27.0


def wind_chill_c(temperature_c: NDArray[np.float64], wind_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wind chill temperature in degrees Celsius.

    Parameters
    ----------
    temperature_c : NaN where not known.
    wind_mps : same shape, wind at 10 m height; NaN where not known.

    Returns
    -------
    Same shape. At 3 mph (1.34 m/s) or less the air temperature: the index is defined as the temperature that feels as
    cold at walking pace. NaN above 50 F (10 C), where the index is not defined, and where an input is NaN or the wind
    negative. From about -27 C skin may freeze in prolonged exposure. Outdoor weather is not exposure: sun adds up to
    10 C (from memory), and whoever is indoors feels none of it. Use the report that was known at the time, or the
    forecast as issued, never the weather as found out later.

    Source: NWS wind chill chart of 2001, 35.74 + 0.6215 T - 35.75 V^0.16 + 0.4275 T V^0.16 (F, mph), for T <= 50 F and
    V > 3 mph (checked in several copies of the NWS chart, which the test repeats); walking pace and -27: Environment
    Canada, wind chill index (checked).

    >>> round(float(wind_chill_c(np.array([(0 - 32) / 1.8]), np.array([15 / MPH]))[0] * 1.8 + 32), 1)
    -19.4
    """
    fahrenheit = temperature_c * 1.8 + 32
    mph = wind_mps * MPH
    fast = np.where(mph > CALM_MPH, mph, 1.0) ** 0.16
    chill = 35.74 + 0.6215 * fahrenheit - 35.75 * fast + 0.4275 * fahrenheit * fast
    index = np.where(mph > CALM_MPH, (chill - 32) / 1.8, temperature_c)
    return np.where((fahrenheit <= HIGHEST_F) & (mph >= 0), index, np.nan)
