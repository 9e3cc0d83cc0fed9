"""Where the replay of each partition begins and ends: cuts.v1 is looked through once, before anything is replayed.

A cut 0 begins a partition with nothing known. The first one is the log's start; a later one means that somebody had to
begin anew. The first cut of a later span begins at a checkpoint that it names. Each of them, and a checkpoint, begins a
stretch that ends before the next one; one that another version of the engine wrote cannot be judged here.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from monitor.cuts import NO_EPOCH, Cut, CutReader, Position, last_claim
from monitor.cuts import Span as Said
from monitor.settings import Settings
from monitor.stream.cut_queue import CUTS_AT_ONCE, rows
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.verifying.report import Unjudged
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from stream_schemas.reasons import UNREADABLE
from stream_schemas.topics import CUTS, INPUTS


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one partition's cuts that is replayed in one go.

    Attributes
    ----------
    at, epoch : the cuts from offset `at` on count from here, under this claim at first; up to offset `end`, exclusive.
    begin : the position behind which the replay stands at first: of a checkpoint, or before cut 0 with its `next`.
    saved : the checkpoint.
    said : by cut 0, where the stretch begins there.
    """

    partition: int
    at: int
    epoch: int
    end: int
    begin: Position
    saved: Checkpoint | None = None
    said: Said | None = None


@dataclass(slots=True)
class Looked:
    """What cuts.v1 holds of one partition, from its start to its end when it was asked for.

    Attributes
    ----------
    begins : the first cuts of spans. last_stamp_ms : broker stamp by offset of those and of the cuts before them.
    """

    partition: int
    start: int
    end: int
    first: Cut | None = None
    last: Cut | None = None
    begins: list[Cut] = field(default_factory=list)
    cuts: int = 0
    void_cuts: int = 0
    claims: int = 0
    foreign: int = 0
    _reader: CutReader | None = None

    def add(self, records: Records) -> None:
        """Count some more records."""
        self._reader = self._reader or CutReader(self.partition)
        counted = set(self._reader.feed(rows(records)))
        fresh = [cut for cut in self._reader.cuts if cut.at in counted]
        while len(self._reader.cuts) > 1:
            self._reader.cuts.popleft()
        self.cuts += len(fresh)
        if fresh:
            self.first, self.last = self.first or fresh[0], fresh[-1]
            self.begins += [cut for cut in fresh if cut.span is not None]
        for offset, stamp, value in rows(records):
            if offset not in counted:
                self._count_other((offset, stamp, value))

    def _count_other(self, row: tuple[int, int, bytes | None]) -> None:
        if last_claim([row]) != NO_EPOCH:
            self.claims += 1
        elif _is_cut(row[2]):
            self.void_cuts += 1
        else:
            self.foreign += 1


class _Shape(msgspec.Struct):
    e: int
    q: int
    n: tuple[int, ...]


_shape = msgspec.json.Decoder(_Shape).decode


def _is_cut(value: bytes | None) -> bool:
    try:
        return value is not None and _shape(value).q >= 0
    except UNREADABLE:
        return False


async def look(reader: LogReader, prefix: str, partitions: int) -> dict[int, Looked]:
    """Look through cuts.v1 up to its end now."""
    tps = {p: (prefix + CUTS, p) for p in range(partitions)}
    starts = await reader.starts(list(tps.values()))
    ends = await reader.ends(list(tps.values()))
    looked = {p: Looked(p, starts[tp], ends[tp]) for p, tp in tps.items()}
    reader.begin(starts)
    reached = {p: starts[tp] for p, tp in tps.items()}
    while left := [p for p in reached if reached[p] < looked[p].end]:
        wanted = {p: min(reached[p] + CUTS_AT_ONCE, looked[p].end) for p in left}
        read = await reader.upto({tps[p]: end for p, end in wanted.items()})
        for p, end in wanted.items():
            looked[p].add(read[tps[p]])
            reached[p] = end
    return looked


@dataclass(frozen=True, slots=True)
class Plan:
    """The spans of one partition, in their order; none where nothing of it can be replayed.

    Attributes
    ----------
    from_start : nothing was before the first span.
    records_lost : records that the first cut names and the log no longer holds.
    unjudged : what lies between the spans.
    """

    spans: tuple[Span, ...]
    from_start: bool
    records_lost: int
    unjudged: tuple[Unjudged, ...] = ()


