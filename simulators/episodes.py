"""The truth: which episode takes hold of whom, when, and how badly. Everything the sensors see follows from it."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Form, ParameterSet
from simulators.kinds import ACUTE, TECHNICAL, Kind
from simulators.people import FEMALE, People

CYCLE_DAYS = (26.0, 32.0)  # of women of 18 to 50
CYCLING_AGES = (18, 50)
GRADES = (0.1, 0.4, 0.8)  # severity of silent, mild and clear episodes starts here, and spans 0.2


@dataclass(frozen=True, slots=True)
class Episodes:
    """E episodes in order of onset. Minutes are epoch minutes, end exclusive.

    `severity` is 0..1 within the `form` (simulators.courses.Form); `draws` (E, 6) are what courses vary by.
    """

    kind: NDArray[np.int64]
    wearer: NDArray[np.int64]
    onset_min: NDArray[np.int64]
    end_min: NDArray[np.int64]
    form: NDArray[np.int64]
    severity: NDArray[np.float64]
    draws: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self.kind)

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Whether hardly any signal moves."""
        return np.asarray(self.form == Form.SILENT)

    @property
    def graded(self) -> NDArray[np.float64]:
        """Severity over all forms, 0..1, as labels tell it; that of technical episodes is told as it is."""
        grade = np.array(GRADES)[self.form] + 0.2 * self.severity
        return np.where(np.isin(self.kind, TECHNICAL), self.severity, grade)

    def rows(self, chosen: NDArray[Any]) -> "Episodes":
        """Return the chosen episodes."""
        return Episodes(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def of(self, begin: int, end: int) -> "Episodes":
        """Return the episodes of wearers begin..end, with wearers counted from `begin`."""
        mine = self.rows((self.wearer >= begin) & (self.wearer < end))
        return Episodes(**{f.name: getattr(mine, f.name) - (begin if f.name == "wearer" else 0) for f in fields(self)})


def joined(parts: list[Episodes]) -> Episodes:
    """Return the episodes of all parts, in order of onset, kind and wearer."""
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Episodes)}
    order = np.lexsort((columns["wearer"], columns["kind"], columns["onset_min"]))
    return Episodes(**{name: values[order] for name, values in columns.items()})


def none() -> Episodes:
    """Return no episodes."""
    whole = np.zeros(0, np.int64)
    return Episodes(whole, whole, whole, whole, whole, np.zeros(0), np.zeros((0, 6)))


def drawn_forms(rng: np.random.Generator, parameters: ParameterSet, kind: Kind, n: int) -> NDArray[np.int64]:
    """Draw the forms of n episodes of a kind; a kind without shares is always clear."""
    shares = parameters.form_shares.get(kind, (0.0, 0.0, 1.0))
    return np.asarray(rng.choice(3, n, p=np.array(shares) / sum(shares)), dtype=np.int64)


def likely(kind: Kind, people: People, rows: NDArray[np.int64], hour: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell who of these wearers can be struck by a kind at the local hour that it is for them."""
    anybody = np.ones(len(rows), bool)
    awake = ((people.bedtime_h[rows] % 24) - hour) % 24 < 14.5
    if kind in (Kind.HYPERTENSIVE_CRISIS, Kind.HYPOTENSION):
        return np.asarray(people.cuff[rows] & awake)
    if kind == Kind.BRADYCARDIA:
        return np.asarray(awake)
    if kind == Kind.HEAT_STRAIN:
        return np.asarray((hour >= 10) & (hour < 19) & awake)
    if kind == Kind.ATRIAL_FIBRILLATION:  # known, or a device that can see it (half of those, by the wearer's number)
        return np.asarray(
            people.fibrillation[rows]
            | (people.outfit.column("has_rr", np.bool_)[people.device[rows]] & (people.index[rows] % 2 == 0))
        )
    if kind == Kind.BETA_BLOCKER_START:
        return np.asarray((people.hypertensive[rows] | people.fibrillation[rows]) & ~people.beta_blocker[rows])
    if kind == Kind.ALCOHOL:
        return np.asarray(~people.pregnant[rows])
    if kind == Kind.MENSTRUAL_PHASE:
        low, high = CYCLING_AGES
        age = people.age_years[rows]
        return np.asarray((people.sex[rows] == FEMALE) & (age >= low) & (age < high) & ~people.pregnant[rows])
    return anybody


def overlaps(kind: Kind, taken: list[tuple[Kind, int, int]], onset: int, end: int, rest_min: int) -> bool:
    """Tell whether an episode would meet another of the same wearer that excludes it.

    Acute ones exclude each other, with a pause between them; any other kind only itself.
    """
    for other, begin, until in taken:
        if kind in ACUTE and other in ACUTE:
            if onset < until + rest_min and end > begin - rest_min:
                return True
        elif kind == other and onset < until and end > begin:
            return True
    return False
