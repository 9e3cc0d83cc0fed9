"""What the next cut of each partition says: how far to read, and T."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from faust.types import TP

from monitor.cuts import Cut
from monitor.settings import StreamSettings
from monitor.stream.core import Core
from monitor.stream.partition import Partition, Taken
from monitor.stream.transport import Consumer
from monitor.stream.watermark import Mark, broker_time, log_time

STEP_RECORDS = 4_000
"""A step takes about so many records at most: the loop is blocked while the engine runs (4,000 take 80 ms)."""


@dataclass(frozen=True, slots=True)
class Work:
    """One partition of a step: its cut, and the records between it and the cut before."""

    part: Partition
    cut: Cut
    taken: Taken


class Planner:
    """Plans steps.

    Parameters
    ----------
    stream : StreamSettings
    topic_prefix : str
    core : Core
    """

    def __init__(self, stream: StreamSettings, topic_prefix: str, core: Core) -> None:
        self._stream, self._prefix, self._core = stream, topic_prefix, core
        self._tells_time = [topic.startswith(("vitals.", "context.")) for topic in core.inputs]

    def plan(self, parts: Iterable[Partition], feed: Consumer) -> list[Work]:
        """Take what waits; a partition without anything is cut too, from time to time, or T would stand still."""
        now, idle_s = time.monotonic(), self._stream.idle_cut_ms / 1000
        due = [
            part for part in parts if part.waiting or (now - part.cut_at_s >= idle_s and self._time_passes(part, feed))
        ]
        limit = STEP_RECORDS // max(1, sum(part.waiting for part in due))
        work = []
        for part in due:
            part.cut_at_s = now
            taken = part.take(limit)
            work.append(Work(part, self._cut(part, taken, feed), taken))
        return work

    def _time_passes(self, part: Partition, feed: Consumer) -> bool:
        """A live partition's time does; a log's only when an input turned out to be at its end."""
        if self._stream.clock == "broker":
            return True
        return self._cut(part, part.take(0), feed).T > self._core.position(part.number).T

    def _cut(self, part: Partition, taken: Taken, feed: Consumer) -> Cut:
        position = self._core.position(part.number)
        time_of = broker_time if self._stream.clock == "broker" else log_time
        return Cut(
            partition=part.number,
            at=part.expected,
            epoch=part.epoch,
            seq=position.seq + 1,
            T=time_of(position.T, self._marks(part, taken, feed)),
            next=taken.next,
            stamp=taken.stamp_ms,
            digest=position.digest,
        )

    def _marks(self, part: Partition, taken: Taken, feed: Consumer) -> list[Mark]:
        """What is known of each input; one with unread records is complete up to the stamp of the first of them."""
        marks = []
        for i, (position, last_ms) in enumerate(zip(taken.next, taken.stamp_ms, strict=True)):
            end = feed.end(TP(self._prefix + self._core.inputs[i], part.number))
            unread_ms = part.unread_ms(i)
            at_end = end is not None and end[0] <= position
            known_ms = last_ms if unread_ms is None else max(last_ms, unread_ms)
            marks.append(Mark(known_ms, at_end, end[1] if end is not None else 0, self._tells_time[i]))
        return marks
