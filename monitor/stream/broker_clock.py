"""What time it is at each broker, known from the stamps of our own cuts and from nothing else.

The time of a log is made of its brokers' stamps. Clocks of brokers differ, and a broker acknowledges a record only when
its followers have it: until then it is stamped and nobody can read it. Both are measured with every cut that a broker
acknowledges, so that T neither passes a record that is still to come nor waits for a clock that is ahead.
"""

import time
from collections import deque
from dataclasses import dataclass, field

from monitor.clock import Clock, SystemClock

WINDOW_S = 60.0
"""For so long a measurement says something of a clock."""
BUSY_S = 10.0
"""For so long a slow acknowledgement says that others are slow."""
AHEAD_MS = 3_000
"""A stamp further ahead than this counts as so far ahead."""
STEPPED_MS = 50
"""Measurements that contradict each other by more: the clock was set."""
SLACK_MS = 20
"""How far the clocks of two brokers, or one broker's clock after a step back, may differ unnoticed."""
MOST_SLACK_MS = 10_000
"""T waits so long at most for records that are stamped and cannot be read yet."""

Sample = tuple[float, float]
"""Monotonic time in s, a value in ms."""


@dataclass(slots=True)
class _Broker:
    """Bounds of a clock against our monotonic one, and acknowledgement times, each with when it was measured.

    The fetching thread reads `newest_ms` and `bounds_ms`, which are replaced and never changed in place.
    """

    newest_ms: int = 0
    bounds_ms: tuple[float, float] | None = None
    low: deque[Sample] = field(default_factory=deque)
    high: deque[Sample] = field(default_factory=deque)
    took: deque[Sample] = field(default_factory=deque)


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A cut on its way: the broker that led its partition then, None if none was known to, and the monotonic time."""

    broker: int | None
    at_s: float


class BrokerClocks:
    """The clocks of the brokers to which this worker writes cuts.

    Parameters
    ----------
    clock : Clock
        Of this machine: of two brokers that differ, the one that it is nearer to is believed.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._brokers: dict[int, _Broker] = {}
        self._pending: set[Sent] = set()

    def sent(self, broker: int | None, now_s: float | None = None) -> Sent:
        """Note that a cut is on its way; return what to hand back when it has come, or is given up."""
        one = Sent(broker, time.monotonic() if now_s is None else now_s)
        self._pending.add(one)
        return one

    def given_up(self, sent: Sent) -> None:
        """Note that nobody waits for a cut any more."""
        self._pending.discard(sent)

    def acknowledged(self, sent: Sent, broker: int | None, stamp_ms: int, now_s: float | None = None) -> None:
        """Note that a cut was acknowledged, with its stamp; *broker* leads its partition now.

        Nothing is measured if another led it when the cut was sent: it is not known which of the two has stamped it.
        """
        self._pending.discard(sent)
        if broker is None or broker != sent.broker:
            return
        now_s = time.monotonic() if now_s is None else now_s
        one = self._brokers.setdefault(broker, _Broker())
        low, high = stamp_ms - now_s * 1000, stamp_ms - sent.at_s * 1000
        if (one.low and high < one.low[0][1] - STEPPED_MS) or (one.high and low > one.high[0][1] + STEPPED_MS):
            one.low.clear()
            one.high.clear()
            one.newest_ms = 0
        _keep(one.low, now_s, low, WINDOW_S, highest=True)
        _keep(one.high, now_s, high, WINDOW_S, highest=False)
        _keep(one.took, now_s, (now_s - sent.at_s) * 1000, BUSY_S, highest=True)
        one.newest_ms = max(one.newest_ms, stamp_ms)
        one.bounds_ms = one.low[0][1], one.high[0][1]

    def known_ms(self, broker: int) -> int:
        """Return a time that has come at a broker: its newest stamp, or that of another less what may lie between.

        Called from the fetching thread.
        """
        own = self._brokers.get(broker)
        others = [one for number, one in list(self._brokers.items()) if number != broker and one.bounds_ms is not None]
        if own is not None and (bounds := own.bounds_ms) is not None:
            return max([own.newest_ms, *(one.newest_ms + _lag_ms(bounds, one) for one in others)])
        stamps = sorted(one.newest_ms - SLACK_MS for one in others)
        return stamps[(len(stamps) - 1) // 2] if stamps else 0

    def slack_ms(self, broker: int | None, copies: int, now_s: float | None = None) -> int:
        """Return how old a record may be that is stamped at a broker and cannot be read yet."""
        if copies <= 1 or broker is None:
            return SLACK_MS
        now_s = time.monotonic() if now_s is None else now_s
        waited = ((now_s - sent.at_s) * 1000 for sent in self._pending if sent.broker == broker)
        took = (value for at_s, value in self._brokers.get(broker, _Broker()).took if now_s - at_s <= BUSY_S)
        return min(MOST_SLACK_MS, SLACK_MS + round(max((*waited, *took), default=0.0)))

    def cap_ms(self, now_s: float | None = None) -> int:
        """Return the time beyond which no stamp counts as later; 0 while nothing is known."""
        now_s = time.monotonic() if now_s is None else now_s
        times = sorted(self._times(now_s).values())
        if not times:
            return 0
        if len(times) == 2 and times[1] - times[0] > AHEAD_MS:
            ours = self._clock.now_ms()
            nearer = times[0] if abs(times[0] - ours) <= abs(times[1] - ours) else times[1]
            return round(nearer) + AHEAD_MS
        return round(times[(len(times) - 1) // 2]) + AHEAD_MS

    def ahead_s(self) -> dict[int, float]:
        """Return the brokers whose clock is ahead by more than a stamp may be, and by how much."""
        now_s = time.monotonic()
        cap = self.cap_ms(now_s)
        return {n: round((at - cap + AHEAD_MS) / 1000, 1) for n, at in self._times(now_s).items() if at > cap}

    def _times(self, now_s: float) -> dict[int, float]:
        bounds = {number: one.bounds_ms for number, one in self._brokers.items()}
        return {number: now_s * 1000 + sum(both) / 2 for number, both in bounds.items() if both is not None}


def _lag_ms(bounds_ms: tuple[float, float], other: _Broker) -> int:
    """Return by how much a clock is ahead of another, at the least; what lies above 0 cannot be relied upon."""
    return -SLACK_MS if other.bounds_ms is None else min(0, round(bounds_ms[0] - other.bounds_ms[1]))


def _keep(samples: deque[Sample], now_s: float, value: float, window_s: float, *, highest: bool) -> None:
    """Keep the extreme value of a window at the front: what a newer one beats is dropped."""
    while samples and (samples[-1][1] <= value if highest else samples[-1][1] >= value):
        samples.pop()
    samples.append((now_s, value))
    while now_s - samples[0][0] > window_s:
        samples.popleft()
