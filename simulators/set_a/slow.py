"""Set A: what builds up and fades over days to weeks."""

import numpy as np

from simulators.courses import Change, Episode, Floats, Form
from simulators.set_a.shapes import Minutes, saturating, trapezoid, within

HOUR, DAY = 60, 1440

# Peak change of the nightly rate in bpm by form: mean peaks in cohorts are only +1.8 to 3.4 % (Natarajan 2022).
INFECTION_BPM = {Form.SILENT: (0.0, 1.0), Form.MILD: (2.0, 5.0), Form.CLEAR: (6.0, 15.0)}


def _of_form(e: Episode, silent: float, mild: float, clear: float) -> float:
    return (silent, mild, clear)[e.form]


def infection(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Infection: up over a day and a half, down over the second half; the worse, the less movement and the more sleep.

    A clear one is a fever of 0.8-2 C at 7.2 bpm a degree (national emergency data, modelling.md, section 5).
    """
    course = trapezoid(minute, 0, 36 * HOUR, 0.45 * e.minutes, e.minutes)
    low, high = INFECTION_BPM[e.form]
    weight = _of_form(e, 0.0, 0.4, 0.8) + (0.2 * e.severity if e.form != Form.SILENT else 0.0)
    return Change(
        add_bpm=course * np.float32(low + (high - low) * e.severity),
        moves=1 - np.float32(0.65 * weight) * course,
        sleep_min=within(minute, -5 * HOUR, e.minutes - 5 * HOUR) * np.float32(54 * weight),
        variability=1 - np.float32(0.25 * weight) * course,
    )


def poor_recovery(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Poor recovery: a short, broken night at +4 to +10 bpm that fades over the next day [D]."""
    inside = within(minute, 0, e.minutes)
    return Change(
        add_bpm=trapezoid(minute, 0, 0, 0.4 * e.minutes, e.minutes) * np.float32(4 + 6 * e.severity),
        moves=np.where(inside, np.float32(0.8), np.float32(1)),
        sleep_min=inside * np.float32(-15 - 33 * e.severity),
        awakenings=inside * np.float32(2.0),
        variability=np.where(inside, np.float32(0.85), np.float32(1)),
    )


def dehydration(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Dehydration: about +3 bpm for each percent of body weight lost, 1-4 % here; pressure falls a little.

    The slope is the meta-analysis of Adams et al., J Strength Cond Res 2014 (3.3 bpm a percent, in exercise); half of
    it at rest is a choice [D].
    """
    course = trapezoid(minute, 0, 0.7 * e.minutes, e.minutes, e.minutes + 8 * HOUR)
    lost_pct = _of_form(e, 0.5, 1.0 + e.severity, 2.0 + 2.0 * e.severity)
    return Change(
        add_bpm=course * np.float32(2.2 * lost_pct),
        add_systolic_mmhg=course * np.float32(-2.0 * lost_pct),
        add_diastolic_mmhg=course * np.float32(-1.0 * lost_pct),
        moves=1 - np.float32(0.08 * lost_pct) * course,
    )


def overtraining(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Overtraining: nights creep up by 3-7 bpm over a week, variability falls, the rate is slow to come down [D]."""
    course = trapezoid(minute, 0, 7 * DAY, e.minutes, e.minutes + 7 * DAY)
    return Change(
        night_add_bpm=course * np.float32(3 + 4 * e.severity),
        add_bpm=course * np.float32(1.0),
        variability=1 - np.float32(0.3) * course,
        slow_recovery=1 + np.float32(0.5 + 0.5 * e.severity) * course,
        awakenings=course * np.float32(0.6),
    )


def apnoea(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Sleep-apnoea-like nights: the rate swings by 3-14 bpm every 35-65 s, as in cyclic variation (Hayano 2020)."""
    inside = within(minute, 0, e.minutes)
    strength = _of_form(e, 0.15, 0.4, 0.7 + 0.3 * e.severity)
    return Change(
        swing_bpm=inside * np.float32(14 * strength),
        swing_s=np.full(len(minute), 35 + 30 * e.draws[0], np.float32),
        awakenings=inside * np.float32(5 * strength),
        night_add_bpm=inside * np.float32(3 * strength),
        add_systolic_mmhg=inside * np.float32(4 * strength),
        add_diastolic_mmhg=inside * np.float32(3 * strength),
    )


def beta_blocker(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Start of a beta-1 blocker: -11 bpm and -10/-8 mmHg within days, more off the rise with effort (Cochrane 2016)."""
    course = saturating(minute, 1.5 * DAY)
    strength = np.float32(0.6 + 0.6 * e.severity)
    return Change(
        add_bpm=-11 * strength * course,
        blunt=np.minimum(np.float32(0.28) * strength * course, np.float32(0.9)),
        add_systolic_mmhg=-10 * strength * course,
        add_diastolic_mmhg=-8 * strength * course,
        variability=1 + np.float32(0.15) * course,
    )


def deterioration(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Deterioration: rate up, pressure down, hardly any movement, worse up to the end and treated after it [D].

    Sizes are such that the vital signs of a clear one reach the bands that early warning scores count (91-110 bpm,
    101-110 mmHg and beyond) in its last third.
    """
    course = trapezoid(minute, 0, e.minutes, e.minutes, e.minutes + DAY) ** np.float32(1.3)
    strength = np.float32(_of_form(e, 0.08, 0.45, 0.8 + 0.4 * e.severity))
    return Change(
        add_bpm=(14 + 14 * np.float32(e.draws[0])) * strength * course,
        add_systolic_mmhg=-(16 + 14 * np.float32(e.draws[1])) * strength * course,
        add_diastolic_mmhg=-(8 + 7 * np.float32(e.draws[1])) * strength * course,
        moves=1 - np.minimum(np.float32(0.8) * strength, np.float32(0.95)) * course,
        variability=1 - np.float32(0.35) * np.minimum(strength, np.float32(1)) * course,
        awakenings=np.float32(1.5) * strength * course,
    )
