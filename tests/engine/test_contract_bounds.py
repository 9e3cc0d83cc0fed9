"""The bounds of the contract are the bounds of the engine: no record that the contract takes, or refuses, ends it."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.alerting.board import episode_id
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.engine import Engine
from stream_schemas.codec import decode
from stream_schemas.partition import murmur2_partition
from stream_schemas.reasons import Rejected
from stream_schemas.topics import ALERT_COMMANDS, CONTROL, INPUTS, RISK_SCORES, SLEEP, WEARER
from tests.engine.edges import COMPANIONS, Edge, edges_of, event_at, put
from tests.engine.feed import MINUTE, PARTITIONS, TEAMS, Feed, feed
from tests.engine.ordinary import DAY, NOW, ordinary

PRESSURE_MS = NOW - 30 * MINUTE
TIMES_MAY_BE = {"future", "too_old"}
ENGINE_MAY_SAY = {ALERT_COMMANDS: {"unknown_alert", "unsupported_action"}, CONTROL: {"invalid_field"}}
"""Reasons that need more than the record: a command's alert, what a rule file says."""


def alert_of(wearer: str) -> str:
    return episode_id(wearer, Rule.BP_SEVERE, PRESSURE_MS)


def home(wearer: str) -> int:
    return murmur2_partition(wearer.encode(), PARTITIONS)


def before(f: Feed, wearer: str) -> None:
    """Somebody with open alerts of heart rate and pressure, and some of everything else."""
    f.profile(wearer, NOW - 60 * MINUTE, time_zone="America/New_York")
    f.minutes(wearer, NOW - 50 * MINUTE, [130] * 12)
    f.pressure(wearer, PRESSURE_MS, 190, 100)
    f.weather(wearer, NOW - 20 * MINUTE, 41, 40)
    f.publish(
        RISK_SCORES, ordinary(RISK_SCORES, wearer, at=NOW - 10 * MINUTE), NOW - 10 * MINUTE, key="", p=home(wearer)
    )


def after(f: Feed, wearer: str) -> None:
    """Go on: the same minutes, the days that follow, an absence, a last record and a tombstone."""
    f.publish(SLEEP, ordinary(SLEEP, wearer), NOW + MINUTE)
    f.publish(RISK_SCORES, ordinary(RISK_SCORES, wearer, at=NOW), NOW + MINUTE, key="", p=home(wearer))
    for day in (0, 1, 2):
        f.minutes(wearer, NOW + 2 * MINUTE + day * DAY, [131, 60])
    f.minutes(wearer, NOW + 50 * DAY, [131, 60])
    f.publish(WEARER, None, NOW + 50 * DAY + 20 * MINUTE, key=wearer)


