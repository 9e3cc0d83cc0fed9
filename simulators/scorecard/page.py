"""A scorecard in words: tables and sentences, for the terminal, for Markdown, for JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulators.scorecard.answers import lines as answer_lines
from simulators.scorecard.matching import Standing
from simulators.scorecard.measures import Found, KindScore, Scorecard

Cell = str | int | float | None

DEFINITIONS = tuple(
    """
An event is found if a rule that answers its kind raises an alert within its window (`answers.WINDOWS`); the time of \
an alert is when it was raised. Eligible: worn for at least half of the window.
Chance is the share of eligible events that the same alerts would hit at other times: all alerts of a wearer moved by \
one random shift around the circle of their time of wear, mean of 1,000 shifts; a sensitivity below the 97.5th centile \
of the shifts is no better than chance.
Intervals are 95 %: of sensitivity and PPV by bootstrap over people, of rates exact for a Poisson count, which takes \
alerts for independent and is too narrow where few wearers have most of them.
A false episode answers no event and falls into no other condition, from its lead-up until it has faded; alerts during \
confounders alone are false, and are counted for each confounder too. Of \
rules for which truth has no kind nothing is called false.
""".strip().splitlines()
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table; None or NaN was not measured."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> list[str]:
        """Return its lines."""
        head = [f"**{self.title}**", "", "| " + " | ".join(self.columns) + " |", "|" + "---|" * len(self.columns)]
        return [*head, *("| " + " | ".join(map(shown, row)) + " |" for row in self.rows), ""]

    def plain(self) -> list[str]:
        """Return its lines for a terminal."""
        rows = [list(self.columns), *([shown(cell) for cell in row] for row in self.rows)]
        wide = [max(len(row[k]) for row in rows) for k in range(len(self.columns))]
        return [
            self.title,
            *("  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows),
        ]


def shown(cell: Cell) -> str:
    """Return a cell as it is read.

    >>> shown(0.0123), shown(12.345), shown(1234), shown(math.nan), shown("a")
    ('0.012', '12.3', '1,234', '-', 'a')
    """
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "-"
    if isinstance(cell, float):
        return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.3f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def share(found: Found) -> str:
    """Return a sensitivity with its interval.

    >>> share(Found(10, 5, 4, (0.2, 0.8), 0.1, 0.2))
    '0.50 (0.20-0.80)'
    """
    if not found.eligible:
        return "-"
    if not math.isfinite(found.interval[0]):
        return f"{found.sensitivity:.2f}"
    return f"{found.sensitivity:.2f} ({found.interval[0]:.2f}-{found.interval[1]:.2f})"


def span(minutes: float) -> str:
    """Return a time before (+) or after (-) an onset, in the unit that is read most easily.

    >>> span(90.0), span(-20.0), span(-2880.0), span(math.nan)
    ('+1.5 h', '-20 min', '-2.0 d', '-')
    """
    if not math.isfinite(minutes):
        return "-"
    if abs(minutes) < 60:
        return f"{minutes:+.0f} min"
    return f"{minutes / 60:+.1f} h" if abs(minutes) < 1440 else f"{minutes / 1440:+.1f} d"


def tables(card: Scorecard) -> list[Table]:
    """Return all tables of a scorecard; those without a row are left out."""
    made = [_kinds(card), _forms(card), _leads(card), _alarms(card), _confounders(card), _technical(card)]
    return [table for table in made if table.rows]


def no_better(found: Mapping[str, Found]) -> str:
    """Say which of some sensitivities are no better than chance; "" where none was eligible.

    >>> no_better({"infection": Found(9, 8, 9, (0.5, 1.0), 0.1, 0.3), "stress": Found(9, 2, 9, (0.0, 0.5), 0.1, 0.3)})
    'No better than chance (at or below the 97.5th centile of the shifts): stress.'
    """
    asked = {label: one for label, one in found.items() if one.eligible}
    if not asked:
        return ""
    poor = [label for label, one in asked.items() if one.sensitivity <= one.chance_high]
    if not poor:
        return "All are found more often than the 97.5th centile of the shifts has it."
    return f"No better than chance (at or below the 97.5th centile of the shifts): {'; '.join(poor)}."


def summary(card: Scorecard) -> list[str]:
    """Return the figures of the whole run as sentences."""
    low, high = card.false.interval
    unjudged, beside = card.standing(Standing.UNJUDGED), card.standing(Standing.BESIDE)
    said = [
        f"{card.wearers:,} wearers, {card.worn_days:,.0f} worn wearer-days.",
        (
            f"False episodes: {card.false.count} ({card.standing(Standing.CONFOUNDED)} of them during confounders), "
            f"{shown(card.false.value)} a worn wearer-day ({shown(low)} to {shown(high)}); "
            f"the twentieth of the wearers who have most have {shown(card.false_of_few)} of them."
        ),
        (
            f"All alerts about wearers: {shown(card.load.value)} a worn wearer-day; the 95th centile of wearers has "
            f"{shown(card.load_p95)}. Of these {unjudged} are of rules that truth cannot judge, and {beside} fell "
            "into a condition that their rule is not there for."
        ),
        (
            f"PPV {shown(card.ppv)} ({shown(card.ppv_interval[0])} to {shown(card.ppv_interval[1])}): answers over "
            "answers and false episodes. It depends on how often the scenario lets things happen."
        ),
    ]
    chance = no_better({one.kind.outcome: one.found for one in card.kinds})
    return [*said, chance] if chance else said


def _kinds(card: Scorecard) -> Table:
    rows: list[list[Cell]] = [
        [
            one.kind.outcome,
            one.events,
            one.found.eligible,
            one.found.caught,
            share(one.found),
            one.found.chance,
            one.found.chance_high,
            ", ".join(f"{rule} {count}" for rule, count in one.by_rule.items()) or "none",
        ]
        for one in card.kinds
    ]
    return Table(
        "Events found, by kind",
        ("kind", "events", "eligible", "found", "sensitivity", "chance", "97.5 % of chance", "found by"),
        rows,
    )


def _forms(card: Scorecard) -> Table:
    rows: list[list[Cell]] = [
        [one.kind.outcome, form, found.eligible, found.caught, share(found), found.chance, found.chance_high]
        for one in card.kinds
        if len(one.by_form) > 1
        for form, found in one.by_form.items()
    ]
    return Table("By form", ("kind", "form", "eligible", "found", "sensitivity", "chance", "97.5 % of chance"), rows)


def _leads(card: Scorecard) -> Table:
    rows: list[list[Cell]] = []
    for one in card.kinds:
        if len(one.lead_min):
            low, middle, high = np.quantile(one.lead_min, (0.25, 0.5, 0.75)).tolist()
            ahead = [f"{(one.lead_min >= hours * 60).mean():.0%}" for hours in (1, 6, 24)]
            rows.append([one.kind.outcome, len(one.lead_min), span(middle), f"{span(low)} to {span(high)}", *ahead])
    return Table(
        "Time of the first alert before (+) or after (-) the onset",
        ("kind", "found", "median", "quartiles", "1 h ahead", "6 h", "24 h"),
        rows,
    )


def _alarms(card: Scorecard) -> Table:
    columns = (Standing.ANSWER, Standing.BESIDE, Standing.CONFOUNDED, Standing.FALSE, Standing.UNJUDGED)
    rows: list[list[Cell]] = [
        [
            rule,
            *(counts.get(standing, 0) for standing in columns),
            sum(counts.values()) / card.worn_days if card.worn_days else math.nan,
        ]
        for rule, counts in card.alarms.items()
        if Standing.TECHNICAL not in counts
    ]
    return Table(
        "Alerts, by rule",
        ("rule", "answers", "in another condition", "during a confounder", "false", "not judged", "a worn wearer-day"),
        rows,
    )


def _confounders(card: Scorecard) -> Table:
    rows: list[list[Cell]] = [
        [
            one.kind.outcome,
            one.episodes,
            one.with_alarm,
            one.with_alarm / one.episodes if one.episodes else math.nan,
            ", ".join(f"{rule} {count}" for rule, count in one.alarms.items()) or "none",
        ]
        for one in card.confounders
    ]
    return Table("Alerts during confounders alone", ("confounder", "episodes", "with an alert", "share", "by"), rows)


def _technical(card: Scorecard) -> Table:
    rows: list[list[Cell]] = [
        [one.kind.outcome, one.events, one.found.caught, share(one.found), one.found.chance] for one in card.technical
    ]
    return Table("About the data", ("kind", "events", "told", "share", "chance"), rows)


def against(cards: Mapping[str, Scorecard]) -> Table:
    """Return runs side by side that differ in one setting."""
    names = list(cards)
    rows: list[list[Cell]] = [
        ["worn wearer-days", *(card.worn_days for card in cards.values())],
        ["alerts a worn wearer-day", *(card.load.value for card in cards.values())],
        ["95th centile of wearers", *(card.load_p95 for card in cards.values())],
        ["false episodes a worn wearer-day", *(card.false.value for card in cards.values())],
        ["PPV", *(card.ppv for card in cards.values())],
    ]
    kinds = sorted({one.kind for card in cards.values() for one in card.kinds})
    for kind in kinds:
        found = [next((one.found for one in card.kinds if one.kind == kind), None) for card in cards.values()]
        rows.append([f"sensitivity, {kind.outcome}", *("-" if one is None else share(one) for one in found)])
    return Table("Side by side", ("", *names), rows)


def answers() -> Table:
    """Return which rule answers what, and why."""
    return Table("What answers what", ("rule", "answers", "because"), answer_lines())


def document(card: Scorecard) -> dict[str, Any]:
    """Return the figures for JSON; what was not measured is null."""
    return {
        "name": card.name,
        "wearers": card.wearers,
        "worn_days": _known(card.worn_days),
        "kinds": [_kind(one) for one in card.kinds],
        "technical": [_kind(one) for one in card.technical],
        "confounders": [
            {
                "kind": one.kind.outcome,
                "episodes": one.episodes,
                "with_alarm": one.with_alarm,
                "alarms": dict(one.alarms),
            }
            for one in card.confounders
        ],
        "alarms": {
            rule: {standing.name.lower(): count for standing, count in counts.items()}
            for rule, counts in card.alarms.items()
        },
        "false_a_day": _known(card.false.value),
        "false_a_day_interval": [_known(bound) for bound in card.false.interval],
        "false_of_few": _known(card.false_of_few),
        "alarms_a_day": _known(card.load.value),
        "alarms_a_day_p95": _known(card.load_p95),
        "ppv": _known(card.ppv),
        "ppv_interval": [_known(bound) for bound in card.ppv_interval],
    }


def _kind(one: KindScore) -> dict[str, Any]:
    return {
        "kind": one.kind.outcome,
        "events": one.events,
        **_found(one.found),
        "forms": {form: _found(found) for form, found in one.by_form.items()},
        "by_rule": dict(one.by_rule),
        "lead_min": one.lead_min.tolist(),
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "eligible": found.eligible,
        "caught": found.caught,
        "people": found.people,
        "sensitivity": _known(found.sensitivity),
        "interval": [_known(bound) for bound in found.interval],
        "chance": _known(found.chance),
        "chance_high": _known(found.chance_high),
    }


def _known(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
