"""Each thing that monitor/stream/transport.py assumes of faust-streaming and aiokafka, on a real broker.

One app reads one topic in the test's own process. When a new version of either breaks an assumption, a test here says
which; the numbers are those of the module's docstring.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import entry_points

import pytest
from aiokafka import AIOKafkaProducer
from faust.types import TP
from kafka import KafkaAdminClient
from kafka.structs import TopicPartition

from monitor.settings import Settings
from monitor.stream.app import new_app
from monitor.stream.reading import LogReader
from monitor.stream.records import Fetched
from monitor.stream.transport import FETCH_WAIT_MS, Consumer, Transport
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.world import publish

HEART_RATE = "vitals.heart-rate.v1"


class Recorder:
    """A reader that keeps what it is told."""

    def __init__(self) -> None:
        self.feed: Consumer | None = None
        self.fetched: list[Fetched] = []
        self.assignments = 0
        self.durable: dict[TP, int] = {}
        self.flow_at_assignment: list[bool] = []

    async def assigned(self, feed: Consumer) -> None:
        self.feed = feed
        self.flow_at_assignment.append(feed.flow_active)
        await feed.arrange({})
        self.assignments += 1

    async def revoked(self) -> None:
        pass

    def receive(self, fetched: Fetched) -> None:
        self.fetched.append(fetched)

    def full(self) -> bool:
        return False

    def committable(self) -> Mapping[TP, int]:
        return self.durable

    def of(self, partition: int) -> list[Fetched]:
        return [one for one in self.fetched if one.partition == partition]


async def until(true: Callable[[], object], within_s: float = 30.0) -> None:
    async with asyncio.timeout(patience(within_s)):
        while not true():  # noqa: ASYNC110 - what is awaited happens in Faust's thread
            await asyncio.sleep(0.01)


@asynccontextmanager
async def reading(settings: Settings, partitions: int = 4) -> AsyncIterator[tuple[Recorder, Consumer]]:
    """Run an app that holds so many partitions."""
    recorder = Recorder()
    app = new_app("contract", settings, [settings.kafka.topic_prefix + HEART_RATE], recorder, 0.005)
    app.finalize()
    running = asyncio.ensure_future(app.start())
    try:
        await until(lambda: recorder.feed is not None and len(recorder.feed.assignment()) == partitions)
        assert recorder.feed is not None
        yield recorder, recorder.feed
    finally:
        await app.stop()
        running.cancel()
        await asyncio.wait([running])


def run(settings: Settings, scenario: Callable[[Recorder, Consumer], Awaitable[None]]) -> None:
    async def main() -> None:
        async with reading(settings) as (recorder, feed):
            await scenario(recorder, feed)

    asyncio.run(main())


def tp(settings: Settings, partition: int = 0) -> TP:
    return TP(settings.kafka.topic_prefix + HEART_RATE, partition)


def ended(feed: Consumer, settings: Settings) -> tuple[int, int]:
    """Return the offset of the end and the broker's time as of which it was one."""
    end = feed.end(tp(settings))
    return (-1, 0) if end is None else (end.offset, end.broker_ms)


def send(settings: Settings, n: int, size: int = 10) -> None:
    """Send n records to partition 0: without a key."""
    publish(settings, HEART_RATE, ((None, b"x" * size) for _ in range(n)))


def test_the_transport_is_installed_under_its_scheme() -> None:
    (found,) = (one for one in entry_points(group="faust.transports") if one.name == "batch+kafka")
    assert found.load() is Transport


def test_held_partitions_bring_nothing_and_placed_ones_everything_once(live_settings: Settings) -> None:
    """Assumptions 2 and 6."""

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        await asyncio.to_thread(send, live_settings, 300)
        end = feed.end_offset
        await feed.place({tp(live_settings, 1): (0, 1)})
        await until(lambda: end(tp(live_settings, 1)) is not None)  # a fetch has come back, and not of the held ones
        assert recorder.fetched == []
        await feed.place({tp(live_settings): (100, 7)})
        await until(lambda: sum(len(one.records) for one in recorder.of(0)) == 200)
        offsets = [offset for one in recorder.of(0) for offset in one.records.offset.tolist()]
        assert offsets == list(range(100, 300))
        assert {one.tag for one in recorder.of(0)} == {7}
        reach = 100
        for one in recorder.of(0):
            assert one.begin == reach
            assert one.end - one.begin == len(one.records)
            reach = one.end
        assert reach == 300

    run(live_settings, scenario)


