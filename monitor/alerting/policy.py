"""The alert policy: a pure state machine over two orthogonal fields, condition and workflow.

*Condition* says whether it is physiologically so (present, clearing, absent, unknown); *workflow* whether a human has
dealt with it (unacked, acked, closed). Missing data makes a condition unknown and never closes anything. A medium or
high alert is latched: when its condition is gone it stays listed, returned to normal and unacknowledged, until a
human has seen it.

Every function takes an episode and returns the next one, or the same object when nothing is to be told. A new version
is a change that readers must see; versions only grow.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.alerting.evidence import Priority
from monitor.alerting.finding import Finding


class Condition(StrEnum):
    """Is it so?"""

    PRESENT = "present"
    CLEARING = "clearing"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Workflow(StrEnum):
    """Has a human dealt with it?"""

    UNACKED = "unacked"
    ACKED = "acked"
    CLOSED = "closed"


LATCHED = frozenset({Priority.MEDIUM, Priority.HIGH})


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert of one wearer and rule, from raise to close.

    Attributes
    ----------
    alert_id : hash of wearer, rule and start in event time.
    finding : what raised it, or what last made it worse.
    raised_T_ms : T of the step that raised it. stamp_ms : received time of what decided the newest version.
    worse_version : the version that last became worse; an acknowledgement must have seen it.
    clear_since_ms : event time since which it is clearing, or absent.
    """

    alert_id: str
    team: str
    device_id: str | None
    finding: Finding
    condition: Condition
    workflow: Workflow
    version: int
    worse_version: int
    raised_T_ms: int
    stamp_ms: int
    clear_since_ms: int = 0
    flap_count: int = 0
    escalation_level: int = 0
    actor: str | None = None
    verdict: str | None = None

    @property
    def open(self) -> bool:
        """Not closed."""
        return self.workflow is not Workflow.CLOSED


def raised(finding: Finding, *, alert_id: str, team: str, device_id: str | None, T_ms: int, stamp_ms: int) -> Episode:
    """Begin an episode: present, unacknowledged, version 1."""
    return Episode(
        alert_id=alert_id,
        team=team,
        device_id=device_id,
        finding=finding,
        condition=Condition.PRESENT,
        workflow=Workflow.UNACKED,
        version=1,
        worse_version=1,
        raised_T_ms=T_ms,
        stamp_ms=stamp_ms,
    )


def advance(episode: Episode, finding: Finding, stamp_ms: int) -> Episode:
    """Apply what the rule found next to an open episode.

    Worse is told and unacknowledges; milder is not told. Back from unknown or clearing is told once, as a flap for
    a condition that had gone. Gone for the off-delay: absent; then closed unless it is latched and unacknowledged.
    """
    if finding.raised:
        return _still(episode, finding, stamp_ms)
    if not finding.cleared or episode.condition is Condition.ABSENT:
        return replace(episode, condition=Condition.PRESENT) if episode.condition is Condition.CLEARING else episode
    if finding.off_delay_ms and episode.condition is not Condition.CLEARING:
        return replace(episode, condition=Condition.CLEARING, clear_since_ms=finding.event_ms)
    if finding.off_delay_ms and finding.event_ms - episode.clear_since_ms < finding.off_delay_ms:
        return episode
    return _gone(episode, finding.event_ms, stamp_ms)


def _still(episode: Episode, finding: Finding, stamp_ms: int) -> Episode:
    worse = finding.priority > episode.finding.priority
    escalates = finding.escalate and episode.escalation_level == 0
    back = episode.condition in (Condition.ABSENT, Condition.UNKNOWN)
    if not (worse or back or escalates):
        return replace(episode, condition=Condition.PRESENT) if episode.condition is Condition.CLEARING else episode
    version = episode.version + 1
    return replace(
        episode,
        finding=replace(finding, start_ms=episode.finding.start_ms) if worse else episode.finding,
        condition=Condition.PRESENT,
        workflow=Workflow.UNACKED if worse or episode.condition is Condition.ABSENT else episode.workflow,
        version=version,
        worse_version=version if worse else episode.worse_version,
        stamp_ms=stamp_ms,
        flap_count=episode.flap_count + (episode.condition is Condition.ABSENT),
        escalation_level=episode.escalation_level + escalates,
        clear_since_ms=0,
    )


def _gone(episode: Episode, event_ms: int, stamp_ms: int) -> Episode:
    waits = episode.finding.priority in LATCHED and episode.workflow is Workflow.UNACKED
    return replace(
        episode,
        condition=Condition.ABSENT,
        workflow=Workflow.UNACKED if waits else Workflow.CLOSED,
        version=episode.version + 1,
        stamp_ms=stamp_ms,
        clear_since_ms=event_ms,
    )


def unknown(episode: Episode, stamp_ms: int) -> Episode:
    """The data stopped: an open condition is neither present nor gone. Nothing closes."""
    if episode.condition in (Condition.ABSENT, Condition.UNKNOWN):
        return episode
    return replace(
        episode, condition=Condition.UNKNOWN, version=episode.version + 1, stamp_ms=stamp_ms, clear_since_ms=0
    )


def escalate(episode: Episode, stamp_ms: int) -> Episode:
    """Nobody did what the alert asked for in time: one level up, unacknowledged again."""
    version = episode.version + 1
    return replace(
        episode,
        workflow=Workflow.UNACKED,
        version=version,
        worse_version=version,
        stamp_ms=stamp_ms,
        escalation_level=episode.escalation_level + 1,
    )


def acknowledge(episode: Episode, seen_version: int, actor: str, verdict: str | None, stamp_ms: int) -> Episode:
    """A human has seen it. An acknowledgement of a version before the last worsening is not one: nothing happens."""
    if episode.workflow is not Workflow.UNACKED or seen_version < episode.worse_version:
        return episode
    return replace(
        episode,
        workflow=Workflow.CLOSED if episode.condition is Condition.ABSENT else Workflow.ACKED,
        version=episode.version + 1,
        stamp_ms=stamp_ms,
        actor=actor,
        verdict=verdict or episode.verdict,
    )


def close(episode: Episode, actor: str, verdict: str | None, stamp_ms: int) -> Episode:
    """Close it for good, whatever the condition; `blocks` tells what that means for the next finding."""
    return replace(
        episode,
        workflow=Workflow.CLOSED,
        version=episode.version + 1,
        stamp_ms=stamp_ms,
        actor=actor,
        verdict=verdict or episode.verdict,
    )


def blocks(closed: Episode, finding: Finding) -> bool:
    """Closed by a human while present: the same condition is not raised again until it has cleared or is worse."""
    return closed.condition is not Condition.ABSENT and finding.priority <= closed.finding.priority