class Planner:
    """Chooses where to begin.

    Parameters
    ----------
    settings : Settings
    reader : LogReader
        Of cuts.v1.
    held : partition -> where the log of each input begins.
    from_checkpoint : begin at the oldest checkpoint that the log can carry on from, wherever there is one.
    version : of the engine here.
    """

    def __init__(
        self,
        settings: Settings,
        reader: LogReader,
        held: Mapping[int, tuple[int, ...]],
        *,
        from_checkpoint: bool,
        version: str,
    ) -> None:
        self._reader, self._prefix, self._held = reader, settings.kafka.topic_prefix, held
        self._from_checkpoint, self._version = from_checkpoint, version
        self._checkpoints = Checkpoints(settings.checkpoint_place, partitions=settings.stream.partitions)

    async def plan(self, looked: Looked) -> Plan:
        """Plan the replay of one partition.

        Raises
        ------
        OSError, CheckpointsDiffer
            If the checkpoints cannot be read.
        """
        first = looked.first
        if first is None:
            return Plan((), False, 0)
        spans: list[Span] = []
        unjudged: list[Unjudged] = []
        stretches = self._stretches(looked)
        checkpoint = await self._wanted_checkpoint(looked, stretches)
        for begin, at, end in stretches:
            said = None if begin is None else begin.span
            if checkpoint is not None and end <= checkpoint.position.at:
                continue  # it is begun later
            if said is not None and said.version != self._version:
                why = "another version of the engine wrote them"
                unjudged.append(Unjudged(looked.partition, at, end, said.version, why))
                continue
            found = await self._span(looked, begin, at, end, checkpoint)
            if found is None:
                version = "" if said is None else said.version
                unjudged.append(Unjudged(looked.partition, at, end, version, "neither log nor checkpoints reach back"))
            else:
                spans.append(found)
        from_start = bool(spans) and spans[0].said is not None and spans[0].at == first.at and looked.start == 0
        lost = 0
        if not (spans and spans[0].at == first.at):
            lost = sum(max(0, a - b) for a, b in zip(self._held[looked.partition], first.next, strict=False))
        others = tuple(one for one in unjudged if one.why.startswith("another") or spans)
        return Plan(tuple(spans), from_start, lost, others)

    def _stretches(self, looked: Looked) -> list[tuple[Cut | None, int, int]]:
        """Return the first cut of each stretch, if the log still holds it, with where the stretch begins and ends."""
        begins: list[tuple[Cut | None, int]] = [(cut, cut.at) for cut in looked.begins]
        if looked.first is not None and (not begins or begins[0][1] > looked.first.at):
            begins.insert(0, (None, looked.first.at))
        ends = [at for _, at in begins[1:]] + [looked.end]
        return [(cut, at, end) for (cut, at), end in zip(begins, ends, strict=True)]

    async def _wanted_checkpoint(
        self, looked: Looked, stretches: list[tuple[Cut | None, int, int]]
    ) -> Checkpoint | None:
        """Return the oldest checkpoint that fits, if it is asked for or the first stretch has no beginning."""
        cut, _, end = stretches[0]
        reachable = cut is not None and self._in_log(looked.partition, cut.next)
        if self._from_checkpoint:
            return await self._checkpoint(looked, looked.end)
        return None if reachable else await self._checkpoint(looked, end)

    async def _span(
        self, looked: Looked, begin: Cut | None, at: int, end: int, checkpoint: Checkpoint | None
    ) -> Span | None:
        p = looked.partition
        if checkpoint is not None and at <= checkpoint.position.at + 1 <= end:
            position = _ours(checkpoint.position)
            return Span(p, position.at + 1, position.epoch, end, position, checkpoint)
        if begin is None or begin.span is None:
            return None
        if begin.span.origin is not None:
            kept = await self._checkpoint(looked, end, exactly=begin)
            return None if kept is None else Span(p, begin.at + 1, begin.epoch, end, _ours(kept.position), kept)
        if not self._in_log(p, begin.next):
            return None
        first = replace(Position(), next=begin.next[: len(INPUTS)], inputs=INPUTS)
        return Span(p, begin.at, begin.epoch, end, first, said=begin.span)

    async def _checkpoint(self, looked: Looked, below: int, exactly: Cut | None = None) -> Checkpoint | None:
        """Return the oldest checkpoint of our version below an offset that fits the log, or that of a very cut."""
        usable = self._checkpoints.usable(looked.partition, below)
        oldest = None
        while (one := await asyncio.to_thread(next, usable, None)) is not None:
            if exactly is not None and (one.position.epoch, one.position.at) == (exactly.epoch, exactly.at):
                return one
            if (
                exactly is None
                and (one.version or one.position.version) == self._version
                and await self._fits(looked, one)
            ):
                oldest = one
        return oldest

    async def _fits(self, looked: Looked, checkpoint: Checkpoint) -> bool:
        position = checkpoint.position
        if position.next is None or not self._in_log(looked.partition, position.next):
            return False
        if position.at < looked.start:
            return position.at + 1 == looked.start
        tp = (self._prefix + CUTS, looked.partition)
        self._reader.begin({tp: position.at})
        records = (await self._reader.upto({tp: position.at + 1}))[tp]
        reader = CutReader(looked.partition, position.epoch)
        reader.feed(rows(records))
        return any(
            (cut.at, cut.seq, cut.T, cut.next) == (position.at, position.seq, position.T, position.next)
            for cut in reader.cuts
        )

    def _in_log(self, partition: int, begins: tuple[int, ...]) -> bool:
        held = self._held[partition]
        return len(begins) >= len(held) and all(start <= begin for start, begin in zip(held, begins, strict=False))


def _ours(position: Position) -> Position:
    """Return a position of ours without inputs that nobody reads now."""
    n = len(INPUTS)
    reached = None if position.next is None else position.next[:n]
    return replace(position, next=reached, stamp=position.stamp[:n], inputs=INPUTS)


async def stamp_of_cut(reader: LogReader, prefix: str, looked: Looked, at: int) -> int | None:
    """Return the broker's stamp of the first record of cuts.v1 at an offset or behind it; None if there is none."""
    if at >= looked.end:
        return None
    tp = (prefix + CUTS, looked.partition)
    reader.begin({tp: at})
    for end in range(at + 1, looked.end + 1):
        records = (await reader.upto({tp: end}))[tp]
        if len(records):
            return int(records.stamp_ms[0])
    return None
