"""Stress, late exercise, the menstrual cycle and a new device, which look like illness and are none: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, days, fade, logistic, night_middle, settle, size, within

DAY = 1440
EXERCISE = Span(25, 110, after_min=14 * 60)
STRESS = Span(5, 120, after_min=90)
LUTEAL = Span(10 * DAY, 16 * DAY, before_min=5 * DAY, after_min=3 * DAY)
DEVICE = Span(14 * DAY, 60 * DAY)


def late_exercise(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """A session in the evening, and the night after it.

    Published: Myllymaki 2011 (hard cycling ended 2 h before bed: 54 against 51 bpm over the night, most in the first
    three hours); Thomas 2020 (intervals ended 3.5 h before bed: 50 against 47 bpm; easy running: none); Myllymaki 2012
    (more with intensity and with 90 min).

    Design: 40 % without steps (bicycle, weights): the whole rise of the session is added; else half of it, and
    activity is multiplied by up to 4. Rise in 1.5-4 min; back biexponentially (75 % in 7, 25 % in 150 min). Session:
    silent 0.2-0.6, mild 24-40, clear 40-66 bpm. Night: silent 0.1-0.25, mild 1-2.5, clear 2.5-6.5 bpm, fading with
    170-300 min.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + EXERCISE.after_min, 240)
    rise = size(episode, silent=(0.2, 0.6), mild=(24, 40), clear=(40, 66))
    night = size(episode, silent=(0.1, 0.25), mild=(1, 2.5), clear=(2.5, 6.5))
    still = episode.draws[0] < 0.4
    after = t - episode.minutes
    back = np.float32(0.75) * fade(after, 7) + np.float32(0.25) * fade(after, 150)
    level = settle(t, between(episode.draws[1], 1.5, 4)) * back * reach
    session = settle(t, 2) * (minutes < episode.minutes)
    strong = min(night / 6.5, 1.0)
    more = 0.0 if still else 0.1 if episode.form is Form.SILENT else 1 + 2 * strong
    carried = settle(t, 10) * fade(after, between(episode.draws[2], 170, 300)) * reach
    return Change(
        add_bpm=np.float32(rise if still else 0.5 * rise) * level,
        night_add_bpm=np.float32(night) * carried,
        moves=1 + np.float32(more) * session.astype(np.float32),
        variability=1 - np.float32(0.2 * strong) * carried,
        slow_recovery=1 + np.float32(0.15 * strong) * carried,
        add_systolic_mmhg=np.float32(0.4 * rise) * level - np.float32(5 * strong) * carried,
    )


def stress(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Minutes of mental strain while the body is at rest.

    Published: Kirschbaum 1993 and Sequeira 2021 (Trier social stress test: rate and both pressures up; in most studies
    15-25 bpm at the top).

    Design: up first order in 1-4 min, habituation towards 55 % with 12-40 min, down with 5-13 min. Rate: silent
    0.2-0.7, mild 5-12, clear 12-26 bpm; systolic 0.9, diastolic 0.5 mmHg for each bpm, back with 20 min.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + STRESS.after_min, 30)
    rate = size(episode, silent=(0.2, 0.7), mild=(5, 12), clear=(12, 26))
    used = np.float32(0.55) + np.float32(0.45) * fade(t, between(episode.draws[1], 12, 40))
    level = settle(t, between(episode.draws[0], 1, 4)) * used * reach
    after = t - episode.minutes
    strong = min(rate / 26, 1.0)
    heart = level * fade(after, between(episode.draws[2], 5, 13))
    vessels = level * fade(after, 20)
    return Change(
        add_bpm=np.float32(rate) * heart,
        add_systolic_mmhg=np.float32(0.9 * rate) * vessels,
        add_diastolic_mmhg=np.float32(0.5 * rate) * vessels,
        variability=1 - np.float32(0.45 * strong) * heart,
    )


