"""Found with the episode, and what the same recordings without it raise in the same windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.scorecard.variants import Variant
from simulators.scorecard.matching import met
from simulators.scorecard.measures import Found, KindScore, scorecard
from simulators.scorecard.page import Cell, Table, share, span
from simulators.scorecard.record import Alarm, Event, Ints, Record


@dataclass(frozen=True, slots=True)
class Copy:
    """A recording with an episode laid over it; `alarms` are its, `untouched` those of the recording as it is."""

    variant: Variant
    person: str
    event: Event
    worn: Ints
    alarms: Sequence[Alarm]
    untouched: Sequence[Alarm]


@dataclass(frozen=True, slots=True)
class Line:
    """One variant: what was found with the episode, and in the untouched recordings."""

    variant: Variant
    touched: KindScore
    untouched: Found

    @property
    def label(self) -> str:
        """Kind, form and set, for a picture."""
        one = self.variant
        return f"{one.kind.outcome}, {one.form.name.lower()}, {one.set_name.upper()}"


def record(name: str, copies: Sequence[Copy], *, touched: bool) -> Record:
    """Return copies as a record, with or without the episodes' effect on the alarms; the events are the same."""
    return Record(
        name,
        [one.event for one in copies],
        [alarm for one in copies for alarm in (one.alarms if touched else one.untouched)],
        {one.event.wearer: one.worn for one in copies},
        {one.event.wearer: one.person for one in copies},
    )


def compared(copies: Sequence[Copy]) -> list[Line]:
    """Return a line for each variant among the copies, in their order."""
    found = []
    for variant in dict.fromkeys(one.variant for one in copies):
        mine = [one for one in copies if one.variant == variant]
        cards = [scorecard(record(variant.kind.outcome, mine, touched=touched)) for touched in (True, False)]
        found.append(Line(variant, cards[0].kinds[0], cards[1].kinds[0].found))
    return found


def table(title: str, lines: Sequence[Line]) -> Table:
    """Return lines as a table."""
    rows: list[list[Cell]] = []
    for line in lines:
        one, found = line.variant, line.touched.found
        lead = line.touched.lead_min
        rows.append(
            [
                one.kind.outcome,
                one.form.name.lower(),
                one.set_name.upper(),
                found.eligible,
                found.people,
                share(found),
                line.untouched.sensitivity,
                found.chance,
                found.chance_high,
                span(float(np.median(lead))) if len(lead) else "-",
                ", ".join(f"{rule} {count}" for rule, count in line.touched.by_rule.items()) or "none",
            ]
        )
    columns = (
        "kind",
        "form",
        "set",
        "eligible",
        "people",
        "found",
        "untouched",
        "chance",
        "97.5 % of chance",
        "first alert",
        "by",
    )
    return Table(title, columns, rows)


def lookalikes(title: str, copies: Sequence[Copy]) -> Table:
    """Return how often any alert falls into a confounder, with it and without; eligible ones only."""
    rows: list[list[Cell]] = []
    for variant in dict.fromkeys(one.variant for one in copies):
        mine = [one for one in copies if one.variant == variant]
        windows = [one for one in met(record("", mine, touched=True)) if one.eligible]
        seen = {one.event.wearer: (one.begin, one.end) for one in windows}
        counts = [
            sum(
                any(seen[one.event.wearer][0] <= alarm.raised <= seen[one.event.wearer][1] for alarm in alarms)
                for one in mine
                if one.event.wearer in seen
                for alarms in (one.alarms if touched else one.untouched,)
            )
            for touched in (True, False)
        ]
        shares = [count / len(seen) if seen else float("nan") for count in counts]
        rows.append(
            [variant.kind.outcome, variant.form.name.lower(), variant.set_name.upper(), len(seen), shares[0], shares[1]]
        )
    return Table(title, ("confounder", "form", "set", "episodes", "with an alert", "untouched"), rows)
