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

from monitor.cuts import Cut, Position
from monitor.inputs import Removed
from monitor.outputs import Output, Step
from monitor.settings import Settings
from monitor.stream.core import Core, Engine, Inputs, StepFailed
from monitor.stream.cut_queue import CutQueue
from monitor.stream.reading import LogReader
from monitor.stream.records import NOTHING, running_stamps
from monitor.stream.replaying import Replayer
from monitor.verifying.report import NotFollowing
from monitor.verifying.spans import Span
from monitor.verifying.wearers import OUTSIDE, Touched
from stream_schemas.topics import CUTS, INPUTS

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
    removed : records that were left out because they raise. capped : input -> offset -> stamp of those above a cap.
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
    removed: list[Removed] = field(default_factory=list)
    capped: dict[int, dict[int, int]] = field(default_factory=dict)


class Following:
    """Follows spans of different partitions together; the watcher of their replay.

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
        self._settings = settings
        self._prefix, self._log_clock = settings.kafka.topic_prefix, settings.stream.clock == "log"
        self._core = Core(engine, INPUTS, journal=_ignore, control=_ignore)
        self._cut_log, self._input_log = cut_log, input_log
        self._tell, self._progress = tell, progress
        self._followed: dict[int, Followed] = {}
        self._ends: Mapping[tuple[int, int], int] = {}
        self._carried: dict[int, Cut] = {}
        self._before: dict[int, Position] = {}
        self.not_following: list[NotFollowing] = []
        self.cuts = self.records = self.below_T = 0

    async def run(self, spans: Iterable[Span], ends: Mapping[tuple[int, int], int]) -> dict[int, Followed]:
        """Follow at most one span of each partition; *ends* is where the inputs end, per (partition, input)."""
        self._ends = ends
        queues: dict[int, CutQueue] = {}
        begins: dict[int, dict[str, int]] = {}
        for span in spans:
            p = span.partition
            self._start(span)
            position = self._core.position(p)
            begin = span.begin.next or ()
            self._followed[p] = Followed(span, position.digest, T=position.T, next=begin)
            queues[p] = CutQueue(p, span.at, span.epoch, span.end)
            begins[p] = dict(zip(INPUTS, begin, strict=True))
        self._input_log.begin({(self._prefix + topic, p): at for p, of in begins.items() for topic, at in of.items()})
        self._cut_log.begin({(self._prefix + CUTS, p): queue.position for p, queue in queues.items()})
        replayer = Replayer(
            self._core,
            self._cut_log,
            self._input_log,
            bootstrap_servers=self._settings.kafka.bootstrap_servers,
            topic_prefix=self._prefix,
            watcher=self,
            begins=begins,
        )
        try:
            await replayer.run(queues)
        except StepFailed as failure:
            kind = type(failure.error).__name__
            for p, one in self._followed.items():
                cut = self._carried.get(p)
                if one.stopped is None and cut is not None:
                    self._find(
                        one, cut, f"the engine raises {kind} in this step, and no amendment says why", leave=True
                    )
        return self._followed

    def _start(self, span: Span) -> None:
        if span.saved is None:
            self._core.open(span.partition)
            return
        self._core.load(replace(span.saved, position=span.begin, inputs=(), version=""))
        if span.saved.outputs:
            at = span.begin
            self._tell(
                Cut(span.partition, at.at, at.epoch, at.seq, at.T, at.next or (), at.stamp, 0), span.saved.outputs
            )

    # ---------------------------------------------------------------------------------------------------- the watcher

    def admits(self, cut: Cut) -> bool:
        """Refuse a cut that names what the log does not hold: whoever wrote it, no owner has applied it."""
        one = self._followed[cut.partition]
        if len(cut.next) < len(INPUTS):
            return self._find(one, cut, f"it names {len(cut.next)} inputs where there are {len(INPUTS)}")
        if any(offset > self._ends[cut.partition, i] for i, offset in enumerate(cut.next[: len(INPUTS)])):
            return self._find(one, cut, "it names records that the log does not hold")
        return one.stopped is None

    def follows(self, cut: Cut, position: Position, behind: Cut | None, records: Inputs) -> Cut | None:
        """Return the cut as it is applied here: with our digest, and with the stamps of what it names."""
        one = self._followed[cut.partition]
        if one.stopped is not None or not self._is_next(cut, position, behind, one):
            return None
        stamps = self._stamps(cut, position, records)
        if stamps != cut.stamp[: len(INPUTS)]:
            self._find(one, cut, "its stamps are not those of the records that it names")
        self._carried[cut.partition], self._before[cut.partition] = cut, position
        said = None if cut.span is None else replace(cut.span, inputs=INPUTS)
        reach = cut.next[: len(INPUTS)]
        return replace(cut, next=reach, stamp=stamps, digest=position.digest, span=said)

    def _is_next(self, cut: Cut, position: Position, behind: Cut | None, one: Followed) -> bool:
        """Tell whether a cut is to be applied; say what is wrong with it."""
        if cut.seq != position.seq + 1:
            return self._find(one, cut, f"cut {position.seq + 1} is the next one")
        if cut.T < position.T:
            return self._find(one, cut, "its T lies before that of the cut before it")
        if any(offset < before for offset, before in zip(cut.next, one.next, strict=False)):
            return self._find(one, cut, "its positions lie before those of the cut before it")
        if cut.digest != one.digest:
            if behind is not None and behind.seq == cut.seq:
                return self._find(one, cut, "its digest is not that of the outputs before it, and no owner followed it")
            self._find(one, cut, f"its digest is not that of the outputs which the log gives up to cut {cut.seq - 1}")
            one.adopted = True
        return True

    def _stamps(self, cut: Cut, position: Position, records: Inputs) -> tuple[int, ...]:
        before = position.stamps()
        stamps = []
        for topic in INPUTS:
            of_input = running_stamps(records.get(topic, NOTHING).stamp_ms, before.get(topic, 0), cut.cap_ms)
            stamps.append(int(of_input[-1]) if len(of_input) else before.get(topic, 0))
        return tuple(stamps)

    def applied(self, cuts: Sequence[Cut], records: Mapping[int, Inputs], step: Step) -> None:
        """Count, keep what other cuts need to know, and tell the outputs."""
        self.below_T += step.below_T
        self.cuts += len(cuts)
        n = sum(len(part) for of_inputs in records.values() for part in of_inputs.values())
        self.records += n
        self._progress(n)
        for cut in cuts:
            p, one, outputs = cut.partition, self._followed[cut.partition], step.outputs.get(cut.partition, ())
            self._note(cut, one, records[p])
            one.digest = self._core.position(p).digest
            if one.adopted:
                one.digest = self._carried[p].digest
                for output in outputs:
                    one.digest = crc32(output.value, one.digest)
            self._tell(self._carried[p], outputs)

    async def relieve(self) -> None:
        """Nothing waits here."""

    def took_out(self, removed: Sequence[Removed]) -> None:
        """Keep the records that were left out."""
        for record in removed:
            self._followed[record.partition].removed.append(record)

    def _note(self, cut: Cut, one: Followed, records: Inputs) -> None:
        before, position = one.T, self._before[cut.partition]
        for i, topic in enumerate(INPUTS):
            part = records.get(topic, NOTHING)
            if not len(part) or (self._log_clock and i in OUTSIDE):
                continue
            stamps = running_stamps(part.stamp_ms, position.stamps().get(topic, 0), cut.cap_ms)
            one.touched.add(topic, part, np.flatnonzero(stamps < before))
            if cut.cap_ms:
                one.capped.setdefault(i, {}).update(
                    (int(offset), cut.cap_ms) for offset in part.offset[part.stamp_ms > cut.cap_ms]
                )
        one.touched.wearers.update(cut.without_wearers)
        if self._log_clock and any(len(records.get(INPUTS[i], NOTHING)) for i in OUTSIDE):
            one.anchors.append(Anchor(cut.T, tuple(cut.next[i] for i in OUTSIDE), before < cut.T))
        one.T, one.next = cut.T, cut.next

    def _find(self, one: Followed, cut: Cut, why: str, *, leave: bool = False) -> bool:
        self.not_following.append(NotFollowing(cut.partition, cut.seq, cut.at, why))
        one.findings += 1
        if (leave or one.findings >= MOST_FINDINGS) and one.stopped is None:
            one.stopped = cut.at
        return False


def _ignore(_: object) -> None:
    return


def start(engine: Engine, span: Span) -> None:
    """Open a partition of an engine where a span begins.

    Raises
    ------
    SavedStateUnusable
        If the checkpoint does not fit the engine.
    """
    engine.open(span.partition)
    if span.saved is not None:
        engine.load(span.partition, span.saved.engine, span.begin)
