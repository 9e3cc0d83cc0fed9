"""The cuts of one partition up to a claim, a few at a time; and what a first look through them says."""

from collections.abc import Iterator

from monitor.cuts import Cut, CutReader, Span
from monitor.stream.records import Records

CUTS_AT_ONCE = 2_000


class CutQueue(CutReader):
    """The cuts that count, from a start to the claim before which they lie.

    Parameters
    ----------
    partition : int
    begin, epoch : where to begin to read, and the claim in force there.
    claim : the offset at which to end.
    """

    def __init__(self, partition: int, begin: int, epoch: int, claim: int) -> None:
        super().__init__(partition, epoch)
        self.position, self.claim = begin, claim

    @property
    def wanted(self) -> int:
        """The position up to which to read next."""
        return min(self.position + CUTS_AT_ONCE, self.claim)

    @property
    def hungry(self) -> bool:
        """Whether more cuts are to be read now."""
        return len(self.cuts) < CUTS_AT_ONCE and self.position < self.claim

    @property
    def ready(self) -> int:
        """How many cuts may be taken: what comes behind the last one may still amend it."""
        return len(self.cuts) if self.position >= self.claim else max(0, len(self.cuts) - 1)

    @property
    def exhausted(self) -> bool:
        """Whether the last cut below the claim was taken."""
        return not self.cuts and self.position >= self.claim

    def add(self, records: Records, upto: int) -> None:
        """Take the records up to a position in."""
        self.feed(rows(records))
        self.position = upto

    def take(self) -> Cut:
        """Take the first cut out; it must be ready."""
        return self.cuts.popleft()

    def close(self) -> None:
        """Take no more."""
        self.cuts.clear()
        self.position = self.claim


class Scan(CutQueue):
    """Looks for the last cut 0; keeps the cuts from there on while they are few: no second reading.

    Attributes
    ----------
    zero : the last cut 0. first, last : the first and the last cut. count : how many cuts there are.
    named : per input that a span behind the beginning names, the offset at which its first cut begins.
    spans : the first cuts of spans, in order.
    """

    def __init__(self, partition: int, begin: int, epoch: int, claim: int) -> None:
        super().__init__(partition, begin, epoch, claim)
        self.begin, self.begin_epoch = begin, epoch
        self.zero: Cut | None = None
        self.first: Cut | None = None
        self.last: Cut | None = None
        self.count = 0
        self.spans: list[tuple[Cut, Span]] = []
        self._overflown = False
        self._seen = -1

    def add(self, records: Records, upto: int) -> None:
        """Take the records up to a position in."""
        super().add(records, upto)
        for cut in self.cuts:
            if cut.at > self._seen:
                self._look(cut)
        if self.zero is not None:
            while self.cuts and self.cuts[0].at < self.zero.at:
                self.cuts.popleft()
        if len(self.cuts) > CUTS_AT_ONCE:
            self._overflown = True
        if self._overflown:
            while len(self.cuts) > 1:  # the last one may be amended
                self.cuts.popleft()

    def _look(self, cut: Cut) -> None:
        self.count += 1
        self.first, self.last, self._seen = self.first or cut, cut, cut.at
        if cut.seq == 0:
            self.zero, self.begin, self.begin_epoch = cut, cut.at, cut.epoch
            self.spans.clear()
            self._overflown = False
        if cut.span is not None:
            self.spans.append((cut, cut.span))

    @property
    def carried_over(self) -> bool:
        """Whether the first cut goes on from the state of another log."""
        return self.first is not None and self.first.seq > 0 and self.first.span is not None

    def found(self) -> CutQueue:
        """Return what is to be replayed."""
        return CutQueue(self.partition, self.begin, self.begin_epoch, self.claim) if self._overflown else self


def rows(records: Records) -> Iterator[tuple[int, int, bytes | None]]:
    """Return offset, stamp and value of each record."""
    return zip(records.offset.tolist(), records.stamp_ms.tolist(), records.value, strict=True)
