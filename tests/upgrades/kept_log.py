"""A log that an older version left, as a file, and how it comes onto a real Kafka as it was: offsets, stamps, bytes.

`make_fixture.py` writes such files: one record a line, `[topic, partition, offset, stamp, key, value]`.
"""

import gzip
import json
import tarfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from monitor import topics
from monitor.cuts import UNNAMED_INPUTS, Cut
from monitor.settings import Settings
from tests.patience import patience
from tests.stream.world import read, until

FOLDER = Path(__file__).parent / "v01"
LOG, CHECKPOINTS = FOLDER / "log.jsonl.gz", FOLDER / "checkpoints.tar.gz"
CUTS = "cuts.v1"
LATEST_MS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Kept:
    """One record of a log."""

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    key: bytes | None
    value: bytes | None


def kept_log() -> list[Kept]:
    """Return the log of version 0.1, each partition in its order."""
    with gzip.open(LOG, "rt", encoding="utf-8") as lines:
        return [
            Kept(topic, p, offset, stamp_ms, _bytes(key), _bytes(value))
            for topic, p, offset, stamp_ms, key, value in map(json.loads, lines)
        ]


def unpack_checkpoints(settings: Settings) -> None:
    """Put the checkpoints of version 0.1 where a worker of these settings looks for them."""
    with tarfile.open(CHECKPOINTS) as tar:
        tar.extractall(settings.checkpoint_place, filter="data")


def put(settings: Settings, records: Iterable[Kept]) -> None:
    """Write records into topics that are empty; their offsets and stamps are as they were.

    The broker stamps outputs and cuts itself, so their topics take the writer's stamps for as long as this goes on;
    what is stamped long ago must not expire.
    """
    rows = topics.wanted(settings)
    old = {"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(LATEST_MS)}
    _configure(settings, {row.name: {**old, "retention.ms": "-1"} for row in rows})
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, linger_ms=5, enable_idempotence=True)
    try:
        sent = [
            (
                one,
                producer.send(
                    settings.kafka.topic_prefix + one.topic,
                    one.value,
                    key=one.key,
                    partition=one.partition,
                    timestamp_ms=one.stamp_ms,
                ),
            )
            for one in records
        ]
        producer.flush(patience(30))
    finally:
        producer.close()
    for one, future in sent:
        assert future.get().offset == one.offset, one.topic
    _configure(settings, {row.name: {"message.timestamp.type": row.config["message.timestamp.type"]} for row in rows})
    until("the topics are as the product wants them", lambda: not topics.check(settings))


def held(settings: Settings, names: Iterable[str]) -> list[Kept]:
    """Return what topics hold now."""
    return [
        Kept(name, row.partition, row.offset, row.stamp_ms, row.key, row.value)
        for name in names
        for row in read(settings, name)
    ]


def crashed(records: Iterable[Kept], cuts: Iterable[Cut], stamps_ms: dict[int, int]) -> list[Kept]:
    """Return the log as it would be if the worker had died before it sent what these cuts gave, one a partition.

    A worker sends the outputs of a cut when the cut is acknowledged, and appends the next one when they are.

    Parameters
    ----------
    stamps_ms : broker stamps of the cuts by partition.
    """
    last = {cut.partition: cut for cut in cuts}
    ends = {p: {CUTS: cut.at + 1, **dict(zip(UNNAMED_INPUTS, cut.next, strict=True))} for p, cut in last.items()}
    return [
        one
        for one in records
        if (
            one.stamp_ms < stamps_ms[one.partition]
            if is_output(one.topic)
            else one.offset < ends[one.partition][one.topic]
        )
    ]


def is_output(topic: str) -> bool:
    """Tell whether alerts or dead letters are in a topic."""
    return topic.startswith("alerts.") or topic == "dead-letter.v1"


def counts(records: Iterable[Kept]) -> Counter[str]:
    """Count records by topic."""
    return Counter(one.topic for one in records)


def counts_by_place(records: Iterable[Kept]) -> Counter[tuple[str, int]]:
    """Count records by topic and partition."""
    return Counter((one.topic, one.partition) for one in records)


def newest(records: Iterable[Kept]) -> dict[str, dict[str, Any]]:
    """Return the newest version of each alert, by alert id."""
    found: dict[str, dict[str, Any]] = {}
    for one in records:
        if one.topic.startswith("alerts."):
            alert = json.loads(one.value or b"")
            if alert["alert_id"] not in found or found[alert["alert_id"]]["version"] < alert["version"]:
                found[alert["alert_id"]] = alert
    return found


def _configure(settings: Settings, values: dict[str, dict[str, str]]) -> None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, configs=configs) for name, configs in values.items()]
    with topics.connected(settings) as admin:
        admin.alter_configs(resources)


def _bytes(text: Any) -> bytes | None:
    return None if text is None else str(text).encode()
