"""The one place that reads the wall clock.

The core's time is the log's (broker stamps); wall time is for status lines, file names and the command line only, and
comes in through :class:`Clock` so that tests can hold it still. Durations use ``time.monotonic``, which is not a clock.
"""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Tells the time in epoch milliseconds, UTC."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000
