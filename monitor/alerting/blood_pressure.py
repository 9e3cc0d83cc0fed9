"""BP_SEVERE and BP_LOW: single cuff readings against limits, and whether another reading confirms them.

A cuffless estimate never raises a blood-pressure alert: AHA/ACC 2025 advises against relying on cuffless devices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.limits import Limits
from monitor.signals.bp_average import CUFFS
from monitor.wearers.state import State

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One accepted cuff reading."""

    time_ms: int
    systolic_mmhg: int
    diastolic_mmhg: int


@dataclass(frozen=True, slots=True)
class SevereLimits:
    """At or above either limit a reading is severe for this wearer."""

    systolic_mmhg: int
    diastolic_mmhg: int
    clear_systolic_mmhg: int
    clear_diastolic_mmhg: int

    def severe(self, reading: Reading) -> bool:
        """Tell whether the reading reaches either limit."""
        return reading.systolic_mmhg >= self.systolic_mmhg or reading.diastolic_mmhg >= self.diastolic_mmhg

    def clear(self, reading: Reading) -> bool:
        """Tell whether the reading is below both clear limits."""
        return reading.systolic_mmhg < self.clear_systolic_mmhg and reading.diastolic_mmhg < self.clear_diastolic_mmhg


def severe_limits(limits: Limits, *, pregnant: bool, own_systolic: int, own_diastolic: int) -> SevereLimits:
    """Own limits first, then those of pregnancy, then the default; clear limits lie 5 mmHg below.

    >>> severe_limits(Limits(), pregnant=True, own_systolic=0, own_diastolic=0).systolic_mmhg
    160
    """
    systolic, diastolic = limits.bp_severe_systolic_mmhg, limits.bp_severe_diastolic_mmhg
    if pregnant:
        systolic, diastolic = limits.bp_pregnant_systolic_mmhg, limits.bp_pregnant_diastolic_mmhg
    systolic, diastolic = own_systolic or systolic, own_diastolic or diastolic
    return SevereLimits(
        systolic,
        diastolic,
        min(systolic - 5, limits.bp_severe_clear_systolic_mmhg),
        min(diastolic - 5, limits.bp_severe_clear_diastolic_mmhg),
    )


def bp_severe(reading: Reading, earlier: list[Reading], of_wearer: SevereLimits, limits: Limits, late: bool) -> Finding:
    """Judge one cuff reading, knowing the readings of the hour before it.

    The first severe reading is medium and unconfirmed, with a prompt to repeat; a second within 60 min, or a systolic
    of 220 or more, is high. A reading below both clear limits clears.
    Source: AHA/ACC 2025 (>= 180 and/or >= 120, repeat), NEWS2 (systolic >= 220), ACOG for pregnancy.
    """
    severe = of_wearer.severe(reading)
    window_ms = limits.bp_confirm_within_min * MINUTE_MS
    before = [r for r in earlier if of_wearer.severe(r) and 0 < reading.time_ms - r.time_ms <= window_ms]
    confirmed = bool(before) or reading.systolic_mmhg >= limits.bp_severe_urgent_systolic_mmhg
    by_systolic = reading.systolic_mmhg >= of_wearer.systolic_mmhg or reading.diastolic_mmhg < of_wearer.diastolic_mmhg
    return Finding(
        rule=Rule.BP_SEVERE,
        raised=severe,
        cleared=of_wearer.clear(reading),
        event_ms=reading.time_ms,
        start_ms=before[0].time_ms if before else reading.time_ms,
        priority=Priority.LOW if late else (Priority.HIGH if confirmed else Priority.MEDIUM),
        metric="systolic" if by_systolic else "diastolic",
        value=reading.systolic_mmhg if by_systolic else reading.diastolic_mmhg,
        unit="mmHg",
        op=">=",
        limit=of_wearer.systolic_mmhg if by_systolic else of_wearer.diastolic_mmhg,
        window_s=limits.bp_confirm_within_min * 60,
        samples=1 + len(before),
        unverified=not confirmed,
        late=late,
        note=f"{reading.systolic_mmhg}/{reading.diastolic_mmhg} mmHg",
    )


def bp_low(reading: Reading, earlier: list[Reading], limits: Limits, late: bool) -> Finding:
    """Judge one cuff reading: two in a row, within 24 h, at or below 90 mmHg systolic. Source: NEWS2 scores 3."""
    window_ms = limits.bp_clinical_window_h * HOUR_MS
    before = [r for r in earlier if 0 < reading.time_ms - r.time_ms <= window_ms][-1:]
    low = [r for r in before if r.systolic_mmhg <= limits.bp_low_systolic_mmhg]
    return Finding(
        rule=Rule.BP_LOW,
        raised=reading.systolic_mmhg <= limits.bp_low_systolic_mmhg and bool(low),
        cleared=reading.systolic_mmhg >= limits.bp_low_clear_systolic_mmhg,
        event_ms=reading.time_ms,
        start_ms=low[0].time_ms if low else reading.time_ms,
        priority=Priority.LOW if late else Priority.MEDIUM,
        metric="systolic",
        value=reading.systolic_mmhg,
        unit="mmHg",
        op="<=",
        limit=limits.bp_low_systolic_mmhg,
        window_s=limits.bp_clinical_window_h * 3600,
        samples=1 + len(low),
        late=late,
        note=f"{reading.systolic_mmhg}/{reading.diastolic_mmhg} mmHg",
    )


def newest_cuff_reading(
    state: State, row: NDArray[np.int64], minute: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Systolic pressure and epoch minute of the newest cuff reading of the last 16 up to each minute.

    (n,) NaN and (n,) 0 where there is none. Of two in one minute the higher one is told.
    """
    at = state.bp_ms[row] // MINUTE_MS
    use = (at > 0) & (at <= minute[:, None]) & np.isin(state.bp_method[row], CUFFS)
    systolic = state.bp_systolic[row].astype(np.int64)
    best = np.where(use, at << 16 | systolic, 0).max(axis=1)
    return np.where(best > 0, best & 0xFFFF, np.nan), best >> 16


def cuff_readings(state: State, row: int, cuffs: NDArray[np.uint8]) -> list[Reading]:
    """Cuff readings of a wearer out of the last 16, oldest first."""
    use = (state.bp_ms[row] > 0) & np.isin(state.bp_method[row], cuffs)
    readings = [
        Reading(int(state.bp_ms[row, k]), int(state.bp_systolic[row, k]), int(state.bp_diastolic[row, k]))
        for k in np.flatnonzero(use)
    ]
    return sorted(readings, key=lambda r: (r.time_ms, r.systolic_mmhg, r.diastolic_mmhg))
