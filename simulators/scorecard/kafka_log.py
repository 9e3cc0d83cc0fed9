"""A record from Kafka: alerts of the teams' topics, labels, and heart rates for the times of wear."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, cast

import msgspec
import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from numpy.typing import NDArray

from simulators.errors import BrokerUnreachable, TopicsMissing
from simulators.publishing import REACH_WITHIN_MS, Target
from simulators.scorecard.alerts import alarms, version
from simulators.scorecard.record import Record, wear
from simulators.scorecard.truth import Label, Told, TruthMissing, from_labels
from stream_schemas import rfc3339, topics
from stream_schemas.alert import Alert
from stream_schemas.columns import HeartRateColumns
from stream_schemas.decode import decode_batch

Keyed = tuple[bytes | None, bytes | None]
BATCH = 5000
POLL_MS, SILENCES = 1000, 20  # so many polls without a record, although more should come, are a broker that hangs
MINUTE_MS = 60_000


class Log(Protocol):
    """Whatever can read a topic from its beginning to its present end."""

    def records(self, topic: str) -> Iterator[Keyed]:
        """Yield (key, value) of all records of an unprefixed topic."""


class Kafka:
    """The log of a broker."""

    def __init__(self, target: Target) -> None:
        self._prefix = target.topic_prefix
        try:
            self._consumer: Any = KafkaConsumer(
                bootstrap_servers=target.bootstrap_servers.split(","),
                group_id=None,
                enable_auto_commit=False,
                bootstrap_timeout_ms=REACH_WITHIN_MS,
            )
        except (KafkaError, ValueError) as error:
            raise BrokerUnreachable(
                f"No Kafka answers at {target.bootstrap_servers}: say where it is with --bootstrap-servers."
            ) from error

    def records(self, topic: str) -> Iterator[Keyed]:
        """Yield all records of a topic, partition by partition as they come.

        Raises
        ------
        TopicsMissing
            If there is no such topic.
        BrokerUnreachable
            If Kafka does not give what it says it has.
        """
        name = self._prefix + topic
        try:
            numbers = self._consumer.partitions_for_topic(name)
            if not numbers:
                raise TopicsMissing(f"Topic {name} does not exist: has the monitor run there, with these teams?")
            parts = [TopicPartition(name, number) for number in sorted(numbers)]
            self._consumer.assign(parts)
            self._consumer.seek_to_beginning(*parts)
            ends = self._consumer.end_offsets(parts)
            silent = 0
            while any(self._consumer.position(part) < ends[part] for part in parts):
                found = self._consumer.poll(timeout_ms=POLL_MS)
                silent = 0 if found else silent + 1
                if silent > SILENCES:
                    raise BrokerUnreachable(f"Kafka gave no more of {name} although there is more; try again.")
                for part, batch in found.items():
                    for one in batch:
                        if one.offset < ends[part]:
                            yield one.key, one.value
        except KafkaError as error:
            raise BrokerUnreachable(
                f"Kafka stopped answering while {name} was read ({type(error).__name__})."
            ) from error

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()


def record(log: Log, teams: Sequence[str], name: str, truth: Told | None) -> Record:
    """Read a run from its topics; *truth* stands in for labels.v1.

    Raises
    ------
    TopicsMissing
        If a topic is not there, or holds something else.
    TruthMissing
        If there is neither *truth* nor a label.
    """
    raised = alarms(
        version(_alert(topic, value)) for topic in map(topics.alerts_topic, teams) for _, value in log.records(topic)
    )
    minutes = _minutes(log)
    if not minutes:
        raise TopicsMissing(f"{topics.HEART_RATE} holds no heart rate: no rate a worn wearer-day can be said.")
    until = max(int(found.max()) for found in minutes.values()) + 1
    told = truth or from_labels(map(_label, (value for _, value in log.records(topics.LABELS))), until)
    if not told.events:
        raise TruthMissing(f"{topics.LABELS} holds no label of a known kind: name the truth file with --truth.")
    worn = {wearer: wear(found) for wearer, found in minutes.items()}
    return Record(name, told.events, raised, worn, unknown=dict(told.unknown))


_decode_alert = msgspec.json.Decoder(Alert).decode


def _alert(topic: str, value: bytes | None) -> Alert:
    try:
        return _decode_alert(value or b"")
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TopicsMissing(
            f"Topic {topic} holds a record that is no alert/1 ({error}): is the prefix right?"
        ) from error


def _label(value: bytes | None) -> Label:
    try:
        fields = msgspec.json.decode(value or b"")
        onset, end = rfc3339.epoch_ms(fields["onset"]), fields.get("end")
        end_ms = None if end is None else rfc3339.epoch_ms(end)
        if onset is None or not isinstance(fields["outcome"], str):
            raise ValueError("onset or outcome")
        return Label(
            str(fields["wearer_id"]),
            fields["outcome"],
            onset // MINUTE_MS,
            None if end_ms is None else end_ms // MINUTE_MS,
            fields.get("severity"),
            fields.get("silent"),
        )
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TopicsMissing(f"Topic {topics.LABELS} holds a record that is no label/1: is the prefix right?") from error


def _minutes(log: Log) -> dict[str, NDArray[np.int64]]:
    found: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    for batch in _batches(log.records(topics.HEART_RATE)):
        columns, _ = decode_batch(topics.HEART_RATE, [key for key, _ in batch], [value for _, value in batch])
        for wearer, minutes in _by_wearer(cast("HeartRateColumns", columns)):
            found[wearer].append(minutes)
    return {wearer: np.unique(np.concatenate(parts)) for wearer, parts in found.items()}


def _batches(records: Iterable[Keyed]) -> Iterator[list[Keyed]]:
    batch: list[Keyed] = []
    for one in records:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _by_wearer(columns: HeartRateColumns) -> Iterator[tuple[str, NDArray[np.int64]]]:
    minutes = (np.repeat(columns.start_ms, columns.count) + columns.offset_ms) // MINUTE_MS
    ends = np.cumsum(columns.count)
    for place, wearer in enumerate(columns.wearer_id):
        yield wearer, np.unique(minutes[ends[place] - columns.count[place] : ends[place]])
