"""What happened to wearers, waiting for T: deliveries, readings, scores, commands, in the order of their stamps.

Nothing acts when it is read. What was decoded waits here, samples and all, until T has passed its stamp; so neither how
far the log was read ahead of T nor how many records came at once can change what a decision sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.ranges import runs

Ints = NDArray[np.int64]


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
class Samples:
    """Samples of many events, one behind the other; both (N,).

    Attributes
    ----------
    second : epoch second; uint32 while it waits. value : bpm, or steps of the minute that begins there.
    """

    second: Ints
    value: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Events:
    """Events as columns (n,); `what` carries the object of those that have one.

    Attributes
    ----------
    row, stamp_ms, kind, offset : whose, received when, what, and where in its topic: the order of a wearer's events.
    a, b, c, d : heart rate: first minute, newest sample's time in ms, sample gap in ms, reason bits that the device
        told + 256 * irregularity code. Activity and sleep: first minute. Reading: time in ms, 1000 * systolic +
        diastolic, method, hash of the event id. Weather: time in ms. Score: the wearer's place in it.
    first, count : where the event's samples lie in `samples`.
    """

    row: Ints
    stamp_ms: Ints
    kind: Ints
    offset: Ints
    a: Ints
    b: Ints
    c: Ints
    d: Ints
    first: Ints
    count: Ints
    what: NDArray[Any]
    samples: Samples

    def __len__(self) -> int:
        """Count the events."""
        return len(self.row)

    def take(self, index: NDArray[Any]) -> "Events":
        """Select by index or mask; the samples of the others stay, unused."""
        return build({name: getattr(self, name)[index] for name in COLUMNS}, self.samples)

    def of_samples(self) -> tuple[Ints, Samples]:
        """Return (index of the event, sample) of every sample of these events, event by event."""
        event, place = runs(self.first, self.first + self.count - 1)
        return event, Samples(self.samples.second[place], self.samples.value[place])

    def compact(self) -> "Events":
        """Leave out the samples of events that are gone."""
        _, samples = self.of_samples()
        return replace(self, first=np.cumsum(self.count) - self.count, samples=samples)


COLUMNS = tuple(field.name for field in fields(Events) if field.name != "samples")
NUMBERS = tuple(name for name in COLUMNS if name != "what")
"""The columns of events that are int64."""
_NONE = Samples(np.zeros(0, np.int64), np.zeros(0, np.int16))


def events(
    row: Ints,
    stamp_ms: Ints,
    kind: Kind,
    offset: Ints,
    *,
    a: Ints | None = None,
    b: Ints | None = None,
    c: Ints | None = None,
    d: Ints | None = None,
    count: Ints | None = None,
    samples: Samples = _NONE,
    what: list[Any] | None = None,
) -> Events:
    """Build events of one kind; columns that are left out are zero."""
    n = len(row)
    objects = np.empty(n, object)
    if what is not None:
        for i, one in enumerate(what):  # one by one: numpy would unpack tuples
            objects[i] = one
    zero = np.zeros(n, np.int64)
    a, b, c, d, count = (zero if x is None else x for x in (a, b, c, d, count))
    first = np.cumsum(count) - count
    return Events(row, stamp_ms, np.full(n, kind, np.int64), offset, a, b, c, d, first, count, objects, samples)


def build(columns: Mapping[str, NDArray[Any]], samples: Samples) -> Events:
    """Make events of their columns by name."""
    return Events(**columns, samples=samples)


def nothing() -> Events:
    """Return no events."""
    empty = np.zeros(0, np.int64)
    return build({**dict.fromkeys(NUMBERS, empty), "what": np.zeros(0, object)}, _NONE)


def join(parts: list[Events]) -> Events:
    """Put events behind each other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return nothing()
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    ends = np.cumsum([len(part.samples.second) for part in parts])
    shift = np.repeat(np.append(0, ends[:-1]), [len(part) for part in parts])
    columns["first"] = columns["first"] + shift
    samples = Samples(
        np.concatenate([part.samples.second for part in parts]), np.concatenate([part.samples.value for part in parts])
    )
    return build(columns, samples)


def in_order(waiting: Events) -> Events:
    """Sort by wearer, then stamp, kind and offset: the order in which a wearer's events act."""
    return waiting.take(np.lexsort((waiting.offset, waiting.kind, waiting.stamp_ms, waiting.row)))
