"""Resting heart rate of a day, from minutes without steps: by day as RHRAD takes it, by night as NightSignal does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.order import lower_median
from monitor.signals.wear import worn_minutes

STILL_MIN = 12  # this minute and the 11 before
NIGHT_ENDS_MIN = 7 * 60  # local; the night begins at midnight
ENOUGH = 12  # minutes with a value: an hour of a device that measures every 5 min


@dataclass(frozen=True, slots=True)
class RestingRate:
    """Resting heart rates of n days; all (n,).

    bpm : NaN where fewer than 12 minutes count. minutes : how many count, so that a NaN says why.
    """

    bpm: NDArray[np.float64]
    minutes: NDArray[np.int64]


def still_minutes(
    bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_], gap_s: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Tell which minutes hold a heart rate at rest: no step in them and the 11 before, and worn in all twelve.

    Parameters
    ----------
    bpm : (n, T) a minute, oldest first, 0 = missing.
    steps : (n, T) a minute, whatever where not known. known : (n, T). Steps that are not known are not zero.
    gap_s : (n,) measured seconds between samples; 0 or NaN = not measured.

    Returns
    -------
    (n, T) bool; False in the first 11 columns, of whose past too little is known.

    Source: RHRAD of Mishra et al., Nat Biomed Eng 2020: a sum of zero over 12 minutes of steps. There rows without
    steps are dropped, and the twelve may span more than 12 minutes; here they may not.

    >>> rate, none = np.full((1, 14), 60, np.uint8), np.zeros((1, 14), np.uint8)
    >>> still_minutes(rate, none, none == 0, np.array([60.0]))[0, 8:].tolist()
    [False, False, False, True, True, True]
    """
    still = known & (steps == 0) & worn_minutes(bpm, gap_s)
    return (bpm > 0) & (_run(still) >= STILL_MIN)


def resting_rate(
    bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_], gap_s: NDArray[np.floating]
) -> RestingRate:
    """Lower median of the heart rates at rest (`still_minutes`) of each row; parameters as there.

    >>> rate, none = np.full((1, 30), 60, np.uint8), np.zeros((1, 30), np.uint8)
    >>> one = resting_rate(rate, none, none == 0, np.array([60.0]))
    >>> float(one.bpm[0]), int(one.minutes[0])
    (60.0, 19)
    """
    if not bpm.shape[1]:
        return RestingRate(np.full(len(bpm), np.nan), np.zeros(len(bpm), np.int64))
    median, minutes = lower_median(bpm, still_minutes(bpm, steps, known, gap_s))
    return RestingRate(np.where(minutes >= ENOUGH, median.astype(np.float64), np.nan), minutes)


def night_minutes(local_minute: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which minutes belong to the night, 00:00 to 06:59 local time.

    Parameters
    ----------
    local_minute : any shape, minute of the local day by the wall clock. In a night with a change of the clock the hour
    that comes twice counts twice, and the one that is skipped is not there.

    >>> night_minutes(np.array([1439, 0, 419, 420])).tolist()
    [False, True, True, False]
    """
    return local_minute < NIGHT_ENDS_MIN


def night_rate(
    bpm: NDArray[np.uint8], steps: NDArray[np.uint8], known: NDArray[np.bool_], night: NDArray[np.bool_]
) -> RestingRate:
    """Mean heart rate of a night's minutes without steps, of each row.

    Parameters
    ----------
    bpm, steps, known : (n, T) as in `still_minutes`. night : (n, T), see `night_minutes`.

    Notes
    -----
    Only the minute itself must be without steps. A minute without heart rate is not there, so time off the wrist does
    not count. One value a minute has one vote, where NightSignal lets every sample vote; it also cuts the mean to whole
    bpm, and takes nights with a single sample. Heart rate while awake in bed is in it.

    Source: NightSignal, Alavi et al., Nat Med 2022, and its published code (`nightsignal.py`).

    >>> rate, none = np.array([[61, 62] * 10], np.uint8), np.zeros((1, 20), np.uint8)
    >>> float(night_rate(rate, none, none == 0, none == 0).bpm[0])
    61.5
    """
    counts = night & known & (steps == 0) & (bpm > 0)
    minutes: NDArray[np.int64] = counts.sum(axis=1)
    total = (bpm.astype(np.int64) * counts).sum(axis=1)
    return RestingRate(total / np.where(minutes >= ENOUGH, minutes, np.nan), minutes)


def _run(still: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Count how many minutes in a row, up to each, are still."""
    columns = np.arange(still.shape[1], dtype=np.int32)
    return columns - np.maximum.accumulate(np.where(still, np.int32(-1), columns), axis=1)
