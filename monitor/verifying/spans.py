"""Where the replay of each partition begins and ends: cuts.v1 is looked through once, before anything is replayed.

A cut 0 begins a partition with nothing known. The first one is the log's start; a later one means that somebody had to
begin anew. Each cut 0, and a checkpoint, begins a span that ends before the next cut 0.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from monitor.cuts import NO_EPOCH, Cut, Position, last_claim, valid_cuts
from monitor.saved import Saved
from monitor.settings import Settings
from monitor.stream.beginnings import CUTS_AT_ONCE
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from stream_schemas.topics import CUTS


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one partition's cuts that is replayed in one go.

    Attributes
    ----------
    at, epoch : the cuts from offset `at` on count from here, under this claim at first; up to offset `end`, exclusive.
    begin : the position behind which the replay stands at first: of a checkpoint, or before cut 0 with its `next`.
    saved : the state of the checkpoint.
    """

    partition: int
    at: int
    epoch: int
    end: int
    begin: Position
    saved: Saved | None = None


@dataclass(slots=True)
class Looked:
    """What cuts.v1 holds of one partition, from its start to its end when it was asked for."""

    partition: int
    start: int
    end: int
    epoch: int = NO_EPOCH
    first: Cut | None = None
    last: Cut | None = None
    zeros: list[Cut] = field(default_factory=list)
    cuts: int = 0
    void_cuts: int = 0
    claims: int = 0
    foreign: int = 0

    def add(self, records: Records) -> None:
        """Count some more records."""
        rows = list(zip(records.offset.tolist(), records.stamp_ms.tolist(), records.value, strict=True))
        valid = list(valid_cuts(rows, self.partition, self.epoch))
        self.epoch = last_claim(rows, self.epoch)
        self.cuts += len(valid)
        if valid:
            self.first, self.last = self.first or valid[0], valid[-1]
            self.zeros += [cut for cut in valid if cut.seq == 0]
        counted = {cut.at for cut in valid}
        for offset, stamp, value in rows:
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
    except (msgspec.DecodeError, UnicodeDecodeError):
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
    """

    spans: tuple[Span, ...]
    from_start: bool
    records_lost: int


class Planner:
    """Chooses where to begin.

    Parameters
    ----------
    settings : Settings
    reader : LogReader
        Of cuts.v1.
    held : partition -> where the log of each input begins.
    from_checkpoint : begin at the oldest checkpoint that the log can carry on from, wherever there is one.
    """

    def __init__(
        self, settings: Settings, reader: LogReader, held: Mapping[int, tuple[int, ...]], *, from_checkpoint: bool
    ) -> None:
        self._reader, self._prefix, self._held = reader, settings.kafka.topic_prefix, held
        self._from_checkpoint = from_checkpoint
        self._checkpoints = Checkpoints(settings.checkpoint_place, partitions=settings.stream.partitions)

    async def plan(self, looked: Looked) -> Plan:
        """Plan the replay of one partition.

        Raises
        ------
        OSError, CheckpointsDiffer
            If the checkpoints cannot be read.
        """
        zeros = [cut for cut in looked.zeros if self._in_log(looked.partition, cut.next)]
        from_start = bool(zeros) and zeros[0] is looked.first and looked.start == 0
        first = looked.first
        lost = 0
        if first is not None and (not zeros or zeros[0] is not first):
            lost = sum(max(0, a - b) for a, b in zip(self._held[looked.partition], first.next, strict=True))
        checkpoint = None
        if first is not None and (self._from_checkpoint or not from_start):
            checkpoint = await self._checkpoint(looked, zeros)
        if checkpoint is not None:
            return Plan(tuple(_spans(looked, looked.zeros, checkpoint)), False, lost)
        return Plan(tuple(_spans(looked, zeros)), from_start, lost)

    async def _checkpoint(self, looked: Looked, zeros: list[Cut]) -> Checkpoint | None:
        """Return the oldest checkpoint that fits the log; only one before the first cut 0, unless they are wanted."""
        below = looked.end if self._from_checkpoint or not zeros else zeros[0].at
        usable = self._checkpoints.usable(looked.partition, below)
        oldest = None
        while (one := await asyncio.to_thread(next, usable, None)) is not None:
            if await self._fits(looked, one):
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
        rows = zip(records.offset.tolist(), records.stamp_ms.tolist(), records.value, strict=True)
        return any(
            (cut.at, cut.seq, cut.T, cut.next) == (position.at, position.seq, position.T, position.next)
            for cut in valid_cuts(rows, looked.partition, position.epoch)
        )

    def _in_log(self, partition: int, begins: tuple[int, ...]) -> bool:
        held = self._held[partition]
        return len(begins) == len(held) and all(start <= begin for start, begin in zip(held, begins, strict=True))


def _spans(looked: Looked, zeros: list[Cut], checkpoint: Checkpoint | None = None) -> Iterator[Span]:
    p, at = looked.partition, -1
    if checkpoint is not None:
        at = checkpoint.position.at
        zeros = [cut for cut in zeros if cut.at > at]
        end = zeros[0].at if zeros else looked.end
        yield Span(p, at + 1, checkpoint.position.epoch, end, checkpoint.position, checkpoint.engine)
    for i, cut in enumerate(zeros):
        end = zeros[i + 1].at if i + 1 < len(zeros) else looked.end
        yield Span(p, cut.at, cut.epoch, end, replace(Position(), next=cut.next))


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
