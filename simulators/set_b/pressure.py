"""Pressure far too high or too low: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, biexponential, fade, gompertz, settle, size, within

CRISIS = Span(180, 1440, after_min=720)
FALL = Span(40, 360, after_min=90)


def hypertensive_crisis(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Pressure climbs past 180/120, stays and is brought down.

    Published: Whelton 2018 (ACC/AHA: above 180 or above 120 mmHg; not more than a quarter down in the first hour,
    then to 160/100 within 2-6 h); modelling notes, section 5 (0.5-6 h up, rate +5-20 bpm or unchanged).

    Design: Gompertz climb of 0.5-6 h, half of the episode at the most; treated at 65 % of it, 35 % of the rise goes
    with 30 min, the rest with 200 min. Top: mild 181-196 / 112-122, clear 196-232 / 122-142, at least 22/14 above
    what is usual; silent +1-4 mmHg. Rate unchanged in 45 %, else a quarter of an hour behind the pressure.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + CRISIS.after_min, 240)
    climb = min(between(episode.draws[0], 30, 360), 0.5 * episode.minutes)
    treated = t - np.float32(0.65 * episode.minutes)
    down = np.float32(0.35) * fade(treated, 30) + np.float32(0.65) * fade(treated, 200)
    level = gompertz(t, climb) * down * reach
    systolic = size(episode, silent=(0, 0), mild=(181, 196), clear=(196, 232)) - episode.systolic_mmhg
    diastolic = size(episode, silent=(0, 0), mild=(112, 122), clear=(122, 142)) - episode.diastolic_mmhg
    systolic, diastolic = max(systolic, 20 + 4 * episode.severity), max(diastolic, 12 + 4 * episode.severity)
    rate = 0.0 if episode.draws[1] < 0.45 else between(episode.draws[2], 5, 12) + 8 * episode.severity
    if episode.form is Form.SILENT:
        systolic, diastolic, rate = between(episode.severity, 1, 4), between(episode.severity, 1, 2), 0.0
    return Change(
        add_systolic_mmhg=np.float32(systolic) * level,
        add_diastolic_mmhg=np.float32(diastolic) * level,
        add_bpm=np.float32(rate) * gompertz(t - 15, climb) * down * reach,
        variability=1 - np.float32(min(systolic / 300, 0.3)) * level,
        moves=1 - np.float32(min(systolic / 200, 0.4)) * level,
    )


def hypotension(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Pressure falls, after a meal or a drug, and the heart answers or does not.

    Published: Van Orshoven 2010 and Jansen and Lipsitz 1995 (at least 20 mmHg within 2 h of a meal, lowest in its first
    hour); Norcliffe-Kaufmann 2018 (rise of the rate below 0.5 bpm for each mmHg when the reflex fails).

    Design: first-order fall in 5-13 min, most of it as a biexponential with its nadir in the first hour, and a
    plateau of 35 % until the end. Systolic: mild 20-32, clear 32-52, never below 62 mmHg; diastolic 55 % of it;
    silent 1-4 mmHg. Answer: 0.08-0.4 bpm/mmHg in 40 % (reflex fails), 0.5-0.7 else, kept low since these falls last.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + FALL.after_min, 45)
    fall = size(episode, silent=(1, 4), mild=(20, 32), clear=(32, 52))
    fall = min(fall, max(episode.systolic_mmhg - 62, 0))
    bulge = biexponential(t, between(episode.draws[1], 12, 25), 40 + 0.25 * episode.minutes)
    level = settle(t, between(episode.draws[2], 5, 13)) * (np.float32(0.35) + np.float32(0.65) * bulge)
    level = level * fade(t - episode.minutes, 16) * reach
    fails = episode.draws[0] < 0.4
    ratio = between(episode.draws[3], 0.08, 0.4) if fails else between(episode.draws[3], 0.5, 0.7)
    if episode.form is Form.SILENT:
        ratio = 0.15
    return Change(
        add_systolic_mmhg=np.float32(-fall) * level,
        add_diastolic_mmhg=np.float32(-0.55 * fall) * level,
        add_bpm=np.float32(ratio * fall) * level,
        moves=1 - np.float32(min(fall / 60, 0.7)) * level,
    )


COURSES = {Kind.HYPERTENSIVE_CRISIS: hypertensive_crisis, Kind.HYPOTENSION: hypotension}
SPANS = {Kind.HYPERTENSIVE_CRISIS: CRISIS, Kind.HYPOTENSION: FALL}
FORM_SHARES = {Kind.HYPERTENSIVE_CRISIS: (0.0, 0.45, 0.55), Kind.HYPOTENSION: (0.10, 0.45, 0.45)}
