"""Taking partitions over: claim first, replay what is decided, send again what may be missing, begin with cut 0."""

import asyncio
from collections.abc import Sequence

import structlog

from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.core import Core
from monitor.stream.cut_log import CutLog
from monitor.stream.records import NOTHING
from monitor.stream.recovery import Replay

log = structlog.get_logger()


class Claimer:
    """Claims partitions.

    Parameters
    ----------
    settings : Settings
    core : Core
    sink : KafkaSink
    cut_log : CutLog
    replay : Replay
    """

    def __init__(self, settings: Settings, core: Core, sink: KafkaSink, cut_log: CutLog, replay: Replay) -> None:
        self._within_s = settings.stream.cut_timeout_s
        self._core, self._sink, self._cut_log, self._replay = core, sink, cut_log, replay

    async def take_over(self, partitions: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Claim partitions and bring their states to where the log stands.

        Returns
        -------
        dict
            Partition -> (epoch, offset at which its next cut is expected).

        Raises
        ------
        Overtaken
            If another worker claims in between.
        ReplayDiffers
            If the log does not give what its cuts say.
        """
        claims = await self._cut_log.claim(partitions)
        for p in partitions:
            self._core.open(p)
        replayed = await self._replay.run(claims)
        sent = [ack for p in partitions for ack in await self._sink.send(replayed[p].outputs)]
        async with asyncio.timeout(self._within_s):
            await asyncio.gather(*sent)
        expected = {p: claim + 1 for p, claim in claims.items()}
        fresh = [p for p in partitions if self._core.position(p).next is None]
        starts = await self._replay.input_starts(fresh) if fresh else {}
        for p in fresh:
            cut = await self._cut_log.first(p, claims[p], starts[p], self._core.position(p).digest)
            self._core.apply([cut], {p: [NOTHING] * len(cut.next)})
            expected[p] = cut.at + 1
        cuts, records = (sum(getattr(one, name) for one in replayed.values()) for name in ("cuts", "records"))
        log.info("replayed", partitions=list(partitions), cuts=cuts, records=records)
        return {p: (claims[p], expected[p]) for p in partitions}
