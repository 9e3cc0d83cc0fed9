"""Bounded reads of the log, and how they end."""

import asyncio

import pytest

from monitor.settings import Settings
from monitor.stream.reading import LogReader
from stream_schemas.topics import HEART_RATE
from tests.stream.world import publish


async def waits_to_fetch_again(reader: LogReader, settings: Settings) -> None:
    """Read something, and leave a fetch that failed and waits to be tried again."""
    tp = settings.kafka.topic_prefix + HEART_RATE, 0
    reader.begin({tp: 0})
    await reader.upto({tp: 1})
    reader._consumer._fetcher._pending_tasks.add(asyncio.ensure_future(asyncio.sleep(60)))


def test_a_fetch_that_waits_to_be_tried_again_does_not_cancel_whoever_ends_the_reading(
    live_settings: Settings,
) -> None:
    async def main() -> str:
        async with LogReader(live_settings.kafka.bootstrap_servers) as reader:
            await waits_to_fetch_again(reader, live_settings)
        return "went on"

    publish(live_settings, HEART_RATE, [(None, b"x")])
    assert asyncio.run(main()) == "went on"


def test_whoever_is_cancelled_while_the_reading_ends_is_cancelled(live_settings: Settings) -> None:
    async def main() -> None:
        entered = asyncio.Event()

        async def read() -> None:
            async with LogReader(live_settings.kafka.bootstrap_servers) as reader:
                await waits_to_fetch_again(reader, live_settings)
                entered.set()
                await asyncio.sleep(60)

        task = asyncio.ensure_future(read())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    publish(live_settings, HEART_RATE, [(None, b"x")])
    asyncio.run(main())
