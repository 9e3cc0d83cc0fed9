"""A figure: the median of some rounds, how far they lie apart, and what it is compared with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What the issue asks for."""

    bound: Literal["at least", "at most"]
    value: float
    of: Literal["value", "ratio"] = "value"

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.bound} {self.value:,.0f}" + (" x the peer" if self.of == "ratio" else "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Attributes
    ----------
    name, unit : what was measured.
    rounds : its values, one a round.
    note : how it was taken, with the mix of messages; one sentence for the docs.
    target : or None.
    peer : what it is compared with, or None.
    ratio : median of this over the peer's, both of the same run; above 1 is better for us. None without a peer.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]
    note: str
    target: Target | None = None
    peer: str | None = None
    ratio: float | None = None

    @property
    def value(self) -> float:
        """The median round."""
        return median(self.rounds)

    @property
    def spread(self) -> float | None:
        """(highest - lowest) / median of the rounds; None for one round alone, which says nothing about it."""
        return (max(self.rounds) - min(self.rounds)) / self.value if len(self.rounds) > 1 and self.value else None

    @property
    def shortfall(self) -> str | None:
        """One plain sentence if the target is missed, else None."""
        if self.target is None:
            return None
        reached = self.ratio if self.target.of == "ratio" else self.value
        if reached is None:
            return f"`{self.name}`: the target ({self.target}) could not be judged, because the peer was not measured."
        met = reached >= self.target.value if self.target.bound == "at least" else reached <= self.target.value
        if met:
            return None
        unit = f"x {self.peer}" if self.target.of == "ratio" else self.unit
        return f"`{self.name}` is {shown(reached)} {unit}; the target is {self.target}."

    def document(self) -> dict[str, Any]:
        """Return what `--json` writes of it."""
        return {
            "name": self.name,
            "value": rounded(self.value),
            "unit": self.unit,
            "peer": self.peer,
            "ratio": None if self.ratio is None else rounded(self.ratio),
            "spread": None if self.spread is None else rounded(self.spread),
        }


def rate(name: str, rounds: Sequence[tuple[float, float]], unit: str, note: str, target: Target | None) -> Figure:
    """Return a figure of things a second from (things, seconds) of each round."""
    return Figure(name, unit, tuple(things / seconds for things, seconds in rounds), note, target)


def rounded(value: float) -> float:
    """Keep four significant digits: more would promise what a shared machine cannot hold."""
    return value if value == 0 or not math.isfinite(value) else float(f"{value:.4g}")


def shown(value: float) -> str:
    """Return a value as people read it."""
    return f"{rounded(value):,.0f}" if abs(value) >= 100 else f"{rounded(value):.3g}"
