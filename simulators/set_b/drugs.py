"""A new prescription, and an evening with alcohol: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, biexponential, days, fade, gamma_pulse, night_middle, settle, size, within

DAY = 1440
BLOCKER = Span(21 * DAY, 90 * DAY, after_min=12 * DAY)
ALCOHOL = Span(60, 360, after_min=22 * 60)


def beta_blocker_start(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """A beta-1 blocker is begun at the onset and stopped at the end.

    Published: Wong 2016 (Cochrane: -11 bpm, -10/-8 mmHg); Rangno and Langlois 1982 (metoprolol stopped at once: rate
    15 % above what it was on days 2-8, in all of 8).

    Design: half of the dose on day 0, the rest after 5-12 days, each first order in 0.6-1.8 days; between two morning
    doses the effect swings by 12 %, as a gamma with its top 5 h after the dose at 07-10 h. Rate: silent -0.2 to -0.7
    (not taken), mild -3 to -7, clear -7 to -15 bpm, more where the usual rate is high, never below 42 bpm; 10/11 and
    8/11 mmHg for each bpm; 3 % of the rise with effort for each. Rebound of 0.3 of it on days 2-8,
    less than published, since most people are tapered.
    """
    t, end = days(minutes), episode.minutes / DAY
    reach = within(minutes, 0, episode.minutes + BLOCKER.after_min, 3 * DAY)
    drop = size(episode, silent=(0.2, 0.6), mild=(3, 7), clear=(7, 15))
    drop = min(drop * min(max(episode.resting_bpm / 68, 0.75), 1.25), max(episode.resting_bpm - 42, 0))
    slow = between(episode.draws[0], 0.6, 1.8)
    second = between(episode.draws[1], 5, 12)
    dose = np.float32(0.5) * settle(t, slow) + np.float32(0.5) * settle(t - np.float32(second), slow)
    level = dose * fade(t - np.float32(end), 0.8) * reach
    since_dose = (hour - np.float32(between(episode.draws[2], 7, 10))) % np.float32(24)
    swing = np.float32(0.88) + np.float32(0.12) * gamma_pulse(since_dose, 5.0, 1.2)
    rebound = gamma_pulse(t - np.float32(end + 0.5), 3.0, 2.5) * reach
    rate = np.float32(-drop) * level * swing + np.float32(0.3 * drop) * rebound
    return Change(
        add_bpm=rate,
        blunt=np.float32(0.03 * drop) * level,
        add_systolic_mmhg=np.float32(-10 / 11 * drop) * level * swing,
        add_diastolic_mmhg=np.float32(-8 / 11 * drop) * level * swing,
        variability=1 + np.float32(0.015 * drop) * level,
    )


def alcohol(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """The minutes of the episode are those of drinking.

    Published: Pietila 2018 (4098 people, first 3 h of sleep: +1.4, +4.0 and +8.7 bpm up to 0.25, up to 0.75 and above
    0.75 g/kg; variability less with each); Tasnim 2020 (Cochrane: after a high dose +5 to +6 bpm for 12 h, then +2.7;
    systolic -3.5 to -3.7 mmHg for 12 h, +3.7 after it).

    Design: biexponential from the first glass, absorbed over half of the time of drinking and at least half an hour,
    gone with 4-6.5 h; half by day and night, half at night only; pressure follows an early fall minus a late rise.
    Rate at night: silent 0.1-0.7 (a glass), mild 1.5-4.5, clear 4.5-11 bpm.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + ALCOHOL.after_min, 360)
    rate = size(episode, silent=(0.1, 0.7), mild=(1.5, 4.5), clear=(4.5, 11))
    taken, gone = max(0.5 * episode.minutes, 30.0), between(episode.draws[0], 240, 390)
    level = biexponential(t, taken, gone) * reach
    strong = min(rate / 11, 1.0)
    late = gamma_pulse(t - 600, 420, 2.5) * reach
    middle = night_middle(minutes, hour)
    that_night = ((middle > 0) & (middle < 16 * 60) & (reach > 0)).astype(np.float32)
    woken = np.float32(0) if episode.form is Form.SILENT else np.float32(1.2 * strong)
    return Change(
        add_bpm=np.float32(0.5 * rate) * level,
        night_add_bpm=np.float32(0.5 * rate) * level,
        sleep_min=np.float32(-45 * strong) * that_night,
        awakenings=woken * gamma_pulse(t - 240, 300, 3.0) * reach,
        variability=1 - np.float32(0.45 * strong) * level,
        add_systolic_mmhg=np.float32(4 * strong) * (late - level),
        add_diastolic_mmhg=np.float32(3 * strong) * (late - level),
        slow_recovery=1 + np.float32(0.2 * strong) * level,
    )


COURSES = {Kind.BETA_BLOCKER_START: beta_blocker_start, Kind.ALCOHOL: alcohol}
SPANS = {Kind.BETA_BLOCKER_START: BLOCKER, Kind.ALCOHOL: ALCOHOL}
FORM_SHARES = {Kind.BETA_BLOCKER_START: (0.08, 0.27, 0.65), Kind.ALCOHOL: (0.20, 0.50, 0.30)}
