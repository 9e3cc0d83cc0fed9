"""What tests of the stream do to Kafka and read from it, with kafka-python: other code than the product's."""

import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from monitor.alerting.limits import changed
from monitor.cuts import valid_cuts
from monitor.inputs import Batch
from monitor.outputs import Output
from monitor.settings import Settings
from monitor.stream.core import Engine
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import INPUTS
from tests.patience import patience

REPOSITORY = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Row:
    partition: int
    offset: int
    stamp_ms: int
    key: bytes | None
    value: bytes | None


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that give a child process these settings."""
    flat = {f"PULSEWARDEN_LIMITS__{name.upper()}": str(value) for name, value in changed(settings.limits).items()}
    for name, value in settings.model_dump(mode="json", exclude={"limits", "trainer"}).items():
        parts = value.items() if isinstance(value, dict) else [(None, value)]
        for field, one in parts:
            if one is not None:
                path = name if field is None else f"{name}__{field}"
                flat[f"PULSEWARDEN_{path.upper()}"] = ",".join(one) if isinstance(one, list) else str(one)
    return flat


def publish(settings: Settings, topic: str, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
    """Send (key, value) to the partition that the key belongs to, or 0 without a key, and wait for all."""
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, max_request_size=8 << 20, linger_ms=5)
    try:
        for key, value in records:
            partition = murmur2_partition(key, settings.stream.partitions) if key else 0
            producer.send(settings.kafka.topic_prefix + topic, value, key=key, partition=partition)
        producer.flush(patience(30))
    finally:
        producer.close()


def read(settings: Settings, topic: str) -> list[Row]:
    """Return everything that a topic holds, by partition and offset, but for records of aborted transactions."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
        isolation_level="read_committed",
    )
    try:
        tps = [TopicPartition(settings.kafka.topic_prefix + topic, p) for p in range(settings.stream.partitions)]
        begins, ends = consumer.beginning_offsets(tps), consumer.end_offsets(tps)
        consumer.assign(tps)
        for tp in tps:
            consumer.seek(tp, begins[tp])
        rows: list[Row] = []
        while any(consumer.position(tp) < ends[tp] for tp in tps):
            for tp, records in consumer.poll(timeout_ms=200).items():
                rows += [Row(tp.partition, r.offset, r.timestamp, r.key, r.value) for r in records]
    finally:
        consumer.close()
    return sorted(rows, key=lambda row: (row.partition, row.offset))


def status(settings: Settings, worker_id: str) -> dict[str, Any]:
    """Return a worker's status; empty before it wrote one."""
    path = settings.state_dir / "status" / f"{worker_id}.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return document


def until(what: str, true: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait for something that another process does."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + patience(within_s), f"not within {within_s} s: {what}"
        time.sleep(0.1)


def settled(settings: Settings, *workers: str) -> Mapping[str, Any]:
    """Return counts summed over workers: by topic, by reason, lag, and the partitions that they own."""
    found = [status(settings, worker) for worker in workers]
    total: dict[str, Any] = {"ingested": 0, "dead": 0, "lag": 0, "assigned": []}
    for one in found:
        total["ingested"] += sum(one.get("events_ingested", {}).values())
        total["dead"] += sum(one.get("dead_letters", {}).values())
        total["lag"] += one.get("lag_records", 0)
        total["assigned"] += one.get("assigned", [])
    return total


def replay(settings: Settings, engine: Engine) -> list[Output]:
    """Replay the log in this process, partition by partition, one cut a step; return every output in order."""
    inputs = {topic: read(settings, topic) for topic in INPUTS}
    cuts = read(settings, "cuts.v1")
    outputs: list[Output] = []
    for p in range(settings.stream.partitions):
        engine.open(p)
        reach: tuple[int, ...] = ()
        for cut in valid_cuts(((row.offset, row.stamp_ms, row.value) for row in cuts if row.partition == p), p):
            before = engine.position(p).stamp or (0,) * len(INPUTS)
            batches = []
            for i, topic in enumerate(INPUTS):
                begin = (reach or cut.next)[i]
                rows = [row for row in inputs[topic] if row.partition == p and begin <= row.offset < cut.next[i]]
                if rows:
                    stamps = np.maximum.accumulate(np.array([before[i], *(row.stamp_ms for row in rows)]))[1:]
                    batches.append(
                        Batch(
                            topic,
                            np.full(len(rows), p, np.int32),
                            np.array([row.offset for row in rows]),
                            stamps,
                            [row.key for row in rows],
                            [row.value for row in rows],
                        )
                    )
            outputs += engine.step([cut], batches).outputs.get(p, [])
            reach = cut.next
        engine.drop(p)
    return outputs


def compare(settings: Settings, engine: Engine, topic: str) -> tuple[int, int]:
    """Compare a topic with what the log gives: the same values, each at least once, none other.

    Returns
    -------
    (int, int)
        Values that the log gives, and repetitions in the topic.
    """
    expected = [(out.partition, out.key, out.value) for out in replay(settings, engine) if out.topic == topic]
    got = [(row.partition, row.key, row.value) for row in read(settings, topic)]
    assert sorted(set(got), key=repr) == sorted(set(expected), key=repr)
    assert len(set(expected)) == len(expected)
    return len(expected), len(got) - len(set(got))


def heart_rate(wearer: str, n: int) -> tuple[bytes, bytes]:
    """Return a record for the toy engine."""
    return wearer.encode(), json.dumps(
        {"wearer_id": wearer, "n": n, "crc": zlib.crc32(f"{wearer}{n}".encode())}
    ).encode()
