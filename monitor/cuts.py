"""Cuts: what was read when, written down in `cuts.v1`, and the one rule that says which of them count.

`cuts.v1` holds three kinds of records for each partition. A *claim* (`{"claim": worker}`) is what a worker appends
before it reads anything: its offset is the epoch of that ownership. A *cut* names, for one step of one partition, how
far every input was read. An *amendment* names records of the last cut's step that raise when they are applied: the step
is decided without them. Owner, successor and verifier replay the inputs with exactly the same cuts and amendments, so
all of them see the same steps.

The first cut of a *span* also says what does not change until the next one: the version of the engine that decides, the
names of the inputs, and the state from which it goes on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from stream_schemas.reasons import UNREADABLE

NO_EPOCH = -1
"""The epoch before the first claim: no cut can carry it, so what lies before every claim is void."""

UNNAMED_INPUTS = (
    "vitals.heart-rate.v1",
    "vitals.blood-pressure.v1",
    "vitals.sleep.v1",
    "vitals.activity.v1",
    "context.weather.v1",
    "context.wearer.v1",
    "alert-commands.v1",
    "risk.scores.v1",
    "control.v1",
)
"""The inputs of cuts that name none: those of version 0.1. Never changed."""
NO_VERSION = ""
"""The engine version of cuts that name none: some 0.1."""

Record = tuple[int, int, bytes | None]
"""A record of `cuts.v1`: offset, broker stamp in epoch milliseconds, value."""
RecordName = tuple[str, int]
"""Where an input record lies in its partition: unprefixed topic, offset."""


@dataclass(frozen=True, slots=True)
class Span:
    """What the first cut of a span says of all its cuts.

    Attributes
    ----------
    version : of the engine that decides (`monitor.version`).
    inputs : unprefixed topics, in the order of the cuts' `next` and `stamp`.
    origin : the checkpoint that holds the state behind this cut; None for the empty state; "" where that state could
        not be kept, so that nobody can begin there.
    limits : with the empty state: the limits in force, those that differ from the packaged ones.
    """

    version: str
    inputs: tuple[str, ...]
    origin: str | None = None
    limits: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """One step of one partition: how far every input was read, and at which time.

    Attributes
    ----------
    partition : int
        The partition that the step belongs to.
    at : int
        Offset of this record in `cuts.v1`; it orders all steps of the partition.
    epoch : int
        Offset of the claim under which the cut was written.
    seq : int
        Number of the step, counted from 0 over all epochs; cut 0 reads nothing and names where the inputs begin. Where
        the log no longer held what an owner's state needed it began anew: with another cut 0, that voids the state
        before it.
    T : int
        The only time the step knows, epoch milliseconds, exclusive: every record stamped below it has been read.
    next : tuple of int
        Per input of the span: the offset after the last record read. The first cut that names an input reads nothing
        of it and says where it begins.
    stamp : tuple of int
        Per input: the highest stamp read so far, epoch milliseconds; 0 before the first record.
    digest : int
        Digest of all outputs of the steps of this span *before* this one.
    span : Span or None
        Of the first cut of a span.
    left_out : inputs without which T has gone on.
    cap_ms : records of this step that are stamped later count as stamped then; 0 where no stamp is capped.
    without : input records without which the step is decided, because they raise.
    without_wearers : wearers whose state raises whatever is read: it is forgotten before the step.
    """

    partition: int
    at: int
    epoch: int
    seq: int
    T: int
    next: tuple[int, ...]
    stamp: tuple[int, ...]
    digest: int
    span: Span | None = None
    left_out: tuple[str, ...] = ()
    cap_ms: int = 0
    without: tuple[RecordName, ...] = ()
    without_wearers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition's state stands: behind the cut that it names. The next cut is made from it.

    Attributes
    ----------
    at, epoch, seq, T, next, stamp : of the last cut applied, as in `Cut`; `next` is None before cut 0.
    digest : int
        Of all outputs of the span's steps up to *and including* that cut.
    inputs, version : of the span.
    """

    at: int = -1
    epoch: int = NO_EPOCH
    seq: int = -1
    T: int = 0
    next: tuple[int, ...] | None = None
    stamp: tuple[int, ...] = ()
    digest: int = 0
    inputs: tuple[str, ...] = UNNAMED_INPUTS
    version: str = NO_VERSION

    def behind(self, cut: Cut) -> "Position":
        """Return the position behind a cut that follows this one, before the outputs of its step are known."""
        moved = replace(
            self, at=cut.at, epoch=cut.epoch, seq=cut.seq, T=cut.T, next=cut.next, stamp=cut.stamp, digest=cut.digest
        )
        return moved if cut.span is None else replace(moved, inputs=cut.span.inputs, version=cut.span.version)

    def reached(self) -> dict[str, int]:
        """Return, by input, the offset after the last record read; empty before cut 0."""
        return dict(zip(self.inputs, self.next, strict=True)) if self.next is not None else {}

    def stamps(self) -> dict[str, int]:
        """Return, by input, the highest stamp read; empty before cut 0."""
        return dict(zip(self.inputs, self.stamp, strict=True)) if self.stamp else {}


class _Claim(msgspec.Struct, frozen=True):
    claim: str
    version: str


