"""Nightly dip: how far pressure falls in sleep, and its class, if there are readings enough on both sides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.bp_average import Readings
from monitor.signals.why_not import WhyNot

WINDOW_MS = 7 * 86_400_000
AWAKE_READINGS = 3
ASLEEP_READINGS = 2
KNOWN_AROUND_MS = 86_400_000

AWAKE, ASLEEP, UNKNOWN = 0, 1, 2
CLASSES = ("not assessable", "reverse", "reduced", "normal", "extreme")


@dataclass(frozen=True, slots=True)
class Dip:
    """`percent` (n,) fall of systolic from awake to asleep, NaN = not known; `kind` (n,) codes of CLASSES.

    `awake`, `asleep` (n,) mean systolic mmHg, NaN = no reading; `awake_readings`, `asleep_readings` (n,) counts;
    `why_not` (n,) codes of WhyNot.
    """

    percent: NDArray[np.float64]
    kind: NDArray[np.uint8]
    awake: NDArray[np.float64]
    asleep: NDArray[np.float64]
    awake_readings: NDArray[np.int64]
    asleep_readings: NDArray[np.int64]
    why_not: NDArray[np.uint8]


def asleep_at(
    time_ms: NDArray[np.int64],
    start_minute: NDArray[np.int64],
    end_minute: NDArray[np.int64],
    now_ms: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """AWAKE, ASLEEP or UNKNOWN of each instant, from sleep sessions that have ended by now.

    `time_ms` (n, R); `start_minute`, `end_minute` (n, K) epoch minutes, reversed or empty ones are passed over.
    An instant outside every session is AWAKE only if some session begins or ends within 24 h of it: where no sleep was
    recorded nothing is known.

    >>> one = np.array([[600]]), np.array([[1080]]), np.array([100_000_000])
    >>> asleep_at(np.array([[660, 1200, 9000]]) * 60_000, *one).tolist()
    [[1, 0, 2]]
    """
    use = (start_minute > 0) & (end_minute > start_minute) & (end_minute * 60_000 <= now_ms[:, None])
    at = time_ms[:, :, None]
    start, end = start_minute[:, None, :] * 60_000, end_minute[:, None, :] * 60_000
    inside = (use[:, None, :] & (start <= at) & (at < end)).any(axis=2)
    near = (use[:, None, :] & (start - KNOWN_AROUND_MS <= at) & (at < end + KNOWN_AROUND_MS)).any(axis=2)
    return np.where(inside, ASLEEP, np.where(near, AWAKE, UNKNOWN)).astype(np.uint8)


def dip(readings: Readings, state: NDArray[np.uint8], now_ms: NDArray[np.int64]) -> Dip:
    """Fall of mean systolic pressure from awake to asleep, over the cuff readings of the last 7 days.

    Parameters
    ----------
    readings : slots of n wearers.
    state : (n, R) AWAKE, ASLEEP or UNKNOWN at each reading; unknown ones are left out.
    now_ms : (n,).

    Returns
    -------
    100 * (1 - asleep / awake). Below 0 reverse, from 0 reduced, from 10 normal, from 20 extreme. NaN and class 0 with
    fewer than 3 awake or 2 asleep readings. Ambulatory monitoring asks for far more (20 awake and 7 asleep, ESH 2013);
    two means of so few readings carry an error of several percent, so a class from few readings is a hint.

    Source: night/day ratios of systolic 0.8, 0.9 and 1.0 as class borders, checked in table A5 of the HOPE Asia
    consensus (J Clin Hypertens 2019, PMC8030405), which leaves open where a ratio of exactly 0.8 or 0.9 belongs: here
    to the larger dip. The counts of ESH 2013 (O'Brien et al.) are from memory. The minimum counts 3 and 2 are this
    project's.

    >>> at = np.arange(1, 6)[None] * 3_600_000
    >>> r = Readings(at, np.array([[130, 130, 130, 110, 112]], np.int16), np.full((1, 5), 70, np.int16),
    ...              np.ones((1, 5), np.uint8))
    >>> found = dip(r, np.array([[0, 0, 0, 1, 1]], np.uint8), at[:, -1])
    >>> round(float(found.percent[0]), 1), CLASSES[found.kind[0]]
    (14.6, 'normal')
    """
    use = readings.by_cuff(now_ms) & (readings.time_ms > now_ms[:, None] - WINDOW_MS)
    awake, asleep = use & (state == AWAKE), use & (state == ASLEEP)
    awake_n, asleep_n = awake.sum(axis=1), asleep.sum(axis=1)
    systolic = readings.systolic.astype(np.int64)
    by_day = np.where(awake_n > 0, (systolic * awake).sum(axis=1) / np.maximum(awake_n, 1), np.nan)
    by_night = np.where(asleep_n > 0, (systolic * asleep).sum(axis=1) / np.maximum(asleep_n, 1), np.nan)
    enough = (awake_n >= AWAKE_READINGS) & (asleep_n >= ASLEEP_READINGS)
    percent = np.where(enough, 100 * (1 - by_night / by_day), np.nan)
    # Borders on the quotient of whole sums: a ratio of exactly 0.9 must not fall on either side by rounding.
    night, day = (systolic * asleep).sum(axis=1) * awake_n, (systolic * awake).sum(axis=1) * asleep_n
    kind = 1 + (night <= day).astype(np.uint8) + (10 * night <= 9 * day) + (10 * night <= 8 * day)
    why = np.where(awake_n + asleep_n == 0, WhyNot.NOTHING, WhyNot.TOO_FEW)
    return Dip(
        percent,
        np.where(enough, kind, 0).astype(np.uint8),
        by_day,
        by_night,
        awake_n,
        asleep_n,
        np.where(enough, WhyNot.KNOWN, why).astype(np.uint8),
    )
