"""A log with more partitions goes on as if it had never been another one: same alerts, told once, and verify agrees."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from monitor import topics
from monitor.cli import main
from monitor.growing import NotGrown, Request, grow, request
from monitor.rule_switch import switch
from monitor.rules_in_force import rules_in_force
from monitor.settings import Settings
from monitor.stream.worker import engine_of
from monitor.verifying import verify
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import CUTS, INPUTS
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.world import environment, publish, read, settled, status, until
from tests.upgrades.test_upgrades import reading
from tests.verifying.author import HEART_RATE as HR_INPUT
from tests.verifying.author import START_MS, Author

HEART_RATE, PRESSURE = "vitals.heart-rate.v1", "vitals.blood-pressure.v1"
COMMANDS, WEARERS = "alert-commands.v1", "context.wearer.v1"
ALERTS = ("alerts.north.v1", "alerts.south.v1")
WEARER_INPUT = INPUTS.index(WEARERS)
QUICK = {"session_timeout_s": 6.0, "heartbeat_s": 1.0}
WITHIN_S = 20.0
OF_ITS_TIME = ("raised_at", "updated_at")

Message = tuple[bytes | None, bytes | None]
Told = dict[tuple[str, int], dict[str, Any]]


def minute(wearer: str, minutes_ago: int, now_s: float, bpm: int = 140) -> Message:
    """One minute of a resting heart that beats too fast."""
    start = int(now_s) // 60 * 60 - 60 * minutes_ago
    event = {
        "schema": "heart-rate/1",
        "event_id": f"{wearer}-{start}-{bpm}",
        "wearer_id": wearer,
        "device_id": "watch",
        "start": datetime.fromtimestamp(start, UTC).isoformat(),
        "offset_ms": list(range(0, 60_000, 10_000)),
        "bpm": [bpm] * 6,
        "context": "at_rest",
    }
    return wearer.encode(), json.dumps(event).encode()


def profile(wearer: str, team: str) -> Message:
    at = datetime.now(UTC).isoformat()
    event = {
        "schema": "wearer/1",
        "event_id": f"{wearer}-p",
        "wearer_id": wearer,
        "start": at,
        "team": team,
        "time_zone": "Europe/Berlin",
        "age_years": 50,
        "conditions": [],
        "medications": [],
        "consent": True,
    }
    return wearer.encode(), json.dumps(event).encode()


def command(alert: dict[str, Any], action: str) -> Message:
    event = {
        "schema": "alert-command/1",
        "command_id": f"{action}-{alert['alert_id']}",
        "wearer_id": alert["wearer_id"],
        "alert_id": alert["alert_id"],
        "seen_version": alert["version"],
        "action": action,
        "actor": "nurse",
        "at": datetime.now(UTC).isoformat(),
    }
    return alert["wearer_id"].encode(), json.dumps(event).encode()


def rows(settings: Settings) -> list[Any]:
    return [row for topic in ALERTS for row in read(settings, topic)]


def told(*logs: Settings) -> Told:
    """Return every version that these logs told, without what tells the time of day."""
    found = {}
    for row in (row for settings in logs for row in rows(settings)):
        alert = json.loads(row.value)
        found[alert["alert_id"], alert["version"]] = {k: v for k, v in alert.items() if k not in OF_ITS_TIME}
    return found


def newest(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the newest version of the one alert of each wearer."""
    alerts = [json.loads(row.value) for row in rows(settings)]
    return {alert["wearer_id"]: alert for alert in sorted(alerts, key=lambda alert: alert["version"])}


