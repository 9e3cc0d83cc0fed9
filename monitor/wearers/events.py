"""What happened to wearers, waiting for T: deliveries, readings, scores, commands, in the order of their stamps."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Kind(IntEnum):
    """Kinds of events; at the same stamp the lower one goes first."""

    PROFILE = 0
    HEART_RATE = 1
    ACTIVITY = 2
    SLEEP = 3
    WEATHER = 4
    READING = 5
    SCORE = 6
    COMMAND = 7


@dataclass(frozen=True, slots=True)
class Events:
    """Events as columns (n,); `what` carries the object of those that have one.

    Attributes
    ----------
    row, stamp_ms, kind, offset : whose, received when, what, and where in its topic: the order of a wearer's events.
    a, b, c : heart rate: first minute, newest sample's time in ms, sample gap in ms. Activity and sleep: first minute.
    """

    row: NDArray[np.int64]
    stamp_ms: NDArray[np.int64]
    kind: NDArray[np.int64]
    offset: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    c: NDArray[np.int64]
    what: NDArray[Any]

    def __len__(self) -> int:
        """Count the events."""
        return len(self.row)

    def take(self, index: NDArray[Any]) -> "Events":
        """Select by index or mask."""
        return Events(*(getattr(self, column.name)[index] for column in fields(Events)))


def events(
    row: NDArray[np.int64],
    stamp_ms: NDArray[np.int64],
    kind: Kind,
    offset: NDArray[np.int64],
    *,
    a: NDArray[np.int64] | None = None,
    b: NDArray[np.int64] | None = None,
    c: NDArray[np.int64] | None = None,
    what: list[Any] | None = None,
) -> Events:
    """Build events of one kind; columns that are left out are zero."""
    n = len(row)
    objects = np.empty(n, object)
    if what is not None:
        objects[:] = what
    zero = np.zeros(n, np.int64)
    return Events(
        row=row,
        stamp_ms=stamp_ms,
        kind=np.full(n, kind, np.int64),
        offset=offset,
        a=zero if a is None else a,
        b=zero if b is None else b,
        c=zero if c is None else c,
        what=objects,
    )


def join(parts: list[Events]) -> Events:
    """Put events behind each other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        empty = np.zeros(0, np.int64)
        return Events(empty, empty, empty, empty, empty, empty, empty, np.zeros(0, object))
    return Events(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Events)))


def in_order(waiting: Events) -> Events:
    """Sort by wearer, then stamp, kind and offset: the order in which a wearer's events decide."""
    return waiting.take(np.lexsort((waiting.offset, waiting.kind, waiting.stamp_ms, waiting.row)))
