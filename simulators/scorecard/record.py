"""What a scorecard compares: what happened to whom, what was raised, and when the watch was worn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulators.kinds import Kind

Ints = NDArray[np.int64]
JOIN_MIN = 10
"""Minutes with a rate that lie no farther apart are one time of wear: some devices tell a rate every five minutes."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a wearer; epoch minutes, end exclusive. `form` is "" where it is not known."""

    wearer: str
    kind: Kind
    onset: int
    end: int
    form: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alert as it was raised, once an episode; `raised` is the epoch minute at which the team could see it."""

    wearer: str
    rule: str
    raised: int


@dataclass(frozen=True, slots=True)
class Record:
    """One run.

    Attributes
    ----------
    name : of the run, for titles.
    events, alarms : in any order.
    worn : wearer -> (k, 2) times of wear, epoch minutes, ends exclusive, in order of time and apart.
    person : wearer -> who that is, where one person stands for several wearers (copies of a recording); a wearer who
        is not named is a person of their own.
    unknown : kinds of truth that are none of `Kind`, with their number.
    """

    name: str
    events: Sequence[Event]
    alarms: Sequence[Alarm]
    worn: Mapping[str, Ints]
    person: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def worn_days(self) -> float:
        """Time of wear of all wearers, in days."""
        return sum(float((times[:, 1] - times[:, 0]).sum()) for times in self.worn.values()) / 1440

    def seen(self, wearer: str) -> tuple[int, int] | None:
        """Return the wearer's first and past-the-last minute of wear; None = never worn."""
        times = self.worn.get(wearer)
        return None if times is None or not len(times) else (int(times[0, 0]), int(times[-1, 1]))


def wear(minutes: Iterable[int] | Ints) -> Ints:
    """Return the times of wear, (k, 2), from the minutes in which there was a rate, in any order.

    >>> wear([5, 0, 1, 30]).tolist()
    [[0, 6], [30, 31]]
    """
    known = np.unique(np.asarray(minutes if isinstance(minutes, np.ndarray) else list(minutes), dtype=np.int64))
    if not len(known):
        return np.zeros((0, 2), np.int64)
    gap = np.flatnonzero(np.diff(known) > JOIN_MIN)
    first, last = known[np.r_[0, gap + 1]], known[np.r_[gap, len(known) - 1]]
    return np.stack([first, last + 1], axis=1)


def worn_share(times: Ints | None, begin: int, end: int) -> float:
    """Return the share of [begin, end] minutes that lie in times of wear.

    >>> worn_share(np.array([[0, 6], [30, 31]]), 0, 11)
    0.5
    """
    if times is None or not len(times):
        return 0.0
    inside = np.minimum(times[:, 1], end + 1) - np.maximum(times[:, 0], begin)
    return float(np.maximum(inside, 0).sum() / (end + 1 - begin))
