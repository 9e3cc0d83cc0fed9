"""Recovery: from a claim to the state that the log gives, by replaying its valid cuts up to the claim.

Until there are checkpoints a replay begins at cut 0, or anew where the log no longer holds what cut 0 names.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import structlog

from monitor.cuts import NO_EPOCH, Cut, last_claim, valid_cuts
from monitor.outputs import Output, ScoreDue
from monitor.stream.core import Core, due_in
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from stream_schemas.topics import CUTS

_CUTS_AT_ONCE = 2_000
_RECORDS_AT_ONCE = 50_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the replay of one partition leaves to do.

    Attributes
    ----------
    outputs : of the last valid cut. Those of every cut before it were acknowledged before the next cut was appended.
    cuts, records : what was replayed.
    """

    outputs: list[Output]
    cuts: int
    records: int


class _Cuts:
    """The valid cuts of one partition from a start to its claim, a few at a time."""

    def __init__(self, partition: int, begin: int, epoch: int, claim: int) -> None:
        self.partition, self.position, self.epoch, self.claim = partition, begin, epoch, claim
        self.pending: deque[Cut] = deque()

    @property
    def wanted(self) -> int:
        """The position up to which to read next."""
        return min(self.position + _CUTS_AT_ONCE, self.claim)

    @property
    def hungry(self) -> bool:
        """Whether more cuts are to be read now."""
        return len(self.pending) < _CUTS_AT_ONCE and self.position < self.claim

    @property
    def exhausted(self) -> bool:
        """Whether the last valid cut below the claim was taken."""
        return not self.pending and self.position >= self.claim

    def add(self, records: Records, upto: int) -> None:
        rows = list(zip(records.offset.tolist(), records.stamp_ms.tolist(), records.value, strict=True))
        self.pending += valid_cuts(rows, self.partition, self.epoch)
        self.epoch, self.position = last_claim(rows, self.epoch), upto


