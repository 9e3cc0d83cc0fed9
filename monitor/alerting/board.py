"""The board: all open alerts of all wearers, and the versions that a step tells the care teams."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitor.alerting import policy
from monitor.alerting.evidence import Rule
from monitor.alerting.finding import Finding
from monitor.alerting.policy import Condition, Episode, Workflow
from monitor.alerting.wording import compose
from monitor.wearers.state import State
from stream_schemas.alert import Alert

MINUTE_MS = 60_000
NEEDS_HEART_RATE = (Rule.HR_HIGH_REST, Rule.HR_LOW)


@dataclass(frozen=True, slots=True)
class Told:
    """One version of one alert, with what orders it among the others of its partition.

    Attributes
    ----------
    stamp_ms : received time of what decided it. start_ms, raised_ms : the episode's start in event time, and the T at
    which it was raised.
    """

    row: int
    stamp_ms: int
    rule: Rule
    alert: Alert
    start_ms: int
    raised_ms: int


class Board:
    """Episodes by (row, rule). `state.alert_open`, `alert_priority` and `alert_ended` mirror them for the fast path."""

    def __init__(self, state: State, teams: tuple[str, ...]) -> None:
        self.state = state
        self.teams = teams
        self.episodes: dict[tuple[int, Rule], Episode] = {}
        self.told: list[Told] = []

    def find(self, row: int, rule: Rule, finding: Finding, *, T_ms: int, stamp_ms: int, device_id: str | None) -> None:
        """Act on what a rule found."""
        old = self.episodes.get((row, rule))
        minute = finding.event_ms // MINUTE_MS
        if old is not None and minute < self.state.alert_minute[row, rule]:
            return  # it says nothing of what came after
        if old is not None and old.open:
            self._put(row, rule, policy.advance(old, finding, stamp_ms), finding.event_ms)
        elif old is not None and finding.cleared:
            self._forget(row, rule, finding.event_ms)
        elif finding.raised and not (old is not None and policy.blocks(old, finding)):
            if old is None and self.state.alert_began[row, rule] <= minute <= self.state.alert_ended[row, rule]:
                return  # revised minutes of an episode that is over
            if old is None and finding.start_ms // MINUTE_MS <= self.state.alert_ended[row, rule] < minute:
                finding = replace(finding, start_ms=finding.event_ms)  # begins after it, or it would get its id
            alert_id = episode_id(self.state.wearer_of[row], rule, finding.start_ms)
            new = policy.raised(
                finding,
                alert_id=alert_id,
                team=self.teams[int(self.state.team[row])],
                device_id=device_id,
                T_ms=T_ms,
                stamp_ms=stamp_ms,
            )
            if old is not None and old.alert_id == alert_id:
                new = replace(new, version=old.version + 1, worse_version=old.version + 1)
            self._put(row, rule, new, finding.event_ms)

    def silence(self, row: int, stamp_ms: int) -> None:
        """Heart rate stopped: what depends on it is unknown."""
        for rule in NEEDS_HEART_RATE:
            if (old := self.episodes.get((row, rule))) is not None and old.open:
                self._put(row, rule, policy.unknown(old, stamp_ms), stamp_ms)

    def escalate(self, row: int, rule: Rule, stamp_ms: int) -> None:
        """Nobody did what an open, present alert asked for."""
        old = self.episodes.get((row, rule))
        if old is not None and old.open and old.condition is Condition.PRESENT:
            self._put(row, rule, policy.escalate(old, stamp_ms), stamp_ms)

    def of_alert(self, row: int, alert_id: str) -> tuple[Rule, Episode] | None:
        """Find a wearer's open alert by its id."""
        for rule in Rule:
            episode = self.episodes.get((row, rule))
            if episode is not None and episode.open and episode.alert_id == alert_id:
                return rule, episode
        return None

    def acknowledge(self, row: int, rule: Rule, seen_version: int, actor: str, verdict: str | None, stamp: int) -> None:
        """A human has seen it."""
        old = self.episodes[row, rule]
        self._put(row, rule, policy.acknowledge(old, seen_version, actor, verdict, stamp), old.clear_since_ms)

    def close(self, row: int, rule: Rule, actor: str, verdict: str | None, stamp_ms: int) -> None:
        """A human closes it."""
        old = self.episodes[row, rule]
        self._put(row, rule, policy.close(old, actor, verdict, stamp_ms), old.clear_since_ms)

    def erase(self, row: int, stamp_ms: int) -> None:
        """Close all that is open of a wearer who is being erased."""
        for rule in Rule:
            if (old := self.episodes.get((row, rule))) is not None and old.open:
                self._put(row, rule, policy.close(old, "erasure", None, stamp_ms), stamp_ms)
            self.episodes.pop((row, rule), None)

    def drop(self, rows: NDArray[np.int64]) -> None:
        """Forget rows, telling nobody."""
        for row, rule in np.argwhere(self.state.alert_open[rows]).tolist():
            self.episodes.pop((int(rows[row]), Rule(rule)), None)

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Forget rows of which a step that raised may have left half an episode."""
        gone = set(rows.tolist())
        self.episodes = {key: episode for key, episode in self.episodes.items() if key[0] not in gone}

    def of_rows(self, place: NDArray[np.int64]) -> list[tuple[int, Rule, Episode]]:
        """Return (place, rule, episode) of rows with a place, by place and rule; place[row] is -1 for the others."""
        held = [(int(place[row]), rule, episode) for (row, rule), episode in self.episodes.items() if place[row] >= 0]
        return sorted(held, key=lambda one: one[:2])

    def has_open(self, row: int) -> bool:
        """Tell whether any alert of a wearer is open."""
        return any((episode := self.episodes.get((row, rule))) is not None and episode.open for rule in Rule)

    def take(self) -> list[Told]:
        """Hand over what is to be told, once."""
        told, self.told = self.told, []
        return told

    def tell(self, row: int, rule: Rule, episode: Episode) -> None:
        """Make an episode the one of its row and rule, and tell it."""
        alert = compose(episode, self.state.wearer_of[row])
        self.told.append(Told(row, episode.stamp_ms, rule, alert, episode.finding.start_ms, episode.raised_T_ms))
        self.put(row, rule, episode)

    def put(self, row: int, rule: Rule, episode: Episode) -> None:
        """Make an episode the one of its row and rule."""
        self.episodes[row, rule] = episode
        self.state.alert_open[row, rule] = 1
        self.state.alert_priority[row, rule] = episode.finding.priority
        self.state.alert_minute[row, rule] = episode.finding.event_ms // MINUTE_MS

    def _put(self, row: int, rule: Rule, new: Episode, event_ms: int) -> None:
        old = self.episodes.get((row, rule))
        if new is old:
            return
        if old is None or new.version != old.version:
            self.tell(row, rule, new)
        else:
            self.put(row, rule, new)
        if new.workflow is Workflow.CLOSED and new.condition is Condition.ABSENT:
            self._forget(row, rule, event_ms)

    def _forget(self, row: int, rule: Rule, event_ms: int) -> None:
        began = self.episodes.pop((row, rule)).finding.start_ms // MINUTE_MS
        some = self.state.alert_ended[row, rule] > 0
        self.state.alert_began[row, rule] = min(began, self.state.alert_began[row, rule]) if some else began
        self.state.alert_open[row, rule] = 0
        self.state.alert_priority[row, rule] = 0
        self.state.alert_minute[row, rule] = 0
        self.state.alert_ended[row, rule] = max(event_ms // MINUTE_MS, self.state.alert_ended[row, rule])


def episode_id(wearer_id: str, rule: Rule, start_ms: int) -> str:
    """Name an episode by what it is: wearer, rule, start in event time.

    >>> episode_id("w1", Rule.HR_LOW, 0) == episode_id("w1", Rule.HR_LOW, 0)
    True
    """
    return hashlib.sha256(f"{wearer_id}|{rule.name}|{start_ms}".encode()).hexdigest()[:24]
