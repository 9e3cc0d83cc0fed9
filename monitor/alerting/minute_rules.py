"""The rules that look at minutes: flag outliers, judge windows, hand what can change something to the board."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.af_burden_rule import af_burden
from monitor.alerting.blood_pressure import newest_cuff_reading
from monitor.alerting.board import Board
from monitor.alerting.evidence import Evidence, Rule
from monitor.alerting.heart_rate import (
    HeartRateWindow,
    awake_and_asleep,
    heart_rate_window,
    hr_high_rest,
    hr_low,
    night_by_rule,
)
from monitor.alerting.heat import current_weather, heat_load
from monitor.alerting.limits import Limits
from monitor.alerting.news2_parts import MISSING, news2_parts, pulse_points
from monitor.alerting.reporting import Describe, Moments, lacked_names, report
from monitor.alerting.switched import is_on, switched
from monitor.signals import hampel
from monitor.signals.reasons import EXERCISE, OUTLIER, SAID_ASLEEP, SAID_REST
from monitor.wearers.baselines import usual_bpm
from monitor.wearers.days import usual_rest_bpm
from monitor.wearers.fields import HR_COUNT, HR_MEDIAN, IRREGULAR, MINUTES, REASON, STEPS
from monitor.wearers.profiles import Profiles
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before

MINUTE_MS = 60_000
WARM_C = 24  # below it no humidity lifts the heat index to a limit: 80 F (26.7 C) at 100 % is 87 F (30.6 C)
LATE_MS = 30 * MINUTE_MS  # an HR alert is about now; data older than this at its receipt is told as late
MOST_PRESSURE_POINTS = 3
RHYTHM_EVERY_MIN = 15  # AF_BURDEN is judged at the first minute with RR of each quarter of an hour
RHYTHM_MIN = 60  # how far back it looks for where the run began: more than a run and a quarter
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def flag_outliers(state: State, row: Ints, minute: Ints) -> None:
    """Set or clear the OUTLIER bit of each minute, from its own trailing window, which is longer for slow devices."""
    widths = hampel.window_minutes(state.sample_gap_s[row])
    out = np.zeros(len(row), bool)
    for width in np.unique(widths).tolist():
        these = np.flatnonzero(widths == width)
        out[these] = hampel.is_outlier(minutes_before(state, row[these], minute[these], width)[:, :, HR_MEDIAN])
    slots = state.minute_bytes()
    place = (row, minute % MINUTES, REASON)
    slots[place] = (slots[place] & np.uint8(255 - OUTLIER)) | np.where(out, np.uint8(OUTLIER), np.uint8(0))


def judge_minutes(board: Board, profiles: Profiles, limits: Limits, when: Moments) -> None:
    """Judge (row, minute) pairs, ascending by row and minute; those that hold no heart rate say nothing.

    Minutes that were judged before are judged again when late data revised them: they may raise what was missed; on an
    alert that is open they act only from the minute on that raised it.
    """
    state = board.state
    when = when.take(state.minute_bytes()[when.row, when.minute % MINUTES, HR_COUNT] > 0)
    row, minute = when.row, when.minute
    if not len(when):
        return
    flag_outliers(state, row, minute)
    newest = state.minute_bytes()[row, minute % MINUTES]
    now = newest[:, HR_MEDIAN]
    own_high, own_low = state.own_hr_high[row], state.own_hr_low[row]
    high = np.where(own_high > 0, own_high, limits.hr_high_rest_bpm)
    low = np.where(own_low > 0, own_low + 5, limits.hr_low_awake_clear_bpm)
    watched = state.alert_open[row][:, [Rule.HR_HIGH_REST, Rule.HR_LOW, Rule.NEWS2_PARTS]].any(axis=1)
    temperature, _ = current_weather(state, row, minute, limits)
    warm = temperature >= WARM_C
    measured = _measured_lately(state, when, limits)
    matters = watched | (now >= high) | (now <= low) | warm | measured
    # all minutes of a row of which one matters: what raises here may clear a few minutes on
    window = heart_rate_window(state, row, minute, limits, of_interest=np.isin(row, row[matters]))
    off, hour = profiles.defaults_off(row), profiles.local_hour(row, minute)
    found = [
        hr_high_rest(window, limits, own_high, off),
        hr_low(window, limits, own_low, off, hour),
    ]
    if warm.any() or state.alert_open[row, Rule.HEAT_LOAD].any():
        usual = usual_bpm(state, row, hour, night_by_rule(window, limits, hour))
        found.append(
            heat_load(
                state,
                row,
                minute,
                window,
                limits,
                vulnerable=profiles.vulnerable(row, limits.heat_vulnerable_age_years),
                usual_rest_bpm=np.where(np.isnan(usual), usual_rest_bpm(state, row, minute // MINUTES), usual),
                off=off,
            )
        )
    for evidence in found:
        report(board, evidence, when, limits, _of_window(evidence, window, when, limits), sensor=True)
    _judge_news2_parts(board, limits, when, window, off, measured)
    _judge_rhythm(board, limits, when.take(newest[:, IRREGULAR] > 0))


def _measured_lately(state: State, when: Moments, limits: Limits) -> Bools:
    """Tell where a reading may stand for NEWS2_PARTS; one that does is among these."""
    if not is_on(Rule.NEWS2_PARTS, limits):
        return np.zeros(len(when), bool)
    oldest_ms = (when.minute - limits.news2_parts_bp_valid_min) * MINUTE_MS
    measured: Bools = state.bp_ms[when.row].max(axis=1) >= oldest_ms
    return measured


def _judge_news2_parts(
    board: Board, limits: Limits, when: Moments, window: HeartRateWindow, off: Bools, measured: Bools
) -> None:
    """Judge pulse and pressure together where a reading stands and the pulse has points enough, or an alert is open."""
    state, rule = board.state, Rule.NEWS2_PARTS
    pulse = np.where(window.enough & window.rest, window.median.astype(np.float64), np.nan)
    may = measured.copy()
    may[measured] = pulse_points(pulse[measured]) + MOST_PRESSURE_POINTS >= limits.news2_parts_sum
    # all minutes of a row of which one may raise: what raises here may clear a few minutes on
    chosen = np.flatnonzero((state.alert_open[when.row, rule] > 0) | np.isin(when.row, when.row[may]))
    if not len(chosen):
        return
    these = when.take(chosen)
    systolic, taken = newest_cuff_reading(state, these.row, these.minute)
    evidence = news2_parts(pulse[chosen], systolic, taken, these.minute, off[chosen], limits)
    said = {"window_s": limits.hr_window_min * 60}
    report(
        board,
        switched(evidence, limits),
        these,
        limits,
        lambda i: said | {"late": _late(these, i), "missing": (*lacked_names(evidence, i), *MISSING)},
        sensor=True,
    )


def _judge_rhythm(board: Board, limits: Limits, when: Moments) -> None:
    """Judge the rhythm of pairs that hold RR intervals, at the first of them in each quarter of an hour."""
    state, rule = board.state, Rule.AF_BURDEN
    if not len(when) or not (is_on(rule, limits) or state.alert_open[when.row, rule].any()):
        return
    quarter = minutes_before(state, when.row, when.minute, RHYTHM_EVERY_MIN)[:, :-1, IRREGULAR] > 0
    since = np.arange(RHYTHM_EVERY_MIN - 1) - (RHYTHM_EVERY_MIN - 1) + (when.minute % RHYTHM_EVERY_MIN)[:, None]
    these = when.take(np.flatnonzero(~(quarter & (since >= 0)).any(axis=1)))
    if not len(these):
        return
    held = minutes_before(state, these.row, these.minute, RHYTHM_MIN)
    code, steps, reason = held[:, :, IRREGULAR], held[:, :, STEPS], held[:, :, REASON]
    irregular_pct = np.where(code > 0, code.astype(np.float64) - 1, np.nan)
    still = ((steps == 1) | ((steps == 0) & ((reason & (SAID_REST | SAID_ASLEEP)) > 0))) & ((reason & EXERCISE) == 0)
    evidence = switched(af_burden(irregular_pct, still, these.minute, limits), limits)

    def describe(i: int) -> dict[str, Any]:
        return {"window_s": max(int(evidence.value[i]), limits.af_burden_run_min) * 60, "late": _late(these, i)}

    report(board, evidence, these, limits, describe, sensor=True)


def _late(when: Moments, i: int) -> bool:
    return bool(when.stamp_ms[i] - (when.minute[i] + 1) * MINUTE_MS > LATE_MS)


def _of_window(evidence: Evidence, window: HeartRateWindow, when: Moments, limits: Limits) -> Describe:
    awake, asleep = awake_and_asleep(window)

    def describe(i: int) -> dict[str, Any]:
        unknown = evidence.rule is Rule.HR_LOW and not awake[i] and not asleep[i]
        span = int(when.minute[i]) - int(evidence.start_minute[i]) + 1
        return {
            "window_s": max(span, limits.hr_window_min) * 60,
            "late": _late(when, i),
            "missing": ("sleep",) if unknown else (),
        }

    return describe
