"""Ownership: claim a partition, bring it to where the log stands, and step it, one acknowledged cut after the other.

The rules, each the answer to a test that broke:

1. A claim is appended before anything is read; its offset is the epoch. Replay ends at the claim.
2. A cut acknowledged where it was expected is valid: apply it, let its outputs leave. Acknowledged elsewhere: a claim in
   between means overtaken. Not acknowledged in time: unknown. Both: forget the state.
3. The outputs of a step are acknowledged before the next cut of that partition is appended. So a successor sends the
   outputs of the last valid cut again and no others.
4. A partition that was forgotten but is still assigned is claimed again, one and a half heartbeats later: the time in
   which a zombie learns that it is one.
5. A batch with an old tag is dropped and comes again; a loss (the log's start passed what was unread) drops the state.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from monitor.cuts import Cut, encode_claim, encode_cut, overtaken
from monitor.outputs import ScoreDue, Step
from monitor.settings import Settings
from monitor.sinks.kafka import Acknowledgement, KafkaSink
from monitor.stream.core import Core
from monitor.stream.partition import Gap, Partition, Taken
from monitor.stream.reading import LogReader, ReadingStuck
from monitor.stream.records import Fetched
from monitor.stream.recovery import CUTS, Replay
from monitor.stream.transport import Consumer
from monitor.stream.watermark import Mark, broker_time, log_time

STEP_RECORDS = 10_000
"""A step takes about so many records at most: the loop is blocked while the engine runs."""
INBOX_BYTES = 32 * 1024 * 1024
REVOKE_BUDGET_S = 2.0
_FAILURES = (KafkaError, TimeoutError, ReadingStuck, ConnectionError)

log = structlog.get_logger()


class Overtaken(Exception):
    """Somebody else claimed the partition."""


@dataclass(slots=True)
class _Work:
    part: Partition
    cut: Cut
    taken: Taken


class Owner:
    """Owns the partitions that the group assigns to this worker.

    Parameters
    ----------
    settings : Settings
    core : Core
    sink : KafkaSink
    score : callable
        Takes the wearers that a step called due; must gather what it needs at once.
    """

    def __init__(self, settings: Settings, core: Core, sink: KafkaSink, score: Callable[[ScoreDue], None]) -> None:
        self._stream, self._core, self._sink, self._score = settings.stream, core, sink, score
        self._bootstrap, self._prefix = settings.kafka.bootstrap_servers, settings.kafka.topic_prefix
        self._replay = Replay(core, self._bootstrap, self._prefix, score)
        self._source = {self._prefix + topic: i for i, topic in enumerate(core.inputs)}
        self._tells_time = [topic.startswith(("vitals.", "context.")) for topic in core.inputs]
        self._feed: Consumer | None = None
        self._lock = asyncio.Lock()
        self._recovery: asyncio.Task[None] | None = None
        self._suspended = True
        self._assigned: set[int] = set()
        self._claim_at_s: dict[int, float] = {}
        self._tags = 0
        self.parts: dict[int, Partition] = {}
        self.void_cuts = 0

    # ------------------------------------------------------------------------------------------ what the transport calls

    async def assigned(self, feed: Consumer) -> None:
        """Take over an assignment: keep what stays, forget what left, claim the rest soon."""
        self._feed = feed
        async with self._lock:
            held = feed.assignment()
            self._assigned = {tp.partition for tp in held}
            missing = {self._tp(i, p) for p in self._assigned for i in range(len(self._core.inputs))} - held
            if missing:
                log.error("the inputs are not assigned together: nothing is claimed", missing=len(missing))
                self._assigned = set()
            for p in set(self.parts) - self._assigned:
                self._forget(p)
            self._claim_at_s = {}
            await feed.arrange(self._places(list(self.parts.values())))
            self._suspended = False

    async def revoked(self) -> None:
        """Stop recovering and stepping; a step that does not end in time has an unknown outcome."""
        self._suspended = True
        await self._cancel_recovery()
        try:
            async with asyncio.timeout(REVOKE_BUDGET_S), self._lock:
                pass
        except TimeoutError:
            log.warning("a step was in flight for longer than the revocation allows: its partitions are forgotten")
            for p in list(self.parts):
                self._forget(p)

    def receive(self, fetched: Fetched) -> None:
        """Put a fetch into the inbox of its partition, unless it was fetched before the last seek."""
        part = self.parts.get(fetched.partition)
        if part is None or fetched.tag != part.tag or self._suspended:
            return
        try:
            part.receive(self._source[fetched.topic], fetched)
        except Gap as gap:
            self._lose(part, str(gap))

    def full(self) -> bool:
        """Tell whether the inboxes hold as much as they may."""
        return sum(part.size_bytes for part in self.parts.values()) > INBOX_BYTES

    def lag_records(self) -> int:
        """Count what lies in the owned inputs, as of their last fetch, and was not cut."""
        lag = 0
        for p, part in self.parts.items():
            for i, reach in enumerate(part.reach):
                end = self._feed.end_offset(self._tp(i, p)) if self._feed is not None else None
                lag += max(0, (end or reach) - reach)
            lag += part.unread_records
        return lag

    def committable(self) -> Mapping[TP, int]:
        """Commit nothing: commits follow durable checkpoints, and there are none yet."""
        return {}

    # -------------------------------------------------------------------------------------------------------- claiming

    async def tend(self) -> None:
        """Claim what is assigned and not owned, if it is time; returns at once, the recovery runs on."""
        if self._recovery is not None:
            if not self._recovery.done():
                return
            recovery, self._recovery = self._recovery, None
            recovery.result()
        now = time.monotonic()
        wanted = sorted(p for p in self._assigned - set(self.parts) if now >= self._claim_at_s.get(p, 0.0))
        if wanted and not self._suspended and self._feed is not None and not self._feed.app.rebalancing:
            self._recovery = asyncio.create_task(self._recover(self._feed, wanted))

    async def _cancel_recovery(self) -> None:
        recovery, self._recovery = self._recovery, None
        if recovery is not None:
            recovery.cancel()
            await asyncio.wait([recovery])

    async def _recover(self, feed: Consumer, partitions: list[int]) -> None:
        began = time.monotonic()
        try:
            parts = await self._take_over(feed, partitions)
        except (*_FAILURES, Overtaken) as failure:
            log.warning("claiming failed and will be tried again", partitions=partitions, why=repr(failure))
            self._abandon(partitions)
            await self._renew_sink(failure)
        except BaseException:
            self._abandon(partitions)
            raise
        else:
            self.parts.update({part.number: part for part in parts})
            await feed.place(self._places(parts))
            log.info("claimed", partitions=partitions, seconds=round(time.monotonic() - began, 3))

    async def _take_over(self, feed: Consumer, partitions: list[int]) -> list[Partition]:
        claim = encode_claim(self._stream.worker_id)
        written = await asyncio.gather(*[self._append(feed, p, claim) for p in partitions])
        claims = dict(zip(partitions, written, strict=True))
        for p in partitions:
            self._core.open(p)
        replayed = await self._replay.run(claims)
        sent = [ack for p in partitions for ack in await self._sink.send(replayed[p].outputs)]
        async with asyncio.timeout(self._stream.cut_timeout_s):
            await asyncio.gather(*sent)
        expected = {p: claim + 1 for p, claim in claims.items()}
        fresh = [p for p in partitions if self._core.position(p).next is None]
        if fresh:
            starts = await self._replay.input_starts(fresh)
            for p in fresh:
                await self._first_cut(feed, p, claims[p], starts[p])
                expected[p] += 1
        log.info(
            "replayed",
            partitions=partitions,
            cuts=sum(r.cuts for r in replayed.values()),
            records=sum(r.records for r in replayed.values()),
        )
        return [self._partition(p, claims[p], expected[p]) for p in partitions]

    async def _first_cut(self, feed: Consumer, p: int, epoch: int, starts: tuple[int, ...]) -> None:
        """Append cut 0, which reads nothing and names where the inputs begin."""
        position = self._core.position(p)
        cut = Cut(p, epoch + 1, epoch, 0, 0, starts, (0,) * len(starts), position.digest)
        if await self._append(feed, p, encode_cut(cut)) != cut.at:
            raise Overtaken(f"partition {p} was claimed by another worker before its first cut")
        self._core.apply([cut], {p: Partition(p, 0, 0, 0, starts, cut.stamp).take(0).records})

    def _partition(self, p: int, epoch: int, expected: int) -> Partition:
        position = self._core.position(p)
        if position.next is None:
            raise Overtaken(f"partition {p} has no first cut")
        self._tags += 1
        return Partition(p, epoch, expected, self._tags, position.next, position.stamp)

    def _places(self, parts: Sequence[Partition]) -> dict[TP, tuple[int, int]]:
        """Empty the inboxes and say where to read on: what was fetched before a seek is fetched again."""
        places = {}
        for part in parts:
            fresh = self._partition(part.number, part.epoch, part.expected)
            fresh.cut_at_s = part.cut_at_s
            self.parts[part.number] = fresh
            places.update({self._tp(i, part.number): (offset, fresh.tag) for i, offset in enumerate(fresh.reach)})
        return places

    # -------------------------------------------------------------------------------------------------------- stepping

    async def step(self) -> bool:
        """Cut what was fetched, apply what was acknowledged, await what it gave.

        Returns
        -------
        bool
            True if more is waiting than one step takes.
        """
        async with self._lock:
            feed = self._feed
            if self._suspended or feed is None:
                return False
            await self._look_for_losses()
            work = self._work(feed)
            if work:
                valid = await self._cut(feed, work)
                await self._apply(valid)
            return any(part.waiting for part in self.parts.values())

    def _work(self, feed: Consumer) -> list[_Work]:
        now, idle_s = time.monotonic(), self._stream.idle_cut_ms / 1000
        live = self._stream.clock == "broker"
        waiting = sum(part.waiting for part in self.parts.values())
        work = []
        for part in self.parts.values():
            if part.waiting or (live and now - part.cut_at_s >= idle_s):
                part.cut_at_s = now
                taken = part.take(STEP_RECORDS // max(1, waiting))
                position = self._core.position(part.number)
                time_of = broker_time if live else log_time
                T = time_of(position.T, self._marks(feed, part.number, taken))
                cut = Cut(
                    part.number,
                    part.expected,
                    part.epoch,
                    position.seq + 1,
                    T,
                    taken.next,
                    taken.stamp_ms,
                    position.digest,
                )
                work.append(_Work(part, cut, taken))
        return work

    def _marks(self, feed: Consumer, p: int, taken: Taken) -> list[Mark]:
        marks = []
        for i, (position, last_ms) in enumerate(zip(taken.next, taken.stamp_ms, strict=True)):
            end = feed.end(self._tp(i, p))
            at_end = end is not None and end[0] <= position
            marks.append(Mark(last_ms, at_end, end[1] if end is not None else 0, self._tells_time[i]))
        return marks

    async def _cut(self, feed: Consumer, work: list[_Work]) -> list[_Work]:
        """Append the cuts, and return the work whose cut is valid."""
        written = await asyncio.gather(
            *[self._append(feed, item.part.number, encode_cut(item.cut)) for item in work], return_exceptions=True
        )
        valid = []
        for item, offset in zip(work, written, strict=True):
            part = item.part
            if part.lost:
                continue
            if isinstance(offset, BaseException):
                if not isinstance(offset, _FAILURES):
                    raise offset
                self._lose(part, f"a cut was not acknowledged: {offset!r}")
                await self._renew_sink(offset)
            elif offset != part.expected and await self._overtaken(part, offset):
                self.void_cuts += 1
                self._lose(part, "overtaken by another claim")
            else:
                part.expected = offset + 1
                valid.append(_Work(part, _at(item.cut, offset), item.taken))
        return valid

    async def _overtaken(self, part: Partition, offset: int) -> bool:
        tp = (self._prefix + CUTS, part.number)
        try:
            async with LogReader(self._bootstrap) as reader:
                reader.begin({tp: part.expected})
                between = (await reader.upto({tp: offset}))[tp]
        except _FAILURES as failure:
            log.warning("cannot see who else wrote a cut", partition=part.number, why=repr(failure))
            return True
        return overtaken(zip(between.offset.tolist(), between.stamp_ms.tolist(), between.value, strict=True))

    async def _apply(self, valid: list[_Work]) -> None:
        if not valid:
            return
        step = self._core.apply([item.cut for item in valid], {item.part.number: item.taken.records for item in valid})
        sent = await self._send(valid, step)
        if step.due is not None:
            self._score(step.due)
        for item in valid:
            try:
                async with asyncio.timeout(self._stream.cut_timeout_s):
                    await asyncio.gather(*sent[item.part.number])
            except _FAILURES as failure:
                self._lose(item.part, f"an output was not acknowledged: {failure!r}")
                await self._renew_sink(failure)

    async def _send(self, valid: list[_Work], step: Step) -> dict[int, list[Acknowledgement]]:
        sent: dict[int, list[Acknowledgement]] = {}
        for item in valid:
            sent[item.part.number] = []
            try:
                sent[item.part.number] = await self._sink.send(step.outputs.get(item.part.number, ()))
            except _FAILURES as failure:
                self._lose(item.part, f"an output could not be sent: {failure!r}")
        return sent

    async def _look_for_losses(self) -> None:
        """Where a fetch has a hole: compaction and transactions leave harmless ones; a passed log start is a loss."""
        holes = {
            (self._prefix + self._core.inputs[i], p): begin
            for p, part in self.parts.items()
            for i, begin in part.holes().items()
        }
        if not holes:
            return
        try:
            async with LogReader(self._bootstrap) as reader:
                starts = await reader.starts(list(holes))
        except _FAILURES as failure:
            log.warning("cannot see where the inputs begin", why=repr(failure))
            return
        for (topic, p), begin in holes.items():
            if starts[topic, p] > begin and p in self.parts:
                self._lose(self.parts[p], f"{topic} was cut off at {starts[topic, p]} before {begin} was read")

    # ---------------------------------------------------------------------------------------------------- letting go

    def _lose(self, part: Partition, why: str) -> None:
        log.warning("a partition is forgotten and will be claimed again", partition=part.number, why=why)
        self._forget(part.number)
        self._claim_at_s[part.number] = time.monotonic() + 1.5 * self._stream.heartbeat_s

    def _forget(self, p: int) -> None:
        part = self.parts.pop(p, None)
        if part is not None:
            part.lost = True
        self._core.drop(p)

    def _abandon(self, partitions: Sequence[int]) -> None:
        for p in partitions:
            self._core.drop(p)
            self._claim_at_s[p] = time.monotonic() + 1.5 * self._stream.heartbeat_s

    async def _renew_sink(self, failure: BaseException) -> None:
        """An idempotent producer that met a broker's refusal may refuse for ever."""
        if isinstance(failure, KafkaError) and not failure.retriable:
            await self._sink.stop()
            await self._sink.start()

    async def _append(self, feed: Consumer, p: int, value: bytes) -> int:
        offset, stamp_ms = await self._sink.append(CUTS, p, value, self._stream.cut_timeout_s)
        feed.tell(stamp_ms)
        return offset

    def _tp(self, source: int, p: int) -> TP:
        return TP(self._prefix + self._core.inputs[source], p)

    async def stop(self) -> None:
        """Let go of everything."""
        self._suspended = True
        await self._cancel_recovery()
        async with self._lock:
            for p in list(self.parts):
                self._forget(p)


def _at(cut: Cut, offset: int) -> Cut:
    return Cut(cut.partition, offset, cut.epoch, cut.seq, cut.T, cut.next, cut.stamp, cut.digest)
