"""Faults: what goes wrong between a wearer and Kafka while nothing is wrong with the wearer."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.chance import generator
from simulators.people import BLOCK, People
from simulators.scenario import Scenario

FROZEN_MIN = (10.0, 90.0)
FLAT_MIN = (240.0, 1200.0)  # a flat battery stays so until the next evening at the latest


class Fault(IntEnum):
    """A kind of fault; the lower-case name is its `kind` in the truth."""

    FROZEN_VALUE = 0
    BATTERY_FLAT = 1
    LATE_BURST = 2
    CLOCK_SKEW = 3
    UNIT_SLIP = 4
    WRONG_WEARER = 5


@dataclass(frozen=True, slots=True)
class Faults:
    """F faults in order of onset; epoch minutes, end exclusive.

    `size` is minutes that the clock runs ahead (CLOCK_SKEW), the row of who wears the watch, counted within the block
    of 64 (WRONG_WEARER), else 0.
    """

    kind: NDArray[np.int64]
    wearer: NDArray[np.int64]
    onset_min: NDArray[np.int64]
    end_min: NDArray[np.int64]
    size: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of faults."""
        return len(self.kind)

    def rows(self, chosen: NDArray[Any]) -> "Faults":
        """Return the chosen faults."""
        return Faults(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def of(self, begin: int, end: int) -> "Faults":
        """Return the faults of wearers begin..end, with wearers counted from `begin`."""
        mine = self.rows((self.wearer >= begin) & (self.wearer < end))
        return Faults(mine.kind, mine.wearer - begin, mine.onset_min, mine.end_min, mine.size)

    def kinds(self, kind: Fault) -> "Faults":
        """Return the faults of one kind."""
        return self.rows(self.kind == kind)

    def during(self, kind: Fault, wearer: NDArray[np.int64], minute: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of these moments (wearer and epoch minute) lie in a fault of that kind."""
        inside = np.zeros(len(wearer), bool)
        mine = self.kinds(kind)
        for row in range(len(mine)):
            inside |= (wearer == mine.wearer[row]) & (minute >= mine.onset_min[row]) & (minute < mine.end_min[row])
        return inside


def faults(scenario: Scenario, people: People, seed: int, start_min: int, minutes: int) -> Faults:
    """Draw the faults of a run; two of one kind never meet in one wearer."""
    how, n = scenario.faults, len(people)
    plan = (
        (Fault.FROZEN_VALUE, people.worn("frozen_per_day") * how.devices, FROZEN_MIN),
        (Fault.BATTERY_FLAT, people.worn("flat_per_day") * how.devices, FLAT_MIN),
        (Fault.LATE_BURST, np.full(n, how.late_bursts), how.late_burst_min),
        (Fault.CLOCK_SKEW, np.full(n, how.clock_skews), how.clock_skew_min),
        (Fault.UNIT_SLIP, np.full(n, how.unit_slips), how.unit_slip_min),
        (Fault.WRONG_WEARER, np.full(n, how.wrong_wearers), how.wrong_wearer_min),
    )
    parts: list[list[NDArray[np.int64]]] = []
    for kind, per_day, span in plan:
        rng = generator(seed, f"faults {kind.name}", start_min)
        times = rng.poisson(np.maximum(per_day, 0) * minutes / 1440)
        wearer = np.repeat(np.arange(n), times)
        onset = start_min + rng.integers(0, minutes, len(wearer))
        end = onset + np.maximum(rng.uniform(*span, len(wearer)), 2).astype(np.int64)
        size = np.zeros(len(wearer), np.int64)
        if kind == Fault.CLOCK_SKEW:
            size = np.rint(rng.uniform(*how.clock_off_by_min, len(wearer))).astype(np.int64)
            size *= rng.choice(np.array([-1, 1]), len(wearer))
        elif kind == Fault.WRONG_WEARER:
            first = wearer // BLOCK * BLOCK
            here = np.minimum(BLOCK, n - first)
            size = (wearer - first + 1 + rng.integers(0, np.maximum(here - 1, 1))) % here
        order = np.lexsort((onset, wearer))
        meets = np.zeros(len(wearer), bool)
        meets[1:] = (wearer[order][1:] == wearer[order][:-1]) & (onset[order][1:] < end[order][:-1])
        kept = order[~meets]
        if kind == Fault.WRONG_WEARER:
            kept = kept[size[kept] != wearer[kept] % BLOCK]
        parts.append([np.full(len(kept), int(kind)), wearer[kept], onset[kept], end[kept], size[kept]])
    columns = [np.concatenate(values) for values in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0], columns[2]))
    return Faults(*(values[order] for values in columns))
