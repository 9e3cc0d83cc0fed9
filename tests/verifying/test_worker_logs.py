"""Logs that worker processes have written: verify agrees with them, also while they are at work."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from monitor.cuts import encode_cut, valid_cuts
from monitor.settings import Settings
from monitor.verifying import verify
from monitor.verifying.command import run
from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import REPOSITORY, environment, heart_rate, publish, read, settled, until

HEART_RATE = "vitals.heart-rate.v1"
ALERTS = "alerts.north.v1"
QUICK = {"session_timeout_s": 6.0, "heartbeat_s": 1.0}
MINUTE_MS = 60_000
START_MS = 1_767_600_000_000


def send(settings: Settings, topic: str, value: bytes, partition: int, key: bytes | None = None) -> int:
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    name = settings.kafka.topic_prefix + topic
    offset: int = producer.send(name, value, key=key, partition=partition).get(patience(10)).offset
    producer.close()
    return offset


def test_a_live_worker_s_log_is_identical_while_it_goes_on_and_what_somebody_else_writes_is_found(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK, checkpoint={"interval_s": 1.0})
    processes.toy(settings)
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)

    def check(**how: Any) -> Any:
        return verify(settings, new_engine=lambda _: ToyEngine(INPUTS, settings.teams[0]), **how)

    def load(begin: int, end: int) -> None:
        publish(settings, HEART_RATE, (heart_rate(f"w{i % 40}", i) for i in range(begin, end)))

    for begin in range(0, 2_000, 200):
        load(begin, begin + 200)
        if begin == 1_000:
            assert check(other_cuts=3).identical
    until("the alerts are out", lambda: len(read(settings, ALERTS)) == 200)
    report = check(other_cuts=4)
    assert report.status == 0
    assert (report.alerts_expected, report.alerts_seen, report.records) == (200, 200, 2_000)
    assert report.other_cuts.compared == 200
    until("it takes checkpoints", lambda: len(check(from_checkpoint=True).begun) == 4)
    assert check(from_checkpoint=True, other_cuts=5).identical

    row = read(settings, ALERTS)[17]
    forged = json.dumps({**json.loads(row.value or b""), "priority": "high"}).encode()
    at = send(settings, ALERTS, forged, row.partition, row.key)
    cuts = [(one.offset, one.stamp_ms, one.value) for one in read(settings, "cuts.v1") if one.partition == 2]
    last = list(valid_cuts(cuts, 2))[-1]
    foreign = send(settings, "cuts.v1", encode_cut(replace(last, seq=last.seq + 1, digest=last.digest ^ 1)), 2)
    load(2_000, 2_400)
    until("it goes on", lambda: len(read(settings, ALERTS)) == 241)
    report = check()
    assert (report.missing, report.different, report.unexpected) == (0, 1, 0)
    assert (report.differences[0].offset, report.differences[0].fields) == (at, ("priority",))
    assert [(one.partition, one.offset) for one in report.not_following if one.offset == foreign] == [(2, foreign)]


def command(settings: Settings, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", "verify", *options],
        cwd=REPOSITORY,
        env={**os.environ, **environment(settings)},
        capture_output=True,
        text=True,
        timeout=patience(60),
    )


def test_the_command_judges_the_log_of_a_real_worker_and_shows_values_only_if_asked(
    new_settings: NewSettings, processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = new_settings(stream={"clock": "log", **QUICK}, scoring={"enabled": False})
    nothing = command(settings)
    assert nothing.returncode == 2
    assert "No cut is in" in nothing.stderr
    assert "Traceback" not in nothing.stderr
    processes.start(settings, "monitor", "worker")
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    wearers = [f"wearer-{i}" for i in range(12)]
    for minute in range(75):
        for i, wearer in enumerate(wearers):
            bpm = 131 + i if i % 3 == 0 and 20 <= minute < 50 else 36 if i % 4 == 1 and 10 <= minute < 40 else 66 + i
            begin = START_MS + minute * MINUTE_MS
            event: dict[str, Any] = {"wearer_id": wearer, "device_id": "d", "start": rfc3339(begin)}
            event |= {"schema": "heart-rate/1", "event_id": f"{wearer}-{minute}", "context": "at_rest"}
            event |= {"offset_ms": list(range(0, MINUTE_MS, 1000)), "bpm": [bpm] * 60}
            producer.send(
                settings.kafka.topic_prefix + HEART_RATE,
                json.dumps(event).encode(),
                key=wearer.encode(),
                partition=murmur2_partition(wearer.encode(), 4),
                timestamp_ms=begin + MINUTE_MS + i,
            )
    producer.close()
    until("it has read all", lambda: settled(settings, "worker-1")["ingested"] == 75 * 12)
    until("alerts are out", lambda: len(read(settings, ALERTS)) > 10)

    file = tmp_path / "report.json"
    right = command(settings, "--other-cuts", "1", "--json", str(file))
    assert right.returncode == 0, right.stdout + right.stderr
    assert "Every output is there, byte for byte, and no other." in right.stdout
    assert re.search(r"Other cuts \(seed 1\): \d+ cuts .*: 0 different", right.stdout)
    found = json.loads(file.read_text())
    assert found["identical"]
    assert found["records"] == 900
    assert found["alerts_expected"] > 10
    assert found["other_cuts"]["compared"] == found["alerts_expected"]

    row = read(settings, ALERTS)[3]
    forged = {**json.loads(row.value or b""), "text": "All is well.", "wearer_id": "wearer-99"}
    send(settings, ALERTS, json.dumps(forged).encode(), row.partition, row.key)
    assert run(settings, from_checkpoint=False, other_cuts=None, json_file=file, show=False) == 1
    told = capsys.readouterr().out
    assert f"{forged['alert_id']} version {forged['version']}: text, wearer_id" in told
    assert "wearer-99" not in told + file.read_text()
    assert run(settings, from_checkpoint=False, other_cuts=None, json_file=file, show=True) == 1
    assert "wearer-99" in capsys.readouterr().out
    assert "wearer-99" in file.read_text()
