"""Fetched records as columns: what the transport hands over and what a replay reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one topic partition, in the order of the log.

    Attributes
    ----------
    offset : (n,) int64.
    stamp_ms : (n,) int64, as Kafka holds it: the broker's stamp, or the producer's on a log-clock topic.
    key, value : n items as they lie in Kafka; None is a null.
    """

    offset: NDArray[np.int64]
    stamp_ms: NDArray[np.int64]
    key: list[bytes | None]
    value: list[bytes | None]

    def __len__(self) -> int:
        """Count the records."""
        return len(self.key)

    @classmethod
    def of(cls, fetched: Sequence[Any]) -> "Records":
        """Make columns of aiokafka's records."""
        n = len(fetched)
        return cls(
            np.fromiter((r.offset for r in fetched), np.int64, n),
            np.fromiter((r.timestamp for r in fetched), np.int64, n),
            [r.key for r in fetched],
            [r.value for r in fetched],
        )

    @classmethod
    def joined(cls, parts: Sequence["Records"]) -> "Records":
        """Return the records of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return NOTHING
        return cls(
            np.concatenate([part.offset for part in parts]),
            np.concatenate([part.stamp_ms for part in parts]),
            [key for part in parts for key in part.key],
            [value for part in parts for value in part.value],
        )

    def rows(self, begin: int, end: int) -> "Records":
        """Return the records of these rows (not offsets)."""
        return Records(self.offset[begin:end], self.stamp_ms[begin:end], self.key[begin:end], self.value[begin:end])

    def chosen(self, some: NDArray[np.bool_]) -> "Records":
        """Return the records of the rows that are True in *some*."""
        rows = np.flatnonzero(some)
        key, value = [self.key[row] for row in rows.tolist()], [self.value[row] for row in rows.tolist()]
        return Records(self.offset[rows], self.stamp_ms[rows], key, value)

    def size_bytes(self) -> int:
        """Return the size of all keys and values."""
        return sum(map(len, filter(None, self.value))) + sum(map(len, filter(None, self.key)))


NOTHING = Records.of(())
"""No records: most inputs of most steps."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One fetch of one topic partition.

    Attributes
    ----------
    topic : str
        As it is called in Kafka, prefix included.
    partition : int
    tag : int
        Names the last seek of this partition; a batch with another tag is stale and comes again.
    begin, end : int
        Positions before and after it. They span more than the records where the log has holes: compaction, records of
        aborted transactions, markers.
    records : Records
    cut_off : bool
        The broker did not have the position `begin` any more: what lay there was deleted before it was read.
    """

    topic: str
    partition: int
    tag: int
    begin: int
    end: int
    records: Records
    cut_off: bool = False


def running_stamps(stamp_ms: NDArray[np.int64], before_ms: int, cap_ms: int) -> NDArray[np.int64]:
    """Return the stamps that count: the running maximum of an input, its stamps above a cap (0: none) counted as it."""
    some = np.minimum(stamp_ms, cap_ms) if cap_ms else stamp_ms
    return np.maximum.accumulate(np.maximum(some, before_ms))
