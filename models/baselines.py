"""What the network has to beat: scores that anybody could compute, one number a wearer, higher = more alarming.

A score whose input is missing is the lowest that the score can be: a fixed limit says nothing then.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.grids import at_rest
from models.snapshot import DAY_FEATURES, NO_RR, Snapshot
from models.sporadic import own_medians

F32 = NDArray[np.float32]
RECENT_MIN = 60
FRESH_BP_MIN = 1440


def recent_pulse(snapshot: Snapshot) -> F32:
    """Median of the last hour's minutes at rest (of all worn ones if none is at rest); NaN = not worn."""
    hr = snapshot.hr_median[:, -RECENT_MIN:].astype(np.float32)
    worn = hr > 0
    resting = worn & at_rest(snapshot.steps)[:, -RECENT_MIN:]
    chosen = np.where(resting.any(axis=1, keepdims=True), resting, worn)
    ordered = np.sort(np.where(chosen, hr, np.nan), axis=1)
    count = chosen.sum(axis=1)
    return np.asarray(ordered[np.arange(len(hr)), np.maximum(count - 1, 0) // 2], np.float32)


def _last_systolic(snapshot: Snapshot) -> F32:
    """Newest systolic pressure of the last 24 h; NaN = none."""
    newest = np.argmax(snapshot.bp_minute, axis=1)[:, None]
    fresh = np.take_along_axis(snapshot.bp_minute, newest, axis=1)[:, 0] >= snapshot.as_of_minute - FRESH_BP_MIN
    value = np.take_along_axis(snapshot.bp_systolic, newest, axis=1)[:, 0].astype(np.float32)
    return np.asarray(np.where(fresh & (value > 0), value, np.nan), np.float32)


def partial_news2(snapshot: Snapshot) -> F32:
    """Pulse and systolic sub-scores of NEWS2 (RCP 2017), 0 to 6; partial: no respiration, oxygen, consciousness.

    Pulse up to 40: 3, 50: 1, 90: 0, 110: 1, 130: 2, above: 3. Systolic up to 90: 3, 100: 2, 110: 1, 219: 0, above: 3.
    """
    pulse, systolic = recent_pulse(snapshot), _last_systolic(snapshot)
    pulse_points = np.array([3, 1, 0, 1, 2, 3, 0])[
        np.searchsorted([40, 50, 90, 110, 130], np.nan_to_num(pulse, nan=70))
    ]
    steps = np.searchsorted([90, 100, 110, 219], np.nan_to_num(systolic, nan=120))
    return np.asarray(pulse_points + np.array([3, 2, 1, 0, 3])[steps], np.float32)


def highest_pulse(snapshot: Snapshot) -> F32:
    """Highest minute median of the last hour, bpm; 0 = not worn."""
    return np.asarray(snapshot.hr_median[:, -RECENT_MIN:].max(axis=1), np.float32)


def lowest_pulse(snapshot: Snapshot) -> F32:
    """Minus the lowest minute median of the last hour, bpm; -255 = not worn."""
    hr = snapshot.hr_median[:, -RECENT_MIN:]
    return -np.asarray(np.where(hr > 0, hr, 255).min(axis=1), np.float32)


def resting_rise(snapshot: Snapshot) -> F32:
    """Median pulse at rest of the last 24 h above the wearer's usual one, bpm; -99 = not known (NightSignal's idea)."""
    rest = (snapshot.hr_median > 0) & at_rest(snapshot.steps)
    ordered = np.sort(np.where(rest, snapshot.hr_median, 255), axis=1)
    count = rest.sum(axis=1)
    now = ordered[np.arange(len(snapshot)), np.maximum(count - 1, 0) // 2].astype(np.float32)
    rise = now - own_medians(snapshot.days)[:, DAY_FEATURES.index("resting_bpm")]
    return np.asarray(np.where((count >= 30) & np.isfinite(rise), rise, -99.0), np.float32)


def systolic(snapshot: Snapshot) -> F32:
    """Newest systolic pressure of the last 24 h, mmHg; 0 = none."""
    return np.nan_to_num(_last_systolic(snapshot), nan=0.0)


def irregularity(snapshot: Snapshot) -> F32:
    """Mean of the last hour's RMSSD / mean RR, percent; 0 = no RR intervals."""
    rr = snapshot.irregular[:, -RECENT_MIN:]
    known = rr != NO_RR
    return np.asarray(np.where(known, rr, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.float32)


def heat_index(snapshot: Snapshot) -> F32:
    """Heat index of the newest known hour by Steadman's simple formula (NOAA), Celsius; -99 = no weather."""
    felt = np.full(len(snapshot), np.nan, np.float32)
    for hour in range(snapshot.weather_past.shape[1]):
        t_f, rh = snapshot.weather_past[:, hour, 0] * 1.8 + 32, snapshot.weather_past[:, hour, 1]
        simple = (0.5 * (t_f + 61 + (t_f - 68) * 1.2 + rh * 0.094) + t_f) / 2
        felt = np.where(np.isfinite(simple), (simple - 32) / 1.8, felt)
    return np.nan_to_num(felt, nan=-99.0).astype(np.float32)


def short_sleep(snapshot: Snapshot) -> F32:
    """Minus the minutes slept in the newest session; -1440 = none known."""
    newest = np.argmax(snapshot.sleep_end, axis=1)
    total = snapshot.sleep_minutes[np.arange(len(snapshot)), newest, 0]
    return -np.asarray(np.where(np.isfinite(total), total, 1440.0), np.float32)


BASELINES: Mapping[str, Callable[[Snapshot], F32]] = {
    "partial_news2": partial_news2,
    "highest_pulse": highest_pulse,
    "lowest_pulse": lowest_pulse,
    "resting_rise": resting_rise,
    "systolic": systolic,
    "irregularity": irregularity,
    "heat_index": heat_index,
    "short_sleep": short_sleep,
}
_ACUTE = ("partial_news2", "highest_pulse", "lowest_pulse", "systolic")
RIVALS: Mapping[str, tuple[str, ...]] = {
    "deterioration_1h": _ACUTE,
    "deterioration_6h": _ACUTE,
    "deterioration_24h": _ACUTE,
    "deterioration_72h": _ACUTE,
    "sub_health": ("resting_rise", "short_sleep"),
    "infection": ("resting_rise", "partial_news2", "highest_pulse"),
    "uncontrolled_bp": ("systolic", "partial_news2", "highest_pulse"),
    "irregular_rhythm": ("irregularity", "highest_pulse"),
    "heat_strain": ("heat_index", "highest_pulse", "partial_news2"),
    "poor_recovery": ("short_sleep", "resting_rise", "highest_pulse"),
}
