"""All that knows Faust's and aiokafka's insides: one event for one fetched partition batch, and positions of our own.

Stock Faust spends about 80 us on each message in its drain loop, commits what was not processed, and keeps positions
that we cannot trust. This transport (scheme `batch+kafka`, entry point group `faust.transports`) hands an agent whole
fetches as columns, tags them with the last seek of their partition, and commits what its reader says and nothing else.

What it assumes of faust-streaming 0.15 and aiokafka 0.14 is listed here, and tests/stream/test_transport_contract.py
breaks on each that ceases to hold:

1. `Consumer._new_consumer_thread` makes the thread, `_create_worker_consumer` its aiokafka consumer, whose
   `_fetch_max_wait_ms` (Faust: 1500) is read for every fetch, and its `_isolation_level` when it starts.
2. `_fetch_records` runs in the consumer's thread and yields `{partition: [record]}`; nothing runs between its return
   and ours, so that records, positions and tags fit together.
3. `seek_to_committed` is called between an assignment and the resumption of the flow, for every generation.
4. aiokafka's `_proc_fetch_request(assignment, node, request)` sends the fetch and stores high water and time of its
   answer; a partition whose position the broker does not have awaits a reset when it returns. Holes that compaction and
   transactions leave move the position without one.
5. `force_commit` is all that commits, through the thread's `_commit`; `verify_event_path` only logs.
6. A paused partition is not fetched, and a seek discards what was fetched and what is on its way.
7. aiokafka's `_coordinator` knows its `coordinator_id`, its `generation` and whether it has to join again; with a group
   instance id it does not leave the group when it stops, and a restart under the same id gets the same partitions.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from monitor.stream.records import Fetched, Records

FETCH_WAIT_MS = 100
COMMIT_WITHIN_S = 5.0
_POLL_S = 0.2
_NOWHERE = 1 << 62  # a position that no answer can match
_T = TypeVar("_T")


class End(NamedTuple):
    """An input turned out to be at its end.

    Attributes
    ----------
    offset : nothing lay at or beyond it.
    broker_ms : the time of the broker that leads it, as it was known when the fetch that found the end was *sent*.
    sent_s : monotonic time at which it was sent.
    """

    offset: int
    broker_ms: int
    sent_s: float


class Reader(Protocol):
    """What reads through the transport: the core of a worker, or a projector. All of it runs on the app's loop."""

    async def assigned(self, feed: "Consumer") -> None:
        """Take over an assignment, between assignment and flow: call `feed.arrange`."""

    async def revoked(self) -> None:
        """Stop what is under way; the next assignment says what stays."""

    def receive(self, fetched: Fetched) -> None:
        """Take one fetch in."""

    def full(self) -> bool:
        """Tell whether nothing more is to be fetched for now."""

    def committable(self) -> Mapping[TP, int]:
        """Return the positions up to which everything is durable: what Kafka may be told."""


class App(faust.App):
    """A Faust app with one reader."""

    reader: Reader
    fetch_pace_s: float = 0.01

    def joining(self) -> str | None:
        """Say why the group has not given this process its share of partitions; None when it has."""
        inner = getattr(getattr(self.consumer, "_thread", None), "_consumer", None)
        coordinator = getattr(inner, "_coordinator", None)
        if coordinator is None:
            return "the consumer does not start"
        if coordinator.coordinator_id is None:
            return "the group's coordinator is not known"
        if self.rebalancing or coordinator.generation < 0 or coordinator._rejoin_needed_fut.done():
            return "the group is rebalancing"
        return None


