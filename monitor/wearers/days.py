"""A finished day in twelve numbers, and what is usual for a wearer."""

import numpy as np
from numpy.typing import NDArray

from models.snapshot import DAY_FEATURES
from monitor.signals.order import lower_median
from monitor.signals.recovery import median_drop, recoveries
from monitor.wearers.fields import (
    DAYS,
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

ACTIVE_STEPS = 100  # steps a minute: moderate cadence
MOST_STEPS = int(np.finfo(np.float16).max)  # of a day; more cannot be kept, and is not known rather than endless
IRREGULAR_PCT = 10
ENOUGH_MIN = 60  # a day worn for less says nothing
ENOUGH_DAYS = 3
AWAKE = 1
RESTING, WORN = DAY_FEATURES.index("resting_bpm"), DAY_FEATURES.index("worn_min")
ACTIVE = DAY_FEATURES.index("active_min")
OF_READINGS = [DAY_FEATURES.index(name) for name in ("systolic_mmhg", "diastolic_mmhg", "temperature_c")]
JUMP_MIN = 15  # worn minutes; a day that ends in the live stream has lost the few that were decided after midnight
HARD_MIN = 20  # active minutes; below the default of `poor_recovery_hard_min`
FALL_OF_0 = 1000
NOT_KNOWN = -1.0  # in what is kept of a day, where NaN would be: no feature of minutes is negative


def keep_day(state: State, row: NDArray[np.int64], minute: NDArray[np.int64]) -> None:
    """Keep the day of each row as it stands if its ring is about to reach a minute of a later day, for the first time.

    A watch that sends a night at once lets the ring jump over the morning of the day before it is closed.
    """
    later = (state.day[row] > 0) & (minute // MINUTES > state.day[row]) & (state.day_so_far[row, WORN] == 0)
    if later.any():
        row = row[later]
        day = state.day[row].astype(np.int64)
        features = day_features(state, row, day)
        state.day_so_far[row, :-1] = np.nan_to_num(features, nan=NOT_KNOWN)
        state.day_so_far[row, -1] = _fall_code(state, row, day, features)


def close_day(state: State, row: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.float64]:
    """Write the features of a finished UTC day of each row into the days ring, and return them, (n, 12).

    Of a day that was kept when the ring went on, what was kept counts if clearly more minutes were worn in it: then the
    ring has jumped. What is known of pressure and weather is always that of now.
    """
    features = day_features(state, row, day)
    kept = state.day_so_far[row, :-1].astype(np.float64)
    kept[kept == NOT_KNOWN] = np.nan
    fuller = kept[:, WORN] > np.nan_to_num(features[:, WORN], nan=0.0) + JUMP_MIN
    of_minutes = np.isin(np.arange(len(DAY_FEATURES)), OF_READINGS, invert=True)
    fall = np.where(fuller, state.day_so_far[row, -1].astype(np.uint16), _fall_code(state, row, day, features))
    features = np.where(fuller[:, None] & of_minutes, kept, features)
    state.fall_code[row] = np.where(day == state.day[row] - 1, fall, 0)
    state.day_so_far[row] = 0
    state.days[row, day % DAYS] = features.astype(np.float16)
    state.days_mask[row] |= _bit(day % DAYS)
    return features


def fall_bpm(state: State, row: NDArray[np.int64], today: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fall of the rate in the first minute after effort on the day before `today`; NaN where none was seen, (n,)."""
    code = np.where(state.day[row] == today, state.fall_code[row], 0)
    return np.where(code > 0, (code - np.float64(FALL_OF_0)) / 2, np.nan)


def _fall_code(
    state: State, row: NDArray[np.int64], day: NDArray[np.int64], features: NDArray[np.float64]
) -> NDArray[np.uint16]:
    """Median over the efforts of a day, to half a bpm; only hard days are looked at: of others nobody asks."""
    code = np.zeros(len(row), np.uint16)
    with np.errstate(invalid="ignore"):
        some = np.flatnonzero(features[:, ACTIVE] >= HARD_MIN)
    if len(some):
        held = minutes_before(state, row[some], (day[some] + 1) * MINUTES - 1, MINUTES)
        steps, known = held[:, :, STEPS] - (held[:, :, STEPS] > 0), held[:, :, STEPS] > 0
        found = recoveries(held[:, :, HR_MEDIAN], steps, known, features[some, RESTING])
        fall = median_drop(found, len(some))
        code[some] = np.where(np.isnan(fall), 0, np.rint(2 * fall) + FALL_OF_0).astype(np.uint16)
    return code


def day_features(state: State, row: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the features of a UTC day of each row, (n, 12), from what the ring holds; without its data one is NaN."""
    minute = day[:, None] * MINUTES + np.arange(MINUTES)
    slots = state.minutes[row]  # (n, 1440): a UTC day begins at ring index 0
    head = state.head_minute[row][:, None]
    slots[(minute > head) | (minute <= head - MINUTES)] = 0
    held = slots.view(np.uint8).reshape(len(row), MINUTES, 8)
    valid = held[:, :, HR_COUNT] > 0
    worn = valid.sum(axis=1)
    known = held[:, :, STEPS] > 0
    steps = held[:, :, STEPS].astype(np.int64) - known
    rested, resting = lower_median(held[:, :, HR_MEDIAN], valid & known & (steps == 0))
    rr = held[:, :, IRREGULAR] > 0
    asleep = held[:, :, STAGE] > AWAKE
    features = np.full((len(row), len(DAY_FEATURES)), np.nan)
    enough = worn >= ENOUGH_MIN
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (
            np.where(resting > 0, rested, np.nan),
            (held[:, :, HR_MEDIAN].astype(np.int64) * valid).sum(axis=1) / worn,
            np.where(valid, held[:, :, HR_MIN], 255).min(axis=1),
            held[:, :, HR_MAX].max(axis=1),
            np.where(known.any(axis=1) & (steps.sum(axis=1) <= MOST_STEPS), steps.sum(axis=1), np.nan),
            np.where(known.any(axis=1), (steps >= ACTIVE_STEPS).sum(axis=1), np.nan),
            worn,
            np.where(asleep.any(axis=1), asleep.sum(axis=1), np.nan),
        )
        for k, value in enumerate(values):
            features[:, k] = np.where(enough, value, np.nan)
        in_day = (state.bp_ms[row] // 86_400_000 == day[:, None]) & (state.bp_ms[row] > 0)
        n_bp = in_day.sum(axis=1)
        features[:, 8] = (state.bp_systolic[row] * in_day).sum(axis=1) / np.where(n_bp > 0, n_bp, np.nan)
        features[:, 9] = (state.bp_diastolic[row] * in_day).sum(axis=1) / np.where(n_bp > 0, n_bp, np.nan)
        of_day = state.weather_minute[row] // MINUTES == day[:, None]
        warm = np.where(of_day, state.weather[row][:, :, 0].astype(np.float64), 0.0).sum(axis=1)
        n_weather = of_day.sum(axis=1)
        features[:, 10] = warm / np.where(n_weather > 0, n_weather, np.nan)
        n_rr = rr.sum(axis=1)
        uneven = (held[:, :, IRREGULAR] > IRREGULAR_PCT + 1).sum(axis=1)
        features[:, 11] = uneven / np.where(n_rr > 0, n_rr, np.nan)
    return features


def begin_day(state: State, row: NDArray[np.int64], today: NDArray[np.int64]) -> None:
    """Make `today` the day of each row; call before the days that are over are closed.

    The slots of the days from the one before it on are empty until they are closed: what they held is 28 days older.
    """
    before = state.day[row]
    passed = np.where(before > 0, np.minimum(today - before, DAYS), 0)
    for back in range(1, int(passed.max(initial=0)) + 1):
        some = passed >= back
        state.days_mask[row[some]] &= ~_bit((today[some] - back) % DAYS)
    state.day[row] = np.maximum(before, today)


def _bit(slot: NDArray[np.int64]) -> NDArray[np.uint32]:
    return np.left_shift(np.uint32(1), slot.astype(np.uint32))


def past_days(state: State, row: NDArray[np.int64], today: NDArray[np.int64]) -> NDArray[np.float32]:
    """Features of the 28 days before `today`, newest last; NaN where a day is not held. Shape (n, 28, 12)."""
    wanted = today[:, None] - np.arange(DAYS, 0, -1)
    slot = wanted % DAYS
    newest = state.day[row][:, None]  # the ring reaches from 28 days before it to the day before it
    marked = (state.days_mask[row][:, None] >> slot.astype(np.uint32)) & np.uint32(1) > 0
    held = marked & (wanted < newest) & (wanted >= newest - DAYS)
    features: NDArray[np.float32] = state.days[row[:, None], slot].astype(np.float32)
    features[~held] = np.nan
    return features


def usual_rest_bpm(state: State, row: NDArray[np.int64], today: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median resting rate of the last 28 days; NaN with fewer than 3 of them."""
    resting = past_days(state, row, today)[:, :, RESTING].astype(np.float64)
    usual = np.full(len(row), np.nan)
    enough = (~np.isnan(resting)).sum(axis=1) >= ENOUGH_DAYS
    if enough.any():
        usual[enough] = np.nanmedian(resting[enough], axis=1)
    return usual