CUTS = (
    *(NOW - 29 * MINUTE, NOW - MINUTE, NOW + 1, NOW + MINUTE // 2, NOW + 10 * MINUTE, NOW + DAY, NOW + 3 * DAY),
    *(NOW + 43 * DAY, NOW + 50 * DAY + 10 * MINUTE, NOW + 90 * DAY),
)
SAVED_AT = NOW + 10 * MINUTE


def live(f: Feed) -> None:
    """Play all there is, and let another engine go on from what this one saves: it says the same."""
    for log in f.records.values():
        log.sort(key=lambda record: record.stamp_ms)
    other: Feed | None = None
    for T in CUTS:
        f.cut(T)
        if other is not None:
            other.cut(T)
        if T in (NOW + 1, SAVED_AT):  # a while later what the first one saved is put away with all that waits
            other = successor(f)
    assert other is not None
    assert other.bytes_out == f.bytes_out[-len(other.bytes_out) :]
    published = sum(map(len, f.records.values()))
    assert f.ingested.total() + f.refused.total() == published


def successor(f: Feed) -> Feed:
    engine = Engine(Limits(), partitions=PARTITIONS, teams=TEAMS, log_clock=f.engine.log_clock)
    for p in range(PARTITIONS):
        engine.open(p)
        engine.load(p, deepcopy(f.engine.save(p)), f.engine.position(p))
    return Feed(engine, f.records, dict(f.read), f.offset_of_cut)


def publish(f: Feed, topic: str, event: dict[str, Any], wearer: str, at: int) -> tuple[str, int, int]:
    """Publish an event as its topic has it; return where it stands."""
    key = "" if topic in (RISK_SCORES, CONTROL) else str(event.get("wearer_id"))
    partition = home(wearer if key == "" else key)
    f.publish(topic, event, at, key=key, p=partition)
    return topic, partition, sum(r.stamp_ms <= at for r in f.records[topic, partition]) - 1


def play(edges: list[Edge], *, log_clock: bool = False) -> tuple[Feed, list[tuple[str, int, int]]]:
    """Play edges, each of a wearer of its own, who was there before and goes on after it."""
    f, places = feed(log_clock=log_clock), []
    who = [f"w{k}" for k in range(len(edges))]
    for wearer in who:
        before(f, wearer)
    for log in f.records.values():
        log.sort(key=lambda record: record.stamp_ms)
    for edge, wearer in zip(edges, who, strict=True):
        event = event_at(edge, wearer)
        if edge.topic == ALERT_COMMANDS and edge.path[0] != "alert_id":
            event["alert_id"] = alert_of(wearer)
        places.append(publish(f, edge.topic, event, wearer, NOW))
        publish(f, edge.topic, event, wearer, NOW)  # once more
        named = event.get("wearer_id")
        after(f, named if edge.path == ("wearer_id",) and isinstance(named, str) and edge.valid else wearer)
    live(f)
    return f, places


def culprits(edges: list[Edge]) -> list[str]:
    """Name the edges that end an engine, each played alone."""
    ends = []
    for edge in edges:
        try:
            play([edge])
        except Exception as error:  # noqa: BLE001 - whatever it is: this is what is looked for
            ends.append(f"{edge.path} {edge.label}: {type(error).__name__}: {error}")
    return ends


@pytest.mark.parametrize("topic", INPUTS)
def test_every_edge_of_every_field_passes_the_engine_or_is_a_dead_letter(topic: str) -> None:
    edges = edges_of(topic)
    try:
        f, places = play(edges)
    except Exception as error:  # noqa: BLE001
        pytest.fail(f"{type(error).__name__}: {error}\n" + "\n".join(culprits(edges)))

    refused = {(d["origin_topic"], d["origin_partition"], d["origin_offset"]): d["reason"] for d in f.dead}
    wrong = []
    for edge, place in zip(edges, places, strict=True):
        reason, is_time = refused.get(place), isinstance(edge.value, str) and edge.valid is None
        event = event_at(edge, "w")
        told = decode(topic, str(event.get("wearer_id")).encode(), json.dumps(event).encode())
        may_be = set(ENGINE_MAY_SAY.get(topic, set()))
        if is_time or edge.path == ("scored_at_ms",):
            may_be |= TIMES_MAY_BE
        fits = reason == told.reason.value if isinstance(told, Rejected) else reason is None or reason in may_be
        if not fits or (edge.valid is not None and edge.valid == isinstance(told, Rejected)):
            wrong.append((edge.path, edge.label, reason))
    assert not wrong


EDGES = {topic: edges_of(topic) for topic in INPUTS}
SERIES = COMPANIONS | {RISK_SCORES: [tuple(name for group in COMPANIONS[RISK_SCORES] for name in group)]}
"""Of these only one is moved at a time: the others follow it."""


@st.composite
def combined(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An event of which several fields stand at edges that the contract takes."""
    topic = draw(st.sampled_from(INPUTS))
    event = ordinary(topic, "w", alert_id=alert_of("w"))
    moved = {"wearer_id", "schema"}
    for edge in draw(st.lists(st.sampled_from([one for one in EDGES[topic] if one.valid is not False]), max_size=6)):
        name = str(edge.path[0])
        if name not in moved and not (isinstance(edge.value, list) and len(edge.value) > 2000):
            event = put(event, topic, edge.path, edge.value)
            moved |= {other for group in SERIES.get(topic, [(name,)]) if name in group for other in group} | {name}
    return topic, event


@given(combined(), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_fields_at_their_edges_together_pass_the_engine_or_are_a_dead_letter(
    one: tuple[str, dict[str, Any]], log_clock: bool
) -> None:
    topic, event = one
    f = feed(log_clock=log_clock)
    before(f, "w")
    publish(f, topic, event, "w", NOW)
    after(f, "w")
    live(f)
