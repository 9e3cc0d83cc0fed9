"""Stepping: cut what was fetched, apply what was acknowledged, await what it gave, one cut after the other.

1. A cut acknowledged where it was expected is valid: apply it, let its outputs leave. Acknowledged elsewhere: a claim
   in between means overtaken. Not acknowledged in time: unknown. Both: forget the state.
2. The outputs of a step are acknowledged before the next cut of that partition is appended. So a successor sends the
   outputs of the last valid cut again and no others.
3. A partition that was forgotten but is still assigned is claimed again, after the time in which a zombie learns that
   it is one.
4. After any exception between a cut and the acknowledgement of its outputs the partitions of the step have no state.
5. A partition that waits for a broker keeps no other waiting: it is busy until the broker has answered.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from monitor.cuts import Cut
from monitor.inputs import Removed
from monitor.outputs import ScoreDue, Step
from monitor.settings import Settings
from monitor.sinks.kafka import Acknowledgement, KafkaSink, Posted
from monitor.stream.core import Core, Inputs, StepFailed
from monitor.stream.culprits import Culprits, Hopeless
from monitor.stream.cut_log import FAILURES, CutLog, Overtaken
from monitor.stream.holdings import Holdings
from monitor.stream.partition import Partition
from monitor.stream.planning import Planner, Work
from monitor.stream.reading import LogReader
from monitor.stream.recovery import kind_of
from monitor.stream.transport import Consumer

STRAGGLER_S = 0.25
"""A step waits so long for its acknowledgements; those that come later are waited for beside it."""

log = structlog.get_logger()


class Stepper:
    """Steps the partitions that are held.

    Parameters
    ----------
    settings : Settings
    core : Core
    sink : KafkaSink
    cut_log : CutLog
    planner : Planner
    holdings : Holdings
    score : callable
        Takes the wearers that a step called due; must gather what it needs at once.

    Attributes
    ----------
    void_cuts : cuts that landed behind another claim.
    """

    def __init__(
        self,
        settings: Settings,
        core: Core,
        sink: KafkaSink,
        cut_log: CutLog,
        planner: Planner,
        holdings: Holdings,
        score: Callable[[ScoreDue], None],
    ) -> None:
        self._stream, self._core, self._sink, self._score = settings.stream, core, sink, score
        self._cut_log, self._planner, self._holdings = cut_log, planner, holdings
        self._bootstrap, self._prefix = settings.kafka.bootstrap_servers, settings.kafka.topic_prefix
        self._late: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self.lock = asyncio.Lock()  # held while a step is under way
        self.void_cuts = 0

    async def step(self, feed: Consumer) -> bool:
        """Cut what was fetched, apply what was acknowledged, await what it gave.

        A step that was begun ends, even if the waiting for it is cancelled: half a step is nobody's state.

        Returns
        -------
        bool
            True if more is waiting than one step takes.
        """
        return await asyncio.shield(asyncio.ensure_future(self._step(feed)))

    async def idle(self) -> None:
        """Wait until no partition is busy."""
        while late := [task for task in self._late if not task.done()]:
            await asyncio.wait(late)
        async with self.lock:
            pass

    async def _step(self, feed: Consumer) -> bool:
        async with self.lock:
            if self._failure is not None:
                raise self._failure
            free = [part for part in self._holdings.parts.values() if not part.busy]
            work = self._planner.plan(free, feed)
            if work:
                async with _NothingHalf(work, self._holdings):
                    posted = await self._cut_log.post({item.part.number: item.cut for item in work})
                    await self._in_time(work, posted)
            return bool(work) and any(part.waiting and not part.busy for part in self._holdings.parts.values())

    async def _in_time(self, work: list[Work], posted: dict[int, Posted]) -> None:
        """Finish what is acknowledged in time, together; let the rest be finished beside, each alone."""
        waited = [one for one in posted.values() if isinstance(one, asyncio.Future)]
        if waited:
            await asyncio.wait(waited, timeout=STRAGGLER_S)
        done = [item for item in work if _is_done(posted[item.part.number])]
        for item in work:
            if not _is_done(posted[item.part.number]):
                self._beside(self._finish([item], posted), item.part)
        if done:
            await self._finish(done, posted)

    def _beside(self, finish: Coroutine[Any, Any, None], part: Partition) -> None:
        """Let something of a partition end beside the steps of the others; it is busy until then."""

        def ended(task: asyncio.Task[None]) -> None:
            part.busy -= 1
            self._late.discard(task)
            if not task.cancelled() and (failure := task.exception()) is not None:
                self._failure = failure

        part.busy += 1
        task = asyncio.ensure_future(finish)
        self._late.add(task)
        task.add_done_callback(ended)

    async def _finish(self, work: list[Work], posted: dict[int, Posted]) -> None:
        """Judge the cuts, apply the valid ones, and see their outputs acknowledged."""
        async with _NothingHalf(work, self._holdings):
            valid = await self._judge(work, posted)
            careful = [item for item in valid if self._holdings.careful(item.part.number)]
            for group in [[item for item in valid if item not in careful], *([item] for item in careful)]:
                if group:
                    await self._apply(group, careful=group[0] in careful)

    async def _judge(self, work: list[Work], posted: dict[int, Posted]) -> list[Work]:
        """Return the work whose cut is valid."""
        valid = []
        for item in work:
            cut = await self._cut_log.judge(item.part, item.cut, posted[item.part.number])
            if item.part.lost:
                continue
            if isinstance(cut, Cut):
                item.part.expected = cut.at + 1
                valid.append(Work(item.part, cut, item.taken))
            else:
                self.void_cuts += cut.void
                self._holdings.lose(item.part.number, f"{cut.why} {cut.failure!r}" if cut.failure else cut.why)
                await self.renew_sink([cut.failure])
        return valid

    async def _apply(self, valid: list[Work], *, careful: bool) -> None:
        records = {item.part.number: self._inputs(item) for item in valid}
        try:
            if careful:
                step = await self._with_care(valid[0], records[valid[0].part.number])
            else:
                step = self._core.apply([item.cut for item in valid], records)
        except StepFailed as failure:
            log.error("a step raised: its partitions are replayed one by one", error=kind_of(failure.error))
            for p in failure.partitions:
                self._holdings.careful(p, now=True)
            self._holdings.raised(failure.partitions, kind_of(failure.error))
            return
        if step.due is not None:
            self._score(step.due)
        await self._acknowledged(valid, await self._send(valid, step))

    async def _with_care(self, item: Work, records: Inputs) -> Step:
        """Apply a cut with a copy of the state at hand; if it raises, find out without which records it does not."""
        p = item.part.number
        before = self._core.save(p)
        try:
            return self._core.apply([item.cut], {p: records})
        except StepFailed as failure:
            log.error("a step raised: what makes it raise is looked for", partition=p, error=kind_of(failure.error))
            self._holdings.careful(p, now=True)
            error = failure
        try:
            cut = await Culprits(self._core, before, item.cut, records).find()
        except Hopeless:
            raise error from None
        removed = await self._removed(cut)
        await self._cut_log.amend(cut, item.part.epoch, item.part.expected)
        item.part.expected += 1
        return self._core.apply([cut], {p: records}, removed)

    async def _removed(self, cut: Cut) -> list[Removed]:
        made = []
        async with LogReader(self._bootstrap) as reader:
            for topic, offset in cut.without:
                tp = self._prefix + topic, cut.partition
                reader.begin({tp: offset})
                one = (await reader.upto({tp: offset + 1}))[tp]
                if len(one):
                    stamp_ms = int(one.stamp_ms[0])
                    made.append(Removed(cut.partition, topic, offset, stamp_ms, one.key[0], one.value[0]))
        return made

    async def _send(self, valid: list[Work], step: Step) -> dict[int, list[Acknowledgement]]:
        sent: dict[int, list[Acknowledgement]] = {}
        for item in valid:
            p = item.part.number
            try:
                async with asyncio.timeout(self._stream.cut_timeout_s):
                    sent[p] = await self._sink.send(step.outputs.get(p, ()))
            except FAILURES as failure:
                self._holdings.lose(p, f"an output could not be sent: {failure!r}")
        return sent

    async def _acknowledged(self, valid: list[Work], sent: dict[int, list[Acknowledgement]]) -> None:
        """Wait for the outputs; whose do not come in time is busy until they do."""
        every = [one for acks in sent.values() for one in acks]
        if every:
            await asyncio.wait(every, timeout=STRAGGLER_S)
        failures: list[BaseException | None] = []
        for item in valid:
            acks = sent.get(item.part.number, [])
            if all(one.done() for one in acks):
                failures.append(self._settle(item.part, acks))
            else:
                self._beside(self._later(item.part, acks), item.part)
        await self.renew_sink(failures)

    async def _later(self, part: Partition, acks: list[Acknowledgement]) -> None:
        await asyncio.wait(acks, timeout=self._stream.cut_timeout_s)
        await self.renew_sink([self._settle(part, acks)])

    def _settle(self, part: Partition, acks: Sequence[Acknowledgement]) -> BaseException | None:
        """Lose the partition if an output was not acknowledged; return what went wrong."""
        for one in acks:
            failure: BaseException | None = TimeoutError()
            if one.cancelled():
                failure = ConnectionError("the producer was stopped")
            elif one.done():
                failure = one.exception()
            if failure is not None:
                if not part.lost:
                    self._holdings.lose(part.number, f"an output was not acknowledged: {failure!r}")
                return failure
        return None

    async def renew_sink(self, failures: Sequence[BaseException | None]) -> None:
        """Begin with a new producer: an idempotent one that met a broker's refusal may refuse for ever."""
        if any(isinstance(failure, KafkaError) and not failure.retriable for failure in failures):
            await self._sink.stop()
            await self._sink.start()

    def _inputs(self, item: Work) -> Inputs:
        return {
            topic: records for topic, records in zip(self._core.inputs, item.taken.records, strict=True) if len(records)
        }


def _is_done(posted: Posted) -> bool:
    return not isinstance(posted, asyncio.Future) or posted.done()


class _NothingHalf:
    """Leave no partition with half a step: whatever is raised in the block, the work's partitions are lost."""

    def __init__(self, work: Sequence[Work], holdings: Holdings) -> None:
        self._work, self._holdings = work, holdings

    async def __aenter__(self) -> None:
        for item in self._work:
            item.part.busy += 1

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        for item in self._work:
            item.part.busy -= 1
            if error is not None and not item.part.lost:
                self._holdings.lose(item.part.number, f"a step was broken off by {kind_of(error)}")
        return isinstance(error, (*FAILURES, Overtaken))