def test_a_partition_that_a_rebalance_took_away_has_no_end_and_nobody_minds(live_settings: Settings) -> None:
    """The status is written at any moment; a worker that gave partitions away a moment ago must not end of it."""

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        assert feed.end_offset(tp(live_settings, 99)) is None

    run(live_settings, scenario)


def test_every_generation_is_taken_over_while_the_flow_is_stopped(new_settings: NewSettings) -> None:
    """Assumption 3."""
    settings = new_settings(stream={"session_timeout_s": 6.0, "heartbeat_s": 0.5})

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        await asyncio.to_thread(send, settings, 10)
        async with reading(settings, partitions=2):
            await until(lambda: len(feed.assignment()) == 2 and recorder.assignments == 2)
        await until(lambda: len(feed.assignment()) == 4 and recorder.assignments == 3)
        assert not any(recorder.flow_at_assignment[1:])
        assert recorder.fetched == []  # a new generation begins with every partition held
        await feed.place({tp(settings): (0, 1)})
        await until(lambda: recorder.fetched)

    run(settings, scenario)


def test_a_static_member_that_comes_back_in_time_moves_no_partition(new_settings: NewSettings) -> None:
    """Assumption 7: it leaves the group when it stops no more than when it is killed."""
    settings = new_settings(stream={"session_timeout_s": 10.0, "heartbeat_s": 0.5, "static_membership": True})
    other = settings.model_copy(update={"stream": settings.stream.model_copy(update={"worker_id": "worker-2"})})

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        async with reading(other, partitions=2) as (first, its_feed):
            await until(lambda: len(feed.assignment()) == 2 and recorder.assignments >= 2 and first.assignments)
            await until(lambda: feed.app.joining() is its_feed.app.joining() is None)
            had, generations = its_feed.assignment(), recorder.assignments
        async with reading(other, partitions=2) as (_, its_feed):
            assert its_feed.assignment() == had
            await its_feed.commit()
            await asyncio.sleep(1.0)  # two heartbeats, in which a rebalance would show
            assert recorder.assignments == generations

    run(settings, scenario)


def test_after_a_seek_no_batch_carries_the_new_tag_and_old_positions(live_settings: Settings) -> None:
    """Assumption 2: what was on its way when the seek came is dropped or keeps the old tag."""

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        await asyncio.to_thread(send, live_settings, 2_000)
        for tag in range(1, 30):
            await feed.place({tp(live_settings): (tag * 10, tag)})
            await asyncio.sleep(0.003)
        await until(lambda: recorder.fetched and recorder.fetched[-1].tag == 29 and recorder.fetched[-1].end == 2_000)
        for tag in {one.tag for one in recorder.fetched}:
            reach = tag * 10
            for one in (one for one in recorder.fetched if one.tag == tag):
                assert one.begin == reach
                assert one.records.offset[0] == reach
                reach = one.end

    run(live_settings, scenario)


def test_an_end_is_witnessed_as_of_the_sending_of_the_fetch(live_settings: Settings) -> None:
    """Assumptions 1 and 4."""

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        fetcher = feed._thread._ensure_consumer()._fetcher
        assert fetcher._fetch_max_wait_ms == FETCH_WAIT_MS
        await asyncio.to_thread(send, live_settings, 5)
        await feed.place({tp(live_settings): (0, 1)})
        now = [1_000]
        feed.use(lambda _: now[0])
        await until(lambda: ended(feed, live_settings) == (5, 1_000))
        sent: list[int] = []
        process = fetcher._client.send

        async def slow(node: int, request: object, **options: object) -> object:
            if type(request).__name__.startswith("FetchRequest"):
                sent.append(now[0])
            answer = await process(node, request, **options)
            now[0] = 1_000 + len(sent)  # news that come while the fetch is under way must not count for it
            return answer

        fetcher._client.send = slow
        await until(lambda: len(sent) > 5)
        offset, stamp = ended(feed, live_settings)
        assert offset == 5
        assert stamp in sent
        assert stamp < now[0]

    run(live_settings, scenario)


