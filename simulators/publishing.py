"""Publish messages to Kafka at the pace of a simulation: keyed by wearer, murmur2, lz4, every record counted."""

import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.producer.future import RecordMetadata

from simulators import clock, truth
from simulators.delivery import Delivery
from simulators.errors import BrokerUnreachable, OptionRefused, TopicsMissing
from simulators.interruption import Interruption
from simulators.progress import Progress
from simulators.world import World
from stream_schemas import topics

REACH_WITHIN_MS = 10_000
ANSWER_WITHIN_S = 5
FLUSH_WITHIN_S = 60
RESTAMPED_MS = 3_600_000
RESTAMPED = (
    "warning: these topics have the broker's time, and this run told of another: workers refuse such records as "
    "too old or future. Use --speed 1 for a live run, or topics of their own on the log clock "
    "(PULSEWARDEN_STREAM__CLOCK=log)."
)
NAP_S = 0.25  # longest sleep at once, so that Ctrl-C is heard


@dataclass(frozen=True, slots=True)
class Target:
    """Where to publish: addresses of Kafka, and what is put before topic names."""

    bootstrap_servers: str
    topic_prefix: str


class Publisher:
    """A producer that counts: `acknowledged` by topic, and fails loudly if Kafka refused anything."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._names: dict[str, str] = {}
        self.sent: Counter[str] = Counter()
        self.restamped_ms = 0  # by how much the broker's own stamp of the first record differs from the one sent
        self._failures: list[BaseException] = []
        _require_answer(target)
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=target.bootstrap_servers.split(","),
                acks="all",
                compression_type="lz4",
                linger_ms=5,
                batch_size=256 * 1024,
                bootstrap_timeout_ms=REACH_WITHIN_MS,
                max_block_ms=60_000,
                allow_auto_create_topics=False,
            )
        except KafkaError as error:
            raise BrokerUnreachable(_unreachable(target)) from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection; what was sent has been flushed by `flush`, or is flushed now."""
        self._producer.close(timeout=FLUSH_WITHIN_S)

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has; 0 = there is no such topic."""
        try:
            return len(self._producer.partitions_for(self._target.topic_prefix + topic) or ())
        except KafkaError:
            return 0

    def require(self, names: Iterable[str]) -> None:
        """Raise TopicsMissing unless all topics of these *names* exist."""
        for topic in names:
            if not self.partitions(topic):
                raise TopicsMissing(
                    f"Topic {self._target.topic_prefix}{topic} does not exist on {self._target.bootstrap_servers}: "
                    "create the topics with `python -m monitor topics create`."
                )

    def send(self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int | None) -> None:
        """Send one record; `timestamp_ms` None leaves the stamp to the producer's clock."""
        name = self._names.get(topic) or self._names.setdefault(topic, self._target.topic_prefix + topic)
        try:
            sent = self._producer.send(name, key=key, value=value, timestamp_ms=timestamp_ms)
            sent.add_errback(self._failures.append)
            if timestamp_ms is not None and not self.sent:
                sent.add_callback(self._compare, timestamp_ms)
        except KafkaError as error:
            raise BrokerUnreachable(
                f"Kafka took no more records ({type(error).__name__}); is it still running?"
            ) from error
        self.sent[topic] += 1

    def _compare(self, sent_ms: int, written: RecordMetadata) -> None:
        self.restamped_ms = abs(written.timestamp - sent_ms)

    def flush(self) -> None:
        """Wait until Kafka has acknowledged everything.

        Raises
        ------
        BrokerUnreachable
            If it did not, or refused a record.
        """
        try:
            self._producer.flush(timeout=FLUSH_WITHIN_S)
        except KafkaError as error:
            raise BrokerUnreachable(f"Kafka did not acknowledge all records within {FLUSH_WITHIN_S} s.") from error
        if self._failures:
            raise BrokerUnreachable(
                f"Kafka refused {len(self._failures)} records, the first with {type(self._failures[0]).__name__}: "
                f"{self._failures[0]}."
            )


