"""Recovery: from a claim to the state that the log gives: a checkpoint, then the valid cuts up to the claim."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from monitor.cuts import Cut
from monitor.outputs import Output, ScoreDue
from monitor.stream.beginnings import Beginning, Beginnings, Cuts
from monitor.stream.core import Core, due_in
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.topics import CUTS

_RECORDS_AT_ONCE = 50_000


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


class Keeper(Protocol):
    """What keeps the rows that a replay decides."""

    def begin(self, partition: int, epoch: int, beginning: Beginning) -> None:
        """Know where a partition begins, before its first step."""

    async def relieve(self) -> None:
        """Write down what a long replay has gathered, now and then."""


class Replay:
    """Brings partitions of a core to where the log stands below their claims.

    Parameters
    ----------
    core : Core
    bootstrap_servers, topic_prefix : str
    score : callable
        Takes the wearers that the last step of a partition called due, before the next step.
    checkpoints : Checkpoints, optional
        Without them every replay begins at cut 0.
    keeper : Keeper, optional

    Attributes
    ----------
    losses : partitions that had to begin anew because the log no longer held what their state needed.
    """

    def __init__(
        self,
        core: Core,
        bootstrap_servers: str,
        topic_prefix: str,
        score: Callable[[ScoreDue], None],
        checkpoints: Checkpoints | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._core, self._bootstrap, self._prefix, self._score = core, bootstrap_servers, topic_prefix, score
        self._beginnings = Beginnings(core, topic_prefix, checkpoints)
        self._keeper = keeper
        self._rounds_done = 0
        self.losses = 0

    @property
    def progress(self) -> int:
        """Count what the last run has done; it grows as long as it goes on."""
        return self._rounds_done + self._beginnings.progress

    async def run(self, claims: Mapping[int, int]) -> dict[int, Replayed]:
        """Replay every valid cut below the claims; *claims* is partition -> offset of the claim.

        Raises
        ------
        ReplayDiffers
            If the log does not give the outputs whose digest its cuts carry.
        SavedStateUnusable
            If a checkpoint does not fit the engine and the log alone does not give the state.
        ReadingStuck, KafkaError, OSError
            If the log or the checkpoints cannot be read; nothing is lost by trying again.
        """
        self._rounds_done = self._beginnings.progress = 0
        async with LogReader(self._bootstrap) as cut_log, LogReader(self._bootstrap) as input_log:
            found = await self._beginnings.find(cut_log, input_log, claims)
            self.losses += sum(one.lost for one in found.values())
            if self._keeper is not None:
                for p, one in found.items():
                    self._keeper.begin(p, claims[p], one)
            return await self._replay(cut_log, input_log, {p: one.cuts for p, one in found.items()})

    async def input_starts(self, partitions: list[int]) -> dict[int, tuple[int, ...]]:
        """Return, per partition, where the log of each input begins."""
        async with LogReader(self._bootstrap) as reader:
            return await self._beginnings.input_starts(reader, partitions)

    async def _replay(self, cut_log: LogReader, input_log: LogReader, cuts: Mapping[int, Cuts]) -> dict[int, Replayed]:
        done = {p: Replayed([], 0, 0) for p in cuts}
        while True:
            hungry = {self._tp(CUTS, p): part for p, part in cuts.items() if part.hungry}
            for tp, records in (await cut_log.upto({tp: part.wanted for tp, part in hungry.items()})).items():
                hungry[tp].add(records, hungry[tp].wanted)
            rounds = self._rounds({p: part.pending for p, part in cuts.items()})
            if not rounds:
                if all(part.exhausted for part in cuts.values()):
                    return done
                continue  # nothing but void cuts in this stretch
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
                self._rounds_done += 1
                await asyncio.sleep(0)
            if self._keeper is not None:
                await self._keeper.relieve()

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
