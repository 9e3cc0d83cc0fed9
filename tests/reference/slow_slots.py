"""The slow, obvious twin of a wearer's slots: samples by second and minutes, in dictionaries, one envelope a call."""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

RING_MIN = 15
DAY_MIN = 1440
LATE_LIVES_MS = 2 * 3_600_000
BITS = {"out_of_range": 1, "outlier": 2, "unverified": 4, "exercise": 8, "asleep": 16, "awake": 32, "rest": 64}
SAID = {
    "at_rest": {"awake", "rest"},
    "active": {"awake"},
    "exercise": {"awake", "exercise"},
    "asleep": {"asleep", "rest"},
}
Sample = tuple[int, int]
"""Epoch second and bpm; or epoch minute and steps."""


@dataclass
class SlowMinute:
    """A minute as the rules see it; count 0 = no heart rate."""

    median: int = 0
    low: int = 0
    high: int = 0
    count: int = 0
    marks: set[str] = field(default_factory=set)
    irregular_pct: int | None = None
    steps: int | None = None
    stage: int = 0

    def rate(self) -> tuple[int, int, int, int]:
        return self.count, self.median, self.low, self.high

    def put(self, seconds: dict[int, int]) -> None:
        """Make this the summary of raw seconds: what was marked of the rate before is forgotten."""
        valid = sorted(bpm for bpm in seconds.values() if 20 <= bpm <= 240)
        self.marks -= {"out_of_range", "outlier", "unverified"}
        if len(valid) < len(seconds):
            self.marks.add("out_of_range")
        if valid and valid[0] < 25:
            self.marks.add("unverified")
        self.count = len(valid)
        self.median = valid[(len(valid) - 1) // 2] if valid else 0
        self.low, self.high = (valid[0], valid[-1]) if valid else (0, 0)

    def as_bytes(self) -> bytes:
        """Return the eight bytes of a minute, as docs/state.md lists them."""
        marks = sum(BITS[mark] for mark in self.marks)
        irregular = 0 if self.irregular_pct is None else self.irregular_pct + 1
        steps = 0 if self.steps is None else self.steps + 1
        return bytes([self.median, self.low, self.high, self.count, marks, irregular, steps, self.stage])


@dataclass
class LateMinute:
    """Seconds of a minute that the live stream has left behind."""

    touched_ms: int
    seconds: dict[int, int] = field(default_factory=dict)


class SlowSlots:
    """What is held of one wearer's minutes."""

    def __init__(self) -> None:
        self.live: dict[int, dict[int, int]] = {}  # minute -> second -> bpm, of the last 15 minutes
        self.head = 0  # newest minute with heart rate
        self.newest = 0  # newest minute at all
        self.minutes: dict[int, SlowMinute] = {}
        self.late: dict[int, LateMinute] = {}
        self.gap_s = 0.0

    def heart_rate(self, stamp_ms: int, samples: Iterable[Sample]) -> None:
        """Write one envelope: what is late first, then minute by minute."""
        by_minute: dict[int, dict[int, int]] = {}
        for second, bpm in samples:
            of_minute = by_minute.setdefault(second // 60, {})
            of_minute[second] = max(of_minute.get(second, 0), bpm)
        self.reach(max(by_minute))
        begins = self.head - RING_MIN  # as it is before this envelope
        for minute in sorted(by_minute):
            if self.head and minute <= begins:
                self._write_late(minute, by_minute[minute], stamp_ms)
        for minute in sorted(by_minute):
            if not self.head or minute > begins:
                self._write_live(minute, by_minute[minute], stamp_ms)

    def _write_late(self, minute: int, seconds: dict[int, int], stamp_ms: int) -> None:
        held = self._touch(minute, seconds, stamp_ms)
        if not self.holds(minute):
            return
        summary = SlowMinute()
        summary.put(held)
        if summary.rate() > self.at(minute).rate():
            self.at(minute).put(held)

    def _write_live(self, minute: int, seconds: dict[int, int], stamp_ms: int) -> None:
        if minute > self.head:
            for old in sorted(self.live):
                if old <= minute - RING_MIN:
                    self._leave(old, stamp_ms)
            self.head = minute
        merge(self.live.setdefault(minute, {}), seconds)
        if self.holds(minute):
            self.at(minute).put(self.live[minute])

    def _leave(self, minute: int, stamp_ms: int) -> None:
        """A minute leaves the live ones; if it is ragged, its other half may be in an envelope yet to come."""
        seconds = self.live.pop(minute)
        gap_s = max(1, math.ceil(self.gap_s))
        after_begin = min(seconds) - minute * 60
        before_end = minute * 60 + 59 - max(seconds)
        if not (self.holds(minute) and 0 < self.at(minute).count < 60):
            return
        if after_begin > gap_s or before_end > gap_s:
            self._touch(minute, seconds, stamp_ms)

    def _touch(self, minute: int, seconds: dict[int, int], stamp_ms: int) -> dict[int, int]:
        held = self.late.get(minute)
        if held is None or stamp_ms - held.touched_ms > LATE_LIVES_MS:
            held = self.late[minute] = LateMinute(stamp_ms)
        held.touched_ms = stamp_ms
        merge(held.seconds, seconds)
        return held.seconds

    def measure_gap(self, seconds: float) -> None:
        """Note the time between samples; it is kept as a four-byte float."""
        (self.gap_s,) = struct.unpack("f", struct.pack("f", seconds))

    def say(self, context: str, first: int, last: int) -> None:
        """Mark what the device says of its wearer in every minute from first to last."""
        for minute in range(first, last + 1):
            if self.holds(minute):
                self.at(minute).marks |= SAID.get(context, set())

    def irregular(self, minute: int, percent: int) -> None:
        if self.holds(minute):
            here = self.at(minute)
            here.irregular_pct = max(percent, -1 if here.irregular_pct is None else here.irregular_pct)

    def steps(self, counts: Iterable[Sample]) -> None:
        """Write steps of minutes; more than 254 is nobody's walk."""
        kept = [(minute, steps) for minute, steps in counts if steps <= 254]
        if kept:
            self.reach(max(minute for minute, _ in kept))
        for minute, steps in kept:
            if self.holds(minute):
                here = self.at(minute)
                here.steps = max(steps, -1 if here.steps is None else here.steps)

    def stages(self, start_s: int, end_s: int, changes: list[tuple[int, int]]) -> None:
        """Paint the stages of one session over its minutes; `changes` = (second from the start, stage), from 0."""
        minutes = range(start_s // 60, (end_s - 1) // 60 + 1)
        self.reach(minutes[-1])
        for minute in minutes:
            stage = changes[0][1]
            for second, other in changes:
                if second <= minute * 60 - start_s:
                    stage = other
            if self.holds(minute):
                self.at(minute).stage = stage

    def reach(self, minute: int) -> None:
        """Hold the 24 h up to this minute, if it is newer than all."""
        self.newest = max(self.newest, minute)
        self.minutes = {m: what for m, what in self.minutes.items() if self.holds(m)}

    def holds(self, minute: int) -> bool:
        return self.newest - DAY_MIN < minute <= self.newest

    def at(self, minute: int) -> SlowMinute:
        """Return a minute that is held, or an empty one."""
        if not self.holds(minute):
            return SlowMinute()
        return self.minutes.setdefault(minute, SlowMinute())


def merge(held: dict[int, int], seconds: dict[int, int]) -> None:
    """Put samples to their seconds: the highest of a second stays; all that is too high is alike."""
    for second, bpm in seconds.items():
        held[second] = max(held.get(second, 0), bpm if bpm <= 240 else 255)