class Ward:
    """A log that is grown, and one with the same records that is not."""

    def __init__(self, log: Settings, twin: Settings, processes: Processes, now_s: float) -> None:
        self.log, self.twin, self.processes, self.now_s = log, twin, processes, now_s

    def start(self, settings: Settings, worker_id: str, partitions: int) -> Any:
        child = self.processes.start(settings, "monitor", "worker", PULSEWARDEN_STREAM__WORKER_ID=worker_id)

        def all_owned() -> bool:
            return sorted(settled(settings, worker_id)["assigned"]) == list(range(partitions))

        until(f"{worker_id} owns all", all_owned, WITHIN_S)
        return child

    def publish(self, topic: str, messages: Iterable[Message]) -> None:
        messages = list(messages)
        for settings in (self.log, self.twin):
            publish(settings, topic, messages)

    def await_read(self, worker_id: str) -> None:
        until(f"{worker_id} has read all", lambda: not status(self.log, worker_id).get("lag_records", 1), WITHIN_S)

    def minutes(self, wearer: str, *minutes_ago: int) -> None:
        self.publish(HEART_RATE, [minute(wearer, ago, self.now_s) for ago in minutes_ago])

    def order(self, action: str, wearers: Iterable[str]) -> None:
        wearers = list(wearers)
        for settings in (self.log, self.twin):
            alerts = newest(settings)
            publish(settings, COMMANDS, [command(alerts[wearer], action) for wearer in wearers])

    def both(self, what: str, wearers: Iterable[str], **wanted: str) -> None:
        wearers = list(wearers)

        def so() -> bool:
            found = [newest(settings) for settings in (self.log, self.twin)]
            return all(
                wearer in one and all(one[wearer][name] == value for name, value in wanted.items())
                for one in found
                for wearer in wearers
            )

        until(what, so, WITHIN_S)


@pytest.fixture
def ward(new_settings: NewSettings, processes: Processes) -> Ward:
    made = [new_settings(stream=QUICK, scoring={"enabled": False}, checkpoint={"interval_s": 600.0}) for _ in range(2)]
    return Ward(made[0], made[1], processes, time.time())


def to_eight(settings: Settings) -> Request:
    return request(settings, to=8, prefix=f"{settings.kafka.topic_prefix}eight.")


def test_wearers_alerts_and_rules_go_on_in_twice_the_partitions(ward: Ward, tmp_path: Path) -> None:
    old = ward.log
    first = ward.start(old, "w1", 4)
    ward.start(ward.twin, "twin", 4)
    rules = tmp_path / "rules.toml"
    rules.write_text("bp_severe_systolic_mmhg = 186\n")
    for settings in (old, ward.twin):
        switch(settings, rules)
    severe = [f"w{i}" for i in range(16)]
    ward.publish(WEARERS, [profile(wearer, "south") for wearer in severe[:5]])
    time_apart = [f"calm{i}" for i in range(8)]
    ward.publish(PRESSURE, [reading(wearer, 183) for wearer in time_apart])  # the switch says that it is none
    ward.publish(PRESSURE, map(reading, severe))
    fast = [f"fast{i}" for i in range(6)]
    for wearer in fast:
        ward.minutes(wearer, 15, 14, 13, 12, 11, 10)
    ward.both("all are told", severe)
    ward.order("acknowledge", severe[:4])
    ward.both("four are acknowledged", severe[:4], workflow="acked")
    with pytest.raises(NotGrown, match=r"Workers are at work on the log \(w1 on 127\.0\.0\.1\): end them with"):
        grow(to_eight(old))
    ward.await_read("w1")
    first.terminate()
    first.wait(30)

    # What nobody has read yet: three more minutes of each, and one more who is severe.
    for wearer in fast:
        ward.minutes(wearer, 9, 8, 7)
    ward.publish(PRESSURE, [reading("unread")])
    assert not any(wearer in newest(old) for wearer in fast)
    before = read(old, CUTS)
    asked = to_eight(old)
    grown = grow(asked)
    assert (grown.wearers, grown.alerts, grown.replayed_cuts) == (16 + 8 + 6, 16, 0)
    assert grown.unread == 6 * 3 + 1
    assert read(old, CUTS) == before
    assert topics.check(asked.new) == []
    copied = rows(asked.new)
    assert {row.value for row in copied} == {row.value for row in rows(old)} - {
        row.value for row in rows(old) if json.loads(row.value)["version"] < newest(old)[wearer_of(row)]["version"]
    }
    assert {(row.partition, row.key) for row in copied} == {
        (murmur2_partition(alert["wearer_id"].encode(), 8), alert["alert_id"].encode())
        for alert in newest(old).values()
    }
    assert {one.limits.bp_severe_systolic_mmhg for one in rules_in_force(asked.new).values()} == {186}
    unread = [row for row in read(old, PRESSURE) if row.key == b"unread"]
    carried = [row for row in read(asked.new, PRESSURE) if row.key == b"unread"]
    assert [row.stamp_ms for row in carried] == [row.stamp_ms for row in unread]

    ward.log = asked.new
    ward.start(asked.new, "w2", 8)
    ward.both("who was not read yet is told", ["unread"])
    for wearer in fast:
        ward.minutes(wearer, 6, 5, 4)
    ward.both("minutes before and after count together", fast, rule="HR_HIGH_REST")
    ward.publish(PRESSURE, [reading(wearer, 184, 0.5) for wearer in time_apart])
    ward.publish(PRESSURE, [reading("fresh")])
    ward.both("who comes new is told", ["fresh"])
    ward.order("close", [*severe, "unread"])
    ward.both("all can be closed", [*severe, "unread"], workflow="closed")
    ward.await_read("w2")
    assert told(old, asked.new) == told(ward.twin)
    assert not any(wearer in newest(asked.new) for wearer in time_apart)
    assert set(Counter(row.value for row in rows(asked.new)).values()) == {1}
    assert not read(asked.new, "dead-letter.v1")
    report = verify(asked.new)
    assert report.identical, report
    assert report.status == 0
    assert not report.missing
    assert {one.how for one in report.begun} == {"checkpoint"}
    assert verify(old).status == 0


