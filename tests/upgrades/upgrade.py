"""A worker of today on a log that an older version left, and the wearers whose story goes on there."""

import json
from collections.abc import Iterable
from typing import Any

from kafka import KafkaProducer

from monitor.cuts import NO_VERSION, UNNAMED_INPUTS, Cut, valid_cuts
from monitor.settings import Settings
from stream_schemas.partition import murmur2_partition
from tests.faults.story import activity, heart_rate, pressure, rfc3339
from tests.stream.conftest import Processes
from tests.stream.world import read, settled, until
from tests.upgrades.kept_log import CUTS, Kept, counts_by_place, held, is_output, newest

PARTITIONS = (0, 1)
OUTPUTS = ("alerts.north.v1", "alerts.south.v1", "dead-letter.v1")
WEARERS = tuple(f"old-{i:02d}" for i in range(14))
FAST = ("old-10", "old-11")
MINUTE_MS = 60_000
WITHIN_S = 30.0


class Upgrade:
    """A worker of today on the log of version 0.1, and what is there afterwards."""

    def __init__(self, settings: Settings, processes: Processes, log: list[Kept]) -> None:
        self.settings, self.processes, self.log = settings, processes, log
        self.minute = 1
        self.ended_ms = max(one.stamp_ms for one in log if one.topic.startswith("vitals."))
        self.sent = sum(one.topic in UNNAMED_INPUTS for one in log)

    def worker(self, worker_id: str) -> Any:
        """Start a worker, and wait until it owns all."""
        child = self.processes.start(self.settings, "monitor", "worker", PULSEWARDEN_STREAM__WORKER_ID=worker_id)

        def all_owned() -> bool:
            assert child.poll() is None, self.processes.logs()[-2000:]
            return sorted(settled(self.settings, worker_id)["assigned"]) == list(PARTITIONS)

        until("it owns all", all_owned, WITHIN_S)
        return child

    def settle(self) -> None:
        """Let four quiet minutes go by: what is decided in the first two is told before the last cut is written.

        No time passes where nothing is written, so there are no idle cuts to wait for.
        """
        for _ in range(2):
            self.go_on({})
            until("it is read", self.all_read, WITHIN_S)

    def all_read(self) -> bool:
        last: dict[int, int] = {}
        for row in read(self.settings, CUTS):
            if "n" in (written := json.loads(row.value or b"")):
                last[row.partition] = sum(written["n"])
        return sum(last.values()) == self.sent

    def go_on(self, readings: dict[str, int]) -> None:
        """Let the story go on for two minutes, with these readings in the first of them."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka.bootstrap_servers, linger_ms=5)
        for _ in range(2):
            at_ms = self.ended_ms + self.minute * MINUTE_MS
            values = [
                ("vitals.blood-pressure.v1", name, pressure(name, at_ms, mm, 100)) for name, mm in readings.items()
            ]
            for name in WEARERS:
                bpm = 126 if name in FAST else 72
                values.append(("vitals.heart-rate.v1", name, heart_rate(name, at_ms, [bpm, bpm + 1] * 3)))
                values.append(("vitals.activity.v1", name, activity(name, at_ms, [0])))
            self.send(producer, at_ms, values)
            self.minute, readings = self.minute + 1, {}
        producer.close()

    def close(self, alerts: Iterable[dict[str, Any]]) -> None:
        """Close alerts as they were last seen."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka.bootstrap_servers, linger_ms=5)
        at_ms = self.ended_ms + self.minute * MINUTE_MS
        values = []
        for alert in alerts:
            command = {
                "schema": "alert-command/1",
                "command_id": f"{alert['alert_id']}-{alert['version']}",
                "wearer_id": alert["wearer_id"],
                "alert_id": alert["alert_id"],
                "seen_version": alert["version"],
                "action": "close",
                "actor": "nurse",
                "at": rfc3339(at_ms),
            }
            values.append(("alert-commands.v1", alert["wearer_id"], json.dumps(command).encode()))
        self.send(producer, at_ms, values)
        producer.close()

    def send(self, producer: KafkaProducer, at_ms: int, values: list[tuple[str, str, bytes]]) -> None:
        for topic, wearer, value in values:
            producer.send(
                self.settings.kafka.topic_prefix + topic,
                value,
                key=wearer.encode(),
                partition=murmur2_partition(wearer.encode(), len(PARTITIONS)),
                timestamp_ms=at_ms,
            )
        producer.flush(30)
        self.sent += len(values)

    def told_since(self) -> list[dict[str, Any]]:
        """Return what is told behind the log of 0.1, which must be there as it was."""
        now, before = held(self.settings, OUTPUTS), [one for one in self.log if is_output(one.topic)]
        assert [one for one in now if one in set(before)] == sorted(before, key=lambda one: OUTPUTS.index(one.topic))
        ends = counts_by_place(before)
        fresh = [one for one in now if one.offset >= ends[one.topic, one.partition]]
        return [json.loads(one.value or b"") for one in fresh]

    def spans(self) -> list[Cut]:
        """Return the first cuts of spans that name a version."""
        rows = read(self.settings, CUTS)
        found = []
        for p in PARTITIONS:
            mine = ((row.offset, row.stamp_ms, row.value) for row in rows if row.partition == p)
            found += [cut for cut in valid_cuts(mine, p) if cut.span is not None and cut.span.version != NO_VERSION]
        return found

    def new(self) -> list[dict[str, Any]]:
        """Return the first versions of what was not told by 0.1."""
        before = newest(self.log)
        return [
            one
            for one in self.told_since()
            if one["schema"] == "alert/1" and one["alert_id"] not in before and one["version"] == 1
        ]
