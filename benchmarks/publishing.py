"""Write a fleet's minutes to Kafka in lz4 batches; a program of its own, so that it costs the measuring one nothing.

All minutes at once, or live: each wearer's envelope when its minute has passed, by the machine's clock, until killed.
"""

import asyncio
from collections.abc import Iterator
from itertools import count

import typer
from aiokafka import AIOKafkaProducer

from benchmarks.fleet_load import MINUTE_MS, START_MS, Fleet, Sweep
from monitor.clock import SystemClock
from monitor.settings import Settings, load
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import ACTIVITY, HEART_RATE, WEARER

LIVE_SWEEPS = 500
"""A minute: one every 120 ms."""
LIVE_MINUTE = 1_000
"""Number of the first live minute, so that event ids differ from those of the minutes before."""
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

    async def run(self, fleet: Fleet, minutes: int) -> None:
        """Publish profiles and minutes."""
        await self._producer.start()
        try:
            for key, value in fleet.profiles():
                await self._append(WEARER, fleet.start_ms - 1, key, value)
            for minute in range(minutes):
                for sweep in fleet.minute(minute):
                    await self._add(sweep)
            await self._flush()
        finally:
            await self._producer.stop()

    async def run_live(self, wearers: int) -> None:
        """Publish every envelope when it is due, for ever."""
        clock = SystemClock()
        await self._producer.start()
        try:
            for due_ms, sweep in live(wearers, clock.now_ms()):
                await asyncio.sleep(max(0, due_ms - clock.now_ms()) / 1000)
                await self._add(sweep)
                await self._flush()
        finally:
            await self._producer.stop()

    async def _add(self, sweep: Sweep) -> None:
        for key, value in sweep.heart_rate:
            await self._append(HEART_RATE, sweep.arrived_ms, key, value)
        for key, value in sweep.activity:
            await self._append(ACTIVITY, sweep.arrived_ms, key, value)

    async def _flush(self) -> None:
        for topic, partition in list(self._open):
            await self._send(topic, partition)
        await asyncio.gather(*self._sent)
        self._sent.clear()

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


def live(wearers: int, now_ms: int) -> Iterator[tuple[int, Sweep]]:
    """Yield (when it is due, what is then published): 500 groups of wearers a minute, evenly, from now on."""
    begin_ms = now_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS  # this minute those of the last one are due
    fleet = Fleet(wearers, LIVE_SWEEPS, begin_ms - LIVE_MINUTE * MINUTE_MS)
    for minute in count():
        for number, sweep in enumerate(fleet.minute(LIVE_MINUTE + minute)):
            due_ms = begin_ms + (minute + 1) * MINUTE_MS + number * MINUTE_MS // LIVE_SWEEPS
            if due_ms >= now_ms:
                yield due_ms, sweep


async def _publish(fleet: Fleet, minutes: int) -> None:
    await Publisher(load()).run(fleet, minutes)


async def _publish_live(wearers: int) -> None:
    await Publisher(load()).run_live(wearers)


def main(wearers: int = 10_000, minutes: int = 20, start_ms: int = START_MS, for_ever: bool = False) -> None:
    """Publish to the Kafka of the settings."""
    asyncio.run(_publish_live(wearers) if for_ever else _publish(Fleet(wearers, start_ms=start_ms), minutes))


if __name__ == "__main__":
    typer.run(main)
