"""Replaying: the recorded cuts of some partitions, one of each partition a round, over the records that they name.

Recovery and verify replay with this; what a cut that does not follow means, they say.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from monitor.cuts import Cut, Position
from monitor.inputs import Removed
from monitor.outputs import Step
from monitor.stream.core import Core, Inputs
from monitor.stream.cut_queue import CutQueue
from monitor.stream.reading import LogReader
from monitor.stream.records import NOTHING, Records
from stream_schemas.topics import CUTS

RECORDS_AT_ONCE = 50_000
ROUNDS_AT_ONCE = 2_000


class Watcher(Protocol):
    """What judges a replay while it goes on."""

    def admits(self, cut: Cut) -> bool:
        """Tell whether what a cut names may be read at all."""

    def follows(self, cut: Cut, position: Position, behind: Cut | None, records: Inputs) -> Cut | None:
        """Return the cut as it is to be applied at a position, or None to leave it out; *behind* comes after it."""

    def took_out(self, removed: Sequence[Removed]) -> None:
        """Take the records that cuts are decided without, before they are applied."""

    def applied(self, cuts: Sequence[Cut], records: Mapping[int, Inputs], step: Step) -> None:
        """Take what a round gave."""

    async def relieve(self) -> None:
        """Do what has to be done now and then in a long replay."""


class Replayer:
    """Replays; its partitions stand where they begin.

    Parameters
    ----------
    core : Core
    cut_log, input_log : LogReader
        Standing where the queues begin, and where the inputs must be read from.
    bootstrap_servers, topic_prefix : str
    watcher : Watcher

    Attributes
    ----------
    progress : grows as long as it goes on.
    """

    def __init__(
        self,
        core: Core,
        cut_log: LogReader,
        input_log: LogReader,
        *,
        bootstrap_servers: str,
        topic_prefix: str,
        watcher: Watcher,
        begins: Mapping[int, Mapping[str, int]],
    ) -> None:
        self._core, self._cut_log, self._input_log = core, cut_log, input_log
        self._bootstrap, self._prefix, self._watcher = bootstrap_servers, topic_prefix, watcher
        self._held: dict[tuple[str, int], Records] = {}
        self._read = {(topic, p): at for p, of_inputs in begins.items() for topic, at in of_inputs.items()}
        self.progress = 0

    async def run(self, queues: Mapping[int, CutQueue]) -> None:
        """Replay all cuts of the queues.

        Raises
        ------
        StepFailed
            If a step raises; its partitions are dropped.
        ReadingStuck, KafkaError
            If the log does not answer.
        """
        while not all(queue.exhausted for queue in queues.values()):
            await self._read_cuts(queues)
            rounds = self._rounds(queues)
            await self._fetch([cut for round_ in rounds for cut, _ in round_])
            for round_ in rounds:
                await self.step(round_)
                self.progress += 1
                await asyncio.sleep(0)
            await self._watcher.relieve()

    async def step(self, round_: Sequence[tuple[Cut, Cut | None]]) -> None:
        """Apply one cut of each of some partitions, each with the one behind it; their records must be fetched."""
        cuts: list[Cut] = []
        records: dict[int, Inputs] = {}
        removed: list[Removed] = []
        for cut, behind in round_:
            between = self.between(cut)
            chosen = self._watcher.follows(cut, self._core.position(cut.partition), behind, between)
            if chosen is not None:
                cuts.append(chosen)
                records[cut.partition] = between
                removed += await self.removed(chosen)
        if cuts:
            if removed:
                self._watcher.took_out(removed)
            self._watcher.applied(cuts, records, self._core.apply(cuts, records, removed))

    def between(self, cut: Cut) -> Inputs:
        """Return the fetched records from where the state stands to where the cut does."""
        begins = self._core.position(cut.partition).reached()
        found = {}
        for topic, end in self._ends(cut).items():
            begin, held = begins.get(topic, end), self._held.get((topic, cut.partition), NOTHING)
            a, b = np.searchsorted(held.offset, (begin, end)).tolist()
            if b > a:
                found[topic] = held.rows(a, b)
        return found

    async def removed(self, cut: Cut) -> list[Removed]:
        """Read the records without which a cut is decided, which may lie far back."""
        made = []
        for topic, offset in cut.without:
            tp = self._prefix + topic, cut.partition
            async with LogReader(self._bootstrap) as reader:
                reader.begin({tp: offset})
                one = (await reader.upto({tp: offset + 1}))[tp]
            if len(one):
                made.append(Removed(cut.partition, topic, offset, int(one.stamp_ms[0]), one.key[0], one.value[0]))
        return made

    async def _read_cuts(self, queues: Mapping[int, CutQueue]) -> None:
        hungry = {(self._prefix + CUTS, p): queue for p, queue in queues.items() if queue.hungry}
        if hungry:
            for tp, records in (await self._cut_log.upto({tp: queue.wanted for tp, queue in hungry.items()})).items():
                hungry[tp].add(records, hungry[tp].wanted)

    def _rounds(self, queues: Mapping[int, CutQueue]) -> list[list[tuple[Cut, Cut | None]]]:
        """Take cuts off the queues: one of each partition a round, about as many records in all as fit in memory."""
        rounds: list[list[tuple[Cut, Cut | None]]] = []
        reach = {p: self._core.position(p).next for p in queues}
        records = 0
        while records < RECORDS_AT_ONCE and len(rounds) < ROUNDS_AT_ONCE:
            round_: list[tuple[Cut, Cut | None]] = []
            for p, queue in queues.items():
                while queue.ready and not self._watcher.admits(queue.cuts[0]):
                    queue.take()
                if queue.ready:
                    cut = queue.take()
                    records += max(0, sum(cut.next) - sum(reach[p] or cut.next))
                    reach[p] = cut.next
                    round_.append((cut, queue.cuts[0] if queue.cuts else None))
            if not round_:
                break
            rounds.append(round_)
        return rounds

    async def _fetch(self, cuts: Sequence[Cut]) -> None:
        """Read up to where these cuts do, and forget what the states have passed."""
        wanted: dict[tuple[str, int], int] = {}
        inputs = {cut.partition: self._core.position(cut.partition).inputs for cut in cuts}
        for cut in cuts:
            if cut.span is not None:
                inputs[cut.partition] = cut.span.inputs
            for topic, end in zip(inputs[cut.partition], cut.next, strict=False):
                if (topic, cut.partition) in self._read:
                    wanted[topic, cut.partition] = max(end, wanted.get((topic, cut.partition), 0))
        wanted = {tp: end for tp, end in wanted.items() if end > self._read[tp]}
        got = await self._input_log.upto({(self._prefix + topic, p): end for (topic, p), end in wanted.items()})
        for (topic, p), end in wanted.items():
            held = self._held.get((topic, p), NOTHING)
            passed = self._core.position(p).reached().get(topic, 0)
            left = held.rows(int(np.searchsorted(held.offset, passed)), len(held))
            fresh = got[self._prefix + topic, p]
            self._held[topic, p] = Records.joined([left, fresh]) if len(left) else fresh
            self._read[topic, p] = end

    def _ends(self, cut: Cut) -> dict[str, int]:
        names = cut.span.inputs if cut.span is not None else self._core.position(cut.partition).inputs
        ends = dict(zip(names, cut.next, strict=False))
        return {topic: ends[topic] for topic in self._core.inputs if topic in ends}
