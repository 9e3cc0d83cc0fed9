"""Writing to cuts.v1: claims, first cuts and cuts, and what the acknowledgement of each says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from aiokafka.errors import KafkaError

from monitor.cuts import Cut, encode_claim, encode_cut, overtaken
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.partition import Partition
from monitor.stream.reading import LogReader, ReadingStuck
from stream_schemas.topics import CUTS

FAILURES = (KafkaError, TimeoutError, ReadingStuck, ConnectionError)
"""What a broker that is down, slow or unwilling looks like; trying again later is all that helps."""

log = structlog.get_logger()


class Overtaken(Exception):
    """Somebody else claimed the partition."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A cut that does not count, or of which nobody knows whether it does.

    Attributes
    ----------
    why : str
    void : bool
        It is in the log, after another claim.
    failure : exception or None
        What the producer met.
    """

    why: str
    void: bool = False
    failure: BaseException | None = None


class CutLog:
    """The records of cuts.v1 that this worker writes.

    Parameters
    ----------
    settings : Settings
    sink : KafkaSink
    tell : callable
        Takes every stamp that the broker acknowledges: it is now at least that late there.
    """

    def __init__(self, settings: Settings, sink: KafkaSink, tell: Callable[[int], None]) -> None:
        self._sink, self._tell = sink, tell
        self._worker, self._within_s = settings.stream.worker_id, settings.stream.cut_timeout_s
        self._bootstrap, self._topic = settings.kafka.bootstrap_servers, settings.kafka.topic_prefix + CUTS

    async def claim(self, partitions: Sequence[int]) -> dict[int, int]:
        """Append a claim to each partition and return their offsets, the epochs."""
        claim = encode_claim(self._worker)
        offsets = await self._append(dict.fromkeys(partitions, claim))
        for got in offsets.values():
            if isinstance(got, BaseException):
                raise got
        return {p: got for p, got in offsets.items() if isinstance(got, int)}

    async def first(self, partition: int, epoch: int, starts: tuple[int, ...], digest: int) -> Cut:
        """Append cut 0, which reads nothing and names where the inputs begin.

        Raises
        ------
        Overtaken
            If it did not land right behind the claim.
        """
        cut = Cut(partition, epoch + 1, epoch, 0, 0, starts, (0,) * len(starts), digest)
        got = (await self._append({partition: encode_cut(cut)}))[partition]
        if isinstance(got, BaseException):
            raise got
        if got != cut.at:
            raise Overtaken(f"partition {partition} was claimed by another worker before its first cut")
        return cut

    async def write(self, cuts: Sequence[tuple[Partition, Cut]]) -> list[Cut | Refused]:
        """Append one cut of each partition and judge each: valid, at the offset that it got, or refused."""
        written = await self._append({part.number: encode_cut(cut) for part, cut in cuts})
        return [await self._judge(part, cut, written[part.number]) for part, cut in cuts]

    async def _judge(self, part: Partition, cut: Cut, got: int | BaseException) -> Cut | Refused:
        if isinstance(got, BaseException):
            if not isinstance(got, FAILURES):
                raise got
            return Refused("a cut was not acknowledged: whether it counts is unknown", failure=got)
        if got != part.expected:
            try:
                if await self._overtaken(part, got):
                    return Refused("another worker claimed it", void=True)
            except FAILURES as failure:
                return Refused("whether another worker claimed it cannot be read", failure=failure)
        return replace(cut, at=got)

    async def _overtaken(self, part: Partition, got: int) -> bool:
        """Read what lies between the offset that was expected and the one that the cut got."""
        tp = (self._topic, part.number)
        async with LogReader(self._bootstrap) as reader:
            reader.begin({tp: part.expected})
            between = (await reader.upto({tp: got}))[tp]
        return overtaken(zip(between.offset.tolist(), between.stamp_ms.tolist(), between.value, strict=True))

    async def _append(self, values: Mapping[int, bytes]) -> dict[int, int | BaseException]:
        """Append one record to each partition; return its offset, or what went wrong."""
        offsets: dict[int, int | BaseException] = {}
        for partition, got in (await self._sink.append(CUTS, values, self._within_s)).items():
            if isinstance(got, BaseException):
                offsets[partition] = got
            else:
                offsets[partition] = got[0]
                self._tell(got[1])
        return offsets
