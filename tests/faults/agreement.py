"""Byte equality: what the log gives, replayed in a process that took no part, against what the topics hold."""

from dataclasses import dataclass

from monitor.engine import Engine
from monitor.settings import Settings
from tests.faults.records import Alerts
from tests.stream.world import replay


@dataclass(frozen=True, slots=True)
class Agreement:
    """Expected outputs, and in how many ways the topics differ from them."""

    expected: int
    missing: int
    different: int
    repeated: int


def engine_of(settings: Settings) -> Engine:
    """Return an engine as a worker makes it."""
    return Engine(
        settings.limits,
        partitions=settings.stream.partitions,
        teams=settings.teams,
        score_every_min=settings.scoring.every_min,
        log_clock=settings.stream.clock == "log",
    )


def agreement(settings: Settings, found: Alerts) -> Agreement:
    """Replay a log and compare: every value that it gives at least once, and none other."""
    expected = {(out.topic, out.partition, out.value) for out in replay(settings, engine_of(settings))}
    expected = {one for one in expected if one[0].startswith(("alerts.", "dead-letter"))}
    got = [(row.topic, row.partition, row.value) for row in (*found.alerts, *found.dead)]
    return Agreement(
        expected=len(expected),
        missing=len(expected - set(got)),
        different=len(set(got) - expected),
        repeated=len(got) - len(set(got)),
    )