def menstrual_phase(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """The second half of a cycle: from ovulation to menses; nothing for anybody but women.

    Published: Shilaih 2017 (91 women, 274 cycles, asleep: +2.1 bpm in the fertile window, +3.8 in the middle of the
    second half, against menses); Jasinski 2024 (11590 people: lowest on day 5, highest on day 26, variability the other
    way round; less with contraceptives).

    Design: a first step of 45 % about three days before the onset, a second one about day 4, each logistic, and a slow
    climb to the end; falls within a day and a half. Rate: silent 0.1-0.7 (contraceptives), mild 1.6-2.8, clear 2.8-4.4.
    """
    if not episode.female:
        return Change()
    t, end = days(minutes), np.float32(episode.minutes / DAY)
    reach = within(minutes, -LUTEAL.before_min, episode.minutes + LUTEAL.after_min, DAY)
    rate = size(episode, silent=(0.1, 0.7), mild=(1.6, 2.8), clear=(2.8, 4.4))
    steps = np.float32(0.45) * logistic(t, -2.5, 0.5) + np.float32(0.4) * logistic(
        t, between(episode.draws[0], 3, 5), 0.8
    )
    climb = np.float32(0.15) * np.clip(t / end, 0, 1)
    level = (steps + climb) * (1 - logistic(t - end, 0.7, 0.3)) * reach
    return Change(
        add_bpm=np.float32(0.7 * rate) * level,
        night_add_bpm=np.float32(0.3 * rate) * level,
        variability=1 - np.float32(0.035 * rate) * level,
        awakenings=np.float32(0.05 * rate) * level,
    )


def new_device(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """Another sensor from the onset on: its offset is not the heart's.

    Published: Bent 2020 (mean error differs between devices, and is 30 % higher in activity than at rest); modelling
    notes, section 5 (devices: 3.8-7.7 % mean error).

    Design: either sign alike; a quarter more in the first days, until the strap is worn as it should be (fades with 1-3
    days); another judge of sleep: 25 min more or less, 4 with the silent. Offset: silent 0.1-0.7, mild 1-2.5, clear
    2.5-5.5 bpm. Variability is read x 0.8-1.2, silent x 0.98-1.02.
    """
    reach = within(minutes, 0, episode.minutes, 0)
    offset = size(episode, silent=(0.1, 0.7), mild=(1, 2.5), clear=(2.5, 5.5))
    sign = -1.0 if episode.draws[0] < 0.5 else 1.0
    fit = 1 + np.float32(0.25) * fade(days(minutes), between(episode.draws[1], 1, 3))
    silent = episode.form is Form.SILENT
    middle = night_middle(minutes, hour)
    night = ((middle >= 0) & (middle < episode.minutes)).astype(np.float32) * reach
    judged = between(episode.draws[2], -4, 4) if silent else between(episode.draws[2], -25, 25)
    read = between(episode.draws[3], -0.02, 0.02) if silent else between(episode.draws[3], -0.2, 0.2)
    return Change(
        bias_bpm=np.float32(sign * offset) * fit * reach,
        sleep_min=np.float32(judged) * night,
        variability=1 + np.float32(read) * reach,
    )


COURSES = {
    Kind.LATE_EXERCISE: late_exercise,
    Kind.STRESS: stress,
    Kind.MENSTRUAL_PHASE: menstrual_phase,
    Kind.NEW_DEVICE: new_device,
}
SPANS = {
    Kind.LATE_EXERCISE: EXERCISE,
    Kind.STRESS: STRESS,
    Kind.MENSTRUAL_PHASE: LUTEAL,
    Kind.NEW_DEVICE: DEVICE,
}
FORM_SHARES = {
    Kind.LATE_EXERCISE: (0.15, 0.50, 0.35),
    Kind.STRESS: (0.15, 0.55, 0.30),
    Kind.MENSTRUAL_PHASE: (0.20, 0.50, 0.30),
    Kind.NEW_DEVICE: (0.30, 0.45, 0.25),
}
