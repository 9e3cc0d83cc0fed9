"""How fast the heart rate falls when an effort ends: after one minute, after two, and its time constant."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

EFFORT_STEPS = 80  # steps a minute: from here on walking is no stroll
EFFORT_MIN = 5  # minutes in a row
STOPPED_STEPS = 60  # below it a minute is no longer slow walking
STOPPED_MIN = 2  # minutes in a row after the minute in which the effort ends
FITTED_MIN = 6
LEAST_RISE_BPM = 20  # of the effort above the resting rate: less is no effort whose end shows
LEAST_FALL_BPM = 10  # over the minutes that are fitted
LEAST_R2 = 0.9
TIME_CONSTANTS_S = np.arange(30.0, 301.0, 5.0)
"""What whole minutes can resolve: a faster fall is over within one, a slower one is a line."""
TOO_FEW, NOT_EXPONENTIAL = 1, 2

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recoveries:
    """Ends of efforts, by row and time; all (k,).

    Attributes
    ----------
    row, column : whose, and the last whole minute of the effort; it ends somewhere in the minute after.
    peak_bpm : highest rate of the effort's last three minutes. drop_1_bpm, drop_2_bpm : peak minus the rate of the
    first, the second whole minute after it; NaN where that minute has no rate. Negative: the rate rose.
    time_constant_s : of a first-order fall over the six whole minutes after; NaN where not defined.
    reason : why the time constant is NaN: TOO_FEW of the six with a rate and without walking, or NOT_EXPONENTIAL.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    peak_bpm: Floats
    drop_1_bpm: Floats
    drop_2_bpm: Floats
    time_constant_s: Floats
    reason: NDArray[np.uint8]


def recoveries(
    bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_], resting_bpm: Floats
) -> Recoveries:
    """Find where efforts end in each row, and measure the fall of the heart rate behind them.

    Parameters
    ----------
    bpm : (n, T) a minute, oldest first, 0 = missing.
    steps : (n, T) a minute, whatever where not known. known : (n, T).
    resting_bpm : (n,); NaN = not known, and then no recovery is assessable.

    Returns
    -------
    Efforts that took at least 5 whole minutes at 80 steps a minute, reached 20 bpm above rest, and ended in one minute:
    the two after that one have known steps, less than 60 in each. An end is told when the seven minutes after the
    effort are over, all of it at once.

    Notes
    -----
    An effort without steps, as on a bicycle, is not seen. Values are minute medians and the end lies anywhere in its
    minute, so `drop_1_bpm` is taken 30 to 90 s after it, and `drop_2_bpm` a minute later. People walk less by and by;
    few of their efforts have an end that counts here. The time constant fits bpm = c + a exp(-t / tau) with free c and
    a, by least squares for each tau of a grid from 30 to 300 s. It is not defined if one of the six minutes lacks a
    rate or holds 60 steps, the fitted fall is below 10 bpm, R2 below 0.9, or the best tau is an edge of the grid.

    Source: Cole et al., N Engl J Med 1999 (first minute; 12 bpm or less was called abnormal) and Ann Intern Med 2000
    (second); first-order fall after submaximal effort: Pierpont et al., J Auton Nerv Syst 2000; Wang et al., IEEE EMBS
    2006. Cadence bands: Tudor-Locke and Rowe, Sports Med 2012.

    >>> after = 80 + 60 * np.exp(-np.arange(1, 8) * 60 / 80)
    >>> rate = np.concatenate([np.full(5, 140), after])[None].round().astype(np.uint8)
    >>> steps = np.array([[110] * 5 + [70] + [0] * 6], np.uint8)
    >>> one = recoveries(rate, steps, steps < 255, np.array([60.0]))
    >>> one.column.tolist(), one.drop_1_bpm.tolist(), one.time_constant_s.tolist()
    ([4], [47.0], [80.0])
    """
    width = bpm.shape[1]
    rate = np.where(bpm > 0, bpm.astype(np.float64), np.nan)
    walks = ~known | (steps >= STOPPED_STEPS)
    if width < EFFORT_MIN + 1 + FITTED_MIN:
        none = np.zeros(0, np.int64)
        return _measured(np.full((1, 2 + FITTED_MIN), np.nan), walks, none, none, np.zeros(0))
    at = np.arange(EFFORT_MIN - 1, width - 1 - FITTED_MIN)
    busy = known & (steps >= EFFORT_STEPS)
    ends = ~busy[:, at + 1]
    for back in range(EFFORT_MIN):
        ends &= busy[:, at - back]
    for ahead in range(2, 2 + STOPPED_MIN):
        ends &= ~walks[:, at + ahead]
    row, column = np.nonzero(ends)
    column = at[column]
    peak = np.max(bpm[row[:, None], column[:, None] - np.arange(3)], axis=1, initial=0).astype(np.float64)
    effort = (peak > 0) & (peak - resting_bpm[row] >= LEAST_RISE_BPM)
    return _measured(rate, walks, row[effort], column[effort], peak[effort])


