"""Stepping: cut what was fetched, apply what was acknowledged, await what it gave, one cut after the other.

1. A cut acknowledged where it was expected is valid: apply it, let its outputs leave. Acknowledged elsewhere: a claim
   in between means overtaken. Not acknowledged in time: unknown. Both: forget the state.
2. The outputs of a step are acknowledged before the next cut of that partition is appended. So a successor sends the
   outputs of the last valid cut again and no others.
3. A partition that was forgotten but is still assigned is claimed again, one and a half heartbeats later: the time in
   which a zombie learns that it is one.
4. A loss (the log's start passed what was unread) drops the state.
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from monitor.cuts import Cut
from monitor.outputs import ScoreDue, Step
from monitor.settings import Settings
from monitor.sinks.kafka import Acknowledgement, KafkaSink
from monitor.stream.core import Core
from monitor.stream.cut_log import FAILURES, CutLog
from monitor.stream.partition import Partition
from monitor.stream.planning import Planner, Work
from monitor.stream.reading import LogReader
from monitor.stream.transport import Consumer

ZOMBIE_HEARTBEATS = 1.5

log = structlog.get_logger()


class Stepping:
    """Steps the partitions that are owned.

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
        self._feed: Consumer | None = None
        self._lock = asyncio.Lock()  # held while a step is under way
        self._suspended = True
        self._claim_at_s: dict[int, float] = {}
        self.parts: dict[int, Partition] = {}
        self.void_cuts = 0

    async def step(self) -> bool:
        """Cut what was fetched, apply what was acknowledged, await what it gave.

        A step that was begun ends, even if the waiting for it is cancelled: half a step is nobody's state.

        Returns
        -------
        bool
            True if more is waiting than one step takes.
        """
        return await asyncio.shield(asyncio.ensure_future(self._step()))

    async def _step(self) -> bool:
        async with self._lock:
            feed = self._feed
            if self._suspended or feed is None:
                return False
            await self._look_for_losses()
            work = self._planner.plan(self.parts.values(), feed)
            if work:
                await self._apply(await self._write(work))
            return bool(work) and any(part.waiting for part in self.parts.values())

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

    def _lose(self, part: Partition, why: str) -> None:
        log.warning("a partition is forgotten and will be claimed again", partition=part.number, why=why)
        self._forget(part.number)
        self._claim_at_s[part.number] = time.monotonic() + self._zombie_s

    def _forget(self, p: int) -> None:
        part = self.parts.pop(p, None)
        if part is not None:
            part.lost = True
        self._core.drop(p)

    @property
    def _zombie_s(self) -> float:
        return ZOMBIE_HEARTBEATS * self._stream.heartbeat_s

    async def _renew_sink(self, failure: BaseException | None) -> None:
        """Begin with a new producer: an idempotent one that met a broker's refusal may refuse for ever."""
        if isinstance(failure, KafkaError) and not failure.retriable:
            await self._sink.stop()
            await self._sink.start()

    def _tell(self, stamp_ms: int) -> None:
        if self._feed is not None:
            self._feed.tell(stamp_ms)

    def _tp(self, source: int, p: int) -> TP:
        return TP(self._prefix + self._core.inputs[source], p)
