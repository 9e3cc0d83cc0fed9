"""People as days: columns of a day, and the trailing windows of 28 days that daily detectors take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW = 28  # days that a wearer's state holds
COLUMNS = (
    "night_bpm",
    "resting_bpm",
    "steps",
    "active_min",
    "sleep_min",
    "systolic_mmhg",
    "diastolic_mmhg",
    "irregular_share",
)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PersonDays:
    """Consecutive local days of one person: `columns` name -> (D,), NaN = missing; the first is epoch day `first`.

    A night belongs to the day on which it ends.
    """

    name: str
    first: int
    columns: Mapping[str, Floats]

    def __len__(self) -> int:
        """Count the days."""
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True, slots=True)
class DayWindows:
    """A row for each day of each person, as a monitor sees it at noon: night and sleep of that morning are known.

    Attributes
    ----------
    person : (N,) number in `names`. day : (N,) local epoch day.
    windows : name of COLUMNS -> (N, 28), newest last = that day; of steps, activity, resting rate, pressure and
        irregularity that day itself is not over, so a detector takes them `before` it.
    age_years : (N,), NaN = not known.
    """

    names: Sequence[str]
    person: NDArray[np.int64]
    day: NDArray[np.int64]
    windows: Mapping[str, Floats]
    age_years: Floats

    def at(self, name: str) -> Floats:
        """Windows that end with the day itself."""
        return self.windows[name]

    def before(self, name: str) -> Floats:
        """Windows that end with the day before; the oldest column is missing."""
        values = self.windows[name]
        return np.concatenate([np.full((len(values), 1), np.nan), values[:, :-1]], axis=1)


def windows(people: Sequence[PersonDays]) -> DayWindows:
    """Lay out trailing windows, with days before a person's first as missing ones."""
    person, day = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    parts: dict[str, list[Floats]] = {name: [np.zeros((0, WINDOW))] for name in COLUMNS}
    for number, one in enumerate(people):
        length = len(one)
        person.append(np.full(length, number))
        day.append(one.first + np.arange(length))
        for name in COLUMNS:
            values = one.columns.get(name, np.full(length, np.nan))
            parts[name].append(sliding_window_view(np.concatenate([np.full(WINDOW - 1, np.nan), values]), WINDOW))
    joined = np.concatenate(person)
    return DayWindows(
        [one.name for one in people],
        joined,
        np.concatenate(day),
        {name: np.concatenate(part) for name, part in parts.items()},
        np.full(len(joined), np.nan),
    )
