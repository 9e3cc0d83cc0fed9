"""``labels.v1`` into the journal's labels table: what really happened, where the training looks for it.

Each file holds the labels of one partition between two offsets and says so in its name, so that a later run goes on
where the last one ended, and running twice writes nothing twice.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from monitor.settings import Settings
from stream_schemas.codec import decode
from stream_schemas.label import LabelEvent
from stream_schemas.reasons import Rejected
from stream_schemas.topics import LABELS

TABLE = "labels"
SCHEMA = pa.schema(
    [
        ("wearer_id", pa.string()),
        ("outcome", pa.string()),
        ("onset_minute", pa.int64()),
        ("end_minute", pa.int64()),
        ("severity", pa.float32()),
        ("silent", pa.bool_()),
        ("asserted_by", pa.string()),
    ]
)
_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Copied:
    """What a run copied: labels, and refused records by reason."""

    labels: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def copy(settings: Settings) -> Copied:
    """Copy the labels that were published since the last run into the journal folder."""
    folder = settings.journal_folder / TABLE
    folder.mkdir(parents=True, exist_ok=True)
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers.split(","),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    copied = Copied()
    try:
        topic = settings.kafka.topic_prefix + LABELS
        for partition in range(settings.stream.partitions):
            copied = _copy(consumer, TopicPartition(topic, partition), folder, copied)
    finally:
        consumer.close()
    return copied


def _copy(consumer: KafkaConsumer, partition: TopicPartition, folder: Path, before: Copied) -> Copied:
    consumer.assign([partition])
    first = max(consumer.beginning_offsets([partition])[partition], _done(folder, partition.partition))
    end = consumer.end_offsets([partition])[partition]
    if first >= end:
        return before
    consumer.seek(partition, first)
    records: list[ConsumerRecord] = []
    while consumer.position(partition) < end:
        records += consumer.poll(timeout_ms=_POLL_MS).get(partition, [])
    reached = consumer.position(partition)
    labels, refused = read(records)
    if labels:
        _write(labels, folder / f"partition-{partition.partition:05d}-{first:016d}-{reached:016d}.parquet")
    return Copied(before.labels + len(labels), before.refused + refused)


def read(records: list[ConsumerRecord]) -> tuple[list[LabelEvent], Counter[str]]:
    """Return the labels among records of ``labels.v1``, and why the others are none."""
    labels, refused = [], Counter[str]()
    for record in records:
        event = decode(LABELS, record.key, record.value)
        if isinstance(event, LabelEvent):
            labels.append(event)
        else:
            refused[event.reason.value if isinstance(event, Rejected) else "null_value"] += 1
    return labels, refused


def _done(folder: Path, partition: int) -> int:
    """Return the offset up to which the files hold a partition."""
    ends = [int(path.stem.rpartition("-")[2]) for path in folder.glob(f"partition-{partition:05d}-*.parquet")]
    return max(ends, default=0)


def _write(labels: list[LabelEvent], path: Path) -> None:
    rows = [
        {
            "wearer_id": label.wearer_id,
            "outcome": label.outcome,
            "onset_minute": _minute(label.onset),
            "end_minute": None if label.end is None else _minute(label.end),
            "severity": label.severity,
            "silent": label.silent,
            "asserted_by": label.asserted_by,
        }
        for label in labels
    ]
    staged = path.with_suffix(".staged")
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), staged)
    staged.rename(path)


def _minute(moment: datetime | str) -> int:
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return int(when.timestamp() // 60)
