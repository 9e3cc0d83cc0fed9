"""Places and their outdoor weather, hour by hour.

A place stands for a time zone; wearers of a place share its weather, which their phones report (outdoor weather is not
exposure). Means and amplitudes are rounded climate normals of the named city.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from simulators.chance import generator

MIN_TEMPERATURE_C, MAX_TEMPERATURE_C = -60.0, 55.0
WARM_DAY_C = 16.0


@dataclass(frozen=True, slots=True)
class Place:
    """A climate: yearly mean, half of the summer-winter and of the day-night difference, usual humidity and dust."""

    mean_c: float
    season_c: float
    day_c: float
    humidity_pct: float
    pm25_ugm3: float
    south: bool = False


PLACES: dict[str, Place] = {
    "Asia/Shanghai": Place(17.0, 12.0, 3.5, 74.0, 38.0),
    "Europe/Berlin": Place(10.0, 10.0, 4.0, 74.0, 12.0),
    "America/New_York": Place(13.0, 12.0, 4.0, 64.0, 9.0),
    "Australia/Sydney": Place(18.5, 5.5, 4.5, 64.0, 7.0, south=True),
}


def utc_offset_min(zone: str, epoch_minute: int) -> int:
    """Return the minutes that local time in *zone* is ahead of UTC at that minute."""
    offset = datetime.fromtimestamp(epoch_minute * 60, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def is_warm_season(zone: str, epoch_minute: int) -> bool:
    """Tell whether a usual day of that season is warm enough in *zone* for a wave of heat.

    >>> is_warm_season("Europe/Berlin", 0), is_warm_season("Australia/Sydney", 0)
    (False, True)
    """
    place = PLACES[zone]
    return bool(place.mean_c + place.season_c * _season(place, np.array([epoch_minute / 60]))[0] >= WARM_DAY_C)


def _season(place: Place, hour: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return 1 on the warmest day of the year, -1 on the coldest; 20 July is the warmest in the north."""
    year = 2 * np.pi * (hour / 24.0 % 365.25 - 200) / 365.25
    return np.asarray(np.cos(year) * (-1.0 if place.south else 1.0))


@dataclass(frozen=True, slots=True)
class Weather:
    """Hourly weather of one place: arrays over hours from `first_hour` (epoch hour)."""

    first_hour: int
    temperature_c: NDArray[np.float32]
    humidity_pct: NDArray[np.float32]
    wind_mps: NDArray[np.float32]
    pm25_ugm3: NDArray[np.float32]


def weather(zone: str, seed: int, first_hour: int, hours: int, heat_wave_c: float) -> Weather:
    """Draw the weather of *zone* for *hours* hours; the same seed, zone and first hour give the same start."""
    place = PLACES[zone]
    rng = generator(seed, f"weather {zone}", first_hour)
    hour = first_hour + np.arange(hours)
    local = (hour + utc_offset_min(zone, first_hour * 60) / 60.0) % 24
    season = _season(place, hour.astype(np.float64))
    front = lfilter([0.35], [1, -0.985], rng.standard_normal(hours))  # fronts pass in two to three days
    temperature = place.mean_c + heat_wave_c + place.season_c * season + front
    temperature = temperature + place.day_c * np.cos(2 * np.pi * (local - 15) / 24)
    humidity = place.humidity_pct - 2.2 * place.day_c * np.cos(2 * np.pi * (local - 15) / 24)
    humidity = humidity + lfilter([3.0], [1, -0.9], rng.standard_normal(hours)) - heat_wave_c
    wind = 3.2 * np.exp(lfilter([0.2], [1, -0.92], rng.standard_normal(hours)) - 0.1)
    pm25 = place.pm25_ugm3 * np.exp(lfilter([0.12], [1, -0.97], rng.standard_normal(hours)))
    return Weather(
        first_hour,
        np.clip(temperature, MIN_TEMPERATURE_C, MAX_TEMPERATURE_C).astype(np.float32),
        np.clip(humidity, 8, 100).astype(np.float32),
        np.minimum(wind, 60).astype(np.float32),
        np.minimum(pm25, 900).astype(np.float32),
    )
