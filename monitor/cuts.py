"""Cuts: what was read when, written down in `cuts.v1`, and the one rule that says which of them count.

`cuts.v1` holds two kinds of records for each partition. A *claim* (`{"claim": worker}`) is what a worker appends
before it reads anything: its offset is the epoch of that ownership. A *cut* names, for one step of one partition, how
far every input was read. Owner, successor and verifier replay the inputs with exactly the same cuts, so all of them see
the same steps.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

NO_EPOCH = -1
"""The epoch before the first claim: no cut can carry it, so what lies before every claim is void."""

Record = tuple[int, int, bytes | None]
"""A record of `cuts.v1`: offset, broker stamp in epoch milliseconds, value."""


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
        Per input, in the order of `INPUTS`: the offset after the last record read.
    stamp : tuple of int
        Per input: the highest stamp read so far, epoch milliseconds; 0 before the first record.
    digest : int
        Digest of all outputs of the steps *before* this one.
    """

    partition: int
    at: int
    epoch: int
    seq: int
    T: int
    next: tuple[int, ...]
    stamp: tuple[int, ...]
    digest: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition's state stands: behind the cut that it names. The next cut is made from it.

    Attributes
    ----------
    at, epoch, seq, T, next, stamp : of the last cut applied, as in `Cut`; `next` is None before cut 0.
    digest : int
        Of all outputs of the steps up to *and including* that cut.
    """

    at: int = -1
    epoch: int = NO_EPOCH
    seq: int = -1
    T: int = 0
    next: tuple[int, ...] | None = None
    stamp: tuple[int, ...] = ()
    digest: int = 0


class _Cut(msgspec.Struct, frozen=True):
    """A cut as it is written: short names, because there are twenty of them a second and partition."""

    e: int
    q: int
    T: int
    n: tuple[int, ...]
    s: tuple[int, ...]
    d: int


class _Claim(msgspec.Struct, frozen=True):
    claim: str


class _Written(msgspec.Struct, frozen=True):
    """Either of the two, or neither; one decoder for both, because replays read millions of them."""

    claim: str | None = None
    e: int = NO_EPOCH
    q: int = -1
    T: int = 0
    n: tuple[int, ...] = ()
    s: tuple[int, ...] = ()
    d: int = 0


_FOREIGN = _Written()
_read = msgspec.json.Decoder(_Written).decode
_write = msgspec.json.Encoder().encode


def encode_cut(cut: Cut) -> bytes:
    """Return the value of a cut's record; `partition` and `at` are where the record stands, so they are not in it."""
    return _write(_Cut(e=cut.epoch, q=cut.seq, T=cut.T, n=cut.next, s=cut.stamp, d=cut.digest))


def encode_claim(worker: str) -> bytes:
    """Return the value of the record by which a worker claims a partition."""
    return _write(_Claim(claim=worker))


def valid_cuts(records: Iterable[Record], partition: int, epoch: int = NO_EPOCH) -> Iterator[Cut]:
    """Yield the cuts that count: those whose epoch is the last claim before them.

    Parameters
    ----------
    records : iterable of (offset, stamp, value)
        Records of one partition of `cuts.v1`, in order, without a hole.
    partition : int
        The partition that they were read from.
    epoch : int
        The claim in force before the first of the records; `NO_EPOCH` when they begin at the log's start.

    Yields
    ------
    Cut
        In the order of the log. A record that is neither claim nor cut is not ours and decides nothing.
    """
    for offset, _, value in records:
        written = _decode(value)
        if written.claim is not None:
            epoch = offset
        elif written.e == epoch >= 0 and written.q >= 0 and len(written.n) == len(written.s) > 0:
            yield Cut(partition, offset, written.e, written.q, written.T, written.n, written.s, written.d)


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
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _FOREIGN