class Thread(driver.AIOKafkaConsumerThread):
    """The thread that fetches. Every method here runs in it, but for `fetched_end` and `leader`."""

    def __post_init__(self) -> None:
        """Begin with no partition placed and nothing known of the broker's time."""
        super().__post_init__()
        self.time_at: Callable[[int], int] = lambda _: 0  # a time that has come at a broker; set by the app's thread
        self.ends: dict[TP, End] = {}
        self._cut_off: set[TP] = set()
        self._places: dict[TP, tuple[int, int]] = {}  # position after the last batch handed over, tag of the last seek

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        return consumer

    async def on_start(self) -> None:
        """Start, and watch every fetch: an input is at its end as of the *sending* of the fetch that found the end."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        process = fetcher._proc_fetch_request

        async def witness(assignment: Any, node: int, request: Any) -> bool:
            sent, sent_s = self.time_at(node), time.monotonic()
            asked = {TP(topic, p): offset for topic, parts in request.topics for p, offset, _ in parts}
            before = {tp: assignment.state_value(tp).timestamp for tp in asked}
            result: bool = await process(assignment, node, request)
            if assignment.active:
                for tp, offset in asked.items():
                    state = assignment.state_value(tp)
                    if state.timestamp != before[tp] and state.highwater == offset:
                        self.ends[tp] = End(offset, sent, sent_s)
                    if state.awaiting_reset:
                        self._cut_off.add(tp)
            return result

        fetcher._proc_fetch_request = witness

    async def _fetch_records(self, *args: Any, **options: Any) -> dict[TP, Fetched]:  # type: ignore[override]
        raw = await super()._fetch_records(*args, **options)
        assigned = self._ensure_consumer().assignment()
        batches = {}
        for tp, (begin, tag) in self._places.items():
            if tp not in assigned:
                continue
            end = self._position(tp)
            if end == begin:
                self._cut_off.discard(tp)  # it came back to where it was
            if end is None or end == begin:
                continue
            batches[tp] = Fetched(
                tp.topic, tp.partition, tag, begin, end, Records.of(raw.get(tp, ())), tp in self._cut_off
            )
            self._cut_off.discard(tp)
            self._places[tp] = (end, tag)
        return batches

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; a refusal is no reason to end (Faust's is), for the next one says the same and more."""
        try:
            async with asyncio.timeout(COMMIT_WITHIN_S):  # aiokafka tries again until the broker is back
                await self._ensure_consumer().commit({TopicPartition(*tp): offset for tp, offset in offsets.items()})
        except (KafkaError, TimeoutError):
            return False
        return True

    def _position(self, tp: TP) -> int | None:
        state = self._ensure_consumer()._subscription.subscription.assignment.state_value(TopicPartition(*tp))
        return state.position if state is not None and state.has_valid_position else None

    def fetched_end(self, tp: TP) -> int | None:
        """Return the end that the last fetch has seen. Called from the app's loop, while the assignment may change."""
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        state = assignment.state_value(TopicPartition(*tp)) if assignment is not None else None
        end: int | None = state.highwater if state is not None else None
        return end

    def leader(self, tp: TP) -> tuple[int | None, int]:
        """Return leader and number of copies, as far as the metadata says. Called from the app's loop."""
        known = self._ensure_consumer()._client.cluster._partitions.get(tp.topic, {}).get(tp.partition)
        return (known.leader if known.leader >= 0 else None, len(known.replicas)) if known is not None else (None, 1)

    async def place(self, wanted: Mapping[TP, tuple[int, int]]) -> None:
        """Read these partitions on from (offset, tag)."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp, (offset, tag) in wanted.items():
            if tp in assigned:
                consumer.seek(TopicPartition(*tp), offset)
                consumer.resume(TopicPartition(*tp))
                self._places[tp] = (offset, tag)
                self._cut_off.discard(tp)

    async def hold(self, tps: Iterable[TP]) -> None:
        """Fetch nothing of these partitions until they are placed (Faust's own pause loses records: never use it)."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        for tp in tps:
            self._places.pop(tp, None)
            if tp in assigned:
                consumer.pause(TopicPartition(*tp))
                consumer.seek(TopicPartition(*tp), _NOWHERE)


class Consumer(driver.Consumer):
    """The consumer of a worker; methods run on the app's loop."""

    app: App
    _thread: Thread
    _told: dict[TP, int]

    def _new_consumer_thread(self) -> Thread:
        return Thread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        reader, pace = self.app.reader, self.app.fetch_pace_s
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                if not reader.full():
                    batches, _ = await self._wait_next_records(_POLL_S)
                    if batches:
                        await self.wait_first(
                            self._deliver(cast("Mapping[TP, Fetched]", batches)), self.suspend_flow.wait()
                        )
                await asyncio.sleep(pace)  # the live cost is per fetch
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    async def _deliver(self, batches: Mapping[TP, Fetched]) -> None:
        generation = self.app.consumer_generation_id
        for tp, batch in batches.items():
            carried = cast("bytes", batch)  # our schema hands it to the agent as it is
            where = (tp.topic, tp.partition, batch.begin)
            message = ConsumerMessage(
                *where, 0.0, 1, None, None, carried, None, None, None, tp, generation_id=generation
            )
            await self.callback(message)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Let the reader take the assignment over; what Kafka holds as committed decides nothing."""
        self._told = {}
        await self.app.reader.assigned(self)
        return {}

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        """Commit what the reader calls durable; Faust's acknowledgements are not safe and count for nothing."""
        durable = self.app.reader.committable()
        assigned = self.assignment() if durable else set()
        due = {tp: offset for tp, offset in durable.items() if tp in assigned and self._told.get(tp) != offset}
        if not due or not await self._commit(due):
            return False
        self._told.update(due)  # a ledger of our own: Faust remembers refused commits as done
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Say nothing: the alarms of Faust's livelock detector rest on its own acknowledgements."""

    async def arrange(self, wanted: Mapping[TP, tuple[int, int]]) -> None:
        """Read on from (offset, tag) where named, and hold every other assigned partition."""
        await self._in_thread(self._thread.hold, self.assignment() - set(wanted))
        await self._in_thread(self._thread.place, wanted)

    async def place(self, wanted: Mapping[TP, tuple[int, int]]) -> None:
        """Read these partitions on from (offset, tag)."""
        await self._in_thread(self._thread.place, wanted)

    async def hold(self, tps: Iterable[TP]) -> None:
        """Fetch nothing of these partitions until they are placed."""
        await self._in_thread(self._thread.hold, tps)

    def use(self, time_at: Callable[[int], int]) -> None:
        """Ask this what time has come at a broker, whenever a fetch is sent to it; it is called in the thread."""
        self._thread.time_at = time_at

    def leader(self, tp: TP) -> tuple[int | None, int]:
        """Return the broker that leads a partition, None if nobody is known to, and how many copies there are."""
        return self._thread.leader(tp)

    def end(self, tp: TP) -> End | None:
        """Return the end that the last fetch which found one has seen, or None."""
        return self._thread.ends.get(tp)

    def end_offset(self, tp: TP) -> int | None:
        """Return the end of the partition as of its last fetch; None before it, and while a rebalance takes it away."""
        return self._thread.fetched_end(tp)

    async def _in_thread(self, method: Callable[..., Coroutine[Any, Any, _T]], *args: Any) -> _T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(method(*args), self._thread.thread_loop))


class Transport(driver.Transport):
    """Registered as `batch+kafka`."""

    Consumer = Consumer


class Batches(Schema[Any, Any]):
    """Hands a fetch to the agent as it is."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Coroutine[Any, Any, Any]]:  # noqa: D102
        async def decode(message: Any, **_: Any) -> Any:
            return app.create_event(None, message.value, {}, message)

        return decode
