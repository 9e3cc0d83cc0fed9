"""Whole topics as the run's judge reads them: with kafka-python, headers included."""

from collections.abc import Iterable
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition

from monitor.settings import Settings
from stream_schemas.topics import INPUTS, alerts_topic
from tests.faults.history import Told
from tests.faults.worker import SENDER


@dataclass(frozen=True, slots=True)
class Alerts:
    """All records of the alert topics, and of the dead letters."""

    alerts: list[Told]
    dead: list[Told]


def consumer(settings: Settings) -> KafkaConsumer:
    """Return a consumer of no group; records of aborted transactions do not exist for it."""
    return KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
        isolation_level="read_committed",
    )


def read(settings: Settings, topic: str) -> list[Told]:
    """Return everything that a topic holds, by partition and offset."""
    reader = consumer(settings)
    try:
        tps = [TopicPartition(settings.kafka.topic_prefix + topic, p) for p in range(settings.stream.partitions)]
        begins, ends = reader.beginning_offsets(tps), reader.end_offsets(tps)
        reader.assign(tps)
        for tp in tps:
            reader.seek(tp, begins[tp])
        rows = []
        while any(reader.position(tp) < ends[tp] for tp in tps):
            for tp, records in reader.poll(timeout_ms=200).items():
                for r in records:
                    sender = next((value.decode() for name, value in r.headers if name == SENDER), "")
                    rows.append(Told(topic, tp.partition, r.offset, r.timestamp, r.value or b"", sender))
    finally:
        reader.close()
    return sorted(rows, key=lambda row: (row.partition, row.offset))


def read_all(settings: Settings) -> Alerts:
    """Return the outputs of a run."""
    alerts = [row for team in settings.teams for row in read(settings, alerts_topic(team))]
    return Alerts(alerts, read(settings, "dead-letter.v1"))


def ends(settings: Settings, topics: Iterable[str] = INPUTS) -> dict[tuple[str, int], int]:
    """Return where the inputs end, by unprefixed topic and partition."""
    reader = consumer(settings)
    try:
        prefix = settings.kafka.topic_prefix
        tps = [TopicPartition(prefix + topic, p) for topic in topics for p in range(settings.stream.partitions)]
        return {(tp.topic.removeprefix(prefix), tp.partition): offset for tp, offset in reader.end_offsets(tps).items()}
    finally:
        reader.close()
