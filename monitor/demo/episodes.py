"""Which alert belongs to which simulated episode: same wearer, the rule for its kind, begun at about the same time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RULE_OF_KIND = {
    "hypertensive_crisis": "BP_SEVERE",
    "tachycardia_at_rest": "HR_HIGH_REST",
    "bradycardia": "HR_LOW",
    "hypotension": "BP_LOW",
    "heat_strain": "HEAT_LOAD",
    "watch_off": "NO_DATA",
    "gateway_silent": "NO_DATA",
}
"""The one table of what is expected; kinds that are not here have no rule, only the model."""

CRISES = frozenset({"hypertensive_crisis", "tachycardia_at_rest"})
"""Kinds that must never be missed."""

EARLY_MS = 2 * 60_000
LATE_MS = 20 * 60_000


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that really happened to a simulated wearer; times in epoch milliseconds, `end_ms` exclusive."""

    wearer: str
    kind: str
    onset_ms: int
    end_ms: int
    severity: float | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert as the alert topics hold it: its newest version, when its episode began, and when it was closed."""

    alert_id: str
    version: int
    wearer: str
    rule: str
    event_time_ms: int
    closed_ms: int | None = None

    @property
    def open(self) -> bool:
        """Whether nobody and nothing has closed it."""
        return self.closed_ms is None


@dataclass(frozen=True, slots=True)
class Match:
    """An episode and the first alert that belongs to it, or None."""

    episode: Episode
    alert_id: str | None


def belongs(alert: RaisedAlert, episode: Episode) -> bool:
    """Tell whether an alert is the one that an episode should raise."""
    return (
        alert.wearer == episode.wearer
        and alert.rule == RULE_OF_KIND.get(episode.kind)
        and episode.onset_ms - EARLY_MS <= alert.event_time_ms <= episode.end_ms + LATE_MS
    )


def stands_for(alert: RaisedAlert, episode: Episode) -> bool:
    """Tell whether an alert of the same rule was open when the episode began.

    A rule has at most one open alert a wearer, so an episode that begins before an earlier alert was closed raises none
    of its own: the care team is looking already.
    """
    return (
        alert.wearer == episode.wearer
        and alert.rule == RULE_OF_KIND.get(episode.kind)
        and alert.event_time_ms < episode.onset_ms
        and (alert.closed_ms is None or alert.closed_ms >= episode.onset_ms)
    )


def match(episodes: Sequence[Episode], alerts: Iterable[RaisedAlert]) -> list[Match]:
    """Give each episode the earliest alert that belongs to it, else one that was open already."""
    of_wearer: dict[str, list[RaisedAlert]] = {}
    for alert in alerts:
        of_wearer.setdefault(alert.wearer, []).append(alert)
    matches = []
    for episode in episodes:
        known = of_wearer.get(episode.wearer, [])
        found = [alert for alert in known if belongs(alert, episode)]
        found = found or [alert for alert in known if stands_for(alert, episode)]
        first = min(found, key=lambda alert: (alert.event_time_ms, alert.alert_id), default=None)
        matches.append(Match(episode, first.alert_id if first else None))
    return matches


def missed_crises(matches: Iterable[Match], published_until_ms: int) -> list[Episode]:
    """Return the crises without an alert whose whole episode lies inside the published time."""
    return [
        match.episode
        for match in matches
        if match.alert_id is None and match.episode.kind in CRISES and match.episode.end_ms <= published_until_ms
    ]
