"""Set A: what takes hold of heart or vessels for minutes to hours. "Section 5" is that of research/modelling.md."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats
from simulators.set_a.shapes import Minutes, trapezoid, within

HOLD_BEFORE_MIN = 14  # who is struck at rest has been sitting for this long
FIBRILLATION_CV = (0.15, 0.25)  # beat to beat, against < 0.05-0.08 in sinus rhythm at rest (modelling.md, section 5)


def _held(e: Episode, minute: Minutes, level_bpm: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Another rate takes over; the wearer has sat down before and gets up after."""
    wave = level_bpm + 1.5 * np.sin(minute / 7 + 6 * e.draws[0])
    held = np.where(within(minute, 0, e.minutes), wave, np.nan).astype(np.float32)
    return held, within(minute, -HOLD_BEFORE_MIN, e.minutes + 3)


def tachycardia(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Tachycardia at rest: 126-145 bpm at once; three in five announce themselves over up to 108 minutes [D]."""
    held, still = _held(e, minute, 126 + 19 * e.severity)
    warning = max(e.draws[0] - 0.4, 0.0)
    if warning == 0:
        return Change(hold_bpm=held, still=still)
    lead = 180 * warning
    return Change(hold_bpm=held, still=still, add_bpm=10 * np.float32(warning) * trapezoid(minute, -lead, 0, 0, 0))


def bradycardia(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Bradycardia: a block holds the rate at 30-36.5 bpm [D]."""
    held, still = _held(e, minute, 36.5 - 6.5 * e.severity)
    return Change(hold_bpm=held, still=still)


def crisis(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Hypertensive crisis: a ramp over 0.5-6 h to 196-224 mmHg; the rate rises by 0-18 bpm (section 5)."""
    ramp = 30 + 330 * e.draws[1] ** 2
    share = trapezoid(minute, -ramp, 0, e.minutes, e.minutes + 60)
    return Change(
        add_systolic_mmhg=share * np.float32(196 + 28 * e.severity - e.systolic_mmhg),
        add_diastolic_mmhg=share * np.float32(119 + 14 * e.draws[0] - e.diastolic_mmhg),
        add_bpm=share * np.float32(18 * e.draws[0]),
        moves=np.where(share > 0, np.float32(0.4), np.float32(1)),
    )


def hypotension(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Hypotension: down to 72-84 mmHg within 10-50 minutes; the heart makes up for it with 8-24 bpm [D]."""
    share = trapezoid(minute, -(10 + 40 * e.draws[1]), 0, e.minutes, e.minutes + 60)
    target = 84 - 12 * e.severity
    return Change(
        add_systolic_mmhg=share * np.float32(target - e.systolic_mmhg),
        add_diastolic_mmhg=share * np.float32(0.6 * target - e.diastolic_mmhg),
        add_bpm=share * np.float32(8 + 16 * e.draws[0]),
        moves=np.where(share > 0, np.float32(0.4), np.float32(1)),
    )


def heat_strain(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Heat strain: hot for four hours before the heart gives way; +24-40 bpm, 10-33 bpm a degree inside (section 5)."""
    share = trapezoid(minute, -20, 0, e.minutes, e.minutes + 40)
    return Change(
        outdoor_c=np.where(within(minute, -240, e.minutes + 60), np.float32(10.5 + 4 * e.draws[0]), np.float32(0)),
        add_bpm=share * np.float32(24 + 16 * e.severity),
        moves=np.where(share > 0, np.float32(0.2), np.float32(1)),
        still=within(minute, 0, min(e.minutes, 45)),
    )


def fibrillation(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Fibrillation: beats lose their order from one minute to the next; +4 to +40 bpm (modelling.md, section 5)."""
    inside = within(minute, 0, e.minutes)
    low, high = FIBRILLATION_CV
    rate = 4 + 36 * e.severity + 3 * np.sin(minute / 3 + 6 * e.draws[0])
    return Change(
        irregular_cv=np.where(inside, np.float32(low + (high - low) * e.draws[0]), np.float32(np.nan)),
        add_bpm=np.where(inside, rate, 0).astype(np.float32),
    )
