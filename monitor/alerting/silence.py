"""NO_DATA: silence is an alert, told relative to the device's own measured cadence."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.limits import Limits
from monitor.wearers.fields import GAPS
from monitor.wearers.state import State

MINUTE_MS = 60_000
SAME_DELIVERY_MS = 10_000  # envelopes that arrive closer together are one upload, not a cadence


def silence_limit_ms(state: State, row: NDArray[np.int64], limits: Limits) -> NDArray[np.int64]:
    """How long each device may be silent: four times the median of its last five gaps, a grace until it has five."""
    median = np.sort(state.gap_ms[row], axis=1)[:, GAPS // 2].astype(np.int64)
    measured = np.maximum(limits.no_data_cadences * median, limits.no_data_floor_min * MINUTE_MS)
    return np.where(state.gaps[row] >= GAPS, measured, limits.no_data_grace_min * MINUTE_MS)


def silence_finding(newest_ms: int, last_ms: int, now_ms: int, limit_ms: int) -> Finding:
    """No new sample since `last_ms` (received time) for longer than the limit; `newest_ms` is the newest one's time."""
    return Finding(
        rule=Rule.NO_DATA,
        raised=True,
        cleared=False,
        event_ms=now_ms,
        start_ms=newest_ms,
        priority=Priority.TECHNICAL,
        metric="silence",
        value=round((now_ms - last_ms) / 1000),
        unit="s",
        op=">=",
        limit=limit_ms / 1000,
        window_s=round((now_ms - last_ms) / 1000),
        samples=0,
        missing=("heart_rate",),
    )


def back_finding(last_ms: int, now_ms: int, limit_ms: int) -> Finding:
    """New samples came: the silence is over."""
    return Finding(
        rule=Rule.NO_DATA,
        raised=False,
        cleared=True,
        event_ms=now_ms,
        start_ms=last_ms,
        priority=Priority.TECHNICAL,
        metric="silence",
        value=0,
        unit="s",
        op=">=",
        limit=limit_ms / 1000,
        window_s=0,
        samples=0,
    )
