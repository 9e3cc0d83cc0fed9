"""Makes the fixture in v01/: what a worker of version 0.1 leaves in Kafka and in its folder of checkpoints.

It runs in a checkout of 0.1 (commit 8829ae3) that is installed, and uses nothing that was not there:

    PYTHONPATH=. .venv/bin/python OURS/tests/upgrades/make_fixture.py OURS/tests/upgrades/v01 OURS/.pulsewarden/jars

The log is the clock: every record is stamped by the story. Wearers are made up. A first worker tells some alerts, of
which one is acknowledged and one closed, and stops in order, so that there are checkpoints. A second one goes on and is
killed; while it is at work two hearts run high at rest for a quarter of an hour. Each run makes another fixture, in
other cuts: the digests in test_from_v01.py go with it.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from monitor import topics
from monitor.alerting.limits import Limits
from monitor.local.stack import Stack
from monitor.settings import Settings, load
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import INPUTS, topics_of
from tests.faults.story import activity, heart_rate, pressure, profile, rfc3339
from tests.stream.world import environment, read, status, until

BEGIN_MS = 1_767_571_200_000  # 2026-01-05
MINUTE_MS = 60_000
PARTITIONS = 2
WEARERS = tuple(f"old-{i:02d}" for i in range(14))
STOPS_AT, ENDS_AT = 18, 37  # minutes
FAST = WEARERS[10:12]
FAST_FROM = 20
SEVERE = {5: WEARERS[:4], 16: WEARERS[7:8], 30: WEARERS[8:10]}  # minute -> who has a severe reading
READING = {5: 190, 16: 175, 30: 195}  # 175 is severe since the switch
BEFORE_SWITCH, SWITCH = 8, 15
RULES = "bp_severe_systolic_mmhg = 170\nbp_severe_clear_systolic_mmhg = 165\n"
SCORES = {"enabled": True, "every_min": 5, "device": "cpu"}


class Gateway:
    """Writes records at a minute of the story, each in its wearer's partition."""

    def __init__(self, settings: Settings) -> None:
        self._prefix, self._out = (
            settings.kafka.topic_prefix,
            KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, linger_ms=5, enable_idempotence=True),
        )
        self.sent: Counter[str] = Counter()

    def send(self, topic: str, at_ms: int, wearer: str, value: bytes) -> None:
        self._send(topic, at_ms, murmur2_partition(wearer.encode(), PARTITIONS), wearer.encode(), value)

    def everywhere(self, topic: str, at_ms: int, value: bytes) -> None:
        for p in range(PARTITIONS):
            self._send(topic, at_ms, p, None, value)

    def _send(self, topic: str, at_ms: int, partition: int, key: bytes | None, value: bytes) -> None:
        self._out.send(self._prefix + topic, value, key=key, partition=partition, timestamp_ms=at_ms)
        self.sent[topic] += 1

    def tell(self, minute: int) -> None:
        """Write what all wearers' devices say in a minute."""
        at_ms = BEGIN_MS + minute * MINUTE_MS
        for i, wearer in enumerate(WEARERS):
            if minute == 0:
                self.send("context.wearer.v1", at_ms, wearer, profile(wearer, ("north", "south")[i % 2], at_ms))
            bpm = 126 if wearer in FAST and minute >= FAST_FROM else 72
            self.send("vitals.heart-rate.v1", at_ms, wearer, heart_rate(wearer, at_ms, [bpm, bpm + 1] * 3))
            self.send("vitals.activity.v1", at_ms, wearer, activity(wearer, at_ms, [0]))
        for wearer in SEVERE.get(minute, ()):
            self.pressure(at_ms, wearer, READING[minute])
        if minute == BEFORE_SWITCH:
            self.pressure(at_ms, WEARERS[6], 175)
            self.send("vitals.blood-pressure.v1", at_ms, WEARERS[5], b'{"schema":"blood-pressure/1"}')
        if minute == SWITCH:
            control = {"schema": "control/1", "kind": "rules", "content": RULES, "at": rfc3339(at_ms)}
            self.everywhere("control.v1", at_ms, json.dumps(control).encode())
        self._out.flush(30)

    def pressure(self, at_ms: int, wearer: str, systolic: int) -> None:
        self.send("vitals.blood-pressure.v1", at_ms, wearer, pressure(wearer, at_ms, systolic, 100))

    def command(self, minute: int, alert: dict[str, Any], action: str) -> None:
        """Do something with an alert."""
        at_ms = BEGIN_MS + minute * MINUTE_MS + 1
        command = {
            "schema": "alert-command/1",
            "command_id": f"{alert['alert_id']}-{action}",
            "wearer_id": alert["wearer_id"],
            "alert_id": alert["alert_id"],
            "seen_version": alert["version"],
            "action": action,
            "actor": "nurse",
            "at": rfc3339(at_ms),
        }
        self.send("alert-commands.v1", at_ms, alert["wearer_id"], json.dumps(command).encode())
        self._out.flush(30)


