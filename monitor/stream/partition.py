"""One owned partition: what has been fetched of its inputs and not yet cut."""

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.stream.records import NOTHING, Fetched, Records

LONGEST_STEP_MS = 10 * 60_000
"""A step spans at most so much of the log's time: what it reads is decided before rings come round."""
_HISTORY = 4_096


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step takes of one partition.

    Attributes
    ----------
    records : per input, the records taken.
    next : per input, the position after them.
    stamp_ms : per input, the highest stamp read, these records included.
    """

    records: tuple[Records, ...]
    next: tuple[int, ...]
    stamp_ms: tuple[int, ...]


class Gap(Exception):
    """A fetch does not begin where the one before it ended."""


class Partition:
    """The inbox of a partition that is owned under one claim.

    Parameters
    ----------
    number : int
        The partition.
    epoch : int
        Offset of the claim.
    expected : int
        Offset at which the next cut must land, unless somebody else writes.
    tag : int
        Tag of the seek from which the inputs are read.
    begin, stamp_ms : sequences of int
        Per input, where the engine's state stands.
    timed : sequence of bool, optional
        Per input, whether its stamps are the time that steps go by; all by default.
    """

    def __init__(
        self,
        number: int,
        epoch: int,
        expected: int,
        tag: int,
        begin: Sequence[int],
        stamp_ms: Sequence[int],
        timed: Sequence[bool] | None = None,
    ) -> None:
        self.number, self.epoch, self.expected, self.tag = number, epoch, expected, tag
        self.lost = False
        self.cut_at_s = float("-inf")  # monotonic
        self.size_bytes = 0
        self.unread_records = 0
        self._top_ms = list(stamp_ms)  # of all that was fetched
        self._next, self._stamp_ms = list(begin), list(stamp_ms)
        self._inbox: list[deque[Fetched]] = [deque() for _ in self._next]
        self.reach = list(begin)  # the position after all that was fetched, at or ahead of next
        self._timed = [True] * len(self._next) if timed is None else list(timed)
        self._heard_s, self._heard_ms = [time.monotonic()], [self._newest_ms()]
        self.received_s = self._heard_s * len(self._next)  # per input, when its last records came (monotonic)

    def heard_ms(self, before_s: float) -> int:
        """Return the newest log time that had been fetched at a monotonic time; 0 where that is not known any more."""
        i = bisect_right(self._heard_s, before_s)
        return self._heard_ms[i - 1] if i else 0

    def _newest_ms(self) -> int:
        return max((ms for ms, timed in zip(self._top_ms, self._timed, strict=True) if timed), default=0)

    def receive(self, source: int, fetched: Fetched) -> None:
        """Put a fetch of input *source* into the inbox.

        Raises
        ------
        Gap
            If it does not follow the fetch before it.
        """
        if fetched.begin != self.reach[source] or fetched.end < fetched.begin:
            raise Gap(f"{fetched.topic} went from {self.reach[source]} to {fetched.begin}..{fetched.end}")
        if len(fetched.records):
            fetched = self._in_order(source, fetched)
            self.received_s[source] = time.monotonic()
            self._hear(self.received_s[source])
        self._inbox[source].append(fetched)
        self.reach[source] = fetched.end
        self.size_bytes += fetched.records.size_bytes()
        self.unread_records += len(fetched.records)

    def _in_order(self, source: int, fetched: Fetched) -> Fetched:
        """Let stamps never go back: the running maximum of the input counts, as everywhere."""
        stamps = np.maximum.accumulate(np.maximum(fetched.records.stamp_ms, self._top_ms[source]))
        self._top_ms[source] = int(stamps[-1])
        return replace(fetched, records=replace(fetched.records, stamp_ms=stamps))

    def _hear(self, now_s: float) -> None:
        newest_ms = self._newest_ms()
        if newest_ms > self._heard_ms[-1]:
            self._heard_s.append(now_s)
            self._heard_ms.append(newest_ms)
            if len(self._heard_s) > _HISTORY:
                del self._heard_s[: _HISTORY // 2], self._heard_ms[: _HISTORY // 2]

    def holes(self) -> dict[int, int]:
        """Return, per input that was fetched with a hole, the position at which the fetch began."""
        return {i: f.begin for i, inbox in enumerate(self._inbox) for f in reversed(inbox) if f.hole}

    @property
    def waiting(self) -> bool:
        """Tell whether anything was fetched that no cut has taken."""
        return any(self._inbox)

    def take(self, limit: int, ceiling_ms: int | None = None) -> Taken:
        """Take about *limit* records out of the inbox, oldest stamps of all inputs first, so that T grows evenly.

        None beyond *ceiling_ms* are taken; of an input that is not timed, all.
        """
        if not self.waiting:
            return Taken((NOTHING,) * len(self._inbox), tuple(self._next), tuple(self._stamp_ms))
        inputs = range(len(self._inbox))
        ends_ms = [self._stamp_of(limit), ceiling_ms]
        oldest_ms = min((ms for i in inputs if self._timed[i] and (ms := self.unread_ms(i)) is not None), default=None)
        if oldest_ms is not None:
            ends_ms.append(oldest_ms + LONGEST_STEP_MS)
        until_ms = min((ms for ms in ends_ms if ms is not None), default=None)
        return self._leave(tuple(self._drain(i, until_ms if self._timed[i] else None) for i in inputs))

    def unread_ms(self, source: int) -> int | None:
        """Return the stamp of the first record of an input that no cut has taken; None when there is none."""
        inbox = self._inbox[source]
        return next((int(f.records.stamp_ms[0]) for f in inbox if len(f.records)), None) if inbox else None

    def _leave(self, taken: tuple[Records, ...]) -> Taken:
        self.unread_records -= sum(map(len, taken))
        self.size_bytes = self.size_bytes - sum(r.size_bytes() for r in taken) if self.waiting else 0
        return Taken(taken, tuple(self._next), tuple(self._stamp_ms))

    def _stamp_of(self, limit: int) -> int | None:
        """Return the stamp up to which about *limit* records lie in the inbox; None: all of them."""
        if self.unread_records <= limit:
            return None
        timed = [inbox for inbox, timed in zip(self._inbox, self._timed, strict=True) if timed]
        stamps = np.concatenate([np.empty(0, np.int64), *(f.records.stamp_ms for inbox in timed for f in inbox)])
        if len(stamps) <= limit:
            return None
        return int(np.partition(stamps, limit - 1)[limit - 1])

    def _drain(self, source: int, until_ms: int | None) -> Records:
        inbox, parts = self._inbox[source], []
        if not inbox:
            return NOTHING
        while inbox:
            fetched = inbox[0]
            n = len(fetched.records)
            if until_ms is not None:
                n = int(np.searchsorted(fetched.records.stamp_ms, until_ms, "right"))
            if n < len(fetched.records):
                if n:
                    head, rest = fetched.records.rows(0, n), fetched.records.rows(n, len(fetched.records))
                    position = int(head.offset[-1]) + 1
                    inbox[0] = Fetched(fetched.topic, fetched.partition, fetched.tag, position, fetched.end, rest)
                    self._next[source] = position
                    parts.append(head)
                break
            inbox.popleft()
            self._next[source] = fetched.end
            parts.append(fetched.records)
        taken = Records.joined(parts)
        if len(taken):
            self._stamp_ms[source] = int(taken.stamp_ms[-1])
        return taken
