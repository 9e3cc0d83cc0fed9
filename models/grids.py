"""Minute grids of a Snapshot -> channels of numbers: heart rate and activity by the minute, sleep by five minutes.

A channel's value is exactly 0.0 wherever the minute holds nothing, so that no mark of absence ever reaches arithmetic.
All channels look back only. Codes become numbers through tables of 256 entries: one pass a channel.
"""

import numpy as np
from numpy.typing import NDArray

from models.snapshot import MINUTES, NO_RR, NO_STEPS, Snapshot

F32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

HEART_CHANNELS = (
    "median",
    "min",
    "max",
    "log_count",
    "above_own_rest",
    "slope_10_min",
    "at_rest",
    "log_rmssd",
    "irregular",
    "quality",
)
ACTIVITY_CHANNELS = ("log_steps", "moderate", "vigorous", "mean_of_hour", "log_since_moved", "valid")
SLEEP_CHANNELS = ("awake", "light", "deep", "rem", "asleep", "in_bed", "still")

SLEEP_STEP_MIN = 5
SLOPE_MIN = 10
REST_MIN = 12  # minutes without a step, the current one included, until a minute counts as rest (RHRAD, Mishra 2020)
MODERATE_STEPS_PER_MIN = 100
VIGOROUS_STEPS_PER_MIN = 130

_CODE = np.arange(256, dtype=np.float32)


def _table(values: NDArray[np.floating], absent: int) -> F32:
    table = values.astype(np.float32)
    table[absent] = 0.0
    return table


_BPM = _table((_CODE - 70.0) / 25.0, 0)
_COUNT = _table(np.log1p(_CODE) / np.float32(np.log(61.0)), 0)
_LOG_IRREGULAR = _table(np.log(np.maximum(_CODE, 0.5)), NO_RR)
_IRREGULAR = _table(_CODE / 20.0, NO_RR)
_LOG_BPM = _table(np.log(np.maximum(_CODE, 1.0) / 70.0), 0)
_STEPS = _table(np.log1p(_CODE) / 5.0, NO_STEPS)
_KNOWN_STEPS = _table(_CODE, NO_STEPS)
_MODERATE = _table((_CODE >= MODERATE_STEPS_PER_MIN).astype(np.float32), NO_STEPS)
_VIGOROUS = _table((_CODE >= VIGOROUS_STEPS_PER_MIN).astype(np.float32), NO_STEPS)


def _trailing_sum(values_BT: NDArray[np.float32], minutes: int) -> F32:
    """Sum of the last `minutes` columns at each column (fewer at the row's start)."""
    total = np.cumsum(values_BT, axis=1, dtype=np.float32)
    total[:, minutes:] -= total[:, :-minutes].copy()
    return total


def at_rest(steps: NDArray[np.uint8]) -> Bool:
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


def heart_grid(snapshot: Snapshot, own_rest_bpm: F32) -> F32:
    """Ten channels of HEART_CHANNELS a minute.

    Parameters
    ----------
    own_rest_bpm : float32 (B,) the wearer's usual resting rate; NaN = unknown, then `above_own_rest` stays 0.

    Returns
    -------
    float32 (B, 10, 1440). `log_rmssd` and `irregular` are 0 without RR intervals; `quality` is the share of the samples
    that the measured cadence promises (1 where the cadence is unknown and there is any sample).
    """
    hr = snapshot.hr_median
    x_BCT = np.zeros((len(snapshot), len(HEART_CHANNELS), MINUTES), np.float32)
    valid_BT = hr > 0
    bpm_BT = hr.astype(np.float32)
    np.take(_BPM, hr, out=x_BCT[:, 0])
    np.take(_BPM, snapshot.hr_min, out=x_BCT[:, 1])
    np.take(_BPM, snapshot.hr_max, out=x_BCT[:, 2])
    np.take(_COUNT, snapshot.hr_count, out=x_BCT[:, 3])
    known = np.isfinite(own_rest_bpm)
    np.subtract(bpm_BT, np.where(known, own_rest_bpm, 0)[:, None], out=x_BCT[:, 4])
    x_BCT[:, 4] *= (valid_BT & known[:, None]) / np.float32(15.0)
    total_BT, count_BT = _trailing_sum(bpm_BT, SLOPE_MIN), _trailing_sum(valid_BT.astype(np.float32), SLOPE_MIN)
    mean_BT = total_BT / np.maximum(count_BT, 1.0)
    x_BCT[:, 5, SLOPE_MIN:] = (mean_BT[:, SLOPE_MIN:] - mean_BT[:, :-SLOPE_MIN]) / 10.0
    x_BCT[:, 5, SLOPE_MIN:] *= (count_BT[:, SLOPE_MIN:] > 0) & (count_BT[:, :-SLOPE_MIN] > 0)
    x_BCT[:, 6] = valid_BT & at_rest(snapshot.steps)
    if (snapshot.irregular != NO_RR).any():
        # RMSSD in ms = irregular / 100 * 60000 / bpm, as a log ratio to 43 ms (5 % at 70 bpm)
        rr_BT = (snapshot.irregular != NO_RR) & valid_BT
        log_rmssd_BT = _LOG_IRREGULAR[snapshot.irregular] - np.float32(np.log(5.0)) - _LOG_BPM[hr]
        x_BCT[:, 7] = log_rmssd_BT * rr_BT
        x_BCT[:, 8] = _IRREGULAR[snapshot.irregular] * rr_BT
    promised_B = 60.0 / np.where(np.isfinite(snapshot.cadence_s), np.maximum(snapshot.cadence_s, 1.0), 60.0)
    np.minimum(snapshot.hr_count / np.maximum(promised_B, 1.0)[:, None], 1.0, out=x_BCT[:, 9], casting="same_kind")
    x_BCT[:, 9] *= valid_BT
    return x_BCT


