"""The rows of all wearers as a struct of arrays, and the index from wearer id to row."""

import math
import mmap
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.errors import PulsewardenError
from monitor.wearers.fields import FIELDS, MINUTES, NEVER

ROWS = 1 << 20
"""Wearers of a partition; a new one more is refused. Of a partition, not of a worker: what is refused must be the same
wherever the partition is held, and beside whichever others."""
RESERVED = 16 * ROWS
"""Rows reserved: the wearers of a worker, more than any memory holds. Memory is mapped only when a row is used: nothing
is copied to grow, and what is reserved costs 0.5 ms and no page (measured)."""
_BEGIN = 1024
_NORESERVE = 0x4000  # Linux's MAP_NORESERVE: what is reserved need not exist


class TooManyWearers(PulsewardenError):
    """More wearers than one worker holds."""


class State:
    """A row a wearer. Every field of `fields.FIELDS` is an attribute of shape (rows, *field.shape).

    Rows belong to partitions; a partition that is dropped gives its rows back, zeroed.

    Parameters
    ----------
    rows : reserved. of_partition : wearers that one partition may hold.
    """

    seconds: NDArray[np.uint8]
    minutes: NDArray[np.uint64]
    head_minute: NDArray[np.int32]
    head_second_minute: NDArray[np.int32]
    top_ms: NDArray[np.int64]
    decided_minute: NDArray[np.int64]
    dirty_minute: NDArray[np.int32]
    timer_ms: NDArray[np.int64]
    acted_ms: NDArray[np.int64]
    burst_ms: NDArray[np.int64]
    new_stamp_ms: NDArray[np.int64]
    gap_ms: NDArray[np.int32]
    gaps: NDArray[np.int32]
    silent: NDArray[np.uint8]
    scored_ms: NDArray[np.int64]
    score_T_ms: NDArray[np.int64]
    risk_run: NDArray[np.int32]
    sample_gap_s: NDArray[np.float32]
    day: NDArray[np.int32]
    days: NDArray[np.float16]
    day_so_far: NDArray[np.float16]
    fall_code: NDArray[np.uint16]
    days_mask: NDArray[np.uint32]
    night_bpm: NDArray[np.float16]
    baseline_bpm: NDArray[np.float16]
    baseline_days: NDArray[np.uint8]
    noon_minute: NDArray[np.int32]
    judged_day: NDArray[np.int32]
    bp_ms: NDArray[np.int64]
    bp_id: NDArray[np.uint64]
    bp_systolic: NDArray[np.int16]
    bp_diastolic: NDArray[np.int16]
    bp_pulse: NDArray[np.int16]
    bp_method: NDArray[np.uint8]
    sleep_id: NDArray[np.uint64]
    sleep_revision: NDArray[np.int32]
    sleep_start: NDArray[np.int32]
    sleep_end: NDArray[np.int32]
    sleep_minutes: NDArray[np.float16]
    weather: NDArray[np.float16]
    weather_minute: NDArray[np.int32]
    forecast: NDArray[np.float16]
    forecast_hour: NDArray[np.int32]
    forecast_ms: NDArray[np.int64]
    known: NDArray[np.uint8]
    team: NDArray[np.uint8]
    age_years: NDArray[np.float32]
    bmi: NDArray[np.float32]
    sex: NDArray[np.uint8]
    conditions: NDArray[np.uint32]
    medications: NDArray[np.uint32]
    zone: NDArray[np.uint16]
    own_hr_high: NDArray[np.int16]
    own_hr_low: NDArray[np.int16]
    own_systolic: NDArray[np.int16]
    own_diastolic: NDArray[np.int16]
    alert_open: NDArray[np.uint8]
    alert_priority: NDArray[np.uint8]
    alert_minute: NDArray[np.int32]
    alert_began: NDArray[np.int32]
    alert_ended: NDArray[np.int32]

    def __init__(self, rows: int = RESERVED, of_partition: int = ROWS) -> None:
        self.of_partition_at_most = of_partition
        self.used = 0
        self._held: Counter[int] = Counter()
        self.free: list[int] = []
        self.row_of: dict[str, int] = {}
        self.wearer_of: list[str] = []
        self.partition = np.full(_BEGIN, -1, np.int32)
        self.rows, columns = _reserve(rows)
        for name, column in columns.items():
            setattr(self, name, column)

    def __len__(self) -> int:
        """Count the wearers."""
        return len(self.row_of)

    def add(self, wearer_id: str, partition: int) -> int:
        """Give a new wearer a row, zeroed, with no timer set.

        Raises
        ------
        TooManyWearers
            If all rows are used.
        """
        return int(self.add_many([wearer_id], partition)[0])

    def add_many(self, wearer_ids: Sequence[str], partition: int) -> NDArray[np.int64]:
        """Give new wearers a row each, in their order: free ones first, so that memory that is mapped is used again."""
        if not wearer_ids:
            return np.zeros(0, np.int64)
        again = sorted(self.free)[: len(wearer_ids)] if len(wearer_ids) > 1 else self.free[-1:]
        new = range(self.used, self.used + len(wearer_ids) - len(again))
        if new.stop > self.rows:
            raise TooManyWearers(f"This worker holds {self.rows} wearers and no more: start more workers.")
        self.free = sorted(set(self.free) - set(again)) if len(wearer_ids) > 1 else self.free[:-1]
        self.used += len(new)
        if self.used > len(self.partition):
            more = max(self.used, 2 * len(self.partition)) - len(self.partition)
            self.partition = np.append(self.partition, np.full(more, -1, np.int32))
        self.wearer_of += [""] * len(new)
        rows = np.array([*again, *new], np.int64)
        for row, wearer_id in zip(rows.tolist(), wearer_ids, strict=True):
            self.wearer_of[row] = wearer_id
            self.row_of[wearer_id] = row
        self.partition[rows] = partition
        self._held[partition] += len(rows)
        self.timer_ms[rows] = NEVER
        return rows

    def remove(self, rows: NDArray[np.int64]) -> None:
        """Forget wearers whose rows are blank: they are free for others."""
        for row in rows.tolist():
            del self.row_of[self.wearer_of[row]]
            self.wearer_of[row] = ""
        self._held.subtract(self.partition[rows].tolist())
        self.partition[rows] = -1
        self.free += rows.tolist()

    def blank(self, rows: NDArray[np.int64]) -> None:
        """Erase all that is known of wearers, but for their ids."""
        for field in FIELDS:
            self.column(field.name)[rows] = 0
        self.timer_ms[rows] = NEVER

    def is_full(self, partition: int) -> bool:
        """Tell whether a partition holds as many wearers as one may."""
        return self._held[partition] >= self.of_partition_at_most

    def of_partition(self, partition: int) -> NDArray[np.int64]:
        """Rows of a partition, ascending."""
        return np.flatnonzero(self.partition[: self.used] == partition)

    def column(self, name: str) -> NDArray[Any]:
        """Return a field by its name."""
        column: NDArray[Any] = getattr(self, name)
        return column

    def sleep_revisions(self) -> NDArray[np.uint32]:
        """View revision + 1 of the nights as what it is: 0 = no session, and the highest revision needs all 32 bits."""
        return self.sleep_revision.view(np.uint32)

    def minute_bytes(self) -> NDArray[np.uint8]:
        """View the minutes ring as (rows, 1440, 8) bytes, in the order of `fields.HR_MEDIAN` and so on."""
        return self.minutes.view(np.uint8).reshape(self.rows, -1, 8)

    def place(
        self, row: NDArray[np.int64], minute: NDArray[np.int64], byte: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return all minute bytes, flat, and the index of one byte of each (row, minute); for writes that repeat."""
        return self.minutes.view(np.uint8).reshape(-1), (row * MINUTES + minute % MINUTES) * 8 + byte


def _reserve(rows: int) -> tuple[int, dict[str, NDArray[Any]]]:
    """Reserve so many rows, or as many as a host gives that limits what is reserved (`ulimit -v`, no overcommit)."""
    try:
        return rows, {field.name: zeros((rows, *field.shape), np.dtype(field.dtype)) for field in FIELDS}
    except (OSError, MemoryError) as error:
        if rows <= _BEGIN:
            raise TooManyWearers("This host gives no memory for wearers: raise its limit (ulimit -v).") from error
        return _reserve(rows // 2)


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Reserve zeroed memory that is mapped page by page, when it is first written."""
    size = math.prod(shape) * dtype.itemsize
    if sys.platform != "linux" or size < mmap.PAGESIZE:
        return np.zeros(shape, dtype)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE)
    return np.frombuffer(memory, dtype).reshape(shape)
