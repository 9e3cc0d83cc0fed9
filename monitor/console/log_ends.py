"""Where Kafka's logs end, asked for by name: what there is to read, whoever reads it."""

from collections.abc import Iterable, Mapping

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.errors import BrokerUnreachable
from monitor.settings import Settings


class LogEnds:
    """Asks the broker for end offsets; one connection, no group, reads no record."""

    def __init__(self, settings: Settings, *, timeout_ms: int = 2_000) -> None:
        self._settings, self._timeout_ms = settings, timeout_ms
        self._consumer: KafkaConsumer | None = None

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Return the end offset of every partition of topics (names without the settings' prefix).

        Raises
        ------
        BrokerUnreachable
            If no Kafka answers, or not in time.
        """
        prefix, partitions = self._settings.kafka.topic_prefix, range(self._settings.stream.partitions)
        asked = [TopicPartition(prefix + topic, partition) for topic in topics for partition in partitions]
        try:
            found: Mapping[TopicPartition, int] = self._connected().end_offsets(asked)
        except (KafkaError, OSError) as error:
            self.close()
            raise BrokerUnreachable(
                f"Kafka at {self._settings.kafka.bootstrap_servers} does not answer: start one with "
                "`python -m monitor up`, or set PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS."
            ) from error
        return {(end.topic.removeprefix(prefix), end.partition): offset for end, offset in found.items()}

    def totals(self, topics: Iterable[str]) -> dict[str, int]:
        """Return the sum of the end offsets of each topic.

        Raises
        ------
        BrokerUnreachable
            If no Kafka answers, or not in time.
        """
        wanted = list(topics)
        total = dict.fromkeys(wanted, 0)
        for (topic, _), offset in self.ends(wanted).items():
            total[topic] += offset
        return total

    def close(self) -> None:
        """End the connection; the next call opens another."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _connected(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._settings.kafka.bootstrap_servers.split(","),
                enable_auto_commit=False,
                request_timeout_ms=self._timeout_ms,
                session_timeout_ms=self._timeout_ms // 2,
                heartbeat_interval_ms=self._timeout_ms // 6,
                bootstrap_timeout_ms=self._timeout_ms,
            )
        return self._consumer
