"""Episodes laid over real recordings: the change of a course, the noise and the gaps of the recording.

A recording holds what a device told; a course says what happens to the body. So only what shows in a rate, in steps and
in daily columns can be transplanted, and `untold` names what was left out: there is no fibrillation without RR
intervals, no crisis without pressure, and how fast a rate falls after effort is left as it is. What a recording does
not know (NaN) it does not know afterwards either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from simulators.courses import Change, Episode, ParameterSet

DAY_MIN, NIGHT_MIN = 1440, 420
MOVED_WITHIN_MIN = 5  # a rate so soon after steps is one of effort
SMOOTH_MIN = 15
LOWEST_BPM, HIGHEST_BPM = 25.0, 240.0  # beyond these optical devices tell nothing: the minute becomes a gap
Floats = NDArray[np.float64]

IN_MINUTES = ("add_bpm", "night_add_bpm", "hold_bpm", "blunt", "moves", "still", "bias_bpm")
IN_DAYS = ("add_bpm", "night_add_bpm", "moves", "sleep_min", "bias_bpm")


@dataclass(frozen=True, slots=True)
class Minutes:
    """A recording by the minute, of local time; (T,) each, NaN = missing. The first is local epoch minute `first`."""

    first: int
    bpm: Floats
    steps: Floats


@dataclass(frozen=True, slots=True)
class Days:
    """A recording by the day; (D,) each, NaN = missing; a night belongs to the day on which it ends.

    `columns` may hold night_bpm, resting_bpm, steps, active_min and sleep_min; others are left as they are. The first
    is local epoch day `first`.
    """

    first: int
    columns: Mapping[str, Floats]


def change_over(kinetics: ParameterSet, episode: Episode, onset: int, first: int, minutes: int) -> Change:
    """Return what an episode changes in the minutes [first, first + minutes) of local time, from its lead-up on."""
    at = np.arange(first, first + minutes, dtype=np.int64)
    hour = (at % DAY_MIN).astype(np.float32) / np.float32(60)
    return kinetics.courses[episode.kind](episode, at - onset, hour)


def reach(kinetics: ParameterSet, episode: Episode, onset: int) -> tuple[int, int]:
    """Return the first and the past-the-last minute that an episode touches."""
    span = kinetics.spans[episode.kind]
    return onset - span.before_min, onset + episode.minutes + span.after_min


def untold(change: Change, told: tuple[str, ...]) -> tuple[str, ...]:
    """Name what changes in the body and cannot be told by the recording."""
    return tuple(f.name for f in fields(Change) if getattr(change, f.name) is not None and f.name not in told)


def over_minutes(recording: Minutes, kinetics: ParameterSet, episode: Episode, onset: int) -> Minutes:
    """Lay an episode over a recording by the minute.

    Parameters
    ----------
    onset : local epoch minute.

    Returns
    -------
    The recording with rate and steps changed, whole numbers as devices tell them; as many gaps as before, and those
    minutes whose rate would leave 25-240 bpm.

    Notes
    -----
    The rise with effort is what lies above the median rate of the minutes without steps, in minutes with steps and up
    to five after them: as much of it goes as activity goes (`moves`, `still`) or as the answer to effort is blunted.
    Where another focus holds the rate, the recording's own deviation from its median of the last 15 minutes stays: that
    is the noise of sensor and body. Asleep are the minutes without steps from 00:00 to 07:00.
    """
    begin, end = (min(max(at - recording.first, 0), len(recording.bpm)) for at in reach(kinetics, episode, onset))
    if end <= begin:
        return recording
    change = change_over(kinetics, episode, onset, recording.first + begin, end - begin)
    here = slice(begin, end)
    clock = (recording.first + np.arange(begin, end)) % DAY_MIN
    activity = _activity(change)
    answer = 1.0 if change.blunt is None else 1.0 - change.blunt.astype(np.float64)
    rate = recording.bpm[here] - effort_rise(recording)[here] * (1.0 - activity * answer)
    for value in (change.add_bpm, change.bias_bpm):
        if value is not None:
            rate += value
    if change.night_add_bpm is not None:
        rate += np.where((clock < NIGHT_MIN) & ~(recording.steps[here] > 0), change.night_add_bpm, 0.0)
    if change.hold_bpm is not None:
        held = ~np.isnan(change.hold_bpm)
        noise = recording.bpm[here] - trailing_median(recording.bpm, SMOOTH_MIN)[here]
        rate[held] = change.hold_bpm[held] + noise[held]
    rate = np.rint(rate)
    rate[(rate < LOWEST_BPM) | (rate > HIGHEST_BPM)] = np.nan
    bpm, steps = recording.bpm.copy(), recording.steps.copy()
    bpm[here], steps[here] = rate, np.rint(steps[here] * activity)
    return Minutes(recording.first, bpm, steps)


def over_days(recording: Days, kinetics: ParameterSet, episode: Episode, onset: int) -> Days:
    """Lay an episode over daily columns.

    Parameters
    ----------
    onset : local epoch minute.

    Returns
    -------
    night_bpm with what is added at night and asleep, mean over 00:00-07:00; resting_bpm with what is added on average
    over the day; steps and active_min times the mean activity of 07:00-23:00; sleep_min with what the night that ends
    on the day gains or loses, never below 0. Steps and minutes are whole numbers, rates keep a tenth of a beat.
    """
    days = len(next(iter(recording.columns.values())))
    change = change_over(kinetics, episode, onset, recording.first * DAY_MIN, days * DAY_MIN)
    begin, end = reach(kinetics, episode, onset)
    first_min = recording.first * DAY_MIN
    touched = np.zeros(days * DAY_MIN, bool)
    touched[max(begin - first_min, 0) : max(end - first_min, 0)] = True

    def means(value: NDArray[np.float32] | None, hours: tuple[int, int], neutral: float) -> Floats:
        if value is None:
            return np.full(days, neutral)
        by_day = np.where(touched, value, neutral).reshape(days, DAY_MIN)
        return np.asarray(by_day[:, hours[0] * 60 : hours[1] * 60].mean(axis=1), dtype=np.float64)

    everywhere = means(change.add_bpm, (0, 24), 0.0) + means(change.bias_bpm, (0, 24), 0.0)
    at_night = means(change.add_bpm, (0, 7), 0.0) + means(change.night_add_bpm, (0, 7), 0.0)
    at_night += means(change.bias_bpm, (0, 7), 0.0)
    activity, sleep = means(change.moves, (7, 23), 1.0), means(change.sleep_min, (3, 4), 0.0)
    columns = dict(recording.columns)
    for name, added in (("night_bpm", at_night), ("resting_bpm", everywhere)):
        if name in columns:
            columns[name] = _where(columns[name], np.round(columns[name] + added, 1), added != 0)
    for name in ("steps", "active_min"):
        if name in columns:
            columns[name] = _where(columns[name], np.rint(columns[name] * activity), activity != 1)
    if "sleep_min" in columns:
        slept = columns["sleep_min"]
        columns["sleep_min"] = _where(slept, np.rint(np.maximum(slept + sleep, 0.0)), sleep != 0)
    return Days(recording.first, columns)


def _where(old: Floats, new: Floats, changed: NDArray[np.bool_]) -> Floats:
    """Take the new value where something changed: a day that nothing touches keeps every bit."""
    return np.where(changed, new, old)


def _activity(change: Change) -> Floats | float:
    share: Floats | float = 1.0 if change.moves is None else change.moves.astype(np.float64)
    return share if change.still is None else np.where(change.still, 0.0, share)


def effort_rise(recording: Minutes) -> Floats:
    """Return how far the rate lies above that of rest because of effort, (T,); NaN where there is no rate.

    0 in minutes without effort, and everywhere in a recording whose minutes at rest are not known.
    """
    at_rest = recording.bpm[recording.steps == 0]
    at_rest = at_rest[~np.isnan(at_rest)]
    if not len(at_rest):
        return np.zeros(len(recording.bpm))
    place = np.arange(len(recording.bpm))
    last = np.maximum.accumulate(np.where(recording.steps > 0, place, -DAY_MIN))
    rise: Floats = np.where(place - last <= MOVED_WITHIN_MIN, np.maximum(recording.bpm - np.median(at_rest), 0.0), 0.0)
    return rise


def trailing_median(values: Floats, width: int) -> Floats:
    """Return the median of the known values among the last *width*, (T,); NaN where there is none.

    >>> trailing_median(np.array([1.0, 5.0, np.nan, 9.0]), 3).tolist()
    [1.0, 3.0, 3.0, 7.0]
    """
    padded = np.concatenate([np.full(width - 1, np.nan), values])
    windows = np.sort(sliding_window_view(padded, width), axis=1)  # NaN last
    known = (~np.isnan(windows)).sum(axis=1)
    row = np.arange(len(values))
    low, high = windows[row, np.maximum(known - 1, 0) // 2], windows[row, known // 2 * (known > 0)]
    middle: Floats = np.where(known > 0, (low + high) / 2, np.nan)
    return middle
