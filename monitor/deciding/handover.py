"""From one version to the next: make the open alerts agree with what was told, whoever decided it.

Across versions a replay does not give the outputs that were sent. What was told stands: an alert that is open in its
topic goes on under its id and with a higher version; one that the replay has and nobody was told is told now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from monitor.alerting.board import Board
from monitor.alerting.evidence import Rule
from monitor.alerting.finding import Finding
from monitor.alerting.policy import Condition, Episode, Workflow
from monitor.alerting.wording import PRIORITIES, note_of
from stream_schemas.alert import Alert
from stream_schemas.rfc3339 import epoch_ms

_PRIORITY_OF = {word: priority for priority, word in PRIORITIES.items()}


def agree(board: Board, partition: int, told: Iterable[Alert], known: Mapping[str, int]) -> None:
    """Make a partition's open alerts agree with the newest versions that were told.

    Parameters
    ----------
    told : versions in the order of the topics since the state was known to agree with them.
    known : alert id -> version of the alerts that were open then: they were told before.
    """
    newest: dict[str, Alert] = {}
    for version in told:
        if version.alert_id not in newest or version.version > newest[version.alert_id].version:
            newest[version.alert_id] = version
    ours = {
        episode.alert_id: (row, rule)
        for (row, rule), episode in board.episodes.items()
        if board.state.partition[row] == partition
    }
    for alert_id, (row, rule) in sorted(ours.items()):
        episode, alert = board.episodes[row, rule], newest.get(alert_id)
        if alert is not None:
            _go_on(board, row, rule, episode, alert)
        elif known.get(alert_id) != episode.version and episode.open:
            board.tell(row, rule, episode)
    for alert_id, alert in sorted(newest.items()):
        if alert_id not in ours and alert.workflow != Workflow.CLOSED:
            _adopt(board, partition, alert)


def _go_on(board: Board, row: int, rule: Rule, ours: Episode, alert: Alert) -> None:
    """Let an alert that both know go on behind the version that was told; tell it where it stands otherwise."""
    if _same(ours, alert):
        if ours.version != alert.version:
            board.put(row, rule, replace(ours, version=max(ours.version, alert.version)))
    else:
        board.tell(row, rule, replace(ours, version=max(ours.version, alert.version) + 1))


def _adopt(board: Board, partition: int, alert: Alert) -> None:
    """Take an alert over that is open in its topic and that the replay has not raised, or not any more."""
    row = board.state.row_of.get(alert.wearer_id)
    if row is None or board.state.partition[row] != partition or alert.rule not in Rule.__members__:
        return
    rule = Rule[alert.rule]
    ours = board.episodes.get((row, rule))
    if ours is not None and ours.open:  # one open alert a wearer and rule: it goes on under the id that was told
        version = alert.version + 1
        board.tell(row, rule, replace(ours, alert_id=alert.alert_id, version=version, worse_version=version))
    elif (episode := _episode(rule, alert)) is not None:
        board.put(row, rule, episode)


def _same(ours: Episode, alert: Alert) -> bool:
    """Tell whether an alert stands as it was told, whatever the words."""
    return (
        ours.condition.value,
        ours.workflow.value,
        PRIORITIES[ours.finding.priority],
        ours.escalation_level,
        ours.flap_count,
    ) == (alert.condition, alert.workflow, alert.priority, alert.escalation_level, alert.flap_count)


def _episode(rule: Rule, alert: Alert) -> Episode | None:
    """Return what an alert says of its episode; None if it is of a state that this version does not have."""
    start_ms, raised_ms, stamp_ms = (epoch_ms(text) for text in (alert.event_time, alert.raised_at, alert.updated_at))
    states = {*map(str, Condition)}, {*map(str, Workflow)}, _PRIORITY_OF
    words = alert.condition, alert.workflow, alert.priority
    if start_ms is None or raised_ms is None or stamp_ms is None:
        return None
    if any(word not in known for word, known in zip(words, states, strict=True)):
        return None
    trigger = alert.trigger
    finding = Finding(
        rule=rule,
        raised=True,
        cleared=False,
        event_ms=start_ms,
        start_ms=start_ms,
        priority=_PRIORITY_OF[alert.priority],
        metric=trigger.metric,
        value=trigger.value if trigger.value is not None else 0,
        unit=trigger.unit,
        op=trigger.op,
        limit=trigger.limit if trigger.limit is not None else 0,
        window_s=round(trigger.window_s),
        samples=trigger.n_samples,
        unverified=alert.unverified,
        late=alert.late,
        missing=tuple(alert.missing),
        quality=alert.quality,
        model_version=alert.model_version,
        note=note_of(alert.text),
    )
    return Episode(
        alert_id=alert.alert_id,
        team=alert.team,
        device_id=alert.device_id,
        finding=finding,
        condition=Condition(alert.condition),
        workflow=Workflow(alert.workflow),
        version=alert.version,
        worse_version=alert.version,
        raised_T_ms=raised_ms,
        stamp_ms=stamp_ms,
        flap_count=alert.flap_count,
        escalation_level=alert.escalation_level,
        actor=alert.actor,
        verdict=alert.verdict,
    )
