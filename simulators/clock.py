"""The wall clock of live runs: with speed 1 events happen now. Nothing else in the simulators asks what time it is."""

import time


def now_ms() -> int:
    """Return epoch milliseconds."""
    return time.time_ns() // 1_000_000
