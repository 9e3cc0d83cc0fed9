"""One owned partition: what has been fetched of its inputs and not yet cut."""

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.stream.records import NOTHING, Fetched, Records, running_stamps

LONGEST_STEP_MS = 10 * 60_000
"""A step spans at most so much of the log's time: what it reads is decided before rings come round."""
LONGEST_LOOK_S = 1.0
"""A process that was frozen has not been waiting for so long."""
_HISTORY = 4_096


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step takes of one partition.

    Attributes
    ----------
    records : per input, the records taken, as they lie in Kafka.
    next : per input, the position after them.
    stamp_ms : per input, the highest stamp read, these records included.
    cap_ms : the stamp as which later ones of these records count; 0 where there is none.
    """

    records: tuple[Records, ...]
    next: tuple[int, ...]
    stamp_ms: tuple[int, ...]
    cap_ms: int = 0


class Gap(Exception):
    """A fetch does not begin where the one before it ended."""


class Partition:
    """The inbox of a partition that is owned under one claim.

    Stamps that count are the running maximum of an input; they are computed when records come in, and again where a
    stamp turns out to be beyond the cap.

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
        self.busy = 0  # how many things wait for a cut, or an output of it, that is on its way
        self.cut_at_s = float("-inf")  # monotonic
        self.left_out: tuple[str, ...] = ()  # of its last cut
        self.size_bytes = 0
        self.unread_records = 0
        self._top_ms = list(stamp_ms)  # of all that was fetched
        self._next, self._stamp_ms = list(begin), list(stamp_ms)
        self._inbox: list[deque[_Waiting]] = [deque() for _ in self._next]
        self.reach = list(begin)  # the position after all that was fetched, at or ahead of next
        self._timed = [True] * len(self._next) if timed is None else list(timed)
        self._heard_s, self._heard_ms = [time.monotonic()], [self._newest_ms()]
        self.received_s = self._heard_s * len(self._next)  # per input, when its last records came (monotonic)
        self._capped: set[int] = set()  # inputs with stamps that count as an earlier cap
        self.answers = Answers(len(self._next))

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
            If it does not follow the fetch before it, or records were deleted in between.
        """
        if fetched.cut_off:
            raise Gap(f"{fetched.topic} was cut off before {fetched.begin} was read; it goes on at {fetched.end}")
        if fetched.begin != self.reach[source] or fetched.end < fetched.begin:
            raise Gap(f"{fetched.topic} went from {self.reach[source]} to {fetched.begin}..{fetched.end}")
        stamps = running_stamps(fetched.records.stamp_ms, self._top_ms[source], 0)
        if len(stamps):
            self._top_ms[source] = int(stamps[-1])
            self.received_s[source] = time.monotonic()
            self._hear(self.received_s[source])
        self._inbox[source].append(_Waiting(fetched, stamps))
        self.reach[source] = fetched.end
        self.size_bytes += fetched.records.size_bytes()
        self.unread_records += len(fetched.records)

    def cap(self, cap_ms: int) -> None:
        """Let stamps beyond a cap count as the cap; it is what was not cut yet that is looked at."""
        for source, timed in enumerate(self._timed):
            if not timed or (self._top_ms[source] <= cap_ms and source not in self._capped):
                continue
            top_ms, highest_ms = self._stamp_ms[source], 0
            for held in self._inbox[source]:
                if len(held.stamp_ms):
                    highest_ms = max(highest_ms, int(held.fetched.records.stamp_ms.max()))
                    held.stamp_ms = running_stamps(held.fetched.records.stamp_ms, top_ms, cap_ms)
                    top_ms = int(held.stamp_ms[-1])
            self._top_ms[source] = top_ms
            (self._capped.add if highest_ms > cap_ms else self._capped.discard)(source)

    def _hear(self, now_s: float) -> None:
        newest_ms = self._newest_ms()
        if newest_ms > self._heard_ms[-1]:
            self._heard_s.append(now_s)
            self._heard_ms.append(newest_ms)
            if len(self._heard_s) > _HISTORY:
                del self._heard_s[: _HISTORY // 2], self._heard_ms[: _HISTORY // 2]

    @property
    def waiting(self) -> bool:
        """Tell whether anything was fetched that no cut has taken."""
        return any(self._inbox)

    def take(self, limit: int, ceiling_ms: int | None = None, cap_ms: int = 0) -> Taken:
        """Take about *limit* records out of the inbox, oldest stamps of all inputs first, so that T grows evenly.

        None beyond *ceiling_ms* are taken; of an input that is not timed, all. A stamp beyond *cap_ms* counts as that.
        """
        if not self.waiting:
            return Taken((NOTHING,) * len(self._inbox), tuple(self._next), tuple(self._stamp_ms))
        if cap_ms:
            self.cap(cap_ms)
        inputs = range(len(self._inbox))
        ends_ms = [self._stamp_of(limit), ceiling_ms]
        oldest_ms = min((ms for i in inputs if self._timed[i] and (ms := self.unread_ms(i)) is not None), default=None)
        if oldest_ms is not None:
            ends_ms.append(oldest_ms + LONGEST_STEP_MS)
        until_ms = min((ms for ms in ends_ms if ms is not None), default=None)
        return self._leave(tuple(self._drain(i, until_ms if self._timed[i] else None) for i in inputs), cap_ms)

    def unread_ms(self, source: int) -> int | None:
        """Return the stamp of the first record of an input that no cut has taken; None when there is none."""
        inbox = self._inbox[source]
        return next((int(held.stamp_ms[0]) for held in inbox if len(held.stamp_ms)), None) if inbox else None

    def _leave(self, taken: tuple[Records, ...], cap_ms: int) -> Taken:
        self.unread_records -= sum(map(len, taken))
        self.size_bytes = self.size_bytes - sum(r.size_bytes() for r in taken) if self.waiting else 0
        timed = [records for records, timed in zip(taken, self._timed, strict=True) if timed and len(records)]
        capped = bool(cap_ms) and any(int(records.stamp_ms.max()) > cap_ms for records in timed)
        return Taken(taken, tuple(self._next), tuple(self._stamp_ms), cap_ms if capped else 0)

    def _stamp_of(self, limit: int) -> int | None:
        """Return the stamp up to which about *limit* records lie in the inbox; None: all of them."""
        if self.unread_records <= limit:
            return None
        timed = [inbox for inbox, timed in zip(self._inbox, self._timed, strict=True) if timed]
        stamps = np.concatenate([np.empty(0, np.int64), *(held.stamp_ms for inbox in timed for held in inbox)])
        if len(stamps) <= limit:
            return None
        return int(np.partition(stamps, limit - 1)[limit - 1])

    def _drain(self, source: int, until_ms: int | None) -> Records:
        inbox, parts = self._inbox[source], []
        if not inbox:
            return NOTHING
        while inbox:
            held = inbox[0]
            fetched, n = held.fetched, len(held.stamp_ms)
            if until_ms is not None:
                n = int(np.searchsorted(held.stamp_ms, until_ms, "right"))
            if n:
                self._stamp_ms[source] = int(held.stamp_ms[n - 1])
            if n < len(held.stamp_ms):
                if n:
                    head, rest = fetched.records.rows(0, n), fetched.records.rows(n, len(fetched.records))
                    position = int(head.offset[-1]) + 1
                    left = Fetched(fetched.topic, fetched.partition, fetched.tag, position, fetched.end, rest)
                    inbox[0] = _Waiting(left, held.stamp_ms[n:])
                    self._next[source] = position
                    parts.append(head)
                break
            inbox.popleft()
            self._next[source] = fetched.end
            parts.append(fetched.records)
        return Records.joined(parts)


@dataclass(slots=True)
class _Waiting:
    """A fetch in the inbox, with the stamps that count."""

    fetched: Fetched
    stamp_ms: NDArray[np.int64]


class Answers:
    """For how long each input of a partition has not answered while others did.

    Parameters
    ----------
    inputs : how many there are.
    """

    def __init__(self, inputs: int) -> None:
        self._last_s = [0.0] * inputs
        self._silent_s = [0.0] * inputs
        self._looked_s: float | None = None

    def look(self, last_s: Sequence[float], now_s: float) -> None:
        """Take when each input answered last (monotonic); a time in which none did, counts for none of them."""
        passed_s = 0.0 if self._looked_s is None else min(now_s - self._looked_s, LONGEST_LOOK_S)
        self._looked_s = now_s
        news = [last > before for last, before in zip(last_s, self._last_s, strict=True)]
        for i, answered in enumerate(news):
            if answered:
                self._silent_s[i] = 0.0
            elif any(news):
                self._silent_s[i] += passed_s
        self._last_s = list(last_s)

    def silent(self, limit_s: float) -> list[bool]:
        """Tell of each input whether it has been silent for longer than the limit."""
        return [silent_s > limit_s for silent_s in self._silent_s]
