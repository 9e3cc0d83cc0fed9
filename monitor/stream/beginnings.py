"""Where a replay begins: at the newest checkpoint that fits the log, at the last cut 0 behind it, or anew.

A checkpoint counts only if `cuts.v1` holds its very cut where it says so; if not, it is of another log (the topics were
created again) and says nothing about this one. A cut 0 behind a checkpoint voids it: somebody had to begin anew. What
the log no longer holds is a loss: said with the number of records, counted, and the partition begins anew. An input
that does not answer is no loss and holds nothing up as long as nothing of it is needed.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from aiokafka.errors import KafkaError

from monitor.cuts import GROWER, NO_EPOCH, Position, valid_cuts
from monitor.outputs import Output
from monitor.saved import SavedStateUnusable
from monitor.stream.core import Core
from monitor.stream.cut_queue import CutQueue, Scan, rows
from monitor.stream.reading import LogReader
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from stream_schemas.topics import CUTS

ASK_S = 3.0
"""An input of which nothing is needed is asked for so long where it begins."""
TRUNCATED_S = 8.0
"""An input that ends before what a cut has read is looked at again for so long: a leader may not know its end yet."""
_AGAIN_S = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the replay of one partition begins.

    Attributes
    ----------
    cuts : to be replayed.
    since : offset in cuts.v1; the state at the beginning has applied everything up to it.
    begins, ends : per input that is read, the offsets from and up to which.
    durable : the positions of the inputs in the checkpoint that was loaded; None without one.
    lost : the log no longer holds what the state needs, so the partition begins anew. gone : so many records.
    stamp_ms : broker stamp of the cut at which the state stands; 0 at the log's start.
    known : alert id -> version of what was open in that state.
    outputs : of that cut, where they may not have been sent.
    """

    cuts: CutQueue
    since: int
    begins: Mapping[str, int]
    ends: Mapping[str, int]
    durable: tuple[int, ...] | None = None
    lost: bool = False
    gone: int = 0
    stamp_ms: int = 0
    known: Mapping[str, int] | None = None
    outputs: tuple[Output, ...] = ()


@dataclass(slots=True)
class _Restored:
    """What became of a partition's checkpoints: where the one that was loaded stands, and why others were not."""

    position: Position | None = None
    stamp_ms: int = 0
    outputs: tuple[Output, ...] = ()
    gone: int = 0
    misfit: SavedStateUnusable | None = None


