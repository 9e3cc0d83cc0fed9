"""The recorded cuts of some spans, step by step, each checked against what the log gives.

A cut that does not follow is a finding. One whose number, T or positions do not fit is left out: whoever wrote it, no
owner has applied it. One that carries another digest is applied all the same, so that the alerts themselves can be
compared, and from then on every step is checked by itself: its outputs, on top of the digest that the log tells,
must give the digest of the next cut.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from monitor.cuts import Cut
from monitor.errors import ReplayDiffers
from monitor.outputs import Output
from monitor.settings import Settings
from monitor.stream.beginnings import Cuts
from monitor.stream.core import Engine
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.verifying.held import Held, batches
from monitor.verifying.report import NotFollowing
from monitor.verifying.spans import Span
from monitor.verifying.wearers import OUTSIDE, Touched
from stream_schemas.topics import CUTS, INPUTS

RECORDS_AT_ONCE = 20_000
ROUNDS_AT_ONCE = 2_000
MOST_FINDINGS = 20
"""A partition with so many cuts that do not follow is left."""

Tell = Callable[[Cut, Sequence[Output]], None]
"""Takes every cut that was applied, with its outputs."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """On a log clock, a cut that read commands, scores or switches: they count as received just before its T.

    Attributes
    ----------
    next : positions behind them, of the inputs in `OUTSIDE`.
    advanced : T was lower before that cut.
    """

    T: int
    next: tuple[int, ...]
    advanced: bool


@dataclass(slots=True)
class Followed:
    """How far a span was followed.

    Attributes
    ----------
    digest : what the next cut must carry. adopted : the engine's own digest is another one by now.
    T, next : of the last cut applied. stopped : offset of the cut at which the partition was left.
    anchors : on a log clock. touched : whose records were stamped below T.
    """

    span: Span
    digest: int
    adopted: bool = False
    T: int = 0
    next: tuple[int, ...] = ()
    stopped: int | None = None
    findings: int = 0
    anchors: list[Anchor] = field(default_factory=list)
    touched: Touched = field(default_factory=Touched)


class Following:
    """Follows spans of different partitions together.

    Parameters
    ----------
    settings : Settings
    engine : Engine
        Empty; it is left with the states behind the spans.
    cut_log, input_log : LogReader
    tell : Tell
    progress : callable
        Takes the number of records that were read.

    Attributes
    ----------
    not_following : findings. cuts, records, below_T : counts.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        cut_log: LogReader,
        input_log: LogReader,
        tell: Tell,
        progress: Callable[[int], None],
    ) -> None:
        self._prefix, self._log_clock = settings.kafka.topic_prefix, settings.stream.clock == "log"
        self._engine, self._cut_log, self._input_log = engine, cut_log, input_log
        self._tell, self._progress = tell, progress
        self.not_following: list[NotFollowing] = []
        self.cuts = self.records = self.below_T = 0

    async def run(self, spans: Iterable[Span], ends: Mapping[tuple[int, int], int]) -> dict[int, Followed]:
        """Follow at most one span of each partition; *ends* is where the inputs end, per (partition, input)."""
        followed: dict[int, Followed] = {}
        queues: dict[int, Cuts] = {}
        for span in spans:
            p = span.partition
            start(self._engine, span)
            position = self._engine.position(p)
            followed[p] = Followed(span, position.digest, T=position.T, next=span.begin.next or ())
            queues[p] = Cuts(p, span.at, span.epoch, span.end)
        held = Held(self._input_log, self._prefix, {p: one.span.begin for p, one in followed.items()})
        self._cut_log.begin({(self._prefix + CUTS, p): queue.position for p, queue in queues.items()})
        while not all(queue.exhausted for queue in queues.values()):
            await self._read_cuts(queues)
            rounds = self._rounds(queues, followed, ends)
            wanted: dict[tuple[int, int], int] = {}
            for cut, _ in (pair for round_ in rounds for pair in round_):
                for i, offset in enumerate(cut.next):
                    wanted[cut.partition, i] = max(offset, wanted.get((cut.partition, i), 0))
            await held.fill(wanted)
            for round_ in rounds:
                self._step(round_, followed, held)
            for p, one in followed.items():
                if one.stopped is not None:
                    queues[p].pending.clear()
                    queues[p].position = queues[p].claim
        return followed

    async def _read_cuts(self, queues: Mapping[int, Cuts]) -> None:
        hungry = {(self._prefix + CUTS, p): queue for p, queue in queues.items() if queue.hungry}
        if hungry:
            read = await self._cut_log.upto({tp: queue.wanted for tp, queue in hungry.items()})
            for tp, queue in hungry.items():
                queue.add(read[tp], queue.wanted)

    def _rounds(
        self, queues: Mapping[int, Cuts], followed: Mapping[int, Followed], ends: Mapping[tuple[int, int], int]
    ) -> list[list[tuple[Cut, Cut | None]]]:
        """Take cuts off the queues, one of each partition a round, each with the one behind it."""
        rounds: list[list[tuple[Cut, Cut | None]]] = []
        reach = {p: one.next for p, one in followed.items()}
        records = 0
        while records < RECORDS_AT_ONCE and len(rounds) < ROUNDS_AT_ONCE:
            round_ = []
            for p, queue in queues.items():
                if len(queue.pending) < 2 and queue.position < queue.claim:
                    continue  # what comes behind it is not known yet
                cut = self._next_in_log(queue, followed[p], ends)
                if cut is not None:
                    records += sum(max(0, b - a) for a, b in zip(reach[p], cut.next, strict=True))
                    reach[p] = cut.next
                    round_.append((cut, queue.pending[0] if queue.pending else None))
            if not round_:
                break
            rounds.append(round_)
        return rounds

    def _next_in_log(self, queue: Cuts, one: Followed, ends: Mapping[tuple[int, int], int]) -> Cut | None:
        """Return the next cut that names nothing but what the log may hold."""
        while queue.pending:
            cut = queue.pending.popleft()
            if len(cut.next) != len(INPUTS):
                self._find(one, cut, f"it names {len(cut.next)} inputs where there are {len(INPUTS)}")
            elif any(offset > ends[cut.partition, i] for i, offset in enumerate(cut.next)):
                self._find(one, cut, "it names records that the log does not hold")
            else:
                return cut
        return None

    def _step(self, round_: Sequence[tuple[Cut, Cut | None]], followed: Mapping[int, Followed], held: Held) -> None:
        cuts: list[Cut] = []
        carried: dict[int, Cut] = {}
        records: dict[int, list[Records]] = {}
        for cut, behind in round_:
            p, one = cut.partition, followed[cut.partition]
            if one.stopped is None and self._follows(cut, behind, one):
                own = self._own(cut, one, held)
                records[p] = [held.take((p, i), offset) for i, offset in enumerate(cut.next)]
                cuts.append(own)
                carried[p] = cut
                self._note(cut, one, records[p])
        if not cuts:
            return
        try:
            step = self._engine.step(cuts, batches(records))
        except ReplayDiffers as difference:
            for cut in cuts:
                self._find(followed[cut.partition], cut, f"the engine refuses it ({difference})", leave=True)
            return
        self.below_T += step.below_T
        self.cuts += len(cuts)
        n = sum(len(part) for parts in records.values() for part in parts)
        self.records += n
        self._progress(n)
        for cut in cuts:
            p, one, outputs = cut.partition, followed[cut.partition], step.outputs.get(cut.partition, ())
            one.digest = self._engine.position(p).digest
            if one.adopted:
                one.digest = carried[p].digest
                for output in outputs:
                    one.digest = crc32(output.value, one.digest)
            self._tell(cut, outputs)

    def _follows(self, cut: Cut, behind: Cut | None, one: Followed) -> bool:
        """Tell whether a cut is to be applied; say what is wrong with it."""
        position = self._engine.position(cut.partition)
        if cut.seq != position.seq + 1:
            return self._find(one, cut, f"cut {position.seq + 1} is the next one")
        if cut.T < position.T:
            return self._find(one, cut, "its T lies before that of the cut before it")
        if any(offset < before for offset, before in zip(cut.next, one.next, strict=True)):
            return self._find(one, cut, "its positions lie before those of the cut before it")
        if cut.digest != one.digest:
            if behind is not None and behind.seq == cut.seq:
                return self._find(one, cut, "its digest is not that of the outputs before it, and no owner followed it")
            self._find(one, cut, f"its digest is not that of the outputs which the log gives up to cut {cut.seq - 1}")
            one.adopted = True
        return True

    def _own(self, cut: Cut, one: Followed, held: Held) -> Cut:
        """Return the cut as the engine takes it; it carries the engine's own digest, and stamps that were read."""
        p = cut.partition
        stamps = tuple(held.stamp_at((p, i), offset) for i, offset in enumerate(cut.next))
        if stamps != cut.stamp:
            self._find(one, cut, "its stamps are not those of the records that it names")
        return replace(cut, stamp=stamps, digest=self._engine.position(p).digest)

    def _note(self, cut: Cut, one: Followed, records: Sequence[Records]) -> None:
        before = one.T
        for i, part in enumerate(records):
            if not (self._log_clock and i in OUTSIDE):
                below = np.flatnonzero(part.stamp_ms < before)
                one.touched.add(INPUTS[i], part, below)
        if self._log_clock and any(len(records[i]) for i in OUTSIDE):
            one.anchors.append(Anchor(cut.T, tuple(cut.next[i] for i in OUTSIDE), before < cut.T))
        one.T, one.next = cut.T, cut.next

    def _find(self, one: Followed, cut: Cut, why: str, *, leave: bool = False) -> bool:
        self.not_following.append(NotFollowing(cut.partition, cut.seq, cut.at, why))
        one.findings += 1
        if (leave or one.findings >= MOST_FINDINGS) and one.stopped is None:
            one.stopped = cut.at
        return False


def start(engine: Engine, span: Span) -> None:
    """Open a partition of an engine where a span begins.

    Raises
    ------
    SavedStateUnusable
        If the checkpoint does not fit the engine.
    """
    engine.open(span.partition)
    if span.saved is not None:
        engine.load(span.partition, span.saved, span.begin)
