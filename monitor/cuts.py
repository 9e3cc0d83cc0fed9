"""Cuts: what was read when, written down in `cuts.v1`, and the one rule that says which of them count.

`cuts.v1` holds two kinds of records for each partition. A *claim* (`{"claim": worker}`) is what a worker appends before it
reads anything: its offset is the epoch of that ownership. A *cut* names, for one step of one partition, how far every input
was read. Owner, successor and verifier replay the inputs with exactly the same cuts, so all of them see the same steps.
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
        Number of the step, counted from 0 over all epochs; cut 0 reads nothing and names where the inputs begin.
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


_read_cut = msgspec.json.Decoder(_Cut).decode
_read_claim = msgspec.json.Decoder(_Claim).decode
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
        if is_claim(value):
            epoch = offset
        elif (cut := _decode(value)) is not None and cut.e == epoch:
            yield Cut(partition, offset, cut.e, cut.q, cut.T, cut.n, cut.s, cut.d)


def is_claim(value: bytes | None) -> bool:
    """Tell whether a record of `cuts.v1` is a claim."""
    if value is None:
        return False
    try:
        _read_claim(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


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
    return any(is_claim(value) for _, _, value in between)


def _decode(value: bytes | None) -> _Cut | None:
    if value is None:
        return None
    try:
        cut = _read_cut(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return cut if len(cut.n) == len(cut.s) else None
