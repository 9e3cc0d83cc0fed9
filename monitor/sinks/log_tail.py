"""The newest records of a topic, up to where its log ends at this moment, for commands that look and end."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.errors import BrokerUnreachable, TopicsDiffer
from monitor.settings import Settings

STUCK_S = 15.0
_CONNECT_MS = 5_000
_POLL_MS = 200


Headers = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """One record as it lies in Kafka."""

    partition: int
    offset: int
    stamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def read_tail(settings: Settings, topic: str, newest: int | None = None) -> dict[int, list[Found]]:
    """Return a topic's committed records by partition, each in the order of its log.

    Parameters
    ----------
    settings : Settings
    topic : str
        Without the settings' prefix.
    newest : int or None
        At most so many offsets before the end of each partition; None: all that is there.

    Raises
    ------
    BrokerUnreachable
        If Kafka does not answer, or nothing comes for a while.
    TopicsDiffer
        If there is no such topic.
    """
    with _opened(settings, topic) as (consumer, parts):
        return _read(consumer, parts, newest)


def records_since(settings: Settings, topic: str, since_ms: int) -> int:
    """Return how many offsets a topic's partitions have, all together, from a stamp on.

    Raises
    ------
    BrokerUnreachable, TopicsDiffer
        See `read_tail`.
    """
    with _opened(settings, topic) as (consumer, parts):
        ends = consumer.end_offsets(parts)
        found = consumer.offsets_for_times(dict.fromkeys(parts, since_ms))
        return sum(ends[part] - (ends[part] if found[part] is None else found[part].offset) for part in parts)


def headers_at(settings: Settings, topic: str, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], Headers]:
    """Return the headers of single records by (partition, offset); those that are gone are left out.

    Raises
    ------
    BrokerUnreachable, TopicsDiffer
        See `read_tail`.
    """
    found: dict[tuple[int, int], Headers] = {}
    with _opened(settings, topic) as (consumer, parts):
        consumer.assign(parts)
        begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        for part in parts:
            consumer.pause(part)
        for part in parts:
            consumer.resume(part)
            for offset in sorted(at for partition, at in places if partition == part.partition):
                if begins[part] <= offset < ends[part] and (part.partition, offset) not in found:
                    consumer.seek(part, offset)
                    fetched = consumer.poll(timeout_ms=_CONNECT_MS).get(part, [])
                    found.update({(part.partition, one.offset): dict(one.headers) for one in fetched})
            consumer.pause(part)
    return {place: found[place] for place in places if place in found}


@contextmanager
def _opened(settings: Settings, topic: str) -> Iterator[tuple[KafkaConsumer, list[TopicPartition]]]:
    name = settings.kafka.topic_prefix + topic
    with _named(settings):
        consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka.bootstrap_servers.split(","),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            bootstrap_timeout_ms=_CONNECT_MS,
        )
        try:
            partitions = consumer.partitions_for_topic(name)
            if not partitions:
                raise TopicsDiffer(f"Missing topics: {name}: run `python -m monitor topics create`.")
            yield consumer, [TopicPartition(name, partition) for partition in sorted(partitions)]
        finally:
            consumer.close()


def _read(consumer: KafkaConsumer, parts: list[TopicPartition], newest: int | None) -> dict[int, list[Found]]:
    consumer.assign(parts)
    begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
    found: dict[int, list[Found]] = {part.partition: [] for part in parts}
    for part in parts:
        consumer.seek(part, begins[part] if newest is None else max(begins[part], ends[part] - newest))
    heard = time.monotonic()
    while any(consumer.position(part) < ends[part] for part in parts):
        fetched = consumer.poll(timeout_ms=_POLL_MS, max_records=5_000)
        for part, records in fetched.items():
            found[part.partition] += [
                Found(part.partition, one.offset, one.timestamp, one.key, one.value, dict(one.headers))
                for one in records
                if one.offset < ends[part]
            ]
        if fetched:
            heard = time.monotonic()
        elif time.monotonic() - heard > STUCK_S:
            raise BrokerUnreachable(
                f"Kafka gave no record of {parts[0].topic} for {STUCK_S:.0f} s although there are more: see whether "
                "its brokers run."
            )
    return found


@contextmanager
def _named(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise BrokerUnreachable(
            f"Kafka at {settings.kafka.bootstrap_servers} does not answer: start one with `python -m monitor up`, or "
            "set PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS."
        ) from error
