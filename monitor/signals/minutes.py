"""Seconds to minutes: the range filter and the summary of what it lets through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.reasons import OUT_OF_RANGE, UNVERIFIED

LOWEST_BPM = 20
VERIFIED_BPM = 25  # 20-24 bpm is counted and marked: it may be a pause that matters, or a sensor that lost contact
HIGHEST_BPM = 240  # a pulse interval of 250 ms, the shortest that a beating heart shows


@dataclass(frozen=True, slots=True)
class MinuteSummary:
    """Summaries of n minutes; all (n,) uint8, bpm and counts, 0 where no second was in range."""

    median: NDArray[np.uint8]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    count: NDArray[np.uint8]
    reason: NDArray[np.uint8]

    def rows(self, chosen: NDArray[np.bool_]) -> "MinuteSummary":
        """Return the summaries of these minutes."""
        return MinuteSummary(
            *(column[chosen] for column in (self.median, self.low, self.high, self.count, self.reason))
        )


def summarise(seconds: NDArray[np.uint8]) -> MinuteSummary:
    """Summarise minutes of 60 seconds: lower median, lowest, highest and count of the samples from 20 to 240 bpm.

    Parameters
    ----------
    seconds : (n, 60) bpm; 0 = no sample, above 240 = out of range.

    Returns
    -------
    Summaries; a minute without a valid sample has count 0 and zeros. `reason` tells that samples were out of range,
    or that some lay at 20-24 bpm (kept, unverified). The lower median keeps everything in whole bpm.

    >>> minute = np.zeros((1, 60), np.uint8); minute[0, :3] = 70, 74, 250
    >>> one = summarise(minute); int(one.median[0]), int(one.count[0]), int(one.reason[0]) == OUT_OF_RANGE
    (70, 2, True)
    """
    valid = (seconds >= LOWEST_BPM) & (seconds <= HIGHEST_BPM)
    count = valid.sum(axis=1)
    ordered = np.sort(np.where(valid, seconds, np.uint8(255)), axis=1)
    rows = np.arange(len(seconds))
    some = count > 0
    median = np.where(some, ordered[rows, (count - 1) // 2], 0).astype(np.uint8)
    low = np.where(some, ordered[:, 0], 0).astype(np.uint8)
    high = np.where(some, ordered[rows, count - 1], 0).astype(np.uint8)
    refused = ((seconds > 0) & ~valid).any(axis=1)
    reason = np.where(refused, OUT_OF_RANGE, 0) | np.where(some & (low < VERIFIED_BPM), UNVERIFIED, 0)
    return MinuteSummary(median, low, high, count.astype(np.uint8), reason.astype(np.uint8))
