"""Gather rows into the model's Snapshot: the only way from live state to tensors."""

import numpy as np
from numpy.typing import NDArray

from models.snapshot import Snapshot
from monitor.wearers.days import past_days
from monitor.wearers.fields import (
    HOURS,
    HR_COUNT,
    HR_MAX,
    HR_MEDIAN,
    HR_MIN,
    IRREGULAR,
    MINUTES,
    STAGE,
    STEPS,
)
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before

MINUTE_MS = 60_000


def snapshot(state: State, row: NDArray[np.int64], as_of_ms: NDArray[np.int64]) -> Snapshot:
    """What is known of each row before the minute that holds `as_of_ms`."""
    as_of = as_of_ms // MINUTE_MS
    held = minutes_before(state, row, as_of - 1, MINUTES)
    steps, irregular = held[:, :, STEPS], held[:, :, IRREGULAR]

    bp_minute = state.bp_ms[row] // MINUTE_MS
    bp_minute[bp_minute >= as_of[:, None]] = 0
    order = np.argsort(np.where(bp_minute > 0, bp_minute, np.iinfo(np.int64).max), axis=1, kind="stable")
    some = np.take_along_axis(bp_minute, order, axis=1) > 0

    def reading(column: NDArray[np.int16], missing: int) -> NDArray[np.int16]:
        return np.where(some, np.take_along_axis(column[row], order, axis=1), np.int16(missing))

    sleep_start, sleep_end = state.sleep_start[row].astype(np.int64), state.sleep_end[row].astype(np.int64)
    known = (state.sleep_revisions()[row] > 0) & (sleep_end <= as_of[:, None])
    nights = np.argsort(np.where(known, sleep_start, np.iinfo(np.int64).max), axis=1, kind="stable")
    night = np.take_along_axis(known, nights, axis=1)
    minutes = np.take_along_axis(state.sleep_minutes[row].astype(np.float32), nights[:, :, None], axis=1)
    minutes[~night] = np.nan

    profiled = state.known[row] > 0
    gap = state.sample_gap_s[row]
    return Snapshot(
        as_of_minute=as_of,
        hr_median=np.ascontiguousarray(held[:, :, HR_MEDIAN]),
        hr_min=np.ascontiguousarray(held[:, :, HR_MIN]),
        hr_max=np.ascontiguousarray(held[:, :, HR_MAX]),
        hr_count=np.ascontiguousarray(held[:, :, HR_COUNT]),
        irregular=np.where(irregular > 0, irregular - np.uint8(1), np.uint8(255)),
        steps=np.where(steps > 0, steps - np.uint8(1), np.uint8(255)),
        stage=np.ascontiguousarray(held[:, :, STAGE]),
        bp_minute=np.where(some, np.take_along_axis(bp_minute, order, axis=1), 0),
        bp_systolic=reading(state.bp_systolic, 0),
        bp_diastolic=reading(state.bp_diastolic, 0),
        bp_pulse=reading(state.bp_pulse, -1),
        bp_method=np.where(some, np.take_along_axis(state.bp_method[row], order, axis=1), np.uint8(0)),
        sleep_start=np.where(night, np.take_along_axis(sleep_start, nights, axis=1), 0),
        sleep_end=np.where(night, np.take_along_axis(sleep_end, nights, axis=1), 0),
        sleep_minutes=minutes,
        weather_past=_weather_past(state, row, as_of),
        weather_forecast=_weather_forecast(state, row, as_of),
        days=past_days(state, row, as_of // MINUTES),
        age_years=np.where(profiled, state.age_years[row], np.float32(np.nan)),
        bmi=np.where(profiled & (state.bmi[row] > 0), state.bmi[row], np.float32(np.nan)),
        sex=state.sex[row],
        conditions=state.conditions[row],
        medications=state.medications[row],
        cadence_s=np.where(gap > 0, gap, np.float32(np.nan)),
    )


def _weather_past(state: State, row: NDArray[np.int64], as_of: NDArray[np.int64]) -> NDArray[np.float32]:
    hour = as_of[:, None] // 60 - np.arange(HOURS - 1, -1, -1)
    slot = hour % HOURS
    minute = state.weather_minute[row[:, None], slot]
    held = (minute // 60 == hour) & (minute > 0) & (minute < as_of[:, None])
    past: NDArray[np.float32] = state.weather[row[:, None], slot].astype(np.float32)
    past[~held] = np.nan
    return past


def _weather_forecast(state: State, row: NDArray[np.int64], as_of: NDArray[np.int64]) -> NDArray[np.float32]:
    hour = as_of[:, None] // 60 + np.arange(1, HOURS + 1)
    slot = hour % HOURS
    issued = (state.forecast_ms[row] > 0) & (state.forecast_ms[row] < as_of * MINUTE_MS)
    held = (state.forecast_hour[row[:, None], slot] == hour) & issued[:, None]
    forecast: NDArray[np.float32] = state.forecast[row[:, None], slot].astype(np.float32)
    forecast[~held] = np.nan
    return forecast
