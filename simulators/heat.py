"""The weather as a wearer's phone reports it: a place's own, and what waves and heat strain make of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.effects import HOT_HUMIDITY_PCT, Effects
from simulators.places import MAX_TEMPERATURE_C, MIN_TEMPERATURE_C


@dataclass(frozen=True, slots=True)
class Heat:
    """What episodes do to the weather: numbers, or arrays of one shape.

    `added_c` and `added_pct` are added; `least_c` is how hot it is at least where someone strains in it, 0 = nobody.
    """

    added_c: Any = 0.0
    added_pct: Any = 0.0
    least_c: Any = 0.0


def felt(temperature: Any, humidity: Any, heat: Heat) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return temperature and humidity as reported: a wave adds to them; heat strain is hot and dry.

    >>> [float(x) for x in felt(5.0, 80.0, Heat(least_c=39.0))], float(felt(20.0, 50.0, Heat(added_c=8.0))[0])
    ([39.0, 38.0], 28.0)
    """
    strained = np.asarray(heat.least_c) > 0
    warm = np.maximum(temperature + heat.added_c, np.where(strained, heat.least_c, MIN_TEMPERATURE_C))
    moist = np.where(strained, HOT_HUMIDITY_PCT, np.clip(humidity + heat.added_pct, 5, 100))
    return np.clip(warm, MIN_TEMPERATURE_C, MAX_TEMPERATURE_C), moist


class Hot:
    """The heat of a block's wearers, minute by minute, in half floats."""

    def __init__(self, effects: Effects) -> None:
        grids = (effects.outdoor_c, effects.outdoor_humidity_pct, effects.heat_c)
        self._grids = [None if grid is None else grid.astype(np.float16) for grid in grids]

    def at(self, row: int | slice, column: Any) -> Heat:
        """Return what holds for these wearers in these columns."""
        return Heat(*(0.0 if grid is None else grid[row, column].astype(np.float64) for grid in self._grids))
