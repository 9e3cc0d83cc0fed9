"""Taking partitions over: claim first, replay what is decided, send again what may be missing, begin with cut 0."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from monitor.cuts import Cut, Span
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.core import Core
from monitor.stream.cut_log import CutLog
from monitor.stream.handover import Handover
from monitor.stream.recovery import Replay, Replayed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A partition that was taken over: its epoch, and the offset at which its next cut is expected."""

    partition: int
    epoch: int
    expected: int


class Claimer:
    """Takes partitions over that were claimed.

    Parameters
    ----------
    settings : Settings
    core : Core
    sink : KafkaSink
    cut_log : CutLog
    replay : Replay
    handover : Handover
    version : str
        Of the engine.
    limits : mapping
        Those of the settings that differ from the packaged ones: a partition without a state begins with them.
    """

    def __init__(
        self,
        settings: Settings,
        core: Core,
        sink: KafkaSink,
        cut_log: CutLog,
        replay: Replay,
        handover: Handover,
        *,
        version: str,
        limits: Mapping[str, Any],
    ) -> None:
        self._within_s = settings.stream.cut_timeout_s
        self._core, self._sink, self._cut_log, self._replay = core, sink, cut_log, replay
        self._handover, self._version, self._limits = handover, version, limits

    async def take_over(self, claims: Mapping[int, int]) -> dict[int, Claimed]:
        """Bring the states of claimed partitions to where the log stands; *claims* is partition -> epoch.

        Raises
        ------
        Overtaken
            If another worker claims in between.
        StepFailed
            If a step of several partitions raises: take each of them over alone.
        """
        for p in claims:
            self._core.open(p)
        replayed = await self._replay.run(claims)
        fresh = [p for p in claims if self._begins_anew(p, replayed[p])]
        others = [p for p in claims if p not in fresh and self._handover.needed(self._core.position(p), replayed[p])]
        starts = await self._replay.input_starts([*fresh, *others]) if fresh or others else {}
        begun = await asyncio.gather(
            *(
                self._begin(p, epoch, replayed[p], starts.get(p, {}), fresh=p in fresh, hand_over=p in others)
                for p, epoch in claims.items()
            ),
            return_exceptions=True,
        )
        for one in begun:
            if isinstance(one, BaseException):
                raise one
        await self._send(replayed)
        cuts, records = (sum(getattr(one, name) for one in replayed.values()) for name in ("cuts", "records"))
        log.info("replayed", partitions=list(claims), cuts=cuts, records=records)
        return {one.partition: one for one in begun if isinstance(one, Claimed)}

    async def _begin(
        self, p: int, epoch: int, replayed: Replayed, starts: Mapping[str, int], *, fresh: bool, hand_over: bool
    ) -> Claimed:
        """Write what comes before the first step of ours."""
        expected = await self._amend(epoch, replayed)
        if fresh:
            expected = await self._first(p, epoch, expected, starts)
        elif hand_over:
            expected = (await self._handover.begin(p, epoch, expected, replayed, starts)).at + 1
        return Claimed(p, epoch, expected)

    def _begins_anew(self, p: int, replayed: Replayed) -> bool:
        """Tell whether a partition has no state, or one that the cuts do not carry any further."""
        if replayed.broken:
            log.error("cuts.v1 has a hole: the partition begins anew", partition=p)
            self._replay.losses += 1
            self._core.open(p)
            replayed.outputs = []
        return self._core.position(p).next is None

    async def _amend(self, epoch: int, replayed: Replayed) -> int:
        """Write down without which records the last cut is decided; return where the next record is expected."""
        if replayed.amendment is None or replayed.adopted:
            return epoch + 1
        await self._cut_log.amend(replayed.amendment, epoch, epoch + 1)
        return epoch + 2

    async def _first(self, p: int, epoch: int, at: int, starts: Mapping[str, int]) -> int:
        """Begin with an empty state: cut 0 reads nothing and names where the inputs begin."""
        inputs = self._core.inputs
        begins = tuple(starts[topic] for topic in inputs)
        span = Span(self._version, inputs, limits=self._limits)
        cut = Cut(p, at, epoch, 0, 0, begins, (0,) * len(inputs), self._core.position(p).digest, span)
        await self._cut_log.begin(cut)
        self._core.apply([cut], {p: {}})
        return at + 1

    async def _send(self, replayed: Mapping[int, Replayed]) -> None:
        """Send again what the last cuts gave: nobody knows whether it left."""
        sent = [ack for one in replayed.values() for ack in await self._sink.send(one.outputs)]
        async with asyncio.timeout(self._within_s):
            await asyncio.gather(*sent)
