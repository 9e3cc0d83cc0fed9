"""One day of journal minutes -> one row of DAY_FEATURES, as the engine closes a day (monitor.wearers.days).

Training and serving must agree on these twelve numbers; tests/models holds the two together. A day is a UTC
epoch day (``minute // 1440``): a Snapshot knows no time zone.
"""

import numpy as np
from numpy.typing import NDArray

from models.snapshot import DAY_FEATURES, MINUTES, NO_RR, NO_STEPS

ACTIVE_STEPS_PER_MIN = 100
IRREGULAR_PERCENT = 10  # 100 * RMSSD / mean above which a minute counts as irregular
ENOUGH_MIN = 60  # a day worn for less says nothing
AWAKE = 1

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def lower_median(values: U8, chosen: NDArray[np.bool_]) -> F32:
    """Lower median of the chosen values of each row, float32 (n,); NaN where none is chosen.

    It comes from counts of the 256 possible values, so that a cohort's year costs seconds.
    """
    rows, columns = np.nonzero(chosen)
    counts = np.bincount(rows * 256 + values[rows, columns], minlength=len(values) * 256).reshape(-1, 256)
    running = counts.cumsum(axis=1)
    total = running[:, -1]
    median = (running <= ((total - 1) // 2)[:, None]).sum(axis=1)
    return np.where(total > 0, median, np.nan).astype(np.float32)


def _share(part: NDArray[np.integer], whole: NDArray[np.integer]) -> F32:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan).astype(np.float32)


def day_features(grid: dict[str, U8], *, systolic_mmhg: F32, diastolic_mmhg: F32, temperature_c: F32) -> F32:
    """Summarise n wearer-days.

    Parameters
    ----------
    grid : uint8 (n, 1440) each of hr_median, hr_min, hr_max, hr_count, irregular, steps, stage, coded as in Snapshot.
    systolic_mmhg, diastolic_mmhg, temperature_c : float32 (n,) means of the day's readings; NaN = none.

    Returns
    -------
    float32 (n, 12) in the order of DAY_FEATURES, NaN where the day holds nothing to tell it from. The eight features of
    heart, steps and sleep are NaN for a day worn less than 60 minutes.
    """
    if grid["hr_median"].shape[1] != MINUTES:
        raise ValueError(f"A day has {MINUTES} minutes, got {grid['hr_median'].shape[1]}.")
    hr, steps = grid["hr_median"], grid["steps"]
    worn = grid["hr_count"] > 0
    worn_min = worn.sum(axis=1)
    enough = worn_min >= ENOUGH_MIN
    counted = steps != NO_STEPS
    has_steps = counted.any(axis=1)
    asleep = (grid["stage"] > AWAKE).sum(axis=1)
    rr = grid["irregular"] != NO_RR
    worn_row = {
        "resting_bpm": lower_median(hr, worn & (steps == 0)),
        "mean_bpm": _share((hr * worn).sum(axis=1, dtype=np.int64), worn_min),
        "low_bpm": np.where(worn, grid["hr_min"], 255).min(axis=1),
        "high_bpm": grid["hr_max"].max(axis=1),
        "steps": np.where(has_steps, (steps * counted).sum(axis=1, dtype=np.int64), np.nan),
        "active_min": np.where(has_steps, (counted & (steps >= ACTIVE_STEPS_PER_MIN)).sum(axis=1), np.nan),
        "worn_min": worn_min,
        "sleep_min": np.where(asleep > 0, asleep, np.nan),
    }
    row = {name: np.where(enough, values, np.nan) for name, values in worn_row.items()}
    row["systolic_mmhg"], row["diastolic_mmhg"], row["temperature_c"] = systolic_mmhg, diastolic_mmhg, temperature_c
    row["irregular_share"] = _share((rr & (grid["irregular"] > IRREGULAR_PERCENT)).sum(axis=1), rr.sum(axis=1))
    features = np.stack([row[name].astype(np.float32) for name in DAY_FEATURES], axis=1)
    return features.astype(np.float16).astype(np.float32)  # the engine keeps its days in half precision
