"""The rules that look at minutes: flag outliers, judge windows, hand what can change something to the board."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.board import Board
from monitor.alerting.evidence import Evidence, Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.heart_rate import HeartRateWindow, awake_and_asleep, heart_rate_window, hr_high_rest, hr_low
from monitor.alerting.heat import current_weather, heat_load
from monitor.alerting.limits import Limits
from monitor.signals import hampel
from monitor.signals.reasons import OUTLIER
from monitor.wearers.days import usual_rest_bpm
from monitor.wearers.fields import HR_COUNT, HR_MEDIAN, MINUTES, REASON
from monitor.wearers.profiles import Profiles
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before

MINUTE_MS = 60_000
WARM_C = 24  # below it no humidity lifts the heat index to a limit: 80 F (26.7 C) at 100 % is 87 F (30.6 C)
LATE_MS = 30 * MINUTE_MS  # an HR alert is about now; data older than this at its receipt is told as late
Ints = NDArray[np.int64]

WORDS: dict[Rule, tuple[str, str, str]] = {
    Rule.HR_HIGH_REST: ("heart_rate", "bpm", ">="),
    Rule.HR_LOW: ("heart_rate", "bpm", "<="),
    Rule.HEAT_LOAD: ("heat_index", "Cel", ">="),
}


def flag_outliers(state: State, row: Ints, minute: Ints) -> None:
    """Set or clear the OUTLIER bit of each minute, from its own trailing window: a pure function of the slots."""
    window = minutes_before(state, row, minute, hampel.WINDOW)
    out = hampel.is_outlier(window[:, :, HR_MEDIAN])
    slots = state.minute_bytes()
    place = (row, minute % MINUTES, REASON)
    slots[place] = (slots[place] & np.uint8(255 - OUTLIER)) | np.where(out, np.uint8(OUTLIER), np.uint8(0))


def judge_minutes(
    board: Board, profiles: Profiles, limits: Limits, row: Ints, minute: Ints, stamp_ms: Ints, T_ms: Ints
) -> None:
    """Judge (row, minute) pairs, ascending by row and minute, that hold heart rate.

    Parameters
    ----------
    stamp_ms, T_ms : (n,) received time of what made the minute due, and the step's T.

    Minutes that were judged before are judged again when late data revised them: they may raise what was missed; on an
    alert that is open they act only from the minute on that raised it.
    """
    state = board.state
    with_rate = state.minute_bytes()[row, minute % MINUTES, HR_COUNT] > 0
    row, minute, stamp_ms, T_ms = (a[with_rate] for a in (row, minute, stamp_ms, T_ms))
    if not len(row):
        return
    flag_outliers(state, row, minute)
    now = state.minute_bytes()[row, minute % MINUTES, HR_MEDIAN]
    own_high, own_low = state.own_hr_high[row], state.own_hr_low[row]
    high = np.where(own_high > 0, own_high, limits.hr_high_rest_bpm)
    low = np.where(own_low > 0, own_low + 5, limits.hr_low_awake_clear_bpm)
    watched = state.alert_open[row][:, [Rule.HR_HIGH_REST, Rule.HR_LOW]].any(axis=1)
    temperature, _ = current_weather(state, row, minute, limits)
    warm = temperature >= WARM_C
    matters = watched | (now >= high) | (now <= low) | warm
    # all minutes of a row of which one matters: what raises here may clear a few minutes on
    window = heart_rate_window(state, row, minute, limits, of_interest=np.isin(row, row[matters]))
    off = profiles.defaults_off(row)
    found = [
        hr_high_rest(window, limits, own_high, off),
        hr_low(window, limits, own_low, off, profiles.local_hour(row, minute)),
    ]
    if warm.any() or state.alert_open[row, Rule.HEAT_LOAD].any():
        found.append(
            heat_load(
                state,
                row,
                minute,
                window,
                limits,
                vulnerable=profiles.vulnerable(row, limits.heat_vulnerable_age_years),
                usual_rest_bpm=usual_rest_bpm(state, row, minute // MINUTES),
                off=off,
            )
        )
    for evidence in found:
        for i in _that_matter(state, evidence, row, minute):
            finding = _finding(evidence, window, i, int(minute[i]), int(stamp_ms[i]), limits)
            board.find(
                int(row[i]), evidence.rule, finding, T_ms=int(T_ms[i]), stamp_ms=int(stamp_ms[i]), device_id=None
            )


def _that_matter(state: State, evidence: Evidence, row: Ints, minute: Ints) -> list[int]:
    """Pairs whose finding may change an episode: of rows where anything may, all that say something, in order."""
    rule = evidence.rule
    is_open = state.alert_open[row, rule] > 0
    before = is_open & (minute < state.alert_minute[row, rule])
    over = ~is_open & (minute >= state.alert_began[row, rule]) & (minute <= state.alert_ended[row, rule])
    says = (evidence.raised | evidence.cleared) & ~before
    news = says & (is_open | (evidence.raised & ~over))
    if not news.any():
        return []
    return np.flatnonzero(np.isin(row, row[news]) & says).tolist()


def _finding(
    evidence: Evidence, window: HeartRateWindow, i: int, minute: int, stamp_ms: int, limits: Limits
) -> Finding:
    metric, unit, op = WORDS[evidence.rule]
    missing: tuple[str, ...] = ()
    if evidence.rule is Rule.HR_LOW:
        awake, asleep = awake_and_asleep(window)
        missing = () if awake[i] or asleep[i] else ("sleep",)
    valid = int(window.valid[i].sum())
    return Finding(
        rule=evidence.rule,
        raised=bool(evidence.raised[i]),
        cleared=bool(evidence.cleared[i]),
        event_ms=minute * MINUTE_MS,
        start_ms=int(evidence.start_minute[i]) * MINUTE_MS,
        priority=Priority(int(evidence.priority[i])),
        metric=metric,
        value=round(float(evidence.value[i]), 1),
        unit=unit,
        op=op,
        limit=float(evidence.limit[i]),
        window_s=max(minute - int(evidence.start_minute[i]) + 1, limits.hr_window_min) * 60,
        samples=int(evidence.samples[i]),
        unverified=bool(evidence.unverified[i]),
        late=stamp_ms - (minute + 1) * MINUTE_MS > LATE_MS,
        missing=missing,
        quality=float(window.accepted[i].sum() / valid) if valid else None,
    )
