"""Writing to cuts.v1: claims, first cuts, cuts and amendments, and what the acknowledgement of each says."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from monitor.cuts import Cut, encode_amendment, encode_claim, encode_cut, overtaken
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink, Posted
from monitor.stream.broker_clock import BrokerClocks, Sent
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
    clocks : BrokerClocks
        Takes every stamp that a broker acknowledges.
    version : str
        Of the engine, for the claims.
    """

    def __init__(self, settings: Settings, sink: KafkaSink, clocks: BrokerClocks, version: str) -> None:
        self._sink, self._clocks, self._version = sink, clocks, version
        self._worker, self._within_s = settings.stream.worker_id, settings.stream.cut_timeout_s
        self._sent: dict[int, Sent] = {}
        self._bootstrap, self._topic = settings.kafka.bootstrap_servers, settings.kafka.topic_prefix + CUTS

    async def claim(self, partition: int) -> int:
        """Append a claim to a partition and return its offset, the epoch."""
        return await self._append(partition, encode_claim(self._worker, self._version))

    async def begin(self, cut: Cut) -> None:
        """Append the first cut of a span, at the offset that it names.

        Raises
        ------
        Overtaken
            If it landed elsewhere.
        """
        if await self._append(cut.partition, encode_cut(cut)) != cut.at:
            raise Overtaken(f"partition {cut.partition} was claimed by another worker before the first cut of a span")

    async def amend(self, cut: Cut, epoch: int, expected: int) -> None:
        """Append without which records the last cut is decided, at the offset that is expected.

        Raises
        ------
        Overtaken
            If it landed elsewhere.
        """
        value = encode_amendment(epoch, cut.seq, cut.without, cut.without_wearers)
        if await self._append(cut.partition, value) != expected:
            raise Overtaken(f"partition {cut.partition} was claimed by another worker before its last cut was amended")

    async def post(self, cuts: Mapping[int, Cut]) -> dict[int, Posted]:
        """Hand one cut of each partition over; `judge` takes what comes back."""
        return await self._post({p: encode_cut(cut) for p, cut in cuts.items()})

    async def _post(self, values: Mapping[int, bytes]) -> dict[int, Posted]:
        for p in values:
            self._sent[p] = self._clocks.sent(self._sink.leader(CUTS, p))
        posted = await self._sink.post(CUTS, values, self._within_s)
        for p, one in posted.items():
            if isinstance(one, asyncio.Future):
                one.add_done_callback(partial(self._note, p, self._sent[p]))
            else:
                self._clocks.given_up(self._sent[p])
        return posted

    async def judge(self, part: Partition, cut: Cut, posted: Posted) -> Cut | Refused:
        """Say whether a cut that was posted counts: valid, at the offset that it got, or refused."""
        try:
            got = await self._offset(part.number, posted)
        except FAILURES as failure:
            return Refused("a cut was not acknowledged: whether it counts is unknown", failure=failure)
        if got < part.expected:
            return Refused(f"cuts.v1 was truncated: a cut landed at {got}, and {part.expected} records were there")
        if got > part.expected:
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

    async def _append(self, partition: int, value: bytes) -> int:
        return await self._offset(partition, (await self._post({partition: value}))[partition])

    async def _offset(self, partition: int, posted: Posted) -> int:
        """Wait for an acknowledgement and return its offset; the outcome of what is not acknowledged is unknown."""
        if isinstance(posted, BaseException):
            raise posted
        sent = self._sent[partition]
        try:
            done, _ = await asyncio.wait([posted], timeout=self._within_s)
        finally:  # also if whoever waits is cancelled: what nobody waits for must hold no time back
            self._clocks.given_up(sent)
        if not done:
            raise TimeoutError(f"a record of cuts.v1 was not acknowledged within {self._within_s:g} s")
        if posted.cancelled():
            raise ConnectionError("the producer was stopped")
        return int(posted.result().offset)

    def _note(self, partition: int, sent: Sent, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._clocks.given_up(sent)
        else:
            self._clocks.acknowledged(sent, self._sink.leader(CUTS, partition), int(done.result().timestamp))
