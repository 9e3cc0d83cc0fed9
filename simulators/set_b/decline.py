"""What gets worse over days or weeks: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import accelerate, between, days, fade, gamma_pulse, logistic, night_middle, size, within

DAY = 1440
DECLINE = Span(DAY, 7 * DAY, after_min=5 * DAY)
OVERTRAINING = Span(10 * DAY, 35 * DAY, after_min=21 * DAY)


def deterioration(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """The state gets worse, faster and faster, until help comes at the end.

    Published: Andersen 2016 (most people have a rate, breathing or systolic pressure outside of the usual 1-4 h
    before a cardiac arrest in hospital); Brekke 2019 (trends tell more than single values; two studies only); Tsai
    2022 (paths with low, unsteady systolic pressure and with fast, unsteady rate come before arrest).

    Design: exponential growth over the episode (bend 1.5-4 for the rate, half as much again for the pressure, which
    holds out longer), half gone 0.7-1.8 days after the end, as a Weibull curve. Rate: silent 0.2-0.75, mild 6-12,
    clear 12-34 bpm; systolic down by up to 8, 20 and 42 mmHg, never below 70; steps fall early, from the first third
    on.
    """
    t, end = minutes.astype(np.float32), episode.minutes
    reach = within(minutes, 0, end + DECLINE.after_min, DAY)
    bend = between(episode.draws[0], 1.5, 4)
    better = fade(t - end, between(episode.draws[1], 0.7, 1.8) * DAY / 0.75, 1.3) * reach
    level = accelerate(t, end, bend) * better
    pressure = accelerate(t, end, 1.5 * bend) * better
    rate = size(episode, silent=(0.2, 0.75), mild=(6, 12), clear=(12, 34))
    fall = size(episode, silent=(0.5, 1.5), mild=(8, 20), clear=(20, 42))
    fall = min(fall, max(episode.systolic_mmhg - 70, 0))
    strong = 0.02 if episode.form is Form.SILENT else min(0.3 + rate / 45, 1.0)
    weak = logistic(t / np.float32(end), 0.35, 0.12) * better
    middle = night_middle(minutes, hour)
    dark = accelerate(middle.astype(np.float32), end, 1.5) * ((middle < end + DAY) & (reach > 0))
    return Change(
        add_bpm=np.float32(rate) * level,
        add_systolic_mmhg=np.float32(-fall) * pressure,
        add_diastolic_mmhg=np.float32(-0.6 * fall) * pressure,
        moves=1 - np.float32(0.75 * strong) * weak,
        variability=1 - np.float32(0.5 * strong) * level,
        sleep_min=np.float32(80 * strong) * dark.astype(np.float32),
        awakenings=np.float32(1.5 * strong) * level,
        slow_recovery=1 + np.float32(0.5 * strong) * level,
    )


def overtraining(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Weeks of too much training, in one of two forms, and the rest after it.

    Published: Bosquet 2008 (up to two weeks of overload: resting rate up, 0.55 SD; longer: highest rate down, resting
    rate as usual); Le Meur 2013 (three weeks: resting rate down and variability up in weekly means); Aubry 2015
    (recovery after effort 8 +- 5 bpm faster in the overreached).

    Design: 55 % with a faster rate, logistic about the first third, relaxing as more weeks come; the others slow down,
    logistic about the middle, with 0.55 of the size. Both fade with 5-9 days. Rate: silent 0.1-0.7, mild 1.5-3.5, clear
    3.5-7 bpm. More activity at first, then less.
    """
    t, end = days(minutes), episode.minutes / DAY
    reach = within(minutes, 0, episode.minutes + OVERTRAINING.after_min, 5 * DAY)
    rate = size(episode, silent=(0.1, 0.65), mild=(1.5, 3.5), clear=(3.5, 7))
    gone = fade(t - np.float32(end), between(episode.draws[1], 5, 9))
    strong = 0.02 if episode.form is Form.SILENT else rate / 7
    load = gamma_pulse(t, 0.35 * end, 2.0) * reach
    if episode.draws[0] < 0.55:
        relax = 1 - np.float32(0.35) * logistic(t, 16, 3)
        level = logistic(t, 0.35 * end, 0.07 * end) * relax * gone * reach
        night, tone, recovery, blunt = 0.65 * rate, -0.3, 0.3, 0.0
    else:
        level = logistic(t, 0.5 * end, 0.1 * end) * gone * reach
        rate, night, tone, recovery, blunt = -0.55 * rate, -0.2 * rate, 0.3, -0.2, 0.12
    return Change(
        add_bpm=np.float32(rate - night) * level,
        night_add_bpm=np.float32(night) * level,
        variability=1 + np.float32(tone * strong) * level,
        slow_recovery=1 + np.float32(recovery * strong) * level,
        blunt=np.float32(blunt * strong) * level,
        moves=1 + np.float32(0.35 * strong) * load - np.float32(0.3 * strong) * level,
        awakenings=np.float32(0.8 * strong) * level,
    )


COURSES = {Kind.DETERIORATION: deterioration, Kind.OVERTRAINING: overtraining}
SPANS = {Kind.DETERIORATION: DECLINE, Kind.OVERTRAINING: OVERTRAINING}
FORM_SHARES = {Kind.DETERIORATION: (0.10, 0.35, 0.55), Kind.OVERTRAINING: (0.20, 0.45, 0.35)}
