"""Places and their outdoor weather, hour by hour.

A place stands for a time zone; wearers of a place share its weather, which their phones report (outdoor weather is not
exposure). Means and amplitudes of set A's are rounded climate normals of the named city; set B's: simulators.outfits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from simulators.chance import generator
from stream_schemas.zones import time_zone

MIN_TEMPERATURE_C, MAX_TEMPERATURE_C = -60.0, 55.0
WARM_DAY_C = 16.0


DAYS_A_YEAR = 365.25
DUST_STEP, DUST_KEEPS = 0.12, 0.97  # how the logarithm of PM2.5 wanders from hour to hour
DUST_MEAN = float(np.exp(DUST_STEP**2 / (1 - DUST_KEEPS**2) / 2))  # mean of what wanders so around 1


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual at some hours: mean temperature of the day, half of the day-night difference, humidity, PM2.5."""

    mean_c: NDArray[np.float64]
    day_c: float | NDArray[np.float64]
    humidity_pct: float | NDArray[np.float64]
    pm25_ugm3: float | NDArray[np.float64]


class Climate(Protocol):
    """What a place must know: what is usual at these epoch hours, when all of it is warmer by so much."""

    def usual(self, hour: NDArray[np.floating], warmer_c: float) -> Usual:
        """Return what is usual at these hours."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A climate: yearly mean, half of the summer-winter and of the day-night difference, usual humidity and dust."""

    mean_c: float
    season_c: float
    day_c: float
    humidity_pct: float
    pm25_ugm3: float
    south: bool = False

    def usual(self, hour: NDArray[np.floating], warmer_c: float) -> Usual:
        """Return what is usual at these hours; 20 July is the warmest day in the north.

        >>> Place(10.0, 8.0, 4.0, 70.0, 9.0).usual(np.array([200 * 24.0]), 0.0).mean_c.tolist()
        [18.0]
        """
        season = np.cos(2 * np.pi * (hour / 24.0 % DAYS_A_YEAR - 200) / DAYS_A_YEAR) * (-1.0 if self.south else 1.0)
        return Usual(self.mean_c + warmer_c + self.season_c * season, self.day_c, self.humidity_pct, self.pm25_ugm3)


@dataclass(frozen=True, slots=True)
class MonthlyPlace:
    """A climate by months, January first: between the middles of two months it goes straight from one to the next."""

    mean_c: tuple[float, ...]
    day_c: tuple[float, ...]
    humidity_pct: tuple[float, ...]
    pm25_ugm3: tuple[float, ...]

    def usual(self, hour: NDArray[np.floating], warmer_c: float) -> Usual:
        """Return what is usual at these hours.

        >>> place = MonthlyPlace(tuple(range(12)), (5.0,) * 12, (60.0,) * 12, (9.0,) * 12)
        >>> place.usual(np.array([15.2, 30.4, 45.7]) * 24, 0.0).mean_c.round(1).tolist()
        [0.0, 0.5, 1.0]
        """
        month = hour / 24.0 % DAYS_A_YEAR / (DAYS_A_YEAR / 12) - 0.5

        def at(values: tuple[float, ...]) -> NDArray[np.float64]:
            return np.asarray(np.interp(month, np.arange(12), values, period=12))

        return Usual(at(self.mean_c) + warmer_c, at(self.day_c), at(self.humidity_pct), at(self.pm25_ugm3))


PLACES: dict[str, Place] = {  # of set A
    "Asia/Shanghai": Place(17.0, 12.0, 3.5, 74.0, 38.0),
    "Europe/Berlin": Place(10.0, 10.0, 4.0, 74.0, 12.0),
    "America/New_York": Place(13.0, 12.0, 4.0, 64.0, 9.0),
    "Australia/Sydney": Place(18.5, 5.5, 4.5, 64.0, 7.0, south=True),
}


def utc_offset_min(zone: str, epoch_minute: int) -> int:
    """Return the minutes that local time in *zone* is ahead of UTC at that minute."""
    known = time_zone(zone)
    if known is None:
        raise ValueError(f"{zone} is no time zone")
    offset = datetime.fromtimestamp(epoch_minute * 60, UTC).astimezone(known).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def is_warm_season(place: Climate, epoch_minute: int) -> bool:
    """Tell whether a usual day of that season is warm enough there for a wave of heat.

    >>> is_warm_season(PLACES["Europe/Berlin"], 0), is_warm_season(PLACES["Australia/Sydney"], 0)
    (False, True)
    """
    return bool(place.usual(np.array([epoch_minute / 60]), 0.0).mean_c[0] >= WARM_DAY_C)


@dataclass(frozen=True, slots=True)
class Weather:
    """Hourly weather of one place: arrays over hours from `first_hour` (epoch hour)."""

    first_hour: int
    temperature_c: NDArray[np.float32]
    humidity_pct: NDArray[np.float32]
    wind_mps: NDArray[np.float32]
    pm25_ugm3: NDArray[np.float32]


def weather(zone: str, place: Climate, seed: int, first_hour: int, hours: int, heat_wave_c: float) -> Weather:
    """Draw the weather of *zone* for *hours* hours; the same seed, zone and first hour give the same start."""
    rng = generator(seed, f"weather {zone}", first_hour)
    hour = first_hour + np.arange(hours)
    local = (hour + utc_offset_min(zone, first_hour * 60) / 60.0) % 24
    usual = place.usual(hour.astype(np.float64), heat_wave_c)
    front = lfilter([0.35], [1, -0.985], rng.standard_normal(hours))  # fronts pass in two to three days
    temperature = usual.mean_c + front
    temperature = temperature + usual.day_c * np.cos(2 * np.pi * (local - 15) / 24)
    humidity = usual.humidity_pct - 2.2 * usual.day_c * np.cos(2 * np.pi * (local - 15) / 24)
    humidity = humidity + lfilter([3.0], [1, -0.9], rng.standard_normal(hours)) - heat_wave_c
    wind = 3.2 * np.exp(lfilter([0.2], [1, -0.92], rng.standard_normal(hours)) - 0.1)
    pm25 = usual.pm25_ugm3 * np.exp(lfilter([DUST_STEP], [1, -DUST_KEEPS], rng.standard_normal(hours)))
    return Weather(
        first_hour,
        np.clip(temperature, MIN_TEMPERATURE_C, MAX_TEMPERATURE_C).astype(np.float32),
        np.clip(humidity, 8, 100).astype(np.float32),
        np.minimum(wind, 60).astype(np.float32),
        np.minimum(pm25, 900).astype(np.float32),
    )
