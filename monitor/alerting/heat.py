"""HEAT_LOAD: hot, humid air together with a raised heart rate, or alone for the vulnerable."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Evidence, Priority, Rule
from monitor.alerting.heart_rate import HeartRateWindow
from monitor.alerting.limits import Limits
from monitor.signals.heat_index import heat_index_c
from monitor.wearers.fields import HOURS
from monitor.wearers.state import State


def current_weather(
    state: State, row: NDArray[np.int64], minute: NDArray[np.int64], limits: Limits
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Temperature and humidity of the newest report at or before each minute, NaN when it is older than 3 h."""
    temperature = np.full(len(row), np.nan)
    humidity = np.full(len(row), np.nan)
    end_ms = (minute + 1) * 60_000
    for back in range(limits.weather_valid_h, -1, -1):
        slot = (minute // 60 - back) % HOURS
        time_ms = state.weather_ms[row, slot]
        use = (time_ms > 0) & (time_ms <= end_ms) & (end_ms - time_ms <= limits.weather_valid_h * 3_600_000)
        temperature[use] = state.weather[row[use], slot[use], 0]
        humidity[use] = state.weather[row[use], slot[use], 1]
    return temperature, humidity


def heat_load(
    state: State,
    row: NDArray[np.int64],
    minute: NDArray[np.int64],
    window: HeartRateWindow,
    limits: Limits,
    *,
    vulnerable: NDArray[np.bool_],
    usual_rest_bpm: NDArray[np.float64],
    off: NDArray[np.bool_],
) -> Evidence:
    """Find heat load: heat index >= 39.4 C and at rest a rate >= 91 bpm or 15 above usual; vulnerable wearers >= 32 C.

    Clear: heat index < 37 C (30 C for the vulnerable). Outdoor weather is not exposure; the alert is low and gives
    advice.
    Source: NWS danger band from 103 F; NEWS2 scores 1 from 91 bpm.
    """
    temperature, humidity = current_weather(state, row, minute, limits)
    index = np.full(len(row), np.nan)
    known = ~np.isnan(temperature) & ~np.isnan(humidity)
    index[known] = heat_index_c(temperature[known], humidity[known])
    limit = np.where(vulnerable, limits.heat_index_vulnerable_c, limits.heat_index_c)
    clear = np.where(vulnerable, limits.heat_vulnerable_clear_c, limits.heat_clear_c)
    fast = (window.median >= limits.heat_hr_bpm) | (window.median >= usual_rest_bpm + limits.heat_hr_above_usual_bpm)
    strained = window.enough & window.rest & fast & ~off
    with np.errstate(invalid="ignore"):
        hot = index >= limit
        cool = index < clear
    return Evidence(
        rule=Rule.HEAT_LOAD,
        raised=known & hot & (strained | vulnerable),
        cleared=known & cool,
        assessable=known & (vulnerable | (window.enough & window.rest)),
        priority=np.full(len(row), Priority.LOW, np.uint8),
        value=index,
        limit=limit,
        samples=window.samples,
        start_minute=minute,
        unverified=np.zeros(len(row), bool),
    )
