"""The policy under random histories: what must hold whatever happens."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting import policy
from monitor.alerting.evidence import Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.policy import Condition, Episode, Workflow

priorities = st.sampled_from([Priority.LOW, Priority.MEDIUM, Priority.HIGH])


def finding(raised: bool, cleared: bool, priority: Priority, event_ms: int = 0, off_delay_ms: int = 0) -> Finding:
    return Finding(
        rule=Rule.HR_HIGH_REST,
        raised=raised,
        cleared=cleared,
        event_ms=event_ms,
        start_ms=0,
        priority=priority,
        metric="heart_rate",
        value=130,
        unit="bpm",
        op=">=",
        limit=120,
        window_s=600,
        samples=600,
        off_delay_ms=off_delay_ms,
    )


def begin(priority: Priority) -> Episode:
    return policy.raised(finding(True, False, priority), alert_id="a", team="north", device_id=None, T_ms=0, stamp_ms=0)


what = st.sampled_from(["raised", "neither", "cleared", "silence", "escalate", "ack", "old ack"])
histories = st.lists(st.tuples(what, priorities), max_size=30)


def play(episode: Episode, history: list[tuple[str, Priority]]) -> list[tuple[str, Episode]]:
    """Every episode of a history until it closes, each with what led to it."""
    seen = [("begin", episode)]
    for k, (event, priority) in enumerate(history, start=1):
        if not episode.open:
            break
        match event:
            case "ack":
                episode = policy.acknowledge(episode, episode.version, "nurse", None, k)
            case "old ack":
                episode = policy.acknowledge(episode, episode.worse_version - 1, "nurse", None, k)
            case "silence":
                episode = policy.unknown(episode, k)
            case "escalate":
                episode = policy.escalate(episode, k)
            case _:
                episode = policy.advance(
                    episode, finding(event == "raised", event == "cleared", priority, k * 60_000), k
                )
        seen.append((event, episode))
    return seen


@settings(max_examples=300)
@given(priorities, histories)
def test_i3_versions_grow_by_one_exactly_when_something_is_told(
    priority: Priority, history: list[tuple[str, Priority]]
) -> None:
    seen = [episode for _, episode in play(begin(priority), history)]

    for old, new in itertools.pairwise(seen):
        told = (old.condition, old.workflow, old.finding, old.escalation_level, old.stamp_ms) != (
            new.condition,
            new.workflow,
            new.finding,
            new.escalation_level,
            new.stamp_ms,
        )
        assert new.version - old.version == (1 if told else 0)


@settings(max_examples=300)
@given(histories)
def test_i5_no_high_alert_closes_without_a_human_having_seen_it(history: list[tuple[str, Priority]]) -> None:
    seen = play(begin(Priority.HIGH), history)

    if not seen[-1][1].open:
        assert any(event == "ack" for event, _ in seen)


@settings(max_examples=300)
@given(priorities, histories)
def test_i6_silence_never_closes(priority: Priority, history: list[tuple[str, Priority]]) -> None:
    assert not any(event == "silence" and not episode.open for event, episode in play(begin(priority), history))


@settings(max_examples=300)
@given(priorities, histories)
def test_i8_an_acknowledgement_of_a_version_before_the_worst_changes_nothing(
    priority: Priority, history: list[tuple[str, Priority]]
) -> None:
    seen = play(begin(priority), history)

    for (_, old), (event, new) in itertools.pairwise(seen):
        if event == "old ack":
            assert new is old


def test_with_an_off_delay_a_condition_clears_only_after_it_and_a_relapse_starts_it_again() -> None:
    delay = 10 * 60_000
    episode = begin(Priority.LOW)

    for minute, raised, condition in [
        (1, False, "clearing"),
        (8, False, "clearing"),
        (9, True, "present"),
        (10, False, "clearing"),
        (19, False, "clearing"),
        (20, False, "absent"),
    ]:
        episode = policy.advance(episode, finding(raised, not raised, Priority.LOW, minute * 60_000, delay), minute)
        assert episode.condition is Condition(condition)

    assert episode.workflow is Workflow.CLOSED