def median_drop(found: Recoveries, n: int) -> Floats:
    """Median fall in the first minute over each row's recoveries; (n,) bpm, NaN where there is none.

    >>> none = recoveries(*np.zeros((2, 1, 9), np.uint8), np.zeros((1, 9), bool), np.array([60.0]))
    >>> median_drop(none, 1).tolist()
    [nan]
    """
    drops = np.full(n, np.nan)
    told = ~np.isnan(found.drop_1_bpm)
    for row in np.unique(found.row[told]):
        drops[row] = np.median(found.drop_1_bpm[told & (found.row == row)])
    return drops


def _measured(
    rate: Floats, walks: NDArray[np.bool_], row: NDArray[np.int64], column: NDArray[np.int64], peak: Floats
) -> Recoveries:
    minutes = column[:, None] + np.arange(2, 2 + FITTED_MIN)
    after = rate[row[:, None], minutes]
    complete = ~(np.isnan(after) | walks[row[:, None], minutes]).any(axis=1)
    time_constant = np.full(len(row), np.nan)
    time_constant[complete] = _time_constant_s(after[complete])
    not_defined = np.where(complete, NOT_EXPONENTIAL, TOO_FEW)
    return Recoveries(
        row=row,
        column=column,
        peak_bpm=peak,
        drop_1_bpm=peak - after[:, 0],
        drop_2_bpm=peak - after[:, 1],
        time_constant_s=time_constant,
        reason=np.where(np.isnan(time_constant), not_defined, 0).astype(np.uint8),
    )


@lru_cache(maxsize=1)
def _shapes() -> Floats:
    """Return centred and normed exponentials of the six minutes, one row a time constant; (55, 6)."""
    shapes = np.exp(-60 * np.arange(FITTED_MIN) / TIME_CONSTANTS_S[:, None])
    shapes -= shapes.mean(axis=1, keepdims=True)
    normed: Floats = shapes / np.sqrt((shapes**2).sum(axis=1, keepdims=True))
    return normed


def _time_constant_s(after: Floats) -> Floats:
    """Time constants of (k, 6) falls; NaN where a first-order fall does not describe them."""
    shapes = _shapes()
    centred = after - after.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    along = (centred[:, None, :] * shapes).sum(axis=2)  # amplitude of each shape's best fit
    best = np.argmax(np.where(along > 0, along, 0.0), axis=1)
    of_best = along[np.arange(len(after)), best]
    fall = of_best * (shapes[best, 0] - shapes[best, -1])
    inside = (best > 0) & (best < len(TIME_CONSTANTS_S) - 1)
    good = inside & (fall >= LEAST_FALL_BPM) & (of_best**2 >= LEAST_R2 * spread)
    return np.where(good, TIME_CONSTANTS_S[best], np.nan)
