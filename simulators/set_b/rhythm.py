"""Fast, slow and irregular rhythm: set B."""

import numpy as np
from numpy.typing import NDArray

from simulators.courses import Change, Episode, Floats, Form, Span
from simulators.kinds import Kind
from simulators.set_b.curves import between, fade, settle, size, within

TACHYCARDIA = Span(12, 300, after_min=120)
BRADYCARDIA = Span(20, 420, after_min=60)
FIBRILLATION = Span(30, 2880, after_min=40)


def tachycardia_at_rest(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Fast rate without effort, from one of two mechanisms.

    Published: Ferguson and DiMarco 2003 (re-entrant tachycardia 150-250 bpm, starts and stops at once); Sheldon 2015
    (inappropriate sinus tachycardia: more than 100 bpm sitting, onset and end gradual).

    Design: 30 % of the clear episodes are re-entrant and hold 138-188 bpm, a twentieth slower within the first
    minutes; all others are sinus: first order in 2-7 min, a slow waver of a sixth, biexponential end (60 % in 4, 40 %
    in 22 min). Level: mild 98-112, clear 112-140 bpm, at least 14 above what is usual; silent +0.2-0.8 bpm.
    """
    t = minutes.astype(np.float32)
    reach = within(minutes, 0, episode.minutes + TACHYCARDIA.after_min, 30)
    if episode.form is Form.CLEAR and episode.draws[0] < 0.3:
        start = np.float32(between(episode.draws[1], 138, 178) + 10 * episode.severity)
        running = (minutes >= 0) & (minutes < episode.minutes)
        return Change(
            hold_bpm=np.where(running, start * (1 - np.float32(0.05) * settle(t, 6)), np.float32(np.nan)),
            add_systolic_mmhg=np.float32(-12) * running * settle(t, 2),
            add_diastolic_mmhg=np.float32(-4) * running * settle(t, 2),
            moves=(1 - np.float32(0.7) * running).astype(np.float32),
        )
    level = size(episode, silent=(0, 0), mild=(98, 112), clear=(112, 140))
    least = 12 + 4 * episode.severity
    rise = size(episode, silent=(0.2, 0.7), mild=(0, 0), clear=(0, 0)) or max(level - episode.resting_bpm, least)
    waver = np.float32(0.92) + np.float32(0.08) * np.sin(t * np.float32(2 * np.pi / between(episode.draws[2], 17, 43)))
    after = t - episode.minutes
    course = settle(t, between(episode.draws[1], 2, 7)) * waver.astype(np.float32)
    course = course * (np.float32(0.6) * fade(after, 4) + np.float32(0.4) * fade(after, 22)) * reach
    strong = min(rise / 40, 1.0)
    return Change(
        add_bpm=np.float32(rise) * course,
        variability=1 - np.float32(0.35 * strong) * np.minimum(course, 1),
        add_systolic_mmhg=np.float32(5 * strong) * course,
        moves=1 - np.float32(0.4 * strong) * np.minimum(course, 1),
    )


def bradycardia(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """Slow rate, from the sinus node or a block.

    Published: Kusumoto 2018 (ACC/AHA/HRS: below 50 bpm; escape rhythms: junctional 40-60, ventricular 20-40 bpm);
    Brubaker and Kitzman 2011 (chronotropic incompetence: less than 80 % of the rise with effort).

    Design: 35 % of the clear episodes are a block that holds 33-46 bpm from one minute to the next; the others sink
    first order in 4-15 min with a swell of a fifth. Level: mild 44-49, clear 36-44 bpm, at least 6 below what is
    usual; silent -0.2 to -0.8 bpm.
    """
    t = minutes.astype(np.float32)
    after = t - episode.minutes
    if episode.form is Form.CLEAR and episode.draws[0] < 0.35:
        running = (minutes >= 0) & (minutes < episode.minutes)
        escape = between(episode.draws[1], 39, 46) - 6 * episode.severity
        held = np.float32(escape) * (1 + np.float32(0.04) * fade(t, 10))
        return Change(
            hold_bpm=np.where(running, held, np.float32(np.nan)),
            add_systolic_mmhg=(np.float32(4) * running).astype(np.float32),
            add_diastolic_mmhg=(np.float32(-9) * running).astype(np.float32),
            moves=(1 - np.float32(0.65) * running).astype(np.float32),
        )
    reach = within(minutes, 0, episode.minutes + BRADYCARDIA.after_min, 20)
    level = size(episode, silent=(0, 0), mild=(49, 44), clear=(44, 36))
    least = 6 + 4 * episode.severity
    depth = size(episode, silent=(0.2, 0.75), mild=(0, 0), clear=(0, 0)) or max(episode.resting_bpm - level, least)
    swell = np.sin(t * np.float32(np.pi / between(episode.draws[2], 25, 70))) ** 2
    course = settle(t, between(episode.draws[1], 4, 15)) * (np.float32(0.8) + np.float32(0.2) * swell)
    course = course.astype(np.float32) * fade(after, 9) * reach
    strong = min(depth / 20, 1.0)
    return Change(
        add_bpm=np.float32(-depth) * course,
        blunt=np.float32(0.45 * strong) * course,
        variability=1 + np.float32(0.3 * strong) * course,
        add_systolic_mmhg=np.float32(-9 * strong) * course,
        add_diastolic_mmhg=np.float32(-5 * strong) * course,
        moves=1 - np.float32(0.3 * strong) * course,
    )


def atrial_fibrillation(episode: Episode, minutes: NDArray[np.int64], _hour: Floats) -> Change:
    """A bout of irregular rhythm that starts and stops at once.

    Published: modelling notes, section 5 (RR intervals vary by 0.15-0.25 of their mean, sinus at rest below 0.08; rate
    10-40 bpm up where it is not controlled); Hnatkova 1998 (31 people: on average faster than in sinus rhythm).

    Design: two in five have no rise (0-3 bpm); the others overshoot by a quarter that fades in 12 min. After the end
    the sinus node starts 5 bpm low for 3 min. Spread: silent 0.15-0.17 with the rate as it was, mild 0.16-0.20, clear
    0.20-0.245; it drifts by 0.005 in the course of an hour. Silent ones are seen by devices with RR intervals only.
    """
    t = minutes.astype(np.float32)
    running = ((minutes >= 0) & (minutes < episode.minutes)).astype(np.float32)
    ended = (minutes >= episode.minutes) * within(minutes, 0, episode.minutes + FIBRILLATION.after_min, 20)
    silent = episode.form is Form.SILENT
    rise = size(episode, silent=(0, 0.6), mild=(10, 22), clear=(20, 40))
    if not silent and episode.draws[0] < 0.4:
        rise = 3 * episode.severity
    pause = np.float32(-0.4 if silent else -5) * fade(t - episode.minutes, 3) * ended
    spread = size(episode, silent=(0.155, 0.165), mild=(0.165, 0.2), clear=(0.2, 0.24))
    drift = np.float32(0.005) * np.sin(t * np.float32(2 * np.pi / between(episode.draws[1], 45, 80)))
    return Change(
        add_bpm=(np.float32(rise) * (1 + np.float32(0.25) * fade(t, 12)) * running + pause).astype(np.float32),
        irregular_cv=np.where(running > 0, np.float32(spread) + drift, np.float32(np.nan)).astype(np.float32),
        add_systolic_mmhg=np.float32(0 if silent else -6) * running,
        moves=1 - np.float32(0 if silent else 0.2) * running,
    )


COURSES = {
    Kind.TACHYCARDIA_AT_REST: tachycardia_at_rest,
    Kind.BRADYCARDIA: bradycardia,
    Kind.ATRIAL_FIBRILLATION: atrial_fibrillation,
}
SPANS = {
    Kind.TACHYCARDIA_AT_REST: TACHYCARDIA,
    Kind.BRADYCARDIA: BRADYCARDIA,
    Kind.ATRIAL_FIBRILLATION: FIBRILLATION,
}
FORM_SHARES = {
    Kind.TACHYCARDIA_AT_REST: (0.0, 0.35, 0.65),
    Kind.BRADYCARDIA: (0.0, 0.35, 0.65),
    Kind.ATRIAL_FIBRILLATION: (0.30, 0.30, 0.40),
}
