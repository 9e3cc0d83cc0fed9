"""Every alert that the alert topics hold, read to their present ends with a plain consumer."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from monitor.demo.episodes import RaisedAlert
from monitor.settings import Settings
from stream_schemas.topics import alerts_topic

_POLL_MS = 500


def read(settings: Settings) -> dict[str, RaisedAlert]:
    """Return the newest version of each alert by its id."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers.split(","),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        partitions = [
            TopicPartition(settings.kafka.topic_prefix + alerts_topic(team), partition)
            for team in settings.teams
            for partition in range(settings.stream.partitions)
        ]
        consumer.assign(partitions)
        return newest(_values(consumer, partitions))
    finally:
        consumer.close()


def _values(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> Iterator[bytes | None]:
    ends = consumer.end_offsets(partitions)
    consumer.seek_to_beginning(*partitions)
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for records in consumer.poll(timeout_ms=_POLL_MS, max_records=5_000).values():
            for record in records:
                yield record.value


def newest(values: Iterable[bytes | None]) -> dict[str, RaisedAlert]:
    """Return the highest version of each alert among the values of the alert topics."""
    alerts: dict[str, RaisedAlert] = {}
    for value in values:
        if value is None:
            continue
        alert = _raised(json.loads(value))
        known = alerts.get(alert.alert_id)
        if known is None or alert.version > known.version:
            alerts[alert.alert_id] = alert
    return alerts


def _raised(document: dict[str, Any]) -> RaisedAlert:
    return RaisedAlert(
        alert_id=document["alert_id"],
        version=document["version"],
        wearer=document["wearer_id"],
        rule=document["rule"],
        event_time_ms=_epoch_ms(document["event_time"]),
        closed_ms=_epoch_ms(document["updated_at"]) if document["workflow"] == "closed" else None,
    )


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