class Beginnings:
    """Finds beginnings, and loads the checkpoints into the core.

    Parameters
    ----------
    core : Core
    topic_prefix : str
    checkpoints : Checkpoints or None
        None: every replay begins at cut 0.
    """

    def __init__(self, core: Core, topic_prefix: str, checkpoints: Checkpoints | None) -> None:
        self._core, self._prefix, self._checkpoints = core, topic_prefix, checkpoints
        self.progress = 0  # grows while it works

    async def find(self, cut_log: LogReader, input_log: LogReader, claims: Mapping[int, int]) -> dict[int, Beginning]:
        """Return the beginning of every claimed partition, and stand both readers there.

        Raises
        ------
        SavedStateUnusable
            If a checkpoint does not fit the engine and the log alone does not give the state.
        ReadingStuck, KafkaError
            If cuts.v1, or an input of which something is needed, does not answer.
        """
        tps = {p: self._tp(CUTS, p) for p in claims}
        starts = await cut_log.starts(list(tps.values()))
        restored = {p: await self._restore(cut_log, p, claim, starts[tps[p]]) for p, claim in claims.items()}
        scans = {}
        for p, claim in claims.items():
            at = restored[p].position
            scans[p] = Scan(p, at.at + 1, at.epoch, claim) if at else Scan(p, starts[tps[p]], NO_EPOCH, claim)
        await self._scan(cut_log, scans)
        needs = {p: self._needs(scans[p], restored[p]) for p in claims}
        held = await self._held(input_log, needs)
        found = {p: self._judge(scans[p], restored[p], starts[tps[p]], needs[p], held) for p in claims}
        cut_log.begin({tps[p]: one.cuts.position for p, one in found.items()})
        places = {self._tp(topic, p): at for p, one in found.items() for topic, at in one.begins.items()}
        if places:
            input_log.begin(places)
        return found

    async def input_starts(self, reader: LogReader, partitions: list[int]) -> dict[int, dict[str, int]]:
        """Return, per partition and input, where its log begins."""
        starts = await reader.starts([self._tp(topic, p) for topic in self._core.inputs for p in partitions])
        return {p: {topic: starts[self._tp(topic, p)] for topic in self._core.inputs} for p in partitions}

    # -------------------------------------------------------------------------------------------------- checkpoints

    @property
    def _place(self) -> str:
        return "no place" if self._checkpoints is None else self._checkpoints.place

    async def _restore(self, cut_log: LogReader, p: int, claim: int, start: int) -> _Restored:
        """Load the newest checkpoint that fits log and engine."""
        restored = _Restored()
        if self._checkpoints is None:
            return restored
        usable = self._checkpoints.usable(p, claim)
        while (checkpoint := await asyncio.to_thread(next, usable, None)) is not None:
            self.progress += 1
            if await self._fits(cut_log, checkpoint, start, restored):
                restored.position = self._core.position(p)
                return restored
            del checkpoint  # it may be large, and the next one is as well
        beyond = [g for g in await asyncio.to_thread(self._checkpoints.generations, p) if g.at >= claim]
        if beyond:
            log.warning("checkpoints beyond the end of cuts.v1 are ignored: they are of another log", partition=p)
        return restored

    async def _fits(self, cut_log: LogReader, checkpoint: Checkpoint, start: int, restored: _Restored) -> bool:
        position = checkpoint.position
        if position.at + 1 < start:  # an older one needs even more
            restored.gone = min(restored.gone or start, start - position.at - 1)
            return False
        try:
            if position.at >= start and not await self._holds(cut_log, checkpoint.partition, position, restored):
                self._refuse(checkpoint, "cuts.v1 does not hold its cut: it is of another log")
                return False
            self._core.load(checkpoint)
        except SavedStateUnusable as misfit:
            self._refuse(checkpoint, str(misfit))
            restored.misfit = misfit
            return False
        restored.outputs = checkpoint.outputs
        return True

    def _refuse(self, checkpoint: Checkpoint, reason: str) -> None:
        if self._checkpoints is not None:
            self._checkpoints.refuse(checkpoint, reason)

    async def _holds(self, cut_log: LogReader, p: int, position: Position, restored: _Restored) -> bool:
        """Tell whether the log holds the cut at which a checkpoint stands, and note its stamp."""
        tp = self._tp(CUTS, p)
        cut_log.begin({tp: position.at})
        records = (await cut_log.upto({tp: position.at + 1}))[tp]
        restored.stamp_ms = int(records.stamp_ms[0]) if len(records) else 0
        return any(
            (cut.at, cut.epoch, cut.seq, cut.T, cut.next, cut.stamp)
            == (position.at, position.epoch, position.seq, position.T, position.next, position.stamp)
            for cut in valid_cuts(rows(records), p, position.epoch)
        )

    # -------------------------------------------------------------------------------------------------------- the log

    async def _scan(self, cut_log: LogReader, scans: Mapping[int, Scan]) -> None:
        """Read cuts.v1 up to the claims."""
        tps = {p: self._tp(CUTS, p) for p in scans}
        cut_log.begin({tps[p]: scan.position for p, scan in scans.items()})
        while scanning := [scan for scan in scans.values() if scan.position < scan.claim]:
            read = await cut_log.upto({tps[scan.partition]: scan.wanted for scan in scanning})
            for scan in scanning:
                scan.add(read[tps[scan.partition]], scan.wanted)
            self.progress += 1

    def _needs(self, scan: Scan, restored: _Restored) -> "_Needs | None":
        """Return from and up to where our inputs must be there; None where nothing says so."""
        at = restored.position
        begins: dict[str, int] = {} if at is None or scan.zero is not None else at.reached()
        names = at.inputs if at is not None else ()
        for cut, span in scan.spans:
            begins = dict(zip(span.inputs, cut.next, strict=False)) | begins
            names = span.inputs
        if not begins:
            return None
        last = scan.last
        ends = begins | (dict(zip(names, last.next, strict=False)) if last is not None else {})
        ours = [topic for topic in self._core.inputs if topic in begins]
        return _Needs({topic: begins[topic] for topic in ours}, {topic: ends[topic] for topic in ours})

    async def _held(self, reader: LogReader, needs: Mapping[int, "_Needs | None"]) -> dict[tuple[str, int], "_Held"]:
        """Return where the inputs begin and end; those of which nothing is needed may not answer."""
        wanted: list[tuple[str, int]] = []
        others: list[tuple[str, int]] = []
        for p, need in needs.items():
            if need is not None:
                for topic in need.begins:
                    (wanted if need.ends[topic] > need.begins[topic] else others).append(self._tp(topic, p))
        held = await self._ask(reader, wanted)
        until = time.monotonic() + TRUNCATED_S
        while short := [tp for tp in wanted if held[tp].end < self._end(needs, tp)]:
            if time.monotonic() > until:
                break
            await asyncio.sleep(_AGAIN_S)
            held |= await self._ask(reader, short)
            self.progress += 1
        try:
            async with asyncio.timeout(ASK_S):
                starts = await reader.starts(others)
            held |= {tp: _Held(start, start) for tp, start in starts.items()}
        except (KafkaError, TimeoutError) as failure:
            log.warning("an input does not say where it begins; nothing of it is needed now", why=repr(failure))
        return held

    async def _ask(self, reader: LogReader, tps: list[tuple[str, int]]) -> dict[tuple[str, int], "_Held"]:
        starts = await reader.starts(tps)
        ends = await reader.ends(tps) if tps else {}
        return {tp: _Held(starts[tp], ends[tp]) for tp in tps}

    def _end(self, needs: Mapping[int, "_Needs | None"], tp: tuple[str, int]) -> int:
        need = needs[tp[1]]
        return 0 if need is None else need.ends[tp[0].removeprefix(self._prefix)]

    def _judge(
        self,
        scan: Scan,
        restored: _Restored,
        start: int,
        needs: "_Needs | None",
        held: Mapping[tuple[str, int], "_Held"],
    ) -> Beginning:
        """Say where a partition begins, and what of it is lost."""
        p = scan.partition
        if restored.position is None and scan.zero is None and start == 0 and scan.carried_over:
            raise restored.misfit or SavedStateUnusable(
                f"The log was carried over from another one, and {self._place} does not hold the state with which "
                f"partition {p} begins: set PULSEWARDEN_CHECKPOINT__PLACE to the place that `python -m monitor topics "
                "grow` named."
            )
        if scan.count == 0 and start == 0 and scan.first_claimant == GROWER:
            raise SavedStateUnusable(
                f"`python -m monitor topics grow` did not come to its end: partition {p} of this log has no beginning. "
                "Delete the topics of this prefix and its checkpoints and grow again, or grow to another prefix."
            )
        if scan.zero is not None or restored.position is None:
            self._core.open(p)  # what was loaded is void
        if needs is not None:
            gone, why = self._gone(p, needs, held)
            if gone == 0:
                return self._beginning(scan, restored, needs)
        elif start == 0 and scan.count == 0 and restored.misfit is None:
            return self._anew(scan)
        else:
            gone, why = restored.gone or start, "cuts.v1 begins behind what the state needs"
        if restored.misfit is not None:
            raise restored.misfit
        log.error(
            "the log was cut off before it was read: the partition begins anew", partition=p, records_gone=gone, why=why
        )
        self._core.open(p)
        return replace(self._anew(scan), lost=True, gone=gone)

    def _beginning(self, scan: Scan, restored: _Restored, needs: "_Needs") -> Beginning:
        at = restored.position if scan.zero is None else None
        return Beginning(
            scan.found(),
            scan.zero.at if scan.zero else scan.begin - 1,
            needs.begins,
            needs.ends,
            durable=None if at is None else at.next,
            stamp_ms=0 if at is None else restored.stamp_ms,
            known=None if at is None else self._core.engine.open_alerts(scan.partition),
            outputs=() if at is None or scan.count else restored.outputs,
        )

    @staticmethod
    def _anew(scan: Scan) -> Beginning:
        return Beginning(CutQueue(scan.partition, scan.claim, scan.claim, scan.claim), scan.claim, {}, {})

    def _gone(self, p: int, needs: "_Needs", held: Mapping[tuple[str, int], "_Held"]) -> tuple[int, str]:
        """Count the records that are needed and that the inputs do not hold, and say why."""
        gone, why = 0, ""
        for topic, begin in needs.begins.items():
            if (one := held.get(self._tp(topic, p))) is None:
                continue
            end = needs.ends[topic]
            before, behind = max(0, one.start - begin), max(0, end - one.end) if end > begin else 0
            if before:
                why = f"{topic} begins at {one.start}, and the state has read up to {begin}"
            elif behind:
                why = f"{topic} was truncated: it ends at {one.end}, and a cut has read up to {end}"
            gone += before + behind
        return gone, why

    def _tp(self, topic: str, partition: int) -> tuple[str, int]:
        return self._prefix + topic, partition


@dataclass(frozen=True, slots=True)
class _Needs:
    begins: dict[str, int]
    ends: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Held:
    start: int
    end: int
