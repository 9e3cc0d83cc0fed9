"""Nights that do not restore, and a clock in the wrong time zone: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, days, fade, gamma_pulse, logistic, night_middle, settle, size, within

DAY = 1440
APNOEA = Span(14 * DAY, 84 * DAY, after_min=5 * DAY)
POOR = Span(3 * DAY, 10 * DAY, after_min=6 * DAY)
TRAVEL = Span(4 * DAY, 12 * DAY, after_min=7 * DAY)


def sleep_apnoea(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """Breathing stops again and again while asleep, over weeks; the end is that of a treatment that works.

    Published: Guilleminault 1984 (slow during, fast after each stop); modelling notes, section 5 (Hayano: 19.6 cycles
    an hour with an index of 15 and more against 6.4; cycle 30-90 s; not seen in averages over a minute).

    Design: comes logistically over the first week, goes with a time constant of a day; the cycle gets longer from
    evening to morning (base 36-64 s, x 0.85-1.35); amplitude comes and goes with 95 min of the night's cycles. Swing:
    silent 0.2-0.8, mild 3-7, clear 7-18 bpm. Night rate +0.15 of it; pressure up to 7/4 mmHg.
    """
    t = days(minutes)
    reach = within(minutes, 0, episode.minutes + APNOEA.after_min, 2 * DAY)
    swing = size(episode, silent=(0.2, 0.75), mild=(3, 7), clear=(7, 18))
    level = logistic(t, 3.5, 0.9) * fade(t - np.float32(episode.minutes / DAY), 1.0) * reach
    evening = (hour - np.float32(21)) % np.float32(24)  # hours since 21:00
    deep = np.float32(0.7) + np.float32(0.3) * np.sin(evening * np.float32(2 * np.pi * 60 / 95)) ** 2
    longer = np.float32(0.85) + np.float32(0.5) * np.minimum(evening / 12, 1)
    strong = min(swing / 18, 1.0)
    return Change(
        swing_bpm=np.float32(swing) * level * deep,
        swing_s=np.float32(between(episode.draws[0], 36, 64)) * longer,
        night_add_bpm=np.float32(0.15 * swing) * level,
        awakenings=np.float32(4.5 * strong) * level,
        add_systolic_mmhg=np.float32(7 * strong) * level,
        add_diastolic_mmhg=np.float32(4 * strong) * level,
        slow_recovery=1 + np.float32(0.12 * strong) * level,
    )


def poor_recovery(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """A run of nights that are too short; the debt stays when the nights are long again.

    Published: Reichenberger 2023 (15 men, five nights of 5 h: rate +0.75 bpm a night, +5.5 bpm in the two nights of
    recovery, 7.6 in all; systolic +0.33 mmHg a night, 3.4 in all; not back after two nights).

    Design: debt = straight while the nights are short, saturating after about 8 nights, kept for 1-2 days beyond them
    and gone as a Weibull curve of shape 1.5. Rate at night: silent 0.1-0.6, mild 1.5-4, clear 4-9 bpm, by day a third
    of it; nights 20-150 min shorter.
    """
    t, end = days(minutes), episode.minutes / DAY
    reach = within(minutes, 0, episode.minutes + POOR.after_min, DAY)
    rate = size(episode, silent=(0.1, 0.6), mild=(1.5, 4), clear=(4, 9))
    debt = np.tanh(np.clip(t, 0, end) / np.float32(0.7 * end)) / np.float32(np.tanh(1 / 0.7))
    kept = fade(t - np.float32(end + between(episode.draws[0], 0.3, 1.2)), 2.0, 1.5)
    level = debt.astype(np.float32) * kept * reach
    strong = min(rate / 9, 1.0)
    middle = night_middle(minutes, hour)
    short = ((middle >= 0) & (middle < episode.minutes) & (reach > 0)).astype(np.float32)
    by_day = 0.0 if episode.form is Form.SILENT else 0.33
    return Change(
        night_add_bpm=np.float32((1 - by_day) * rate) * level,
        add_bpm=np.float32(by_day * rate) * level,
        sleep_min=np.float32(-20 - 130 * strong if by_day else -10 * strong) * short,
        awakenings=np.float32(1.2 * strong) * level,
        variability=1 - np.float32(0.35 * strong) * level,
        slow_recovery=1 + np.float32(0.3 * strong) * level,
        add_systolic_mmhg=np.float32(4 * strong) * level,
        add_diastolic_mmhg=np.float32(2 * strong) * level,
    )


def travel(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """A flight across time zones at the onset; the clock on the wall is the destination's from then on.

    Published: Aschoff 1975, in Lu 2016 (the body's clock moves 57 min a day after a flight east, 92 min after one
    west).

    Design: that speed while the shift is large and less below an hour and a half, as a solution of s' = -v tanh(s/90
    min). East (55 %) leaves the body later than the wall, west earlier. Shift: silent 20-50 min, mild 2-4.5, clear
    4.5-9 h. The rate at night is up by 0.35 bpm for each hour, the first day by up to 3 bpm more (cabin, fatigue), a
    gamma.
    """
    t = days(minutes)
    reach = within(minutes, 0, episode.minutes + TRAVEL.after_min, 2 * DAY)
    hours = size(episode, silent=(0.33, 0.83), mild=(2, 4.5), clear=(4.5, 9))
    east = episode.draws[0] < 0.55
    speed = between(episode.draws[1], 0.8, 1.2) * (57 if east else 92)
    left = 90 * np.arcsinh(np.sinh(hours * 60 / 90) * np.exp(-speed / 90 * np.maximum(minutes, 0) / DAY))
    shift = left.astype(np.float32) * reach
    tired = min(hours / 9, 1.0)
    flight = gamma_pulse(t, 0.45, 2.0) * reach
    first = ((night_middle(minutes, hour) < 3 * DAY) & (reach > 0)).astype(np.float32)
    return Change(
        shift_min=shift if east else -shift,
        add_bpm=np.float32(3 * tired) * flight,
        night_add_bpm=np.float32(0.35 / 60) * shift,
        sleep_min=np.float32(-75 * tired) * first,
        awakenings=np.float32(1.5 / 540) * shift,
        moves=1 - np.float32(0.5 * tired) * flight,
        variability=1 - np.float32(0.12 * tired) * settle(t, 0.3) * fade(t - 1, 2.0) * reach,
    )


COURSES = {Kind.SLEEP_APNOEA: sleep_apnoea, Kind.POOR_RECOVERY: poor_recovery, Kind.TRAVEL: travel}
SPANS = {Kind.SLEEP_APNOEA: APNOEA, Kind.POOR_RECOVERY: POOR, Kind.TRAVEL: TRAVEL}
FORM_SHARES = {
    Kind.SLEEP_APNOEA: (0.25, 0.40, 0.35),
    Kind.POOR_RECOVERY: (0.20, 0.45, 0.35),
    Kind.TRAVEL: (0.20, 0.45, 0.35),
}
