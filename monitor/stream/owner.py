"""Ownership: claim a partition, bring it to where the log stands, and step it, one acknowledged cut after the other.

The rules, each the answer to a test that broke:

1. A claim is appended before anything is read; its offset is the epoch. Replay ends at the claim.
2. A cut acknowledged where it was expected is valid: apply it, let its outputs leave. Acknowledged elsewhere: a claim
   in between means overtaken. Not acknowledged in time: unknown. Both: forget the state.
3. The outputs of a step are acknowledged before the next cut of that partition is appended. So a successor sends the
   outputs of the last valid cut again and no others.
4. A partition that was forgotten but is still assigned is claimed again, one and a half heartbeats later: the time in
   which a zombie learns that it is one.
5. A batch with an old tag is dropped and comes again; a loss (the log's start passed what was unread) drops the state.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from monitor.cuts import Cut
from monitor.outputs import ScoreDue, Step
from monitor.settings import Settings
from monitor.sinks.kafka import Acknowledgement, KafkaSink
from monitor.stream.claiming import Claimer
from monitor.stream.core import Core
from monitor.stream.cut_log import FAILURES, CutLog, Overtaken
from monitor.stream.partition import Gap, Partition
from monitor.stream.planning import Planner, Work
from monitor.stream.reading import LogReader
from monitor.stream.records import Fetched
from monitor.stream.recovery import Replay
from monitor.stream.transport import Consumer

INBOX_BYTES = 8 * 1024 * 1024
REVOKE_BUDGET_S = 2.0
ZOMBIE_HEARTBEATS = 1.5

log = structlog.get_logger()


class Owner:
    """Owns the partitions that the group assigns to this worker; a reader of the transport.

    Parameters
    ----------
    settings : Settings
    core : Core
    sink : KafkaSink
    score : callable
        Takes the wearers that a step called due; must gather what it needs at once.

    Attributes
    ----------
    parts : the partitions owned now.
    void_cuts : cuts that landed behind another claim.
    """

    def __init__(self, settings: Settings, core: Core, sink: KafkaSink, score: Callable[[ScoreDue], None]) -> None:
        self._stream, self._core, self._sink, self._score = settings.stream, core, sink, score
        self._bootstrap, self._prefix = settings.kafka.bootstrap_servers, settings.kafka.topic_prefix
        self._planner = Planner(settings.stream, self._prefix, core)
        self._cut_log = CutLog(settings, sink, self._tell)
        replay = Replay(core, self._bootstrap, self._prefix, score)
        self._claimer = Claimer(settings, core, sink, self._cut_log, replay)
        self._source = {self._prefix + topic: i for i, topic in enumerate(core.inputs)}
        self._feed: Consumer | None = None
        self._lock = asyncio.Lock()
        self._recovery: asyncio.Task[None] | None = None
        self._suspended = True
        self._assigned: set[int] = set()
        self._claim_at_s: dict[int, float] = {}
        self._tags = 0
        self.parts: dict[int, Partition] = {}
        self.void_cuts = 0

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

    def committable(self) -> Mapping[TP, int]:
        """Commit nothing: commits follow durable checkpoints, and there are none yet."""
        return {}

    async def tend(self) -> None:
        """Claim what is assigned and not owned, if it is time; returns at once, the recovery runs on.

        Raises
        ------
        ReplayDiffers
            As a recovery met it.
        """
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
            claimed = await self._claimer.take_over(partitions)
            parts = [self._partition(p, epoch, expected) for p, (epoch, expected) in claimed.items()]
        except (*FAILURES, Overtaken) as failure:
            log.warning("claiming failed and will be tried again", partitions=partitions, why=repr(failure))
            self._abandon(partitions)
            await self._renew_sink(failure)
        except BaseException:
            self._abandon(partitions)
            raise
        else:
            await feed.place(self._places(parts))
            log.info("claimed", partitions=partitions, seconds=round(time.monotonic() - began, 3))

    def _partition(self, p: int, epoch: int, expected: int) -> Partition:
        position = self._core.position(p)
        if position.next is None:
            raise Overtaken(f"partition {p} has no first cut")
        self._tags += 1
        return Partition(p, epoch, expected, self._tags, position.next, position.stamp)

    def _places(self, parts: Sequence[Partition]) -> dict[TP, tuple[int, int]]:
        """Begin with empty inboxes and say where to read on: what was fetched before a seek is fetched again."""
        places = {}
        for part in parts:
            fresh = self._partition(part.number, part.epoch, part.expected)
            fresh.cut_at_s = part.cut_at_s
            self.parts[part.number] = fresh
            places.update({self._tp(i, part.number): (offset, fresh.tag) for i, offset in enumerate(fresh.reach)})
        return places

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
            work = self._planner.plan(self.parts.values(), feed)
            if work:
                await self._apply(await self._write(work))
            return any(part.waiting for part in self.parts.values())

    async def _write(self, work: list[Work]) -> list[Work]:
        """Append the cuts; return the work whose cut is valid."""
        valid = []
        judged = await self._cut_log.write([(item.part, item.cut) for item in work])
        for item, cut in zip(work, judged, strict=True):
            if item.part.lost:
                continue
            if isinstance(cut, Cut):
                item.part.expected = cut.at + 1
                valid.append(Work(item.part, cut, item.taken))
            else:
                self.void_cuts += cut.void
                self._lose(item.part, f"{cut.why} {cut.failure!r}" if cut.failure else cut.why)
                await self._renew_sink(cut.failure)
        return valid

    async def _apply(self, valid: list[Work]) -> None:
        if not valid:
            return
        step = self._core.apply([item.cut for item in valid], {item.part.number: item.taken.records for item in valid})
        if step.due is not None:
            self._score(step.due)
        sent = await self._send(valid, step)
        for item in valid:
            try:
                async with asyncio.timeout(self._stream.cut_timeout_s):
                    await asyncio.gather(*sent.get(item.part.number, ()))
            except FAILURES as failure:
                self._lose(item.part, f"an output was not acknowledged: {failure!r}")
                await self._renew_sink(failure)

    async def _send(self, valid: list[Work], step: Step) -> dict[int, list[Acknowledgement]]:
        sent = {}
        for item in valid:
            try:
                sent[item.part.number] = await self._sink.send(step.outputs.get(item.part.number, ()))
            except FAILURES as failure:
                self._lose(item.part, f"an output could not be sent: {failure!r}")
        return sent

    async def _look_for_losses(self) -> None:
        """Tell holes apart: compaction and transactions leave harmless ones, a passed log start is a loss."""
        holes = {self._tp(i, p): at for p, part in self.parts.items() for i, at in part.holes().items()}
        if not holes:
            return
        try:
            async with LogReader(self._bootstrap) as reader:
                starts = await reader.starts([(tp.topic, tp.partition) for tp in holes])
        except FAILURES as failure:
            log.warning("cannot see where the inputs begin", why=repr(failure))
            return
        for tp, begin in holes.items():
            start, part = starts[tp.topic, tp.partition], self.parts.get(tp.partition)
            if start > begin and part is not None:
                self._lose(part, f"{tp.topic} was cut off at {start} before {begin} was read")

    async def stop(self) -> None:
        """Let go of everything."""
        self._suspended = True
        await self._cancel_recovery()
        async with self._lock:
            for p in list(self.parts):
                self._forget(p)

    def _lose(self, part: Partition, why: str) -> None:
        log.warning("a partition is forgotten and will be claimed again", partition=part.number, why=why)
        self._forget(part.number)
        self._claim_at_s[part.number] = time.monotonic() + ZOMBIE_HEARTBEATS * self._stream.heartbeat_s

    def _forget(self, p: int) -> None:
        part = self.parts.pop(p, None)
        if part is not None:
            part.lost = True
        self._core.drop(p)

    def _abandon(self, partitions: Sequence[int]) -> None:
        for p in partitions:
            self._core.drop(p)
            self._claim_at_s[p] = time.monotonic() + ZOMBIE_HEARTBEATS * self._stream.heartbeat_s

    async def _renew_sink(self, failure: BaseException | None) -> None:
        """Begin with a new producer: an idempotent one that met a broker's refusal may refuse for ever."""
        if isinstance(failure, KafkaError) and not failure.retriable:
            await self._sink.stop()
            await self._sink.start()

    def lag_records(self) -> int:
        """Count what lies in the owned inputs, as of their last fetch, and was not cut."""
        feed = self._feed
        if feed is None:
            return 0
        reaches = [(self._tp(i, p), reach) for p, part in self.parts.items() for i, reach in enumerate(part.reach)]
        unfetched = sum(max(0, (feed.end_offset(tp) or reach) - reach) for tp, reach in reaches)
        return unfetched + sum(part.unread_records for part in self.parts.values())

    def _tell(self, stamp_ms: int) -> None:
        if self._feed is not None:
            self._feed.tell(stamp_ms)

    def _tp(self, source: int, p: int) -> TP:
        return TP(self._prefix + self._core.inputs[source], p)