def wearer_of(row: Any) -> str:
    return str(json.loads(row.value)["wearer_id"])


def test_what_was_read_and_waits_for_its_time_acts_in_its_order_on_the_log_clock(
    new_settings: NewSettings,
    processes: Processes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = new_settings(stream={"clock": "log", "partitions": 1, **QUICK}, scoring={"enabled": False})
    author = Author(old, cast("Any", engine_of(old)))
    author.begin()
    wearers = [f"w{i}" for i in range(12)]

    def pass_by(first: int, last: int, bpm: int) -> None:
        for ago in range(first, last, -1):
            for wearer in wearers:
                key, value = minute(wearer, ago, START_MS / 1000, bpm)
                author.publish(HR_INPUT, key or b"", value or b"", START_MS - (ago - 1) * 60_000)

    def enrol(team: str) -> None:
        for wearer in wearers:
            key, value = profile(wearer, team)
            author.publish(WEARER_INPUT, key or b"", value or b"", START_MS - 12 * 60_000)

    pass_by(30, 22, 100)
    author.cut(START_MS - 22 * 60_000)
    pass_by(22, 12, 100)
    for _ in range(3):
        enrol("north")
    author.cut(START_MS - 21 * 60_000)  # T lags: ten minutes and the profiles wait
    enrol("south")  # under the same stamp as what waits: what comes last counts
    pass_by(12, -4, 140)
    author.producer.close()
    assert not told(old)

    new = old.kafka.topic_prefix + "two."
    for name, value in environment(old).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["pulsewarden", "topics", "grow", "--to", "2", "--prefix", new])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "Carried over from 1 to 2 partitions: 12 wearers with their state" in out
    assert f"{12 + 12 * 16:,} of which no worker had read yet." in out
    assert "3 cuts lay behind the newest checkpoints" in out
    assert f"PULSEWARDEN_KAFKA__TOPIC_PREFIX={new}\n" in out
    assert "PULSEWARDEN_STREAM__PARTITIONS=2\n" in out
    grown = request(old, to=2, prefix=new).new
    assert f"PULSEWARDEN_CHECKPOINT__PLACE={grown.checkpoint_place}\n" in out

    lost = processes.start(
        grown,
        "monitor",
        "worker",
        PULSEWARDEN_CHECKPOINT__PLACE=str(tmp_path / "none"),
        PULSEWARDEN_STREAM__WORKER_ID="n",
    )
    assert lost.wait(patience(30)) == 2
    assert "none does not hold the state with which partition" in processes.logs()
    for settings, name in ((grown, "new"), (old, "old")):
        processes.start(settings, "monitor", "worker", PULSEWARDEN_STREAM__WORKER_ID=name)
    until("both logs told the same", lambda: told(grown) and told(grown) == told(old), WITHIN_S)
    assert {(one["wearer_id"], one["rule"], one["team"]) for one in told(grown).values()} >= {
        (wearer, "HR_HIGH_REST", "south") for wearer in wearers
    }
    assert not any(alert["team"] == "north" for alert in told(grown).values())
    for settings in (grown, old):
        report = verify(settings, other_cuts=1)
        assert report.identical, report


