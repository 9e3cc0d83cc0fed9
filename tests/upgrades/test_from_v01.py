"""An upgrade from version 0.1: the log that one of its workers left, on a real Kafka, and a worker of today goes on."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from monitor.cuts import NO_VERSION, UNNAMED_INPUTS, Cut, valid_cuts
from monitor.settings import Settings
from monitor.verifying import verify
from monitor.version import engine_version
from tests.conftest import NewSettings
from tests.stream.conftest import Processes
from tests.stream.world import until
from tests.upgrades.kept_log import (
    CHECKPOINTS,
    CUTS,
    LOG,
    Kept,
    counts,
    counts_by_place,
    crashed,
    held,
    is_output,
    kept_log,
    newest,
    put,
)
from tests.upgrades.kept_log import unpack_checkpoints as unpack
from tests.upgrades.test_upgrades import QUICK, kill
from tests.upgrades.upgrade import FAST, OUTPUTS, PARTITIONS, WITHIN_S, Upgrade

CLOSED = "old-01"
STOPPED_AT = 27  # offset of the second claim in cuts.v1: the checkpoints are of the cut before it
DEAD_LETTER_MS, HEARTS_MS, CRISES_MS = 1_796_092_584_640, 1_796_092_594_700, 1_796_092_595_635
"""Stamps of the broker at which these were told, or just after."""


@pytest.fixture
def settings(new_settings: NewSettings) -> Settings:
    return new_settings(
        stream={**QUICK, "partitions": len(PARTITIONS), "clock": "log"},
        scoring={"enabled": False},
        checkpoint={"interval_s": 600.0},
    )


def open_alerts(records: Iterable[Kept]) -> list[dict[str, Any]]:
    return [alert for alert in newest(records).values() if alert["workflow"] != "closed"]


def versions(records: Iterable[Kept]) -> Counter[tuple[str, int]]:
    """Count how often each version of an alert was told."""
    alerts = [json.loads(one.value or b"") for one in records if one.topic.startswith("alerts.")]
    return Counter((alert["alert_id"], alert["version"]) for alert in alerts)


def test_the_kept_log_is_what_a_worker_of_0_1_wrote() -> None:
    log = kept_log()
    assert counts(log) == {
        "vitals.heart-rate.v1": 518,
        "vitals.blood-pressure.v1": 9,
        "vitals.activity.v1": 518,
        "context.wearer.v1": 14,
        "alert-commands.v1": 3,
        "risk.scores.v1": 36,
        "alerts.north.v1": 7,
        "alerts.south.v1": 9,
        "dead-letter.v1": 1,
        "control.v1": 2,
        "cuts.v1": 117,
    }
    assert hashlib.sha256(repr(log).encode()).hexdigest()[:16] == "3be128f6b7bedfe2"
    assert hashlib.sha256(CHECKPOINTS.read_bytes()).hexdigest()[:16] == "05e3f10d0f5172ef"
    assert LOG.stat().st_size + CHECKPOINTS.stat().st_size < 200_000
    places = counts_by_place(log)
    for (topic, p), n in places.items():
        assert [one.offset for one in log if (one.topic, one.partition) == (topic, p)] == list(range(n))
    assert not any(b'"v":' in (one.value or b"") for one in log if one.topic == CUTS)  # no span names its version
    told = sorted((one["rule"], one["wearer_id"], one["workflow"]) for one in newest(log).values())
    assert told == [
        *(("BP_SEVERE", f"old-{i:02d}", "closed" if i == 1 else "unacked") for i in (0, 1, 2, 3, 7, 8, 9)),
        *(("HR_HIGH_REST", name, "unacked") for name in FAST),
    ]


@pytest.mark.parametrize("checkpoints", [True, False], ids=["with its checkpoints", "from the start of its log"])
def test_a_worker_of_today_goes_on_from_a_log_of_0_1(
    settings: Settings, processes: Processes, checkpoints: bool
) -> None:
    log = kept_log()
    put(settings, log)
    assert held(settings, sorted(counts(log))) == sorted(log, key=lambda one: (one.topic, one.partition, one.offset))
    if checkpoints:
        unpack(settings)
    upgrade = Upgrade(settings, processes, log)
    first = upgrade.worker("w1")
    claims = (0, STOPPED_AT)
    cuts = [one for one in log if one.topic == CUTS and one.offset not in claims]
    behind = [one for one in cuts if one.offset > STOPPED_AT or not checkpoints]
    assert f" cuts={len(behind)} " in processes.logs()
    assert [(cut.span.version, cut.span.inputs) for cut in upgrade.spans() if cut.span is not None] == [
        (engine_version(), UNNAMED_INPUTS)
    ] * len(PARTITIONS)
    upgrade.settle()
    assert upgrade.told_since() == []  # what 0.1 told is told, and it owed nothing

    # 175 is severe since a switch that 0.1 read; four of the others have an open alert, one a closed one.
    upgrade.go_on({"old-05": 175, "old-12": 190, "old-13": 200, "old-02": 190, "old-03": 195, "old-08": 195})
    until("the new ones are told", lambda: len({one["wearer_id"] for one in upgrade.new()}) >= 3, WITHIN_S)
    upgrade.settle()
    assert sorted((one["wearer_id"], one["rule"]) for one in upgrade.new()) == [
        (name, "BP_SEVERE") for name in ("old-05", "old-12", "old-13")
    ]

    upgrade.close(open_alerts(held(settings, OUTPUTS)))
    until("all are closed", lambda: not open_alerts(held(settings, OUTPUTS)), WITHIN_S)
    first.terminate()
    first.wait(30)
    second = upgrade.worker("w2")  # it takes over what the first one handed to itself
    upgrade.go_on({"old-04": 190, CLOSED: 190})
    until("it is told", lambda: "old-04" in {one["wearer_id"] for one in upgrade.new()}, WITHIN_S)
    upgrade.settle()
    kill(second)
    assert set(versions(held(settings, OUTPUTS)).values()) == {1}
    # What somebody has closed while it was present is not raised again until it has cleared, whoever told it.
    assert sorted(one["wearer_id"] for one in upgrade.new()) == ["old-04", "old-05", "old-12", "old-13"]
    assert [one for one in upgrade.told_since() if one["schema"] != "alert/1"] == []

    report = verify(settings, other_cuts=1)
    assert report.identical, report
    assert report.status == 2
    begun = {cut.partition: cut.at for cut in upgrade.spans()}
    assert {(one.partition, one.at, one.end, one.version) for one in report.not_judged} == {
        (p, 1, begun[p], NO_VERSION) for p in PARTITIONS
    }
    assert report.alerts_expected == len(upgrade.told_since())


@pytest.mark.parametrize(
    ("died_at_ms", "checkpoints", "owed", "dead_letters"),
    [(DEAD_LETTER_MS, False, 1, 1), (HEARTS_MS, True, 2, 0), (CRISES_MS, True, 3, 0)],
    ids=["a dead letter", "fast hearts", "crises and an escalation"],
)
def test_what_0_1_decided_and_could_not_send_any_more_is_told_by_a_worker_of_today(
    settings: Settings, processes: Processes, died_at_ms: int, checkpoints: bool, owed: int, dead_letters: int
) -> None:
    whole = kept_log()
    cuts = last_cuts(whole, died_at_ms)
    log = crashed(whole, [cut for cut, _ in cuts], {cut.partition: stamp_ms for cut, stamp_ms in cuts})
    unsent = [one for one in whole if is_output(one.topic) and one.stamp_ms <= died_at_ms and one not in log]
    assert len(unsent) == owed
    put(settings, log)
    if checkpoints:
        unpack(settings)
    upgrade = Upgrade(settings, processes, log)
    upgrade.worker("w1")
    upgrade.settle()
    told = upgrade.told_since()
    assert {stand(json.loads(one.value or b"")) for one in unsent} <= set(map(stand, told))
    assert len([one for one in told if one["schema"] == "dead-letter/1"]) == dead_letters
    assert set(versions(held(settings, OUTPUTS)).values()) == {1}
    assert newest(held(settings, OUTPUTS)).keys() <= newest(whole).keys()
    report = verify(settings)
    assert report.identical, report
    assert {one.version for one in report.not_judged} == {NO_VERSION}
    assert report.status == 2


def last_cuts(log: list[Kept], at_ms: int) -> list[tuple[Cut, int]]:
    """Return, per partition, the cut that gave the last output up to a moment, or else the last cut, and its stamp."""
    found = []
    for p in PARTITIONS:
        mine = [one for one in log if one.partition == p and one.stamp_ms <= at_ms]
        until_ms = max((one.stamp_ms for one in mine if is_output(one.topic)), default=at_ms)
        rows = [(one.offset, one.stamp_ms, one.value) for one in mine if one.topic == CUTS and one.stamp_ms <= until_ms]
        *_, cut = valid_cuts(rows, p)
        found.append((cut, {at: stamp for at, stamp, _ in rows}[cut.at]))
    return found


def stand(output: dict[str, Any]) -> tuple[str, ...]:
    """Return how an alert stands, whatever its version and words are; of a dead letter which record it is of."""
    if output["schema"] == "dead-letter/1":
        return output["reason"], output["origin_topic"], str(output["origin_offset"])
    return output["alert_id"], output["rule"], output["condition"], output["workflow"]