def require_partitions(target: Target, partitions: int) -> None:
    """Raise TopicsMissing unless the heart-rate topic has so many partitions."""
    with Publisher(target) as publisher:
        publisher.require([topics.HEART_RATE])
        found = publisher.partitions(topics.HEART_RATE)
    if found != partitions:
        raise TopicsMissing(f"Topic {target.topic_prefix}{topics.HEART_RATE} has {found} partitions, not {partitions}.")


def _require_answer(target: Target) -> None:
    """Raise BrokerUnreachable unless something listens at one of the addresses."""
    for address in target.bootstrap_servers.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise OptionRefused(f"--bootstrap-servers {address!r} is no address: use host:port, comma separated.")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_WITHIN_S).close()
        except OSError:
            continue
        return
    raise BrokerUnreachable(_unreachable(target))


def _unreachable(target: Target) -> str:
    return (
        f"No Kafka answers at {target.bootstrap_servers}: start one with `python -m monitor up`, "
        "or say where it is with --bootstrap-servers."
    )


def publish(
    world: World,
    delivery: Delivery,
    target: Target,
    *,
    speed: float,
    live: bool,
    truth_file: Path | None,
    plain: bool,
) -> dict[str, int]:
    """Publish a whole run at *speed*; Ctrl-C ends it after a flush. Return the records of each topic.

    Parameters
    ----------
    live
        Leave the stamps to the broker; else records carry the simulated time of their arrival.
    truth_file
        Written at once with the whole plan, and at the end with what was published and had begun by then.
    """
    end_min = world.start_min + world.minutes
    if truth_file is not None:
        truth.write(truth_file, world, delivery.truths, {}, end_min)
    reached_min = world.start_min
    what = f"{world.scenario.name}, {len(world.people)} wearers at {speed:g}x"
    with (
        Publisher(target) as publisher,
        Progress(what, world.minutes, "simulated minutes", plain=plain) as progress,
        Interruption() as interruption,
    ):
        publisher.require((topics.WEARER, topics.HEART_RATE, topics.LABELS))
        backlog_ms = clock.now_ms() - world.start_min * 60_000 if live else 0
        pace = _Pace(world.start_min * 60_000, speed, backlog_ms, interruption)
        for minute, messages in enumerate(delivery.minutes()):
            paced = minute < world.minutes  # what is still on its way at the end comes at once
            for message in messages:
                if paced:
                    pace.until(message.arrival_ms)
                if interruption.asked:
                    break
                publisher.send(message.topic, message.key, message.value, None if live else message.arrival_ms)
            if paced:
                pace.until((world.start_min + minute + 1) * 60_000)
            if interruption.asked:
                break
            if paced:
                reached_min = world.start_min + minute + 1
                progress.advance(1, f"{pace.rate(publisher.sent.total()):,.0f} events/s")
        publisher.flush()
        counts = dict(publisher.sent)
    if publisher.restamped_ms > RESTAMPED_MS:
        print(RESTAMPED, file=sys.stderr)
    if truth_file is not None:
        truth.write(truth_file, world, delivery.truths, counts, reached_min, delivery.counts)
    return counts


class _Pace:
    """Keeps simulated time to `speed` times the monotonic clock."""

    def __init__(self, start_ms: int, speed: float, backlog_ms: int, interruption: Interruption) -> None:
        self._begun, self._interruption = time.monotonic(), interruption
        self._start_ms, self._speed = start_ms + backlog_ms, speed

    def until(self, simulated_ms: int) -> None:
        """Sleep until this simulated moment; return at once if it is past or the run is to end."""
        due = self._begun + (simulated_ms - self._start_ms) / 1000 / self._speed
        while (left := due - time.monotonic()) > 0.002 and not self._interruption.asked:
            time.sleep(min(left, NAP_S))

    def rate(self, events: int) -> float:
        """Return events a second so far."""
        return events / max(time.monotonic() - self._begun, 1e-3)
