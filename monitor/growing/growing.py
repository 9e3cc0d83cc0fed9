"""Growing, from the first question to the last word. The old log is only read; what its last cuts told, and may not
have been sent, is sent there once more, as any recovery does.

The order makes a half-done new log harmless: its first cuts are written when everything else is there, and only then
its topics are set so that workers start.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from monitor.cuts import GROWER, Cut, encode_claim, encode_cut
from monitor.errors import BrokerUnreachable, StoreUnreachable
from monitor.growing import new_log
from monitor.growing.copying import Copier, Part
from monitor.growing.dividing import Divider
from monitor.growing.open_alerts import open_alerts
from monitor.growing.replayed import OldLog
from monitor.growing.request import NewLogShared, NotGrown, Request
from monitor.growing.stillness import require_nobody, require_quiet, require_still
from monitor.outputs import Output
from monitor.sinks.kafka import BATCH_BYTES, MAX_REQUEST_BYTES, KafkaSink
from monitor.stream.reading import LogReader, ReadingStuck
from monitor.verifying.spans import Looked, look
from monitor.version import engine_version
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.topics import BY_NAME, CUTS, FOREVER, INPUTS

Progress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""


@dataclass(slots=True)
class Grown:
    """What was carried over.

    Attributes
    ----------
    wearers, alerts : with their state; open ones.
    records : of the topics that are carried over, and those of them that no worker had read.
    replayed_cuts : cuts behind the newest checkpoints: the journal lacks their rows.
    """

    wearers: int = 0
    alerts: int = 0
    records: int = 0
    unread: int = 0
    replayed_cuts: int = 0


def grow(request: Request, progress: Progress = lambda _what, _done, _total: None) -> Grown:
    """Carry a log over.

    Raises
    ------
    NotGrown
        If it cannot be, or not now; what there was of the new log is deleted then.
    BrokerUnreachable, TopicsDiffer
        If there is no Kafka, or the topics are missing or of another partition count.
    StoreUnreachable, CheckpointsDiffer, SavedStateUnusable
        If checkpoints cannot be read or written, or do not fit.
    """
    new_log.require_old(request.old)
    try:
        return asyncio.run(_Growing(request, progress).run())
    except OffsetOutOfRangeError as error:
        raise NotGrown("Retention removed records that were about to be read: grow again.") from error
    except (KafkaError, ReadingStuck) as error:
        raise BrokerUnreachable(
            f"Kafka did not give or take a record ({error}): see to the broker, then grow again."
        ) from error
    except OSError as error:
        raise StoreUnreachable(
            f"Checkpoints cannot be read or written ({error}): see to their place, then grow again."
        ) from error


class _Growing:
    def __init__(self, request: Request, progress: Progress) -> None:
        self._request, self._progress = request, progress
        self._old, self._new = request.old, request.new
        self._checkpoints = Checkpoints(self._new.checkpoint_place, partitions=self._new.stream.partitions)
        self._grown = Grown()

    async def run(self) -> Grown:
        await asyncio.to_thread(require_nobody, self._old)
        bootstrap = self._old.kafka.bootstrap_servers
        async with LogReader(bootstrap) as reader, _producer(bootstrap) as producer:
            looked = await look(reader, self._old.kafka.topic_prefix, self._old.stream.partitions)
            old_log = OldLog(self._old, looked)
            old_log.require_ours()
            await new_log.require_room(self._request, reader)
            await require_quiet(reader, self._old)
            try:
                await self._carry(looked, old_log, reader, producer)
            except NewLogShared:
                raise
            except BaseException:
                await asyncio.to_thread(new_log.discard, self._request)
                raise
        self._grown.replayed_cuts = old_log.cuts
        return self._grown

    async def _carry(
        self, looked: Mapping[int, Looked], old_log: OldLog, reader: LogReader, producer: AIOKafkaProducer
    ) -> None:
        await asyncio.to_thread(new_log.open_log, self._request)
        copier = Copier(self._request, reader, producer)
        cuts = await self._carry_states(old_log, copier, reader, producer)
        await self._carry_alerts(old_log)
        await self._carry_rest(copier, reader)
        await require_still(reader, self._old, looked, copier.reached)
        for cut in cuts:
            await self._append(producer, cut.partition, encode_cut(cut), cut.at)
        await asyncio.to_thread(new_log.finish, self._request)
        await require_still(reader, self._old, looked, copier.reached)
        await asyncio.to_thread(require_nobody, self._old)

    async def _carry_states(
        self, old_log: OldLog, copier: Copier, reader: LogReader, producer: AIOKafkaProducer
    ) -> list[Cut]:
        """Carry partition by partition over, and return the cuts that are to be written when all is there."""
        divider = Divider(self._request, copier)
        cuts: list[Cut] = []
        partitions = self._old.stream.partitions
        for p in range(partitions):
            self._progress("Carrying partitions over", p, partitions)
            state, waiting = await old_log.behind_last_cut(p)
            reached = state.position.reached()
            parts = {(topic, p): _first(topic, reached, waiting) for topic in new_log.CARRIED}
            starts = await self._edges(reader.starts, parts)
            begins = {part: max(start, parts[part]) for part, start in starts.items()}
            ends = await self._edges(reader.ends, parts)
            self._grown.records += await copier.copy(begins, {part: max(ends[part], begins[part]) for part in parts})
            self._grown.unread += sum(max(0, ends[topic, p] - reached[topic]) for topic in INPUTS)
            for q in self._request.partitions_behind(p):
                epoch = await self._append(producer, q, encode_claim(GROWER, engine_version()), 0)
                cut = divider.first_cut(q, state.position, epoch)
                made = divider.divide(state, cut)
                await asyncio.to_thread(self._checkpoints.write, made, pinned=True)
                cuts.append(cut)
        self._grown.wearers = divider.wearers
        return cuts

    async def _carry_rest(self, copier: Copier, reader: LogReader) -> None:
        """Copy what has come since."""
        begins = dict(copier.reached)
        ends = await self._edges(reader.ends, begins)
        more = await copier.copy(begins, {part: max(end, begins[part]) for part, end in ends.items()})
        self._grown.records += more
        self._grown.unread += more

    async def _carry_alerts(self, old_log: OldLog) -> None:
        """Send what may not have been sent, as a recovery would, and then copy what is open."""
        self._progress("Copying open alerts", 0, 0)
        bootstrap = self._old.kafka.bootstrap_servers
        await _send(bootstrap, self._old.kafka.topic_prefix, old_log.owed)
        alerts = await asyncio.to_thread(open_alerts, self._old, self._new.stream.partitions)
        await _send(bootstrap, self._new.kafka.topic_prefix, alerts)
        self._grown.alerts = len(alerts)

    async def _edges(
        self, ask: Callable[[Collection[Part]], Awaitable[dict[Part, int]]], parts: Collection[Part]
    ) -> dict[Part, int]:
        """Ask where parts of the old log begin or end."""
        prefix = self._old.kafka.topic_prefix
        found = await ask([(prefix + topic, p) for topic, p in parts])
        return {(topic.removeprefix(prefix), p): at for (topic, p), at in found.items()}

    async def _append(self, producer: AIOKafkaProducer, q: int, value: bytes, expected: int) -> int:
        written = await producer.send_and_wait(self._new.kafka.topic_prefix + CUTS, value, partition=q)
        if written.offset != expected:
            raise NewLogShared(
                f"Somebody else writes to {self._new.kafka.topic_prefix}{CUTS}: end that, delete the topics of the new "
                "log, then grow."
            )
        return int(written.offset)


def _first(topic: str, reached: Mapping[str, int], waiting: Mapping[str, Sequence[int]]) -> int:
    """Return from where on a topic goes over: all of what is kept for long, else what waits and what was not read."""
    if topic not in reached or BY_NAME[topic].retention_ms == FOREVER:
        return 0
    return min([reached[topic], *waiting.get(topic, ())])


@asynccontextmanager
async def _producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=BATCH_BYTES,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _send(bootstrap: str, prefix: str, outputs: Sequence[Output]) -> None:
    if not outputs:
        return
    sink = KafkaSink(bootstrap, prefix)
    await sink.start()
    try:
        await asyncio.gather(*await sink.send(outputs))
    finally:
        await sink.stop()