def main() -> None:
    target, jars = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder, Stack.start(Path(folder) / "stack", jars=jars) as stack:
        settings = load(
            kafka={"bootstrap_servers": stack.bootstrap_servers},
            redis={"url": stack.redis_url},
            stream={"partitions": PARTITIONS, "clock": "log", "session_timeout_s": 6.0, "heartbeat_s": 1.0},
            checkpoint={"interval_s": 600.0},
            scoring=SCORES,
            state_dir=Path(folder) / "state",
        )
        assert settings.limits == Limits()
        topics.create(settings)
        tell(settings, Path(folder))
        keep(settings, target)


def tell(settings: Settings, folder: Path) -> None:
    """Let two workers, one after the other, decide a story while it is written."""
    gateway = Gateway(settings)
    with worker(settings, folder, "w1", signal.SIGTERM):
        for minute in range(STOPS_AT):
            gateway.tell(minute)
            until("it is read", lambda: all_read(settings, gateway.sent))
            if minute == 10:
                gateway.command(minute, first_of(settings, WEARERS[0]), "acknowledge")
                gateway.command(minute, first_of(settings, WEARERS[1]), "close")
    with worker(settings, folder, "w2", signal.SIGKILL):
        for minute in range(STOPS_AT, ENDS_AT):
            gateway.tell(minute)
            until("it is read", lambda: all_read(settings, gateway.sent))
            if minute == STOPS_AT + 6:
                gateway.command(minute, first_of(settings, WEARERS[7]), "acknowledge")
        until("the hearts are told", lambda: set(FAST) <= {one["wearer_id"] for one in alerts(settings)})
        until("it has been told", lambda: all_read(settings, gateway.sent))
        time.sleep(2)  # and some idle cuts


@contextmanager
def worker(settings: Settings, folder: Path, name: str, end: int) -> Any:
    with (folder / f"{name}.log").open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "monitor", "worker"],
            env={**os.environ, **environment(settings), "PULSEWARDEN_STREAM__WORKER_ID": name, "OMP_NUM_THREADS": "1"},
            stdout=out,
            stderr=out,
        )
    try:
        until("it owns all", lambda: status(settings, name).get("assigned") == list(range(PARTITIONS)), 60)
        yield
        child.send_signal(end)
        child.wait(30)
    finally:
        child.kill()
        child.wait()
        print((folder / f"{name}.log").read_text()[-3000:])


def all_read(settings: Settings, sent: Counter[str]) -> bool:
    """Tell whether the last cuts name everything that was sent; scores are the worker's own."""
    last: dict[int, int] = {}
    for row in read(settings, "cuts.v1"):
        written = json.loads(row.value or b"{}")
        if "n" in written:
            last[row.partition] = sum(written["n"]) - written["n"][INPUTS.index("risk.scores.v1")]
    return sum(last.values()) == sent.total()


def alerts(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(row.value or b"") for team in settings.teams for row in read(settings, f"alerts.{team}.v1")]


def first_of(settings: Settings, wearer: str) -> dict[str, Any]:
    until("it is told", lambda: any(one["wearer_id"] == wearer for one in alerts(settings)))
    return next(one for one in alerts(settings) if one["wearer_id"] == wearer)


def keep(settings: Settings, target: Path) -> None:
    """Write every topic as JSON lines, one file, and the folder of checkpoints."""
    target.mkdir(exist_ok=True)
    lines = []
    for topic in topics_of(settings.teams):
        for row in read(settings, topic.name):
            line = [topic.name, row.partition, row.offset, row.stamp_ms, text(row.key), text(row.value)]
            lines.append(json.dumps(line, separators=(",", ":")))
        print(topic.name, len(read(settings, topic.name)))
    with gzip.GzipFile(target / "log.jsonl.gz", "wb", mtime=0) as file:
        file.write("\n".join(lines).encode() + b"\n")
    place = Path(settings.checkpoint_place)
    with tarfile.open(target / "checkpoints.tar.gz", "w:gz") as tar:
        for path in files(place):
            tar.add(path, path.relative_to(place))
    print({path.name: path.stat().st_size for path in target.iterdir()})


def files(place: Path) -> Iterable[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))


def text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


if __name__ == "__main__":
    main()
