"""Blood pressure: readings of one sitting become one average; only a cuff counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream_schemas.blood_pressure import METHODS

SITTING_MS = 10 * 60_000
CUFFS = (METHODS.index("cuff_oscillometric"), METHODS.index("cuff_auscultatory"))
CUFFLESS = METHODS.index("cuffless")


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of n wearers in R slots, in any order.

    `time_ms` (n, R) int64, 0 = empty slot; `systolic`, `diastolic` (n, R) mmHg; `method` (n, R) codes of METHODS.
    """

    time_ms: NDArray[np.int64]
    systolic: NDArray[np.int16]
    diastolic: NDArray[np.int16]
    method: NDArray[np.uint8]

    def by_cuff(self, now_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n, R) True where a slot holds a cuff reading, taken at or before now, with diastolic below systolic."""
        held = (self.time_ms > 0) & (self.time_ms <= now_ms[:, None])
        whole = (self.diastolic > 0) & (self.systolic > self.diastolic)
        return held & whole & np.isin(self.method, CUFFS)


@dataclass(frozen=True, slots=True)
class Sittings:
    """Averages of n wearers, newest sitting in the last column.

    `time_ms` (n, R) of a sitting's first reading, 0 = no sitting; `systolic`, `diastolic` (n, R) mmHg, NaN = none;
    `readings` (n, R) how many were averaged; `cuffless` (n,) readings without a cuff that were left out.
    """

    time_ms: NDArray[np.int64]
    systolic: NDArray[np.float64]
    diastolic: NDArray[np.float64]
    readings: NDArray[np.int64]
    cuffless: NDArray[np.int64]


def sittings(readings: Readings, now_ms: NDArray[np.int64]) -> Sittings:
    """Average the readings of each sitting: those within 10 minutes of its first.

    Parameters
    ----------
    readings : slots of n wearers, in any order.
    now_ms : (n,) later readings are not looked at.

    Returns
    -------
    Sittings; rows without a cuff reading hold NaN and zeros. All readings of a sitting weigh the same: the first is
    not dropped (protocols differ on that). Cuffless readings are never averaged, and readings of unknown method
    neither: AHA/ACC 2025 advises against cuffless devices for diagnosis and management (section 3.1.4.1, class 3).

    Source: home protocols take 2 readings, 1 min apart, per sitting, morning and evening, and average all of them
    (AHA/AMA 2020 policy statement, as retold by secondary pages, which were read; ESC 2024: 1-2 min apart, from
    memory). That 10 min hold a sitting together is this project's choice: room for a third reading and a late cuff.

    >>> day = Readings(np.array([[0, 9_000_000, 9_060_000]]), np.array([[0, 140, 130]], np.int16),
    ...                np.array([[0, 90, 80]], np.int16), np.array([[0, 1, 1]], np.uint8))
    >>> found = sittings(day, np.array([10_000_000])); found.systolic.tolist(), found.readings.tolist()
    ([[nan, nan, 135.0]], [[0, 0, 2]])
    """
    use = readings.by_cuff(now_ms)
    # Equal times fall into an order of their own, so that the order of the slots decides nothing.
    order = np.lexsort((readings.diastolic, readings.systolic, np.where(use, readings.time_ms, 0)), axis=-1)
    use = np.take_along_axis(use, order, axis=1)
    time_ms = np.take_along_axis(readings.time_ms, order, axis=1)
    systolic = np.take_along_axis(readings.systolic, order, axis=1)
    diastolic = np.take_along_axis(readings.diastolic, order, axis=1)
    n, slots = use.shape
    first = np.zeros(n, np.int64)
    begins = np.zeros((n, slots), bool)
    for k in range(slots):
        begins[:, k] = use[:, k] & ((first == 0) | (time_ms[:, k] - first > SITTING_MS))
        first = np.where(begins[:, k], time_ms[:, k], first)
    column = slots - begins.sum(axis=1, keepdims=True) + np.cumsum(begins, axis=1) - 1
    rows = np.arange(n)
    at = np.zeros((n, slots), np.int64)
    count = np.zeros((n, slots), np.int64)
    sums = np.zeros((2, n, slots))
    for k in range(slots):
        hit = rows[use[:, k]]
        into = column[hit, k]
        at[hit, into] = np.where(begins[hit, k], time_ms[hit, k], at[hit, into])
        count[hit, into] += 1
        sums[0, hit, into] += systolic[hit, k]
        sums[1, hit, into] += diastolic[hit, k]
    mean = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    without = (readings.time_ms > 0) & (readings.time_ms <= now_ms[:, None]) & (readings.method == CUFFLESS)
    return Sittings(at, mean[0], mean[1], count, without.sum(axis=1))
