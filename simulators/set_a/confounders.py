"""Set A: what looks like illness and is none."""

import numpy as np

from simulators.courses import Change, Episode, Floats
from simulators.set_a.shapes import Minutes, trapezoid, within

HOUR, DAY = 60, 1440


def alcohol(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """An evening of drinking: +4 to +12 bpm that night, most in its first half, and a broken sleep.

    Pietila et al., JMIR Ment Health 2018: 1.4, 4.0 and 8.7 bpm in the first three hours of sleep after a low, moderate
    and high dose.
    """
    course = trapezoid(minute, 0, 3 * HOUR, 6 * HOUR, e.minutes)
    return Change(
        night_add_bpm=course * np.float32(3 + 8 * e.severity),
        add_bpm=course * np.float32(1 + 2 * e.severity),
        awakenings=within(minute, 0, e.minutes) * np.float32(0.8 + 1.2 * e.severity),
        variability=1 - np.float32(0.15 + 0.2 * e.severity) * course,
    )


def late_exercise(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """A hard session without steps in the last hours before bed: the first hours of sleep run 3-9 bpm higher [D]."""
    session = 35 + 40 * e.draws[0]
    effort = trapezoid(minute, 0, 4, session, session + 12)
    return Change(
        add_bpm=effort * np.float32(35 + 30 * e.severity) + trapezoid(minute, session, session + 1, 150, 300) * 4,
        night_add_bpm=trapezoid(minute, 30, 60, 3 * HOUR, e.minutes) * np.float32(3 + 6 * e.severity),
        still=within(minute, 0, session),
    )


def stress(e: Episode, minute: Minutes, hour: Floats) -> Change:
    """A stretch of stress: +2 to +7 bpm through working hours, +1 to +3 at night, half an hour less sleep [D]."""
    course = trapezoid(minute, 0, 6 * HOUR, e.minutes - 6 * HOUR, e.minutes)
    at_work = np.clip(np.minimum((hour - 7) / 2, (21 - hour) / 3), 0, 1).astype(np.float32)
    return Change(
        add_bpm=course * at_work * np.float32(2 + 5 * e.severity),
        night_add_bpm=course * np.float32(1 + 2 * e.severity),
        sleep_min=course * np.float32(-20 - 25 * e.severity),
        awakenings=course * np.float32(0.5),
        variability=1 - np.float32(0.2) * course,
    )


def travel(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Travel over 3-9 zones: the body clock comes back by an hour a day eastward, 1.5 h westward.

    The rates are those of Aschoff et al., Chronobiologia 1975 (57 and 92 minutes a day).
    """
    zones = 3 + 6 * e.severity
    east = e.draws[0] < 0.5
    day = np.maximum(minute, 0) / DAY
    left = np.maximum(60 * zones - (57 if east else 92) * day, 0) * within(minute, 0, e.minutes)
    heavy = np.minimum(left / 360, 1).astype(np.float32)
    return Change(
        shift_min=(left if east else -left).astype(np.float32),
        night_add_bpm=heavy * np.float32(2.5),
        sleep_min=heavy * np.float32(-60),
        awakenings=heavy * np.float32(1.2),
        moves=1 - np.float32(0.15) * heavy,
    )


def vaccination(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """A vaccination: +2 to +9 bpm, highest two days after it, gone within six days.

    Quer et al., npj Digit Med 2022: up on the next day, a peak on day 2, usual again by day 4 to 6. The size is [D].
    """
    course = trapezoid(minute, 6 * HOUR, 30 * HOUR, 48 * HOUR, e.minutes)
    return Change(
        add_bpm=course * np.float32(1 + 4 * e.severity),
        night_add_bpm=course * np.float32(1 + 3 * e.severity),
        moves=1 - np.float32(0.3 * e.severity) * course,
        awakenings=course * np.float32(0.8 * e.severity),
    )


def menstrual_phase(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """The second half of the cycle: the sleeping pulse is 2-4 bpm higher than at the menses (Shilaih, Sci Rep 2017)."""
    course = trapezoid(minute, 0, 3 * DAY, e.minutes - DAY, e.minutes + 2 * DAY)
    return Change(add_bpm=course * np.float32(2 + 2 * e.severity), variability=1 - np.float32(0.06) * course)


def new_device(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Another device on the wrist: from its first minute it reads 1.5-6 bpm higher or lower, for good [D]."""
    bias = (1.5 + 4.5 * e.severity) * (1 if e.draws[0] < 0.5 else -1)
    return Change(bias_bpm=np.where(minute >= 0, np.float32(bias), np.float32(0)))


def heat_wave(e: Episode, minute: Minutes, _hour: Floats) -> Change:
    """Hot days: +6 to +12 C outdoors, +1 to +3 bpm, shorter and less quiet nights [D]."""
    course = trapezoid(minute, 0, DAY, e.minutes, e.minutes + DAY)
    return Change(
        outdoor_c=course * np.float32(6 + 6 * e.severity),
        outdoor_humidity_pct=course * np.float32(-8),
        add_bpm=course * np.float32(1 + 2 * e.draws[0]),
        sleep_min=course * np.float32(-20),
        awakenings=course * np.float32(0.6),
        moves=1 - np.float32(0.12) * course,
    )
