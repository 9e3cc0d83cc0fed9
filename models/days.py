"""One day of minutes -> one row of DAY_FEATURES; the engine and the training set both use this function.

A day is a UTC epoch day (``minute // 1440``): a Snapshot knows no time zone. Medians come from counts of the 256
possible values, so that ten thousand wearers' midnight costs tens of milliseconds and not seconds.
"""

import numpy as np
from numpy.typing import NDArray

from models.snapshot import DAY_FEATURES, MINUTES, NO_RR, NO_STEPS

ASLEEP_STAGES = ("light", "deep", "rem", "asleep")
REST_MIN = 12  # minutes without a step, the current one included, until a minute counts as rest (RHRAD, Mishra 2020)
REST_MINUTES_NEEDED = 5
MODERATE_STEPS_PER_MIN = 100  # moderate walking cadence
IRREGULAR_PERCENT = 15  # 100 * RMSSD / mean above which a minute counts as irregular

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def at_rest(steps: U8) -> NDArray[np.bool_]:
    """Tell for each minute whether no step was taken in it and in the 11 minutes before.

    Parameters
    ----------
    steps : uint8 (n, m) steps a minute, 255 = no data. Without data there is no rest.
    """
    still = np.cumsum(steps == 0, axis=1, dtype=np.int32)
    rest = np.zeros(steps.shape, np.bool_)
    rest[:, REST_MIN - 1 :] = still[:, REST_MIN - 1 :] == REST_MIN
    rest[:, REST_MIN:] = still[:, REST_MIN:] - still[:, :-REST_MIN] == REST_MIN
    return rest


def _quantiles(values: U8, chosen: NDArray[np.bool_], shares: tuple[float, ...], *, needed: int) -> list[F32]:
    """Lower quantiles of the chosen values of each row, NaN where fewer than `needed` are chosen."""
    rows, columns = np.nonzero(chosen)
    counts = np.bincount(rows * 256 + values[rows, columns], minlength=len(values) * 256).reshape(-1, 256)
    running = counts.cumsum(axis=1)
    total = running[:, -1]
    found = []
    for share in shares:
        rank = np.maximum(np.ceil(share * total), 1)[:, None]
        value = (running < rank).sum(axis=1).astype(np.float32)
        found.append(np.where(total >= needed, value, np.float32(np.nan)).astype(np.float32))
    return found


def _share(part: NDArray[np.integer], whole: NDArray[np.integer]) -> F32:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan).astype(np.float32)


def day_features(
    *,
    hr_median: U8,
    irregular: U8,
    steps: U8,
    stage: U8,
    asleep_codes: tuple[int, ...],
    systolic_mmhg: F32,
    diastolic_mmhg: F32,
    temperature_c: F32,
) -> F32:
    """Summarise n wearer-days.

    Parameters
    ----------
    hr_median, irregular, steps, stage : uint8 (n, 1440), coded as in Snapshot.
    asleep_codes : the codes of ASLEEP_STAGES in stream_schemas.
    systolic_mmhg, diastolic_mmhg, temperature_c : float32 (n,) means of the day's readings; NaN = none.

    Returns
    -------
    float32 (n, 12) in the order of DAY_FEATURES. NaN where the day holds nothing to tell it from; worn_min (minutes
    with a valid heart rate) is 0 then, and is the one feature that is always known.
    """
    if hr_median.shape[1] != MINUTES:
        raise ValueError(f"A day has {MINUTES} minutes, got {hr_median.shape[1]}.")
    worn = hr_median > 0
    (resting,) = _quantiles(hr_median, worn & at_rest(steps), (0.5,), needed=REST_MINUTES_NEEDED)
    low, high = _quantiles(hr_median, worn, (0.05, 0.95), needed=REST_MINUTES_NEEDED)
    worn_min = worn.sum(axis=1)
    known_steps = steps != NO_STEPS
    counted = known_steps.any(axis=1)
    asleep = np.isin(stage, asleep_codes).sum(axis=1)
    known_rr = irregular != NO_RR
    row = {
        "resting_bpm": resting,
        "mean_bpm": _share(hr_median.sum(axis=1, dtype=np.int64), worn_min),
        "low_bpm": low,
        "high_bpm": high,
        "steps": np.where(counted, np.where(known_steps, steps, 0).sum(axis=1, dtype=np.int64), np.nan),
        "active_min": np.where(counted, (known_steps & (steps >= MODERATE_STEPS_PER_MIN)).sum(axis=1), np.nan),
        "worn_min": worn_min,
        "sleep_min": np.where((stage > 0).any(axis=1), asleep, np.nan),
        "systolic_mmhg": systolic_mmhg,
        "diastolic_mmhg": diastolic_mmhg,
        "temperature_c": temperature_c,
        "irregular_share": _share((known_rr & (irregular >= IRREGULAR_PERCENT)).sum(axis=1), known_rr.sum(axis=1)),
    }
    return np.stack([row[name].astype(np.float32) for name in DAY_FEATURES], axis=1)
