"""Write a fleet's minutes to Kafka in lz4 batches; a program of its own, so that it costs the measuring one nothing."""

import asyncio

import typer
from aiokafka import AIOKafkaProducer

from benchmarks.fleet_load import START_MS, Fleet
from monitor.settings import Settings, load
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import ACTIVITY, HEART_RATE, WEARER

BATCH_BYTES = 256 * 1024


class Publisher:
    """Fills batches by hand: a send() a message would cost 40 us."""

    def __init__(self, settings: Settings) -> None:
        self._prefix, self._partitions = settings.kafka.topic_prefix, settings.stream.partitions
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
        )
        self._open: dict[tuple[str, int], object] = {}
        self._partition_of: dict[bytes, int] = {}
        self._sent: list[asyncio.Future[object]] = []

    async def run(self, wearers: int, minutes: int) -> None:
        """Publish profiles and minutes."""
        fleet = Fleet(wearers)
        await self._producer.start()
        try:
            for key, value in fleet.profiles():
                await self._append(WEARER, START_MS - 1, key, value)
            for minute in range(minutes):
                for sweep in fleet.minute(minute):
                    for key, value in sweep.heart_rate:
                        await self._append(HEART_RATE, sweep.arrived_ms, key, value)
                    for key, value in sweep.activity:
                        await self._append(ACTIVITY, sweep.arrived_ms, key, value)
            for topic, partition in list(self._open):
                await self._send(topic, partition)
            await asyncio.gather(*self._sent)
        finally:
            await self._producer.stop()

    async def _append(self, topic: str, stamp_ms: int, key: bytes, value: bytes) -> None:
        partition = self._partition_of.get(key)
        if partition is None:
            partition = self._partition_of[key] = murmur2_partition(key, self._partitions)
        while True:
            batch = self._open.get((topic, partition))
            if batch is None:
                batch = self._open[topic, partition] = self._producer.create_batch()
            if batch.append(key=key, value=value, timestamp=stamp_ms) is not None:  # type: ignore[attr-defined]
                return
            await self._send(topic, partition)

    async def _send(self, topic: str, partition: int) -> None:
        batch = self._open.pop((topic, partition))
        self._sent.append(await self._producer.send_batch(batch, self._prefix + topic, partition=partition))


async def _publish(wearers: int, minutes: int) -> None:
    await Publisher(load()).run(wearers, minutes)


def main(wearers: int = 10_000, minutes: int = 20) -> None:
    """Publish to the Kafka of the settings."""
    asyncio.run(_publish(wearers, minutes))


if __name__ == "__main__":
    typer.run(main)
