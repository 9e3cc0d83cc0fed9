"""NEWS2_PARTS: the points that pulse and systolic pressure alone have in NEWS2. Partial; never the NEWS2 total.

Respiration, oxygen saturation and supplemental oxygen, temperature and consciousness are missing: no device of this
project measures them as the chart asks. No points are below 0, so what the two parts add up to is the least that the
total can be: they can say that the total is 5 or more, and never that it is less.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.day_evidence import lacking
from monitor.alerting.evidence import Evidence, Lack, Priority, Rule
from monitor.alerting.limits import Limits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MISSING = ("respiration_rate", "oxygen_saturation", "supplemental_oxygen", "temperature", "consciousness")
PULSE_FROM_BPM = (0, 41, 51, 91, 111, 131)
PULSE_POINTS = (3, 1, 0, 1, 2, 3)
SYSTOLIC_FROM_MMHG = (0, 91, 101, 111, 220)
SYSTOLIC_POINTS = (3, 2, 1, 0, 3)


def _points(value: Floats, starts: tuple[int, ...], points: tuple[int, ...]) -> Floats:
    known = ~np.isnan(value)
    at = np.searchsorted(np.array(starts[1:], np.float64), np.rint(np.where(known, value, 0.0)), side="right")
    return np.where(known, np.array(points, np.float64)[at], np.nan)


def pulse_points(pulse_bpm: Floats) -> Floats:
    """Points of the pulse, to the nearest bpm; NaN where it is not known. Source: RCP 2017, NEWS2, chart 1.

    >>> pulse_points(np.array([40.0, 41.0, 51.0, 90.0, 91.0, 111.0, 131.0, np.nan])).tolist()
    [3.0, 1.0, 0.0, 0.0, 1.0, 2.0, 3.0, nan]
    """
    return _points(pulse_bpm, PULSE_FROM_BPM, PULSE_POINTS)


def systolic_points(systolic_mmhg: Floats) -> Floats:
    """Points of the systolic pressure, to the nearest mmHg; NaN where it is not known. Source: as for the pulse.

    >>> systolic_points(np.array([90.0, 91.0, 101.0, 111.0, 219.0, 220.0])).tolist()
    [3.0, 2.0, 1.0, 0.0, 0.0, 3.0]
    """
    return _points(systolic_mmhg, SYSTOLIC_FROM_MMHG, SYSTOLIC_POINTS)


def news2_parts(
    pulse_bpm: Floats, systolic_mmhg: Floats, reading_minute: Ints, minute: Ints, off: NDArray[np.bool_], limits: Limits
) -> Evidence:
    """Judge pulse and systolic pressure together.

    Parameters
    ----------
    pulse_bpm : (n,) at rest, as the heart-rate rules have it; NaN = not known, or not at rest.
    systolic_mmhg, reading_minute : (n,) of the newest cuff reading, NaN and 0 = none. minute : (n,) now.
    off : (n,) wearers for whom adult limits do not hold: NEWS2 is for 16 years and older, and not in pregnancy.

    Returns
    -------
    Raised: the points of both add up to `news2_parts_sum` (5) or more. Cleared: to fewer than `news2_parts_clear_sum`.
    Not assessable: either is missing, because one alone has 3 points at most (HEART_RATE; BLOOD_PRESSURE: no cuff
    reading in `news2_parts_bp_valid_min`), or the wearer is `off` (PROFILE). A single value with 3 points is what
    HR_HIGH_REST, HR_LOW, BP_LOW and BP_SEVERE are for. value, limit : points.

    Priority medium: NEWS2 asks for an urgent review by a clinician from a total of 5, and the total cannot be less.
    Source: Royal College of Physicians 2017, NEWS2, chart 1 (points) and chart 2 (5 or more).

    >>> now = np.int64([600])
    >>> found = news2_parts(np.array([132.0]), np.array([95.0]), now - 10, now, np.array([False]), Limits())
    >>> found.raised.tolist(), found.value.tolist()
    ([True], [5.0])
    """
    age = minute - reading_minute
    fresh = (reading_minute > 0) & (age >= 0) & (age <= limits.news2_parts_bp_valid_min)
    pressure = systolic_points(np.where(fresh, systolic_mmhg, np.nan))
    pulse = pulse_points(pulse_bpm)
    total = pulse + pressure
    assessable = ~np.isnan(total) & ~off
    with np.errstate(invalid="ignore"):
        high = total >= limits.news2_parts_sum
        low = total < limits.news2_parts_clear_sum
    return Evidence(
        rule=Rule.NEWS2_PARTS,
        raised=assessable & high,
        cleared=assessable & low,
        assessable=assessable,
        priority=np.full(len(minute), Priority.MEDIUM, np.uint8),
        value=total,
        limit=np.full(len(minute), float(limits.news2_parts_sum)),
        samples=(~np.isnan(pulse)).astype(np.int64) + ~np.isnan(pressure),
        start_minute=minute.astype(np.int64),
        unverified=np.zeros(len(minute), bool),
        lacked=lacking(
            (Lack.HEART_RATE, np.isnan(pulse)), (Lack.BLOOD_PRESSURE, np.isnan(pressure)), (Lack.PROFILE, off)
        ),
    )
