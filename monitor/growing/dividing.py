"""The state of an old partition as the state of each new one: the wearers that belong there, and what all share."""

from dataclasses import replace

from monitor.alerting.limits import changed
from monitor.cuts import Cut, Position, Span
from monitor.growing.copying import Copier
from monitor.growing.request import Request
from monitor.stream.core import Core
from monitor.stream.worker import engine_of
from monitor.version import engine_version
from monitor.wearers.checkpoint import Checkpoint
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import INPUTS


class Divider:
    """Makes the states of new partitions.

    Parameters
    ----------
    request : Request
    copier : Copier
        Has copied what a state speaks of before it is divided.

    Attributes
    ----------
    wearers : how many there are in the states that were made.
    """

    def __init__(self, request: Request, copier: Copier) -> None:
        self._request, self._copier = request, copier
        self._engine = engine_of(request.new)
        self._core = Core(self._engine, INPUTS, journal=_ignore, control=_ignore)
        self._limits = changed(request.new.limits)
        self.wearers = 0

    def first_cut(self, partition: int, before: Position, epoch: int) -> Cut:
        """Return the cut with which a new partition begins: it reads nothing, and says where the rest is read from."""
        reached, stamps = before.reached(), before.stamps()
        at = epoch + 1
        return Cut(
            partition=partition,
            at=at,
            epoch=epoch,
            seq=before.seq + 1,
            T=before.T,
            next=tuple(self._copier.before(topic, partition, reached[topic]) for topic in INPUTS),
            stamp=tuple(stamps.get(topic, 0) for topic in INPUTS),
            digest=0,
            span=Span(engine_version(), INPUTS, f"{epoch:012d}-{at:012d}"),
        )

    def divide(self, whole: Checkpoint, cut: Cut) -> Checkpoint:
        """Return the state of a new partition behind its first cut, of that of its old one.

        What was counted of the old partition stays with the first new one, so that sums stay what they are.
        """
        q, n = cut.partition, self._request.new.stream.partitions
        self._core.load(replace(whole, partition=q))
        if q != whole.partition:
            self._core.read[q].clear()
            self._core.refused[q].clear()
        others = [one for one in self._engine.wearers(q) if murmur2_partition(one.encode(), n) != q]
        self._engine.forget(q, others)
        self._engine.rename(q, lambda topic, offset: self._copier.offsets(topic, q, offset))
        self._core.hand_over(cut, [], self._engine.open_alerts(q), [], self._limits)
        self.wearers += len(self._engine.wearers(q))
        made = self._core.save(q)
        self._core.drop(q)
        return made


def _ignore(_: object) -> None:
    return