def activity_grid(snapshot: Snapshot) -> F32:
    """Six channels of ACTIVITY_CHANNELS a minute, float32 (B, 6, 1440); all 0 where steps are not known."""
    steps = snapshot.steps
    x_BCT = np.zeros((len(snapshot), len(ACTIVITY_CHANNELS), MINUTES), np.float32)
    known_BT = (steps != NO_STEPS).astype(np.float32)
    np.take(_STEPS, steps, out=x_BCT[:, 0])
    np.take(_MODERATE, steps, out=x_BCT[:, 1])
    np.take(_VIGOROUS, steps, out=x_BCT[:, 2])
    count_BT = _KNOWN_STEPS[steps]
    np.divide(_trailing_sum(count_BT, 60), np.maximum(_trailing_sum(known_BT, 60), 1.0) * 50.0, out=x_BCT[:, 3])
    column_T = np.arange(MINUTES, dtype=np.int16)
    moved_BT = np.maximum.accumulate(np.where(count_BT > 0, column_T, np.int16(-1)), axis=1)
    table = np.log1p(np.arange(MINUTES + 1, dtype=np.float32)) / np.float32(np.log1p(MINUTES))
    np.take(table, column_T - moved_BT, out=x_BCT[:, 4])
    x_BCT[:, 3:5] *= known_BT[:, None]
    x_BCT[:, 5] = known_BT
    return x_BCT


def sleep_grid(snapshot: Snapshot, stage_codes: tuple[int, int, int, int, int]) -> F32:
    """Shares of each five minutes in SLEEP_CHANNELS, float32 (B, 7, 288).

    Parameters
    ----------
    stage_codes : codes of awake, light, deep, rem, asleep. `in_bed` is any known stage, `still` a worn minute at rest.
    """
    B, steps = len(snapshot), MINUTES // SLEEP_STEP_MIN
    x_BCT = np.empty((B, len(SLEEP_CHANNELS), steps), np.float32)
    stage_BTS = snapshot.stage.reshape(B, steps, SLEEP_STEP_MIN)
    for channel, code in enumerate(stage_codes):
        x_BCT[:, channel] = (stage_BTS == code).sum(axis=2, dtype=np.uint8)
    x_BCT[:, 5] = (stage_BTS > 0).sum(axis=2, dtype=np.uint8)
    still_BT = (snapshot.hr_median > 0) & at_rest(snapshot.steps)
    x_BCT[:, 6] = still_BT.reshape(B, steps, SLEEP_STEP_MIN).sum(axis=2, dtype=np.uint8)
    x_BCT /= np.float32(SLEEP_STEP_MIN)
    return x_BCT


def filled(present_BT: Bool, tokens: int, share_B: F32 | float) -> Bool:
    """Tell which of the row's `tokens` equal parts hold at least `share` (and at least one) of their minutes."""
    B, minutes = present_BT.shape
    count_BN = present_BT.reshape(B, tokens, minutes // tokens).sum(axis=2)
    needed_B = np.maximum(np.asarray(share_B) * (minutes // tokens), 1.0)
    return np.asarray(count_BN >= needed_B.reshape(-1, 1))
