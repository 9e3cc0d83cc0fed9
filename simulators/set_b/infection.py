"""Infection and the reaction to a vaccine: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, days, fade, gamma_pulse, logistic, night_middle, size, within

DAY = 1440
INFECTION = Span(5 * DAY, 13 * DAY, before_min=5 * DAY, after_min=75 * DAY)
VACCINATION = Span(2 * DAY, 4 * DAY, after_min=4 * DAY)


def infection(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """Respiratory infection; the onset is that of symptoms, the end that of the acute illness.

    Published: Mishra 2020 (81 % of 32 cases changed, most of them before symptoms, median 4 days ahead); Natarajan 2022
    (mean peak +1.8 % in women, +3.4 % in men; lowest rate about day 13, second peak about day 28, usual again about day
    112); Radin 2021 (14 % of the ill stay more than 5 bpm up for months; fewer steps, more sleep); fever +7.2 bpm/C,
    highest in the evening.

    Design: acute part = gamma rise from 1-4.5 days before the symptoms, Weibull fall (shape 1.6) to a tenth at the
    end; 40 % of what is above a quarter of it follows fever and swings with the hour; relative bradycardia in 70 %
    and second rise in 60 % of the cases that show, as bumps of logistic difference; a tail in 14 % of the clear ones.
    What is left 80 to 90 days after onset is cut, as Span says. Peak: silent 0.2-0.75, mild 1.5-5, clear 5-16 bpm.
    Pressure -5 mmHg at the most.
    """
    t = days(minutes)
    reach = within(minutes, -INFECTION.before_min, episode.minutes + INFECTION.after_min, 14 * DAY)
    peak = size(episode, silent=(0.2, 0.75), mild=(1.5, 5), clear=(5, 16))
    acute = _acute(t, episode) * reach
    fever = np.maximum(acute - np.float32(0.25), 0) * np.cos(np.float32(np.pi / 12) * (hour - 18))
    shows = 0.0 if episode.form is Form.SILENT else 1.0
    dip_day, second_day = between(episode.draws[2], 11, 15.5), between(episode.draws[3], 24, 33)
    dip = shows * between(episode.draws[4], 0, 3.5) * (episode.draws[4] > 0.3)
    second = shows * min(peak, between(episode.draws[5], 0.5, 4)) * (episode.draws[5] > 0.4)
    late = second * _bump(t, second_day, 3.5, 9.0) - dip * _bump(t, dip_day, 2.0, 3.0)
    if episode.form is Form.CLEAR and (7 * episode.draws[1]) % 1 < 0.14:
        late = late + np.float32(6) * logistic(t, 20, 3)
    night = _acute(days(night_middle(minutes, hour)), episode) * (reach > 0)
    ill = min(peak / 8, 1.0)
    return Change(
        add_bpm=np.float32(peak) * (acute + np.float32(0.4) * fever) + late.astype(np.float32) * reach,
        moves=1 - np.float32(0.55 * ill) * acute,
        variability=1 - np.float32(0.35 * ill) * acute,
        add_systolic_mmhg=np.float32(-5 * ill) * acute,
        add_diastolic_mmhg=np.float32(-3 * ill) * acute,
        sleep_min=np.float32(70 * ill) * night,
        awakenings=np.float32(0.6 * ill) * acute,
        slow_recovery=1 + np.float32(0.25 * ill) * acute,
    )


def _acute(t: Floats, episode: Episode) -> Floats:
    lead, top = between(episode.draws[0], 1.0, 4.5), between(episode.draws[1], 0.5, 2.5)
    rise = gamma_pulse(np.minimum(t + np.float32(lead), np.float32(lead + top)), lead + top, 2.2)
    return rise * fade(t - np.float32(top), (episode.minutes / DAY - top) / 1.7, 1.6)


def _bump(t: Floats, middle: float, rise: float, fall: float) -> Floats:
    """Up before the middle, down after it, each logistic; a little below 1 at its top."""
    return logistic(t, middle - 2 * rise, rise / 2) * (1 - logistic(t, middle + fall, fall / 3))


def vaccination(episode: Episode, minutes: NDArray[np.int64], hour: Floats) -> Change:
    """Reaction to a vaccine; the onset is the injection.

    Published: Quer 2022 (5600 wearers: mean +1.5 bpm after the second dose, up from the day after, most on day 2 at the
    latest, usual after 4-6 days; less activity, more sleep); Hajduczok 2021 (variability -9 to -13 % on day 1).

    Design: gamma from 4-10 h after the injection, peak 16-30 h later. Peak: silent 0.1-0.7, mild 1-4, clear 4-12 bpm.
    """
    reach = within(minutes, 0, episode.minutes + VACCINATION.after_min, DAY)
    peak = size(episode, silent=(0.1, 0.7), mild=(1, 4), clear=(4, 12))
    wait, top = between(episode.draws[0], 4, 10) / 24, between(episode.draws[1], 16, 30) / 24
    level = gamma_pulse(days(minutes) - np.float32(wait), top, 2.6) * reach
    night = gamma_pulse(days(night_middle(minutes, hour)) - np.float32(wait), top, 2.6) * (reach > 0)
    ill = min(peak / 8, 1.0)
    return Change(
        add_bpm=np.float32(peak) * level,
        moves=1 - np.float32(0.35 * ill) * level,
        variability=1 - np.float32(0.2 * ill) * level,
        sleep_min=np.float32(35 * ill) * night,
    )


COURSES = {Kind.INFECTION: infection, Kind.VACCINATION: vaccination}
SPANS = {Kind.INFECTION: INFECTION, Kind.VACCINATION: VACCINATION}
FORM_SHARES = {Kind.INFECTION: (0.35, 0.40, 0.25), Kind.VACCINATION: (0.45, 0.40, 0.15)}