def test_what_cannot_be_grown_is_one_sentence_and_status_2(
    ward: Ward, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ward.log
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)

    def refused(*options: str) -> str:
        monkeypatch.setattr("sys.argv", ["pulsewarden", "topics", "grow", *options])
        assert main() == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    new = settings.kafka.topic_prefix + "more."
    assert "--to 6 is no larger multiple of the 4 partitions" in refused("--to", "6", "--prefix", new)
    assert "--to 4 is no larger multiple" in refused("--to", "4", "--prefix", new)
    assert "--to 2048" not in refused("--to", "2048", "--prefix", new)
    assert "is the prefix of the log that there is" in refused("--to", "8", "--prefix", settings.kafka.topic_prefix)
    for prefix in ("with blank", "bad/name."):
        assert "is no beginning of a topic's name" in refused("--to", "8", "--prefix", prefix)
    assert "No cut is in partition 0 of the log: start a worker of this version" in refused(
        "--to", "8", "--prefix", new
    )
    child = ward.start(settings, "w1", 4)
    child.terminate()
    child.wait(30)
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    monkeypatch.setenv("PULSEWARDEN_TEAMS", "north")
    assert "alerts of a team that PULSEWARDEN_TEAMS does not name (south)" in refused("--to", "8", "--prefix", new)
    monkeypatch.delenv("PULSEWARDEN_TEAMS")
    admin.create_topics([NewTopic(f"{new}{HEART_RATE}", 5, 1)])
    admin.close()
    until("it is there", lambda: any(row.partitions == 5 for row in topics.listing(asked_for(settings, new))))
    assert f"Topic {new}{HEART_RATE} exists and has 5 partitions, not 8" in refused("--to", "8", "--prefix", new)
    other = settings.kafka.topic_prefix + "other."
    topics.create(asked_for(settings, other))
    publish(asked_for(settings, other), HEART_RATE, [minute("w1", 1, ward.now_s)])
    assert "exists and is not new" in refused("--to", "8", "--prefix", other)
    third, place = settings.kafka.topic_prefix + "third.", settings.checkpoint_place
    sentence = refused("--to", "8", "--prefix", third, "--checkpoints", place)
    assert "is the place of the log that there is" in sentence


def test_a_growing_that_fails_leaves_nothing_and_one_that_is_killed_is_named(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ward.log
    child = ward.start(settings, "w1", 4)
    child.terminate()
    child.wait(patience(30))
    asked = request(settings, to=8, prefix=settings.kafka.topic_prefix + "more.")

    async def fail(*_: object) -> None:
        raise RuntimeError("in the middle of it")

    monkeypatch.setattr("monitor.growing.growing._Growing._carry_rest", fail)
    with pytest.raises(RuntimeError):
        grow(asked)
    until("its topics are gone", lambda: all(row.partitions is None for row in topics.listing(asked.new)))
    assert not list(Path(asked.new.checkpoint_place).rglob("*.safetensors"))

    monkeypatch.setattr("monitor.growing.new_log.discard", lambda _: None)  # as after kill -9
    with pytest.raises(RuntimeError):
        grow(asked)
    topics.create(asked.new, alter=True)  # what a worker advises at topics that are not as the table says
    child = ward.processes.start(asked.new, "monitor", "worker")
    assert child.wait(patience(30)) == 2
    assert "topics grow` did not come to its end" in ward.processes.logs()


def asked_for(settings: Settings, prefix: str) -> Settings:
    return request(settings, to=8, prefix=prefix).new
