"""Heat, the weather that brings it, and too little water: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, days, fade, logistic, night_middle, settle, size, within

DAY = 1440
STRAIN = Span(30, 300, after_min=180)
WAVE = Span(3 * DAY, 9 * DAY, before_min=DAY, after_min=4 * DAY)
DRY = Span(12 * 60, 3 * DAY, after_min=DAY)


def heat_strain(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Heat is stored in the body for as long as the exposure lasts.

    Published: modelling notes, section 5 (10 bpm per C inside at rest; ISO 9886: 33 bpm per C under thermal strain).

    Design: one compartment, stored with a time constant of 25-60 min and given off with 12-32 min. Gain of core
    temperature: silent 0.01-0.03, mild 0.3-0.65, clear 0.65-1.5 C; 10-33 bpm per C, lower with fitness. The weather is
    up by 2-9 C: an hour before, and away an hour after.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + STRAIN.after_min, 60)
    gain = size(episode, silent=(0.01, 0.025), mild=(0.3, 0.65), clear=(0.65, 1.5))
    per_c = between(min(max(0.75 * episode.draws[0] + 0.25 * (1 - episode.fitness), 0), 1), 10, 33)
    stored = settle(t, between(episode.draws[1], 25, 60))
    core = stored * fade(t - episode.minutes, between(episode.draws[2], 12, 32)) * reach
    outside = settle(t, 10) * fade(t - episode.minutes, 15) * reach
    strong = min(gain / 1.5, 1.0)
    return Change(
        add_bpm=np.float32(gain * per_c) * core,
        outdoor_c=np.float32(between(episode.draws[3], 2, 5) + 4 * strong) * outside,
        outdoor_humidity_pct=np.float32(between(episode.draws[4], 0, 12)) * outside,
        add_systolic_mmhg=np.float32(-10 * strong) * core,
        add_diastolic_mmhg=np.float32(-8 * strong) * core,
        variability=1 - np.float32(0.3 * strong) * core,
        slow_recovery=1 + np.float32(0.35 * strong) * core,
        moves=1 - np.float32(0.4 * strong) * core,
    )


def heat_wave(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """Days of hot weather that the body gets used to.

    Published: Periard 2015 (most of the heart's adaptation within the first 4-5 days); Minor 2022 (nights above 30 C:
    14 min less sleep); Tyler 2016 (adaptation lowers the rate in the heat).

    Design: logistic edges of half a day; weather up 4-9 C, most at 16 h, whatever the form, since that is the cause
    and not the wearer; humidity -12 to +12 %. Rate: silent 0.2-0.6 (cooled rooms), mild 1-2.5, clear 2.5-6 bpm,
    halved with a time constant of 3-6 days.
    """
    t = days(minutes)
    end = episode.minutes / DAY
    reach = within(minutes, -WAVE.before_min, episode.minutes + WAVE.after_min, DAY)
    wave = logistic(t, 0.2, 0.12) * (1 - logistic(t, end, 0.25)) * reach
    used = np.float32(0.5) + np.float32(0.5) * fade(t, between(episode.draws[2], 3, 6))
    rate = size(episode, silent=(0.2, 0.6), mild=(1, 2.5), clear=(2.5, 6))
    afternoon = np.float32(0.75) + np.float32(0.25) * np.cos(np.float32(np.pi / 12) * (hour - 16))
    strong = min(rate / 6, 1.0)
    dark = days(night_middle(minutes, hour))
    night = logistic(dark, 0.2, 0.12) * (1 - logistic(dark, end, 0.25)) * (reach > 0)
    return Change(
        outdoor_c=np.float32(between(episode.draws[0], 4, 7) + 2 * episode.severity) * wave * afternoon,
        outdoor_humidity_pct=np.float32(between(episode.draws[1], -12, 12)) * wave,
        add_bpm=np.float32(rate) * wave * used,
        moves=1 - np.float32(0.2 * strong) * wave,
        sleep_min=np.float32(-30 * strong) * night,
        awakenings=np.float32(0.5 * strong) * wave,
        add_systolic_mmhg=np.float32(-5 * strong) * wave,
        add_diastolic_mmhg=np.float32(-3 * strong) * wave,
    )


def dehydration(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Water is lost faster than drunk, then replaced.

    Published: Adams 2014 (20 articles: 3 bpm for each 1 % of body mass lost, 4 at fixed effort, 1 at chosen effort).

    Design: loss approaches its top with a third of the episode as time constant; drinking brings it back with 2.5-6 h.
    Loss: silent 0.05-0.2, mild 0.8-2, clear 2-4.5 % of mass; 2.2-4 bpm for each. Systolic -2 mmHg, recovery 7 % slower
    and variability -5 % for each.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + DRY.after_min, 480)
    loss = size(episode, silent=(0.05, 0.2), mild=(0.8, 2), clear=(2, 4.5))
    level = settle(t, episode.minutes / 3) * fade(t - episode.minutes, between(episode.draws[0], 150, 360)) * reach
    lost = np.float32(loss) * level
    return Change(
        add_bpm=np.float32(between(episode.draws[1], 2.2, 4)) * lost,
        add_systolic_mmhg=-2 * lost,
        add_diastolic_mmhg=np.float32(-0.6) * lost,
        slow_recovery=1 + np.float32(0.07) * lost,
        variability=1 - np.float32(0.05) * lost,
        moves=1 - np.float32(0 if episode.form is Form.SILENT else 0.06) * lost,
    )


COURSES = {Kind.HEAT_STRAIN: heat_strain, Kind.HEAT_WAVE: heat_wave, Kind.DEHYDRATION: dehydration}
SPANS = {Kind.HEAT_STRAIN: STRAIN, Kind.HEAT_WAVE: WAVE, Kind.DEHYDRATION: DRY}
FORM_SHARES = {
    Kind.HEAT_STRAIN: (0.10, 0.45, 0.45),
    Kind.HEAT_WAVE: (0.40, 0.40, 0.20),
    Kind.DEHYDRATION: (0.25, 0.45, 0.30),
}
