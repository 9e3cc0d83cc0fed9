"""HR_HIGH_REST and HR_LOW: ten minutes of heart rate beyond a limit, whatever the device's cadence.

A fast device is judged by the lower median of its accepted minutes over ten minutes, with at least five samples; half
of all valid minutes, outliers included, must agree. A slow device, which cannot have five samples in ten minutes, is
judged by its last three samples if they span ten minutes or more and none is missing between them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Evidence, Priority, Rule
from monitor.alerting.limits import Limits
from monitor.signals.order import last_valid, lower_median
from monitor.signals.reasons import EXERCISE, OUTLIER, SAID_ASLEEP, SAID_AWAKE, SAID_REST, UNVERIFIED
from monitor.wearers.fields import HR_COUNT, HR_MEDIAN, REASON, STAGE, STEPS
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before

SLOW_SAMPLES = 3
SLOW_LOOKBACK_MIN = 1440
MISSED_FACTOR = 2.5  # two samples further apart than this many cadences are not consecutive

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HeartRateWindow:
    """Heart rate of n moments as the rules see it; all (n,).

    median, samples, start_minute : what the accepted minutes say (bpm, 0 = not assessable).
    above, below : functions of a limit: do the accepted median and at least half of the valid minutes agree?
    rest : at rest for the whole window; moving : steps were seen. Neither: activity unknown.
    """

    minutes: NDArray[np.uint8]
    valid: Bools
    accepted: Bools
    median: Ints
    samples: Ints
    start_minute: Ints
    enough: Bools
    slow: Bools
    rest: Bools
    moving: Bools
    lowest: Ints
    highest: Ints


def heart_rate_window(state: State, row: Ints, minute: Ints, limits: Limits, *, of_interest: Bools) -> HeartRateWindow:
    """Judge the last ten minutes of each (row, minute) pair; for slow devices the last three samples.

    Parameters
    ----------
    of_interest : (n,) pairs for which a slow device's past is worth looking up: an open alert, or a value near a limit.
    """
    width = limits.hr_window_min
    minutes = minutes_before(state, row, minute, width)
    count = minutes[:, :, HR_COUNT].astype(np.int64)
    bpm = minutes[:, :, HR_MEDIAN]
    valid = count > 0
    accepted = valid & ((minutes[:, :, REASON] & OUTLIER) == 0)
    median, _ = lower_median(bpm, accepted)
    samples = (count * accepted).sum(axis=1)
    first = np.argmax(valid, axis=1)
    gap_min = np.ceil(state.sample_gap_s[row] / 60).astype(np.int64)
    spans = width - first >= width - 1 - np.maximum(gap_min - 1, 1)
    enough = (samples >= limits.hr_min_samples) & spans & accepted.any(axis=1)
    rest, moving = rest_and_motion(minutes, limits)
    result = HeartRateWindow(
        minutes=minutes,
        valid=valid,
        accepted=accepted,
        median=np.where(enough, median, 0).astype(np.int64),
        samples=samples,
        start_minute=minute - width + 1 + first,
        enough=enough,
        slow=np.zeros(len(row), bool),
        rest=rest,
        moving=moving,
        lowest=np.where(accepted, bpm, 255).min(axis=1).astype(np.int64),
        highest=np.where(accepted, bpm, 0).max(axis=1).astype(np.int64),
    )
    ask = np.flatnonzero((samples < limits.hr_min_samples) & valid[:, -1] & of_interest)
    if len(ask):
        _judge_slow(state, row, minute, limits, result, ask)
    return result


def _judge_slow(state: State, row: Ints, minute: Ints, limits: Limits, window: HeartRateWindow, ask: Ints) -> None:
    """Fill in the pairs `ask`, whose devices are too slow for ten minutes to hold five samples."""
    past = minutes_before(state, row[ask], minute[ask], SLOW_LOOKBACK_MIN)
    at, three = last_valid(past, past[:, :, HR_COUNT] > 0, SLOW_SAMPLES)
    bpm = np.take_along_axis(past[:, :, HR_MEDIAN], at, axis=1).astype(np.int64)
    longest = np.diff(at, axis=1).max(axis=1)
    cadence_min = np.maximum(state.sample_gap_s[row[ask]] / 60, 1)
    spans = (at[:, -1] - at[:, 0] >= limits.hr_window_min) & (longest <= MISSED_FACTOR * cadence_min)
    good = three & spans
    rest = np.ones(len(ask), bool)
    moving = np.zeros(len(ask), bool)
    for k in range(SLOW_SAMPLES):  # each sample must have been taken at rest
        before = minutes_before(state, row[ask], minute[ask] - (SLOW_LOOKBACK_MIN - 1 - at[:, k]), limits.hr_window_min)
        rest_k, moving_k = rest_and_motion(before, limits)
        rest &= rest_k
        moving |= moving_k
    chosen = ask[good]
    window.median[chosen] = np.sort(bpm[good], axis=1)[:, 1]
    window.lowest[chosen] = bpm[good].min(axis=1)
    window.highest[chosen] = bpm[good].max(axis=1)
    window.samples[chosen] = SLOW_SAMPLES
    window.start_minute[chosen] = minute[chosen] - (SLOW_LOOKBACK_MIN - 1 - at[good, 0])
    window.enough[chosen] = True
    window.slow[chosen] = True
    window.rest[chosen] = rest[good]
    window.moving[chosen] = moving[good]


def rest_and_motion(minutes: NDArray[np.uint8], limits: Limits) -> tuple[Bools, Bools]:
    """At rest: enough of the window has activity data and no steps, or the device says so; moving: steps were seen."""
    known = minutes[:, :, STEPS] > 0
    steps = (minutes[:, :, STEPS].astype(np.int64) - known).sum(axis=1)
    reason = minutes[:, :, REASON]
    valid = minutes[:, :, HR_COUNT] > 0
    exercise = ((reason & EXERCISE) > 0).any(axis=1)
    said = (((reason & (SAID_REST | SAID_ASLEEP)) > 0) | ~valid).all(axis=1) & valid.any(axis=1)
    still = (known.mean(axis=1) >= limits.rest_min_known) & (steps <= limits.rest_max_steps)
    return (still | (said & (steps <= limits.rest_max_steps))) & ~exercise, (steps > limits.rest_max_steps) | exercise


def _agrees(window: HeartRateWindow, beyond: Bools) -> Bools:
    """At least half of the valid minutes lie beyond the limit, outliers included."""
    agrees: Bools = 2 * beyond.sum(axis=1) >= window.valid.sum(axis=1)
    return agrees


def hr_high_rest(window: HeartRateWindow, limits: Limits, own_bpm: NDArray[np.int16], off: Bools) -> Evidence:
    """Find heart rates at or above the limit at rest.

    Raise: median >= 120 bpm (or the wearer's own limit) over ten minutes at rest; >= 131 is high. Clear: every accepted
    minute below 115. Source: Apple's default limit of 120 at apparent rest over 10 min; NEWS2 scores 3 from 131.
    """
    own = own_bpm > 0
    limit = np.where(own, own_bpm, limits.hr_high_rest_bpm).astype(np.int64)
    clear = np.where(own, own_bpm - 5, limits.hr_high_rest_clear_bpm).astype(np.int64)
    bpm = window.minutes[:, :, HR_MEDIAN]
    above = _agrees(window, window.valid & (bpm >= limit[:, None]))
    above = np.where(window.slow, window.lowest >= limit, above)
    assessable = window.enough & window.rest & (~off | own)
    urgent = window.median >= np.maximum(limits.hr_high_rest_urgent_bpm, limit)
    return Evidence(
        rule=Rule.HR_HIGH_REST,
        raised=assessable & (window.median >= limit) & above,
        cleared=window.enough & (window.highest < clear),
        assessable=assessable,
        priority=np.where(urgent, Priority.HIGH, Priority.MEDIUM).astype(np.uint8),
        value=window.median.astype(np.float64),
        limit=limit.astype(np.float64),
        samples=window.samples,
        start_minute=window.start_minute,
        unverified=np.zeros(len(limit), bool),
    )


def awake_and_asleep(window: HeartRateWindow) -> tuple[Bools, Bools]:
    """What is known of sleep at the newest minute, from the device's word, a sleep stage, or steps."""
    now = window.minutes[:, -1]
    stage = now[:, STAGE]
    awake = ((now[:, REASON] & SAID_AWAKE) > 0) | (stage == 1) | window.moving
    asleep = (((now[:, REASON] & SAID_ASLEEP) > 0) | (stage > 1)) & ~awake
    return awake, asleep


def night_by_rule(window: HeartRateWindow, limits: Limits, local_hour: Ints) -> Bools:
    """Tell who counts as asleep; where nothing is known of sleep, that is from 22 to 8 h local time."""
    awake, asleep = awake_and_asleep(window)
    by_day = (local_hour >= limits.day_begins_h) & (local_hour < limits.day_ends_h)
    return asleep | (~awake & ~by_day)


def hr_low(
    window: HeartRateWindow, limits: Limits, own_bpm: NDArray[np.int16], off: Bools, local_hour: Ints
) -> Evidence:
    """Find heart rates at or below the limit: <= 40 bpm awake, <= 30 asleep, the wearer's own limit first.

    Unknown sleep counts as awake from 8 to 22 h local time, as asleep else. At or below 30 while awake is high.
    Values of 20-24 bpm count, as unverified. Clear: every accepted minute at or above 45 (35 asleep).
    Source: Apple's default of 40 bpm; NEWS2 scores 3 at or below 40.
    """
    night = night_by_rule(window, limits, local_hour)
    own = own_bpm > 0
    limit = np.where(own, own_bpm, np.where(night, limits.hr_low_asleep_bpm, limits.hr_low_awake_bpm)).astype(np.int64)
    clear = np.where(night, limits.hr_low_asleep_clear_bpm, limits.hr_low_awake_clear_bpm)
    clear = np.where(own, own_bpm + 5, clear).astype(np.int64)
    bpm = window.minutes[:, :, HR_MEDIAN]
    below = _agrees(window, window.valid & (bpm <= limit[:, None]))
    below = np.where(window.slow, window.highest <= limit, below)
    assessable = window.enough & (~off | own)
    urgent = ~night & (window.median <= limits.hr_low_urgent_bpm)
    doubted = np.any((window.minutes[:, :, REASON] & UNVERIFIED) > 0, axis=1)
    return Evidence(
        rule=Rule.HR_LOW,
        raised=assessable & (window.median <= limit) & below,
        cleared=window.enough & (window.lowest >= clear),
        assessable=assessable,
        priority=np.where(urgent, Priority.HIGH, Priority.MEDIUM).astype(np.uint8),
        value=window.median.astype(np.float64),
        limit=limit.astype(np.float64),
        samples=window.samples,
        start_minute=window.start_minute,
        unverified=doubted,
    )
