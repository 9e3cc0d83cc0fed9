"""What the next cut of each partition says: how far to read, and T.

Records are read ahead of T where an input lags: T waits for it, and the engine keeps what was read until T has passed
it. So reading ahead is limited in the log's time, on both clocks. The limit gives way in one case: when the inboxes
are full and the input that holds T still brings nothing, for what it waits for may lie behind what is not taken (Kafka
hands out fetches, not inputs). Then more is read; that takes a broker which serves one input and not another.

An input that has not answered for long while others of its partition did is left out: T goes on without it.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faust.types import TP

from monitor.cuts import Cut
from monitor.settings import StreamSettings
from monitor.stream.broker_clock import BrokerClocks
from monitor.stream.core import Core
from monitor.stream.partition import Partition, Taken
from monitor.stream.transport import Consumer, End
from monitor.stream.watermark import Mark, complete_ms, watermark

STEP_RECORDS = 4_000
"""A step takes about so many records at most: the loop is blocked while the engine runs (4,000 take 80 ms)."""

READ_AHEAD_MS = 20 * 60_000
"""So much of the log's time is read beyond what the slowest input is complete up to."""

CROWDED_BYTES = 32 * 1024 * 1024
"""With so much in the inboxes reading ahead has no limit."""

QUIET_S = 1.0
"""On the log clock: an input that had records more lately may be at its end only because its writer is behind."""

WRITERS_APART_S = 0.25
"""On the log clock: how much later a record of a quiet input may reach the broker than younger ones of the others."""


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
    clocks : BrokerClocks

    Attributes
    ----------
    timed : per input, whether its stamps are the time of the partition's clock.
    held : whether records wait that may not be read yet, because an input lags.
    holds : per partition, the input that held T at the last look.
    """

    def __init__(self, stream: StreamSettings, topic_prefix: str, core: Core, clocks: BrokerClocks) -> None:
        self._stream, self._prefix, self._core, self._clocks = stream, topic_prefix, core, clocks
        self._log_clock = stream.clock == "log"
        self.timed = [not self._log_clock or topic.startswith(("vitals.", "context.")) for topic in core.inputs]
        self._known_tps: dict[int, list[TP]] = {}
        self.held = False
        self.holds: dict[int, str] = {}

    def plan(self, parts: Iterable[Partition], feed: Consumer) -> list[Work]:
        """Take what waits; a partition without anything is cut too, from time to time, or T would stand still."""
        now, idle_s = time.monotonic(), self._stream.idle_cut_ms / 1000
        parts = list(parts)
        limit = STEP_RECORDS // max(1, sum(part.waiting for part in parts))
        crowded = sum(part.size_bytes for part in parts) > CROWDED_BYTES
        self.held = False
        cap_ms = 0 if self._log_clock else self._clocks.cap_ms()
        work = []
        for part in parts:
            idle = now - part.cut_at_s >= idle_s
            if not part.waiting and not idle:
                continue
            ends = [feed.end(tp) for tp in self._tps(part.number)]
            out = self._left_out(part, ends, now)
            ceiling_ms = None
            if part.waiting and not crowded:
                ceiling_ms = self._ceiling_ms(part, self._empty_until(part, ends, feed), out)
            taken = part.take(limit, ceiling_ms, cap_ms)
            cut = self._cut(part, taken, self._empty_until(part, ends, feed, taken.next), out, cap_ms)
            before = self._core.position(part.number)
            moves = cut.next != before.next
            self.held = self.held or (part.waiting and not moves)
            # A live partition's time passes; a log's only when an input turned out to be at its end.
            if moves or cut.T > before.T or (idle and not self._log_clock):
                part.cut_at_s, part.left_out = now, cut.left_out
                work.append(Work(part, cut, taken))
        return work

    def _left_out(self, part: Partition, ends: Sequence[End | None], now: float) -> list[bool]:
        """Tell which inputs T goes on without."""
        last_s = [
            max(part.received_s[i], end.sent_s) if end is not None else part.received_s[i] for i, end in enumerate(ends)
        ]
        part.answers.look(last_s, now)
        silent = part.answers.silent(self._stream.idle_limit_s)
        return [
            some and timed and part.unread_ms(i) is None
            for i, (some, timed) in enumerate(zip(silent, self.timed, strict=True))
        ]

    def _tps(self, partition: int) -> list[TP]:
        if partition not in self._known_tps:
            self._known_tps[partition] = [TP(self._prefix + topic, partition) for topic in self._core.inputs]
        return self._known_tps[partition]

    def _cut(
        self, part: Partition, taken: Taken, empty_ms: Sequence[int | None], out: Sequence[bool], cap_ms: int
    ) -> Cut:
        position = self._core.position(part.number)
        marks = []
        for i, last_ms in enumerate(taken.stamp_ms):
            unread_ms = part.unread_ms(i)
            # An input with unread records is complete up to the stamp of the first of them.
            known_ms = last_ms if unread_ms is None else max(last_ms, unread_ms)
            empty = empty_ms[i]
            marks.append(Mark(known_ms, empty is not None, empty or 0, self.timed[i] and not out[i]))
        counted = [(complete_ms(mark), i) for i, mark in enumerate(marks) if mark.tells_time]
        if counted:
            self.holds[part.number] = self._core.inputs[min(counted)[1]]
        T = watermark(position.T, marks)
        return Cut(
            partition=part.number,
            at=part.expected,
            epoch=part.epoch,
            seq=position.seq + 1,
            T=max(position.T, min(T, cap_ms)) if cap_ms else T,
            next=(*taken.next, *(position.next or ())[len(taken.next) :]),
            stamp=(*taken.stamp_ms, *position.stamp[len(taken.stamp_ms) :]),
            digest=position.digest,
            left_out=tuple(topic for topic, some in zip(self._core.inputs, out, strict=True) if some),
            cap_ms=taken.cap_ms,
        )

    def _ceiling_ms(self, part: Partition, empty_ms: Sequence[int | None], out: Sequence[bool]) -> int | None:
        """Return the stamp up to which may be read: what the inputs that have nothing to read are complete up to."""
        position = self._core.position(part.number)
        complete = [
            max(position.stamp[i], empty or 0)
            for i, empty in enumerate(empty_ms)
            if self.timed[i] and not out[i] and part.unread_ms(i) is None
        ]
        return max(position.T, min(complete)) + READ_AHEAD_MS if complete else None

    def _empty_until(
        self, part: Partition, ends: Sequence[End | None], feed: Consumer, reach: Sequence[int] | None = None
    ) -> list[int | None]:
        """Return, per input, the time as of which it had nothing beyond a position; None where it may have more."""
        reach = self._core.position(part.number).next or () if reach is None else reach
        return [self._empty_until_ms(part, i, reach[i], end, feed) for i, end in enumerate(ends)]

    def _empty_until_ms(
        self, part: Partition, source: int, position: int, end: End | None, feed: Consumer
    ) -> int | None:
        if end is None or end.offset > position:
            return None
        if not self._log_clock:
            leader, copies = feed.leader(self._tps(part.number)[source])
            return end.broker_ms - self._clocks.slack_ms(leader, copies)
        if end.sent_s - part.received_s[source] < QUIET_S:
            return None
        return part.heard_ms(end.sent_s - WRITERS_APART_S)