class _Written(msgspec.Struct, frozen=True, omit_defaults=True):
    """Any of the three, or none; one decoder for all, because replays read millions of them.

    Short names, because there are twenty cuts a second and partition: epoch, number, T, next, stamps, digest; version,
    inputs, origin and limits of a span; inputs left out, cap; records and wearers without which it is decided.
    """

    claim: str | None = None
    e: int = NO_EPOCH
    q: int = -1
    T: int | None = None
    n: tuple[int, ...] = ()
    s: tuple[int, ...] = ()
    d: int | None = None
    v: str | None = None
    i: tuple[str, ...] = ()
    c: str | None = None
    l: dict[str, Any] | None = None  # noqa: E741
    o: tuple[str, ...] = ()
    k: int = 0
    x: tuple[RecordName, ...] = ()
    w: tuple[str, ...] = ()


_FOREIGN = _Written()
_read = msgspec.json.Decoder(_Written).decode
_write = msgspec.json.Encoder().encode


def encode_cut(cut: Cut) -> bytes:
    """Return the value of a cut's record; `partition` and `at` are where the record stands, so they are not in it."""
    written = _Written(
        e=cut.epoch, q=cut.seq, T=cut.T, n=cut.next, s=cut.stamp, d=cut.digest, o=cut.left_out, k=cut.cap_ms
    )
    if (span := cut.span) is not None:
        limits = None if span.limits is None else dict(span.limits)
        written = msgspec.structs.replace(written, v=span.version, i=span.inputs, c=span.origin, l=limits)
    return _write(written)


def encode_claim(worker: str, version: str = NO_VERSION) -> bytes:
    """Return the value of the record by which a worker claims a partition."""
    return _write(_Claim(worker, version))


def encode_amendment(epoch: int, seq: int, records: Iterable[RecordName], wearers: Iterable[str] = ()) -> bytes:
    """Return the value of the record that says without what the last cut, number *seq*, is decided."""
    return _write(_Written(e=epoch, q=seq, x=tuple(records), w=tuple(wearers)))


GROWER = "topics-grow"
"""Who claims the partitions of a log that another one is carried over to."""


class CutReader:
    """Reads one partition of `cuts.v1` and keeps the cuts that count: those whose epoch is the last claim before them.

    A record that is none of ours, or comes under another claim, decides nothing. An amendment counts by the same rule
    and if it names the number of the last cut that counts; so whoever takes cuts out of `cuts` leaves the last one
    there until everything before the end has been read.

    Parameters
    ----------
    partition : int
        The partition that records are read from.
    epoch : int
        The claim in force before the first of them; `NO_EPOCH` when they begin at the log's start.

    Attributes
    ----------
    cuts : those that count and were not taken.
    first_claimant : who wrote the first claim that was read; empty before one was.
    """

    def __init__(self, partition: int, epoch: int = NO_EPOCH) -> None:
        self.partition, self.epoch = partition, epoch
        self.first_claimant = ""
        self.cuts: deque[Cut] = deque()

    def feed(self, records: Iterable[Record]) -> list[int]:
        """Read records in order, without a hole; return the offsets of those that count."""
        count = []
        for offset, _, value in records:
            written = _decode(value)
            if written.claim is not None:
                self.epoch, self.first_claimant = offset, self.first_claimant or written.claim
            elif written.e != self.epoch or self.epoch < 0 or written.q < 0:
                continue
            elif written.T is not None and written.d is not None and len(written.n) == len(written.s) > 0:
                self.cuts.append(self._cut(offset, written))
                count.append(offset)
            elif (written.x or written.w) and self.cuts and self.cuts[-1].seq == written.q:
                last = self.cuts[-1]
                self.cuts[-1] = replace(
                    last,
                    without=(*last.without, *written.x),
                    without_wearers=(*last.without_wearers, *written.w),
                )
                count.append(offset)
        return count

    def _cut(self, at: int, written: _Written) -> Cut:
        span = None
        if written.v is not None:
            span = Span(written.v, written.i, written.c, written.l)
        elif written.q == 0:
            span = Span(NO_VERSION, UNNAMED_INPUTS)
        return Cut(
            self.partition,
            at,
            written.e,
            written.q,
            written.T or 0,
            written.n,
            written.s,
            written.d or 0,
            span,
            written.o,
            written.k,
        )


def valid_cuts(records: Iterable[Record], partition: int, epoch: int = NO_EPOCH) -> Iterator[Cut]:
    """Yield the cuts that count of records that are all there is, amended, in the order of the log."""
    reader = CutReader(partition, epoch)
    for record in records:
        reader.feed([record])
        while len(reader.cuts) > 1:
            yield reader.cuts.popleft()
    yield from reader.cuts


def last_claim(records: Iterable[Record], epoch: int = NO_EPOCH) -> int:
    """Return the claim in force after these records; *epoch* if there is none among them."""
    for offset, _, value in records:
        if _decode(value).claim is not None:
            epoch = offset
    return epoch


def overtaken(between: Iterable[Record]) -> bool:
    """Tell whether an owner whose cut landed further on than expected has lost the partition.

    Parameters
    ----------
    between : iterable of (offset, stamp, value)
        The records from the offset that the owner expected up to the one that it got.

    Returns
    -------
    bool
        True if any of them is a claim: its offset is higher than the owner's epoch, so the owner's cut is void.
    """
    return last_claim(between) != NO_EPOCH


def _decode(value: bytes | None) -> _Written:
    if value is None:
        return _FOREIGN
    try:
        return _read(value)
    except UNREADABLE:
        return _FOREIGN
