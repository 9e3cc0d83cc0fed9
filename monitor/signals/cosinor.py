"""Daily rhythm of the heart rate: two harmonics and the effect of steps, fitted for many wearers at once."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

HOURS = 24
LAG_MIN = 5  # heart rate follows walking by minutes: an hour's steps are counted from 5 min before it
LEAST_DAYS = 3
LEAST_HOURS = 16  # with a heart rate, for a day to count
ENOUGH_MIN = 4  # minutes with a heart rate for an hour to count: a device that measures every 15 min
RIDGE = 1e-3  # of each regressor's own weight: 0.1 % off an amplitude
FLAT_BPM = 0.05  # amplitude below which there is no time of a peak
GRID = 288  # points of a day on which peak and trough are sought
TOO_FEW_DAYS = 1

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HourlyMeans:
    """Hours of n wearers; all (n, H), oldest first, NaN where fewer than 4 minutes count.

    bpm : mean. steps : mean steps a minute, of the same minutes 5 min earlier. minutes : how many minutes count.
    """

    bpm: Floats
    steps: Floats
    minutes: Floats


@dataclass(frozen=True, slots=True)
class Cosinor:
    """Daily rhythm of n wearers; all (n,), NaN where not assessable.

    Attributes
    ----------
    mesor_bpm : level around which the rhythm moves, without steps. amplitude_bpm : half of peak minus trough of the
    fitted day, both harmonics, steps left out. acrophase_h, bathyphase_h : hour of the peak, of the trough, 0 to 24 on
    the clock of `first_hour`; NaN where the amplitude is below 0.05 bpm. second_share : share of the second harmonic
    in the variance of the fitted day, the part that no sine has, 0 to 1. bpm_per_step : effect of one step a minute.
    days : days with 16 hours or more. reason : TOO_FEW_DAYS, below 3 of them; 0 where assessable.
    """

    mesor_bpm: Floats
    amplitude_bpm: Floats
    acrophase_h: Floats
    bathyphase_h: Floats
    second_share: Floats
    bpm_per_step: Floats
    days: NDArray[np.int64]
    reason: NDArray[np.uint8]


def hourly_means(bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_]) -> HourlyMeans:
    """Summarise minutes to hours; a minute counts if it has a heart rate and the steps 5 min before it are known.

    Parameters
    ----------
    bpm : (n, T) a minute, oldest first, 0 = missing; T is a multiple of 60.
    steps : (n, T) a minute, whatever where not known. known : (n, T). The first 5 minutes do not count.

    Raises
    ------
    ValueError
        If T is not a multiple of 60.

    >>> one = hourly_means(np.full((1, 60), 70, np.uint8), np.full((1, 60), 2, np.uint8), np.ones((1, 60), bool))
    >>> one.bpm.tolist(), one.steps.tolist(), one.minutes.tolist()
    ([[70.0]], [[2.0]], [[55.0]])
    """
    n, width = bpm.shape
    if width % 60:
        raise ValueError(f"{width} minutes are no whole hours.")
    counts = bpm > 0
    counts[:, :LAG_MIN] = False
    counts[:, LAG_MIN:] &= known[:, : max(width - LAG_MIN, 0)]
    lagged = np.zeros_like(steps)
    lagged[:, LAG_MIN:] = steps[:, : max(width - LAG_MIN, 0)]
    shape = (n, width // 60, 60)
    minutes = np.count_nonzero(counts.reshape(shape), axis=2)
    divisor = np.where(minutes >= ENOUGH_MIN, minutes, np.nan)
    mean = [np.where(counts, part, 0).reshape(shape).sum(axis=2, dtype=np.int32) / divisor for part in (bpm, lagged)]
    return HourlyMeans(mean[0], mean[1], np.where(minutes >= ENOUGH_MIN, minutes, 0).astype(np.float64))


def cosinor(hours: HourlyMeans, first_hour: NDArray[np.int64]) -> Cosinor:
    """Fit bpm = M + a1 cos(wt) + b1 sin(wt) + a2 cos(2wt) + b2 sin(2wt) + c steps to each row's hours, w = 2 pi / 24 h.

    Parameters
    ----------
    hours : (n, H), oldest first. first_hour : (n,) hour of the local day in which each row begins.

    Returns
    -------
    Rhythms; not assessable below 3 days, counted in 24 h from the beginning, with 16 hours of heart rate each. An hour
    stands for its middle and weighs as many minutes as it has. Hours without known steps are not used.

    Notes
    -----
    Weighted least squares with a small ridge on all but the level. An hour's mean flattens what it averages by 0.3 % in
    the first harmonic and 1.1 % in the second; that is put right. Steps take out walking only: other effort, and sleep
    itself, stay in the rhythm.

    Source: Cornelissen, Theor Biol Med Model 2014 (least squares; MESOR, amplitude, acrophase; with several components
    the peak is its orthophase, the trough its bathyphase). Two harmonics: Khalid et al. 2025.

    >>> middle = np.arange(72) + 0.5
    >>> rate = 70 + 10 * np.cos(2 * np.pi * (middle - 15) / 24)[None]
    >>> one = cosinor(HourlyMeans(rate, np.zeros((1, 72)), np.full((1, 72), 60.0)), np.array([0]))
    >>> round(float(one.mesor_bpm[0]), 1), round(float(one.amplitude_bpm[0]), 1), round(float(one.acrophase_h[0]), 1)
    (70.0, 10.0, 15.0)
    """
    there = (hours.minutes > 0) & ~np.isnan(hours.bpm) & ~np.isnan(hours.steps)
    n, width = there.shape
    whole = width // HOURS
    each_day = np.count_nonzero(there[:, : whole * HOURS].reshape(n, whole, HOURS), axis=2) >= LEAST_HOURS
    days: NDArray[np.int64] = each_day.sum(axis=1)
    assessable = days >= LEAST_DAYS
    fit = np.full((n, 6), np.nan)
    if assessable.any():
        used = HourlyMeans(hours.bpm[assessable], hours.steps[assessable], hours.minutes[assessable])
        fit[assessable] = _fitted(used, there[assessable])
    first, second = _turned(fit[:, 1:3], first_hour, 1), _turned(fit[:, 3:5], first_hour, 2)
    powers = (first**2).sum(axis=1), (second**2).sum(axis=1)
    peak, high = _highest(first, second)
    trough, low = _highest(-first, -second)
    amplitude = (high + low) / 2
    moves = amplitude >= FLAT_BPM
    total = np.where(moves, powers[0] + powers[1], np.nan)
    return Cosinor(
        mesor_bpm=fit[:, 0],
        amplitude_bpm=amplitude,
        acrophase_h=np.where(moves, peak, np.nan),
        bathyphase_h=np.where(moves, trough, np.nan),
        second_share=powers[1] / total,
        bpm_per_step=fit[:, 5],
        days=days,
        reason=np.where(assessable, 0, TOO_FEW_DAYS).astype(np.uint8),
    )


def _fitted(hours: HourlyMeans, there: NDArray[np.bool_]) -> Floats:
    """Coefficients of each row: level, a1, b1, a2, b2, effect of a step; (n, 6), time from the row's beginning."""
    n, width = there.shape
    shapes = _shapes(width)
    weight = np.where(there, hours.minutes, 0.0)
    rate, walked = np.where(there, hours.bpm, 0.0), np.where(there, hours.steps, 0.0)
    weighed = weight * walked
    gram = np.empty((n, 6, 6))
    gram[:, :5, :5] = (weight @ _products(width)).reshape(n, 5, 5)
    gram[:, 5, :5] = gram[:, :5, 5] = weighed @ shapes
    gram[:, 5, 5] = (weighed * walked).sum(axis=1)
    side = np.empty((n, 6))
    side[:, :5] = (weight * rate) @ shapes
    side[:, 5] = (weighed * rate).sum(axis=1)
    own = np.einsum("nii->ni", gram)  # a view of the diagonals
    own[:, 1:5] += RIDGE / 2 * own[:, :1]  # the same for cosine and sine, so that the clock's origin does not matter
    own[:, 5] *= 1 + RIDGE
    own[:, 5] += (own[:, 5] == 0) * 1.0  # nobody walked: the effect is 0, not undefined
    solved = np.linalg.solve(gram, side[:, :, None])[:, :, 0]
    flattened: Floats = np.sinc(np.array([0.0, 1.0, 1.0, 2.0, 2.0, 0.0]) / HOURS)
    fit: Floats = solved / flattened
    return fit


