"""Events that wait until T has passed their stamps, in the parts in which they came, so that waiting costs nothing.

An input that lags lets minutes of the others wait. Joining and compacting all of them at each step would cost more than
everything else, so parts are only looked at when something in them may be ready. Their samples are most of what waits:
a second is held in four bytes meanwhile.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.events import Events, Kind, Samples, join

MOST_PARTS = 64
"""With more parts they are joined: looking at each costs a few microseconds a step."""


class Waiting:
    """The events of all wearers that did not act yet; their order does not matter, for their stamps order them."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, Events]] = []  # earliest stamp of the part, the part

    def __len__(self) -> int:
        """Count the events."""
        return sum(len(part) for _, part in self._parts)

    def add(self, parts: Iterable[Events]) -> None:
        """Let events wait."""
        self._parts += _of(parts)
        if len(self._parts) > MOST_PARTS:
            self._parts = _of([join([part.compact() for _, part in self._parts])])

    def take(self, below_ms: NDArray[np.int64], partition: NDArray[np.int32]) -> Events:
        """Take out the events stamped below the T of their partition.

        Parameters
        ----------
        below_ms : (partitions,) T of each. partition : (rows,) of each wearer's row.
        """
        latest = int(below_ms.max(initial=0))
        ready, rest = [], []
        for earliest, part in self._parts:
            if earliest >= latest:
                rest.append((earliest, _small(part)))
                continue
            goes = part.stamp_ms < below_ms[partition[part.row]]
            if not goes.any():
                rest.append((earliest, _small(part)))
            elif goes.all():
                ready.append(part)
            else:
                ready.append(part.take(goes).compact())
                rest += _of([_without_waste(_small(part.take(~goes)))])
        self._parts = rest
        return _whole(join(ready))

    def of_rows(self, here: NDArray[np.bool_]) -> Events:
        """Return the events of the rows that are True in *here*, without taking them out."""
        return _whole(join([part.take(here[part.row]).compact() for _, part in self._parts]))

    def drop(self, gone: NDArray[np.bool_]) -> None:
        """Forget the events of the rows that are True in *gone*."""
        self._parts = _of([part.take(~gone[part.row]).compact() for _, part in self._parts])

    def remove(self, here: NDArray[np.bool_], kind: Kind, offset: int) -> None:
        """Take out the events of one record, of the rows that are True in *here*."""
        self._parts = _of(
            [
                part.take(~(here[part.row] & (part.kind == kind) & (part.offset == offset))).compact()
                for _, part in self._parts
            ]
        )

    def rename(
        self, here: NDArray[np.bool_], offsets_of: Callable[[int, NDArray[np.int64]], NDArray[np.int64]]
    ) -> None:
        """Give events other offsets, by kind, of the rows that are True in *here*."""
        renamed = []
        for earliest, part in self._parts:
            offset = part.offset.copy()
            for kind in np.unique(part.kind).tolist():
                some = here[part.row] & (part.kind == kind)
                offset[some] = offsets_of(kind, part.offset[some])
            renamed.append((earliest, replace(part, offset=offset)))
        self._parts = renamed

    def any_of(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each row whether one of its events waits."""
        waits = np.zeros(len(rows), np.bool_)
        for _, part in self._parts:
            waits |= np.isin(rows, part.row)
        return waits


def _of(parts: Iterable[Events]) -> list[tuple[int, Events]]:
    return [(int(part.stamp_ms.min()), part) for part in parts if len(part)]


def _without_waste(part: Events) -> Events:
    """Compact a part of whose samples most are used no more; until then their memory is shared."""
    return part.compact() if 2 * int(part.count.sum()) < len(part.samples.second) else part


def _small(part: Events) -> Events:
    """Hold seconds in four bytes; where one does not fit, as they are."""
    second: NDArray[Any] = part.samples.second
    if second.dtype == np.uint32 or not len(second) or second.min() < 0 or second.max() >= 1 << 32:
        return part
    return replace(part, samples=Samples(second.astype(np.uint32), part.samples.value))


def _whole(part: Events) -> Events:
    return replace(part, samples=Samples(part.samples.second.astype(np.int64, copy=False), part.samples.value))
