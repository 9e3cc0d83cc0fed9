"""HEAT_LOAD: hot, humid air together with a raised heart rate, or alone for the vulnerable."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Evidence, Priority, Rule
from monitor.alerting.heart_rate import HeartRateWindow
from monitor.alerting.limits import Limits
from monitor.signals import butterworth
from monitor.signals.heat_index import heat_index_c
from monitor.signals.reasons import OUTLIER
from monitor.wearers.fields import HOURS, HR_COUNT, HR_MEDIAN, REASON
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before


def current_weather(
    state: State, row: NDArray[np.int64], minute: NDArray[np.int64], limits: Limits
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Temperature and humidity of the newest report at or before each minute, NaN when it is older than 3 h."""
    temperature = np.full(len(row), np.nan)
    humidity = np.full(len(row), np.nan)
    for back in range(limits.weather_valid_h, -1, -1):
        slot = (minute // 60 - back) % HOURS
        at = state.weather_minute[row, slot]
        use = (at > 0) & (at <= minute) & (minute - at < limits.weather_valid_h * 60)
        temperature[use] = state.weather[row[use], slot[use], 0]
        humidity[use] = state.weather[row[use], slot[use], 1]
    return temperature, humidity


def slow_rate_bpm(state: State, row: NDArray[np.int64], minute: NDArray[np.int64]) -> NDArray[np.float64]:
    """Slow course of the accepted heart rate at each minute, from its last hour; NaN where too little is there."""
    hour = minutes_before(state, row, minute, butterworth.WINDOW)
    accepted = (hour[:, :, HR_COUNT] > 0) & ((hour[:, :, REASON] & OUTLIER) == 0)
    return butterworth.smooth(hour[:, :, HR_MEDIAN], accepted)


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

    Parameters
    ----------
    usual_rest_bpm : (n,) what is usual at rest at this local hour, awake or asleep (`baselines.usual_bpm`), or on whole
    days; NaN = not known: then only the 91 bpm count.

    Notes
    -----
    The rate is the slow course of the last hour (10-min low-pass), or the median of ten minutes where that is not
    known. Clear: heat index < 37 C (30 C for the vulnerable). Outdoor weather is not exposure; the alert is low and
    gives advice.
    Source: NWS danger band from 103 F; NEWS2 scores 1 from 91 bpm.
    """
    temperature, humidity = current_weather(state, row, minute, limits)
    index = np.full(len(row), np.nan)
    known = ~np.isnan(temperature) & ~np.isnan(humidity)
    index[known] = heat_index_c(temperature[known], humidity[known])
    limit = np.where(vulnerable, limits.heat_index_vulnerable_c, limits.heat_index_c)
    clear = np.where(vulnerable, limits.heat_vulnerable_clear_c, limits.heat_clear_c)
    rate = slow_rate_bpm(state, row, minute)
    rate = np.where(np.isnan(rate), window.median, rate)
    fast = (rate >= limits.heat_hr_bpm) | (rate >= usual_rest_bpm + limits.heat_hr_above_usual_bpm)
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
