"""The slow, obvious twin of the quality gate and of NEWS2_PARTS: minute by minute, over lists and tuples."""

import math
from collections.abc import Iterable
from typing import Any

from monitor.alerting.limits import Limits
from tests.reference import slow_heart_rate as slow
from tests.reference.slow_policy import MINUTE_MS, Found, found
from tests.reference.slow_pressure import CUFFS, SlowReading
from tests.reference.slow_rules import LATE_MS, Judged, Minutes, Whom, trailing

NOT_MEASURED = ("respiration_rate", "oxygen_saturation", "supplemental_oxygen", "temperature", "consciousness")


def weighed(finding: Found, minutes: Minutes, minute: int, gap_s: float, limits: Limits) -> tuple[Found, bool]:
    """The finding with what its heart rate is worth, and whether that lets it begin no alert."""
    window = [
        slow.Minute(
            rate=one.median if one.count else None,
            low=one.low,
            high=one.high,
            count=one.count,
            outlier="outlier" in one.marks,
            steps=one.steps,
        )
        for one in trailing(minutes, minute, slow.span(gap_s))
    ]
    index = round(slow.quality(window, gap_s).index, 6)
    flat = bool(slow.flat_run(window))
    fast = (window[-1].rate or 0) >= 120
    artefact = (flat and not fast) or bool(slow.locked_run(window))
    low = finding["rule"] not in ("HR_HIGH_REST", "HR_LOW") and index < limits.hr_min_quality
    doubt = finding["unverified"] or (flat and fast)
    quality = None if math.isnan(index) else index
    return {**finding, "quality": quality, "unverified": doubt}, limits.hr_min_quality > 0 and (artefact or low)


def points(value: float, chart: Iterable[tuple[float, int]]) -> int:
    """Points of the last row of a chart that begins at or below the value."""
    return [points for begins, points in chart if value >= begins][-1]


PULSE = ((0, 3), (41, 1), (51, 0), (91, 1), (111, 2), (131, 3))
SYSTOLIC = ((0, 3), (91, 2), (101, 1), (111, 0), (220, 3))


def news2_parts(
    judged: Judged, held: list[SlowReading], minute: int, stamp_ms: int, whom: Whom, limits: Limits
) -> dict[str, Any]:
    """Points of pulse at rest and of the newest cuff reading that stands."""
    at = [(one.time_ms // MINUTE_MS, one.systolic) for one in held if one.method in CUFFS]
    past = [one for one in at if one[0] <= minute]
    stands = bool(past) and minute - max(past)[0] <= limits.news2_parts_bp_valid_min
    may = stands and judged.enough and judged.rest and not whom.defaults_off
    total = points(judged.median, PULSE) + points(max(past)[1], SYSTOLIC) if may else 0
    return found(
        "NEWS2_PARTS",
        raised=may and total >= limits.news2_parts_sum,
        cleared=may and total < limits.news2_parts_clear_sum,
        event_ms=minute * MINUTE_MS,
        start_ms=minute * MINUTE_MS,
        priority="medium",
        metric="news2_points",
        value=total,
        unit="1",
        op=">=",
        limit=limits.news2_parts_sum,
        window_s=limits.hr_window_min * 60,
        samples=2,
        late=stamp_ms - (minute + 1) * MINUTE_MS > LATE_MS,
        missing=list(NOT_MEASURED),
    )
