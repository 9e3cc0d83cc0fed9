"""Where a replay begins: at the newest checkpoint that fits the log, at the last cut 0 behind it, or anew.

A checkpoint counts only if `cuts.v1` holds its very cut where it says so; if not, it is of another log (the topics were
created again) and says nothing about this one. A cut 0 behind a checkpoint voids it: somebody had to begin anew. What
the log no longer holds is a loss: said with the number of records, counted, and the partition begins anew.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog

from monitor.cuts import NO_EPOCH, Cut, Position, last_claim, valid_cuts
from monitor.saved import SavedStateUnusable
from monitor.stream.core import Core
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from stream_schemas.topics import CUTS

CUTS_AT_ONCE = 2_000

log = structlog.get_logger()


class Cuts:
    """The valid cuts of one partition from a start to its claim, a few at a time."""

    def __init__(self, partition: int, begin: int, epoch: int, claim: int) -> None:
        self.partition, self.position, self.epoch, self.claim = partition, begin, epoch, claim
        self.pending: deque[Cut] = deque()

    @property
    def wanted(self) -> int:
        """The position up to which to read next."""
        return min(self.position + CUTS_AT_ONCE, self.claim)

    @property
    def hungry(self) -> bool:
        """Whether more cuts are to be read now."""
        return len(self.pending) < CUTS_AT_ONCE and self.position < self.claim

    @property
    def exhausted(self) -> bool:
        """Whether the last valid cut below the claim was taken."""
        return not self.pending and self.position >= self.claim

    def add(self, records: Records, upto: int) -> None:
        """Take the records up to a position in."""
        self.pending += self._valid(records)
        self._moved(records, upto)

    def _valid(self, records: Records) -> Iterator[Cut]:
        return valid_cuts(_rows(records), self.partition, self.epoch)

    def _moved(self, records: Records, upto: int) -> None:
        self.epoch, self.position = last_claim(_rows(records), self.epoch), upto


class _Scan(Cuts):
    """Looks for the last cut 0; keeps the cuts from there on while they are few: no second reading."""

    def __init__(self, partition: int, begin: int, epoch: int, claim: int) -> None:
        super().__init__(partition, begin, epoch, claim)
        self.begin, self.begin_epoch = begin, epoch
        self.zero: Cut | None = None
        self.cuts = 0
        self._overflown = False

    def add(self, records: Records, upto: int) -> None:
        for cut in self._valid(records):
            self.cuts += 1
            if cut.seq == 0:
                self.zero, self.begin, self.begin_epoch = cut, cut.at, cut.epoch
                self.pending.clear()
                self._overflown = False
            self._overflown = self._overflown or len(self.pending) >= CUTS_AT_ONCE
            if not self._overflown:
                self.pending.append(cut)
        self._moved(records, upto)

    def found(self) -> Cuts:
        """Return what is to be replayed."""
        return Cuts(self.partition, self.begin, self.begin_epoch, self.claim) if self._overflown else self


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the replay of one partition begins.

    Attributes
    ----------
    cuts : to be replayed.
    since : offset in cuts.v1; the state at the beginning has applied everything up to it.
    durable : the positions of the inputs in the checkpoint that was loaded; None without one.
    lost : the log no longer holds what the state needs, so the partition begins anew. gone : so many records.
    """

    cuts: Cuts
    since: int
    durable: tuple[int, ...] | None = None
    lost: bool = False
    gone: int = 0


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
        """
        tps = {p: self._tp(CUTS, p) for p in claims}
        starts = await cut_log.starts(list(tps.values()))
        restored = {p: await self._restore(cut_log, p, claim, starts[tps[p]]) for p, claim in claims.items()}
        scans = {}
        for p, claim in claims.items():
            at = restored[p].position
            scans[p] = _Scan(p, at.at + 1, at.epoch, claim) if at else _Scan(p, starts[tps[p]], NO_EPOCH, claim)
        await self._scan(cut_log, scans)
        held = await self.input_starts(input_log, list(claims))
        found = {p: self._judge(scans[p], restored[p], starts[tps[p]], held[p]) for p in claims}
        cut_log.begin({tps[p]: one.cuts.position for p, one in found.items()})
        places = {
            self._tp(topic, p): offset
            for p, one in found.items()
            if not one.cuts.exhausted
            for topic, offset in zip(self._core.inputs, self._needs(scans[p], restored[p]) or (), strict=True)
        }
        if places:
            input_log.begin(places)
        return found

    async def input_starts(self, reader: LogReader, partitions: list[int]) -> dict[int, tuple[int, ...]]:
        """Return, per partition, where the log of each input begins."""
        starts = await reader.starts([self._tp(topic, p) for topic in self._core.inputs for p in partitions])
        return {p: tuple(starts[self._tp(topic, p)] for topic in self._core.inputs) for p in partitions}

    # -------------------------------------------------------------------------------------------------- checkpoints

    async def _restore(self, cut_log: LogReader, p: int, claim: int, start: int) -> "_Restored":
        """Load the newest checkpoint that fits log and engine."""
        restored = _Restored()
        if self._checkpoints is None:
            return restored
        usable = self._checkpoints.usable(p, claim)
        while (checkpoint := await asyncio.to_thread(next, usable, None)) is not None:
            self.progress += 1
            if await self._fits(cut_log, checkpoint, start, restored):
                restored.position = checkpoint.position
                return restored
            del checkpoint  # it may be large, and the next one is as well
        beyond = [g for g in await asyncio.to_thread(self._checkpoints.generations, p) if g.at >= claim]
        if beyond:
            log.warning("checkpoints beyond the end of cuts.v1 are ignored: they are of another log", partition=p)
        return restored

    async def _fits(self, cut_log: LogReader, checkpoint: Checkpoint, start: int, restored: "_Restored") -> bool:
        position = checkpoint.position
        if position.at + 1 < start:  # an older one needs even more
            restored.gone = min(restored.gone or start, start - position.at - 1)
            return False
        try:
            if position.at >= start and not await self._holds(cut_log, checkpoint.partition, position):
                self._refuse(checkpoint, "cuts.v1 does not hold its cut: it is of another log")
                return False
            self._core.load(checkpoint)
        except SavedStateUnusable as misfit:
            self._refuse(checkpoint, str(misfit))
            restored.misfit = misfit
            return False
        return True

    def _refuse(self, checkpoint: Checkpoint, reason: str) -> None:
        if self._checkpoints is not None:
            self._checkpoints.refuse(checkpoint, reason)

    async def _holds(self, cut_log: LogReader, p: int, position: Position) -> bool:
        """Tell whether the log holds the cut at which a checkpoint stands."""
        tp = self._tp(CUTS, p)
        cut_log.begin({tp: position.at})
        records = (await cut_log.upto({tp: position.at + 1}))[tp]
        return any(
            (cut.at, cut.epoch, cut.seq, cut.T, cut.next, cut.stamp)
            == (position.at, position.epoch, position.seq, position.T, position.next, position.stamp)
            for cut in valid_cuts(_rows(records), p, position.epoch)
        )

    # -------------------------------------------------------------------------------------------------------- the log

    async def _scan(self, cut_log: LogReader, scans: Mapping[int, _Scan]) -> None:
        """Read cuts.v1 up to the claims."""
        tps = {p: self._tp(CUTS, p) for p in scans}
        cut_log.begin({tps[p]: scan.position for p, scan in scans.items()})
        while scanning := [scan for scan in scans.values() if scan.position < scan.claim]:
            read = await cut_log.upto({tps[scan.partition]: scan.wanted for scan in scanning})
            for scan in scanning:
                scan.add(read[tps[scan.partition]], scan.wanted)
            self.progress += 1

    def _judge(self, scan: _Scan, restored: "_Restored", start: int, held: tuple[int, ...]) -> Beginning:
        """Say where a partition begins, and what of it is lost."""
        p, needs = scan.partition, self._needs(scan, restored)
        if scan.zero is not None or restored.position is None:
            self._core.open(p)  # what was loaded is void
        if needs is not None:
            gone = sum(max(0, first - wanted) for first, wanted in zip(held, needs, strict=True))
            if gone == 0:
                durable = needs if scan.zero is None else None
                return Beginning(scan.found(), scan.zero.at if scan.zero else scan.begin - 1, durable)
        elif start == 0 and scan.cuts == 0 and restored.misfit is None:
            return Beginning(Cuts(p, scan.claim, scan.claim, scan.claim), scan.claim)
        else:
            gone = restored.gone or start
        if restored.misfit is not None:
            raise restored.misfit
        log.error("the log was cut off before it was read: the partition begins anew", partition=p, records_gone=gone)
        self._core.open(p)
        return Beginning(Cuts(p, scan.claim, scan.claim, scan.claim), scan.claim, lost=True, gone=gone)

    def _needs(self, scan: _Scan, restored: "_Restored") -> tuple[int, ...] | None:
        """Return the positions from which the inputs must be there; None where nothing says so."""
        if scan.zero is not None:
            return scan.zero.next
        return None if restored.position is None else restored.position.next

    def _tp(self, topic: str, partition: int) -> tuple[str, int]:
        return self._prefix + topic, partition


@dataclass(slots=True)
class _Restored:
    """What became of a partition's checkpoints: the position of the one that was loaded, and why others were not."""

    position: Position | None = None
    gone: int = 0
    misfit: SavedStateUnusable | None = None


def _rows(records: Records) -> Iterator[tuple[int, int, bytes | None]]:
    return zip(records.offset.tolist(), records.stamp_ms.tolist(), records.value, strict=True)