@lru_cache(maxsize=8)
def _shapes(width: int) -> Floats:
    angle = 2 * np.pi / HOURS * (np.arange(width) + 0.5)
    columns = [np.ones(width), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)]
    return np.stack(columns, axis=1)


@lru_cache(maxsize=8)
def _products(width: int) -> Floats:
    """Every product of two regressors, for all hours at once; (width, 25)."""
    shapes = _shapes(width)
    products: Floats = (shapes[:, :, None] * shapes[:, None, :]).reshape(width, 25)
    return products


def _turned(pair: Floats, first_hour: NDArray[np.int64], harmonic: int) -> Floats:
    """Turn cosine and sine from the row's clock to the local day's; (n, 2)."""
    angle = 2 * np.pi / HOURS * harmonic * first_hour
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([pair[:, 0] * cos - pair[:, 1] * sin, pair[:, 0] * sin + pair[:, 1] * cos], axis=1)


@lru_cache(maxsize=1)
def _day() -> Floats:
    angle = 2 * np.pi * np.arange(GRID) / GRID
    return np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])


def _highest(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Hour and height above the level of the highest point of each fitted day; (n,) each."""
    day = np.concatenate([first, second], axis=1) @ _day()
    at = np.argmax(day, axis=1)
    angle = 2 * np.pi * at / GRID
    for _ in range(2):  # Newton, from at most 2.5 min away
        one = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        two = np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=1)
        slope = (
            -first[:, 0] * one[:, 1]
            + first[:, 1] * one[:, 0]
            + 2 * (second[:, 1] * two[:, 0] - second[:, 0] * two[:, 1])
        )
        bend = -(first * one).sum(axis=1) - 4 * (second * two).sum(axis=1)
        step = slope / np.where(bend < 0, bend, np.inf)
        angle = angle - np.clip(step, -np.pi / GRID, np.pi / GRID)
    one = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    two = np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=1)
    height: Floats = (first * one).sum(axis=1) + (second * two).sum(axis=1)
    return angle * HOURS / (2 * np.pi) % HOURS, height
