"""``labels.v1`` into the journal's labels table: what really happened, where the training looks for it.

Each file holds the labels of one partition between two offsets and says so in its name, so that a later run goes on
where the last one ended, and running twice writes nothing twice. The name also says of which log: topics that are
created anew count their offsets anew.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from models import journal_tables
from models.errors import PlaceUnusable
from models.place import Place
from monitor.errors import StoreUnreachable
from monitor.settings import Settings
from monitor.topics import log_name
from monitor.wearers.journal import parquet
from stream_schemas.codec import decode
from stream_schemas.label import LabelEvent
from stream_schemas.reasons import Rejected
from stream_schemas.topics import LABELS

TABLE = journal_tables.LABELS
_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Copied:
    """What a run copied: labels, and refused records by reason."""

    labels: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def copy(settings: Settings) -> Copied:
    """Copy the labels that were published since the last run into the journal.

    Raises
    ------
    StoreUnreachable
        If the journal cannot be listed or written.
    BrokerUnreachable
        If no Kafka answers.
    """
    log = log_name(settings, LABELS)
    with _journal():
        place = Place.of(settings.journal_place)
        held = [one.path.rpartition("/")[2] for one in place.list(TABLE)]
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers.split(","),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    copied = Copied()
    try:
        topic = settings.kafka.topic_prefix + LABELS
        for partition in range(settings.stream.partitions):
            prefix = f"labels-{log}-{partition:05d}-"
            copied = _copy(consumer, TopicPartition(topic, partition), place, prefix, _done(held, prefix), copied)
    finally:
        consumer.close()
    return copied


def _copy(
    consumer: KafkaConsumer, partition: TopicPartition, place: Place, prefix: str, done: int, before: Copied
) -> Copied:
    consumer.assign([partition])
    first = max(consumer.beginning_offsets([partition])[partition], done)
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
        with _journal():
            place.write(f"{TABLE}/{prefix}{first:016d}-{reached:016d}.parquet", parquet(_rows(labels)))
    return Copied(before.labels + len(labels), before.refused + refused)


@contextmanager
def _journal() -> Iterator[None]:
    try:
        yield
    except (PlaceUnusable, OSError) as error:
        raise StoreUnreachable(f"The journal (PULSEWARDEN_JOURNAL__PLACE) takes no labels: {error}") from error


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


def _done(held: list[str], prefix: str) -> int:
    """Return the offset up to which the files hold a partition."""
    ends = [int(name.removesuffix(".parquet").rpartition("-")[2]) for name in held if name.startswith(prefix)]
    return max(ends, default=0)


def _rows(labels: list[LabelEvent]) -> pa.Table:
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
    return pa.Table.from_pylist(rows, schema=journal_tables.TABLES[TABLE].schema)


def _minute(moment: datetime | str) -> int:
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return int(when.timestamp() // 60)
