"""All teams' alert topics, read from their start up to given offsets: what Redis has to hold, for those who compare."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.errors import BrokerUnreachable
from monitor.settings import Settings
from monitor.sinks.redis_projection import Row
from stream_schemas.topics import alerts_topic

Part = tuple[str, int]
"""Team and partition."""

STUCK_S = 30.0
_POLL_MS = 200


class AlertTopics:
    """One connection that belongs to no group; a context manager.

    Attributes
    ----------
    starts : part -> the first offset that the log held when this was opened.

    Raises
    ------
    BrokerUnreachable
        From every method: if Kafka does not answer, or nothing comes for half a minute.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        with self._named():
            self._consumer = KafkaConsumer(
                bootstrap_servers=settings.kafka.bootstrap_servers.split(","),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                bootstrap_timeout_ms=5_000,
            )
            self._parts = {
                TopicPartition(settings.kafka.topic_prefix + alerts_topic(team), partition): (team, partition)
                for team in settings.teams
                for partition in range(settings.stream.partitions)
            }
            self._consumer.assign(list(self._parts))
            begins: Mapping[TopicPartition, int] = self._consumer.beginning_offsets(list(self._parts))
        for tp, offset in begins.items():
            self._consumer.seek(tp, offset)
        self.starts: dict[Part, int] = {self._parts[tp]: offset for tp, offset in begins.items()}
        self._ahead: dict[TopicPartition, list[Row]] = {tp: [] for tp in self._parts}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def ends(self) -> dict[Part, int]:
        """Return the offset after the last record of each part, as of now."""
        with self._named():
            found: Mapping[TopicPartition, int] = self._consumer.end_offsets(list(self._parts))
        return {self._parts[tp]: offset for tp, offset in found.items()}

    def upto(self, positions: Mapping[Part, int]) -> Iterator[tuple[Part, list[Row]]]:
        """Yield the records below these positions that were not yet yielded, in the order of each part."""
        ends = {tp: positions.get(part, 0) for tp, part in self._parts.items()}
        for tp, rows in self._ahead.items():
            below, self._ahead[tp] = _split(rows, ends[tp])
            if below:
                yield self._parts[tp], below
        heard = time.monotonic()
        while left := [tp for tp, end in ends.items() if self._consumer.position(tp) < end]:
            reached = [tp for tp in ends if tp not in left]
            self._consumer.pause(*reached)
            self._consumer.resume(*left)
            with self._named():
                fetched = self._consumer.poll(timeout_ms=_POLL_MS, max_records=5_000)
            for tp, records in fetched.items():
                rows = [(record.offset + 1, record.timestamp, record.value) for record in records]
                below, ahead = _split(rows, ends[tp])
                self._ahead[tp] += ahead
                if below:
                    yield self._parts[tp], below
            if fetched:
                heard = time.monotonic()
            elif time.monotonic() - heard > STUCK_S:
                raise BrokerUnreachable(
                    f"Kafka gave no alert for {STUCK_S:.0f} s although there are more: see whether its brokers run."
                )

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (KafkaError, OSError) as error:
            raise BrokerUnreachable(
                f"Kafka at {self._settings.kafka.bootstrap_servers} does not answer: start one with "
                "`python -m monitor up`, or set PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS."
            ) from error


def _split(rows: list[Row], end: int) -> tuple[list[Row], list[Row]]:
    """Return the rows below an offset, and the others."""
    n = next((i for i, row in enumerate(rows) if row[0] > end), len(rows))
    return rows[:n], rows[n:]