def test_only_what_the_reader_calls_durable_is_committed(live_settings: Settings) -> None:
    """Assumption 5."""
    group = live_settings.kafka.topic_prefix + "contract"
    admin = KafkaAdminClient(bootstrap_servers=live_settings.kafka.bootstrap_servers)

    def committed() -> dict[int, int]:
        found = admin.list_group_offsets({group: None})[group]
        return {where.partition: offset.offset for where, offset in found.items() if offset.offset >= 0}

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        await asyncio.to_thread(send, live_settings, 50)
        await feed.place({tp(live_settings): (0, 1)})
        await until(lambda: sum(len(one.records) for one in recorder.of(0)) == 50)
        await feed.commit()
        assert await asyncio.to_thread(committed) == {}
        recorder.durable = {tp(live_settings): 20}
        await feed.commit()
        assert await asyncio.to_thread(committed) == {0: 20}

    try:
        run(live_settings, scenario)
        assert committed() == {0: 20}
    finally:
        admin.close()


def test_a_reader_that_is_left_right_after_it_began_elsewhere_lets_go(live_settings: Settings) -> None:
    """aiokafka's consumer may stop for ever then: a recovery once did, and a worker had no partitions."""
    where = (tp(live_settings).topic, tp(live_settings).partition)

    async def main() -> None:
        await asyncio.to_thread(send, live_settings, 20)
        for turns in range(8):
            async with asyncio.timeout(patience(5)), LogReader(live_settings.kafka.bootstrap_servers) as reader:
                reader.begin({where: 0})
                await reader.upto({where: 20})
                await asyncio.sleep(0.01)  # the next fetch is on its way, and nothing comes
                reader.begin({where: 5})
                for _ in range(turns):
                    await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize("behind", [0, 3_000])
def test_a_message_larger_than_a_fetch_arrives(live_settings: Settings, behind: int) -> None:
    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        await asyncio.to_thread(send, live_settings, behind)
        await asyncio.to_thread(send, live_settings, 1, 4_000_000)
        await feed.place({tp(live_settings): (0, 1)})
        await until(lambda: sum(len(one.records) for one in recorder.of(0)) == behind + 1)
        assert recorder.fetched[-1].records.size_bytes() >= 4_000_000

    run(live_settings, scenario)


def test_markers_of_transactions_move_the_position_and_are_no_loss(live_settings: Settings) -> None:
    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=live_settings.kafka.bootstrap_servers, transactional_id=live_settings.kafka.topic_prefix
        )
        await producer.start()
        async with producer.transaction():
            await producer.send_and_wait(tp(live_settings).topic, b"in", partition=0)
        await producer.stop()
        await feed.place({tp(live_settings): (0, 1)})
        feed.use(lambda _: 77)
        await until(lambda: recorder.fetched and recorder.fetched[-1].end == 2)
        assert [one.records.value for one in recorder.fetched if len(one.records)] == [[b"in"]]
        assert not any(one.cut_off for one in recorder.fetched)
        await until(lambda: ended(feed, live_settings) == (2, 77))

    run(live_settings, scenario)


def test_records_removed_before_they_were_read_are_a_loss(live_settings: Settings) -> None:
    send(live_settings, 100)
    admin = KafkaAdminClient(bootstrap_servers=live_settings.kafka.bootstrap_servers)
    admin.delete_records({TopicPartition(*tp(live_settings)): 60})
    admin.close()

    async def scenario(recorder: Recorder, feed: Consumer) -> None:
        await feed.place({tp(live_settings): (10, 1)})
        await until(lambda: recorder.fetched and recorder.fetched[-1].end == 100)
        first = recorder.fetched[0]
        assert first.begin == 10
        assert [one.cut_off for one in recorder.fetched] == [one is first for one in recorder.fetched]
        assert [offset for one in recorder.fetched for offset in one.records.offset.tolist()] == list(range(60, 100))

    run(live_settings, scenario)
