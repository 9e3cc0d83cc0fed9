"""The producer of everything that a worker writes: claims, cuts, alerts, dead letters, scores.

Faust makes its own producer idempotent only under exactly_once, so this is one of ours: idempotent, acks=all, no
linger. An idempotent batch of aiokafka never expires, so whoever waits limits the wait, and after it the outcome is
*unknown*.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from monitor.errors import BrokerUnreachable
from monitor.outputs import Output

MAX_REQUEST_BYTES = 9 * 1024 * 1024
"""A dead letter may be 8 MiB; the rest is for headers of the batch."""
BATCH_BYTES = 256 * 1024
LEADERS_WITHIN_S = 5.0
"""A start waits so long for who leads the topics."""
ANSWERED_WITHIN_MS = 1_000
"""A broker answers a request no later than this, also where copies of one of its partitions are missing.

It answers for all partitions of a request at once, so one that cannot be acknowledged holds up the others that long.
What is not acknowledged by then is sent again, and counts once: the producer is idempotent.
"""

Acknowledgement = asyncio.Future[object]
Posted: TypeAlias = asyncio.Future[Any] | BaseException


class KafkaSink:
    """Writes to the partitions that it is told, under prefixed topic names.

    Parameters
    ----------
    bootstrap_servers : str
        host:port, comma separated.
    topic_prefix : str
        Put before every topic name.
    topics : collection of str
        What will be written to, unprefixed: who leads it is asked at the start. The first record to any other topic
        waits for the answer of one broker, whichever it is, and that one may be away.
    """

    def __init__(self, bootstrap_servers: str, topic_prefix: str, topics: Collection[str] = ()) -> None:
        self._bootstrap, self._prefix = bootstrap_servers, topic_prefix
        self._topics = [topic_prefix + topic for topic in topics]
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect.

        Raises
        ------
        BrokerUnreachable
            If no broker answers.
        """
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=BATCH_BYTES,
        )
        # As a parameter it would also be the time after which a connection is given up, at the moment of the answer.
        self._producer._sender._request_timeout_ms = ANSWERED_WITHIN_MS
        try:
            await self._producer.start()
            if self._topics:
                await asyncio.wait([self._producer.client.set_topics(self._topics)], timeout=LEADERS_WITHIN_S)
        except KafkaConnectionError as failure:
            raise BrokerUnreachable(
                f"No Kafka answers at {self._bootstrap}: start one with `python -m monitor up`, or set "
                "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS."
            ) from failure

    async def stop(self, within_s: float = 2.0) -> None:
        """Disconnect; what is not acknowledged in time is left unknown, and nothing of it is sent any more."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.flush(), within_s)
        except TimeoutError:  # aiokafka's own stop would wait for it without a limit
            if (sending := producer._sender.sender_task) is not None:
                sending.cancel()
            producer._closed = True
            await producer.client.close()
        else:
            await producer.stop()

    async def post(self, topic: str, values: Mapping[int, bytes], within_s: float) -> dict[int, Posted]:
        """Hand one record to each of some partitions over; await what is returned.

        Returns
        -------
        dict
            Per partition, the future of its metadata (offset, timestamp); or what went wrong.
        """
        producer, until = self._running(), time.monotonic() + within_s
        sent: dict[int, Posted] = {}
        for partition, value in values.items():
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    sent[partition] = await producer.send(self._prefix + topic, value, partition=partition)
            except (KafkaError, TimeoutError) as failure:
                sent[partition] = failure
        return sent

    async def send(self, outputs: Sequence[Output]) -> list[Acknowledgement]:
        """Hand outputs over in their order and return what to await."""
        producer = self._running()
        return [
            await producer.send(self._prefix + out.topic, out.value, key=out.key, partition=out.partition)
            for out in outputs
        ]

    def leader(self, topic: str, partition: int) -> int | None:
        """Return the broker that leads a partition, as far as is known."""
        if self._producer is None:
            return None
        found: int | None = self._producer.client.cluster.leader_for_partition(
            TopicPartition(self._prefix + topic, partition)
        )
        return found if found is not None and found >= 0 else None

    def _running(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise ConnectionError("the producer is not started")
        return self._producer
