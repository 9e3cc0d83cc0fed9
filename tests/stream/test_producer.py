"""The producer on a real broker: what one partition is refused must keep no other waiting."""

import asyncio
import gc

import pytest
from aiokafka.producer.sender import SendProduceReqHandler
from kafka import KafkaAdminClient

from monitor.outputs import Output
from monitor.settings import Settings
from monitor.sinks.kafka import ANSWERED_WITHIN_MS, KafkaSink
from stream_schemas.topics import CUTS, alerts_topic
from tests.patience import patience

NORTH = alerts_topic("north")


def delete(settings: Settings, topic: str) -> None:
    """Delete a topic: what is written to it from now on is refused, and sent again for ever."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    try:
        admin.delete_topics([settings.kafka.topic_prefix + topic])
    finally:
        admin.close()


async def first_refused(sink: KafkaSink) -> asyncio.Future[object]:
    """Write until the broker has noticed that the topic is gone."""
    while True:
        (sent,) = await sink.send([Output(NORTH, 0, b"w", b"refused")])
        done, _ = await asyncio.wait([sent], timeout=1.0)
        if not done:
            return sent


def test_a_broker_is_asked_to_answer_before_a_cut_counts_as_unknown(live_settings: Settings) -> None:
    async def main() -> int:
        sink = KafkaSink(live_settings.kafka.bootstrap_servers, live_settings.kafka.topic_prefix)
        await sink.start()
        request = SendProduceReqHandler(sink._running()._sender, {}).create_request()
        await sink.stop()
        return int(request._timeout)

    assert asyncio.run(main()) == ANSWERED_WITHIN_MS < live_settings.stream.cut_timeout_s * 1000


def test_who_leads_what_is_written_is_known_from_the_start(live_settings: Settings) -> None:
    async def main() -> list[int | None]:
        sink = KafkaSink(live_settings.kafka.bootstrap_servers, live_settings.kafka.topic_prefix, [CUTS, NORTH])
        await sink.start()
        known = [sink.leader(topic, 3) for topic in (CUTS, NORTH)]
        await sink.stop()
        return known

    assert None not in asyncio.run(main())


def test_what_a_broker_refuses_keeps_nothing_else_waiting_and_is_not_sent_after_the_end(
    live_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        sink = KafkaSink(live_settings.kafka.bootstrap_servers, live_settings.kafka.topic_prefix)
        await sink.start()
        await asyncio.gather(*await sink.send([Output(NORTH, 0, b"w", b"taken")]))
        await asyncio.to_thread(delete, live_settings, NORTH)
        refused = await first_refused(sink)
        for n in range(5):
            posted = await sink.post(CUTS, dict.fromkeys(range(4), b"cut %d" % n), 10.0)
            async with asyncio.timeout(patience(10)):
                got = await asyncio.gather(*(one for one in posted.values() if isinstance(one, asyncio.Future)))
            assert [one.offset for one in got] == [n] * 4
        assert not refused.done()
        await sink.stop(within_s=0.2)
        async with asyncio.timeout(patience(10)):
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others)
        del refused, sink
        gc.collect()

    asyncio.run(main())
    assert not [row for row in caplog.records if row.name == "asyncio"]  # such as an exception that nobody looked at
