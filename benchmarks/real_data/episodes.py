"""Episodes as the alert policy counts them, and their rate a wearer-day with what is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from benchmarks.real_data import drawing
from benchmarks.real_data.results import Cell, Table, Target
from monitor.alerting.evidence import Evidence

ENOUGH_DAYS = 100  # below it a rate is not established: nothing seen in 100 days still leaves 0.037 a day possible
BUDGET_EACH, BUDGET_ALL = 0.02, 0.1
COLUMNS = ("detector", "people", "assessable wearer-days", "episodes", "a wearer-day", "95 % interval", "budget 0.02")


@dataclass(frozen=True, slots=True)
class Burden:
    """What one detector did: people with an assessable day, such wearer-days, episodes raised on them."""

    name: str
    people: int
    days: int
    episodes: int

    @property
    def established(self) -> bool:
        """Whether there are days enough to speak of a rate."""
        return self.days >= ENOUGH_DAYS

    @property
    def rate(self) -> float:
        """Episodes a wearer-day; NaN without a day."""
        return self.episodes / self.days if self.days else float("nan")

    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of the rate for a Poisson count (Garwood 1936); NaN without a day.

        It takes episodes for independent, which those of one person are not.
        """
        if not self.days:
            return float("nan"), float("nan")
        low = float(chi2.ppf(0.025, 2 * self.episodes)) / 2 if self.episodes else 0.0
        return low / self.days, float(chi2.ppf(0.975, 2 * self.episodes + 2)) / 2 / self.days

    def verdict(self) -> str:
        """Say how it stands to the budget of one detector."""
        if not self.established:
            return "not established"
        if self.interval()[1] <= BUDGET_EACH:
            return "within, interval too"
        return "within" if self.rate <= BUDGET_EACH else "over"

    def row(self) -> list[Cell]:
        """Return it as a row under `COLUMNS`."""
        low, high = self.interval()
        if not self.established:
            return [self.name, self.people, self.days, self.episodes, "not established", "-", "not established"]
        return [self.name, self.people, self.days, self.episodes, self.rate, f"{low:.4f} to {high:.4f}", self.verdict()]


def judged(name: str, found: Evidence, person: NDArray[np.int64], also: NDArray[np.bool_] | None = None) -> Burden:
    """Count the episodes of a detector over wearer-days.

    Parameters
    ----------
    found : of N wearer-days, each person's in the order of time. person : (N,) whose day it is.
    also : (N,) days on which the detector would have been asked at all; all of them unless told.

    Notes
    -----
    As the policy has it for an alert of low priority: a finding that raises opens an episode, one that clears closes
    it, and what neither raises nor clears changes nothing. So a day that is not assessable closes nothing.
    """
    asked = np.ones(len(person), bool) if also is None else also
    assessable, raised, cleared = (x & asked for x in (found.assessable, found.raised, found.cleared))
    episodes = 0
    for one in np.unique(person):
        mine = person == one
        is_open = False
        for up, down in zip(raised[mine].tolist(), cleared[mine].tolist(), strict=True):
            episodes += up and not is_open
            is_open = up or (is_open and not down)
    return Burden(name, len(np.unique(person[assessable])), int(assessable.sum()), int(episodes))


def table(title: str, burdens: Sequence[Burden], note: str = "") -> Table:
    """Return burdens as a table."""
    return Table(title, COLUMNS, [one.row() for one in burdens], digits=4, note=note)


def picture(title: str, burdens: Sequence[Burden]) -> bytes | None:
    """Draw the rates that are established; None if none is."""
    known = [one for one in burdens if one.established]
    if not known:
        return None
    low, high = np.array([one.interval() for one in known]).T
    return drawing.rates(
        title, [one.name for one in known], np.array([one.rate for one in known]), low, high, BUDGET_EACH
    )


def targets(where: str, burdens: Sequence[Burden]) -> list[Target]:
    """Hold burdens to the budget: 0.02 each, and 0.1 for the sum of the rates."""
    known = [one for one in burdens if one.established]
    if not known:
        return [Target(f"{where}: alert budget", "0.02 each, 0.1 together", "no detector with 100 days", None)]
    over = [one for one in known if one.rate > BUDGET_EACH]
    worst = max(known, key=lambda one: one.rate)
    total = sum(one.rate for one in known)
    named = ", ".join(f"{one.name} {one.rate:.4f}" for one in over) or f"at most {worst.rate:.4f} ({worst.name})"
    return [
        Target(f"{where}: episodes a wearer-day of each detector", f"at most {BUDGET_EACH}", named, not over),
        Target(
            f"{where}: all {len(known)} that are established together (sum of the rates)",
            f"at most {BUDGET_ALL}",
            f"{total:.4f}",
            total <= BUDGET_ALL,
        ),
    ]