class Replay:
    """Brings partitions of a core to where the log stands below their claims.

    Parameters
    ----------
    core : Core
        In which the partitions are open and empty.
    bootstrap_servers, topic_prefix : str
    score : callable
        Takes the wearers that the last step of a partition called due, before the next step.
    """

    def __init__(
        self, core: Core, bootstrap_servers: str, topic_prefix: str, score: Callable[[ScoreDue], None]
    ) -> None:
        self._core, self._bootstrap, self._prefix, self._score = core, bootstrap_servers, topic_prefix, score

    async def run(self, claims: Mapping[int, int]) -> dict[int, Replayed]:
        """Replay every valid cut below the claims; *claims* is partition -> offset of the claim.

        Raises
        ------
        ReplayDiffers
            If the log does not give the outputs whose digest its cuts carry.
        ReadingStuck, KafkaError
            If the log cannot be read; nothing is lost by trying again.
        """
        async with LogReader(self._bootstrap) as cut_log, LogReader(self._bootstrap) as input_log:
            cuts = await self._beginnings(cut_log, input_log, claims)
            return await self._replay(cut_log, input_log, cuts)

    async def input_starts(self, partitions: list[int]) -> dict[int, tuple[int, ...]]:
        """Return, per partition, where the log of each input begins."""
        async with LogReader(self._bootstrap) as reader:
            return await self._starts(reader, partitions)

    async def _starts(self, reader: LogReader, partitions: list[int]) -> dict[int, tuple[int, ...]]:
        starts = await reader.starts([self._tp(topic, p) for topic in self._core.inputs for p in partitions])
        return {p: tuple(starts[self._tp(topic, p)] for topic in self._core.inputs) for p in partitions}

    async def _beginnings(
        self, cut_log: LogReader, input_log: LogReader, claims: Mapping[int, int]
    ) -> dict[int, _Cuts]:
        """Find, per partition, the last cut 0 below the claim and stand the reader of the cuts there."""
        tps = {p: self._tp(CUTS, p) for p in claims}
        starts = await cut_log.starts(list(tps.values()))
        cut_log.begin({tp: starts[tp] for tp in tps.values()})
        scans = {p: _Cuts(p, starts[tps[p]], NO_EPOCH, claim) for p, claim in claims.items()}
        zero: dict[int, Cut] = {}
        while scanning := [scan for scan in scans.values() if scan.position < scan.claim]:
            read = await cut_log.upto({tps[scan.partition]: scan.wanted for scan in scanning})
            for scan in scanning:
                scan.add(read[tps[scan.partition]], scan.wanted)
                for cut in scan.pending:
                    if cut.seq == 0:
                        zero[scan.partition] = cut
                scan.pending.clear()
        held = await self._starts(input_log, list(claims))
        beginnings = {}
        for p, claim in claims.items():
            if p in zero and any(a > b for a, b in zip(held[p], zero[p].next, strict=True)):
                log.warning(
                    "the inputs no longer hold what the first cut names: the partition begins anew", partition=p
                )
                del zero[p]
            beginnings[p] = _Cuts(p, zero[p].at, zero[p].epoch, claim) if p in zero else _Cuts(p, claim, claim, claim)
        cut_log.begin({tps[p]: cuts.position for p, cuts in beginnings.items()})
        if zero:
            input_log.begin(
                {self._tp(topic, p): zero[p].next[i] for p in zero for i, topic in enumerate(self._core.inputs)}
            )
        return beginnings

    async def _replay(self, cut_log: LogReader, input_log: LogReader, cuts: Mapping[int, _Cuts]) -> dict[int, Replayed]:
        done = {p: Replayed([], 0, 0) for p in cuts}
        while True:
            hungry = {self._tp(CUTS, p): part for p, part in cuts.items() if part.hungry}
            for tp, records in (await cut_log.upto({tp: part.wanted for tp, part in hungry.items()})).items():
                hungry[tp].add(records, hungry[tp].wanted)
            rounds = self._rounds({p: part.pending for p, part in cuts.items()})
            if not rounds:
                return done
            last = {cut.partition: cut for round_ in rounds for cut in round_}
            data = await input_log.upto(
                {
                    self._tp(topic, p): cut.next[i]
                    for p, cut in last.items()
                    for i, topic in enumerate(self._core.inputs)
                }
            )
            for i, round_ in enumerate(rounds):
                final = i == len(rounds) - 1
                self._step(round_, data, done, {p for p, part in cuts.items() if final and part.exhausted})
                await asyncio.sleep(0)

    def _rounds(self, pending: Mapping[int, deque[Cut]]) -> list[list[Cut]]:
        """Take cuts off the queues: one of each partition a round, about as many records in all as fit in memory."""
        rounds: list[list[Cut]] = []
        reach = {p: self._core.position(p).next for p in pending}
        records = 0
        while any(pending.values()) and (not rounds or records < _RECORDS_AT_ONCE):
            round_ = [queue.popleft() for queue in pending.values() if queue]
            for cut in round_:
                records += sum(cut.next) - sum(reach[cut.partition] or cut.next)
                reach[cut.partition] = cut.next
            rounds.append(round_)
        return rounds

    def _step(
        self, round_: list[Cut], data: Mapping[tuple[str, int], Records], done: dict[int, Replayed], last: set[int]
    ) -> None:
        records = {cut.partition: self._between(cut, data) for cut in round_}
        step = self._core.apply(round_, records)
        if (due := due_in(step.due, last)) is not None:
            self._score(due)
        for cut in round_:
            p, before = cut.partition, done[cut.partition]
            n = sum(map(len, records[p]))
            done[p] = Replayed(list(step.outputs.get(p, ())), before.cuts + 1, before.records + n)

    def _between(self, cut: Cut, data: Mapping[tuple[str, int], Records]) -> tuple[Records, ...]:
        """Return, per input, the records from where the state stands to where the cut does."""
        begins = self._core.position(cut.partition).next or cut.next
        parts = []
        for topic, begin, end in zip(self._core.inputs, begins, cut.next, strict=True):
            records = data[self._tp(topic, cut.partition)]
            a, b = np.searchsorted(records.offset, (begin, end)).tolist()
            parts.append(records.rows(a, b))
        return tuple(parts)

    def _tp(self, topic: str, partition: int) -> tuple[str, int]:
        return self._prefix + topic, partition
