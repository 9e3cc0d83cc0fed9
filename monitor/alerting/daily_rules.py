"""The rules that look at days: once a local day, at a wearer's first decided minute at or after local noon.

By then the morning's upload has come. What comes later is read at the next noon: nothing of a day is judged twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.snapshot import DAY_FEATURES
from monitor.alerting.board import Board
from monitor.alerting.evidence import Evidence, Rule
from monitor.alerting.limits import Limits
from monitor.alerting.night_signal import night_signal
from monitor.alerting.personal_cusum import personal_cusum
from monitor.alerting.poor_recovery import poor_recovery
from monitor.alerting.reporting import Moments, report
from monitor.alerting.sleep_debt import sleep_debt
from monitor.alerting.sub_health import sub_health
from monitor.alerting.switched import is_on, switched
from monitor.alerting.trend_dev import DaySignals, trend_dev
from monitor.signals.nights import Sessions, nights, standing
from monitor.wearers.baselines import move_baseline
from monitor.wearers.days import fall_bpm, past_days
from monitor.wearers.fields import DAYS, MINUTES
from monitor.wearers.night_rates import begin_night, past_nights, write_night
from monitor.wearers.profiles import Profiles
from monitor.wearers.state import State

NOON_MIN = MINUTES // 2
MINUTE_MS = 60_000
LATE_MS = MINUTES * MINUTE_MS  # data that was received more than a day after it was measured is told as late
NOT_USUAL = [Rule.HR_HIGH_REST, Rule.HR_LOW, Rule.HEAT_LOAD, Rule.NIGHT_SIGNAL, Rule.PERSONAL_CUSUM, Rule.TREND_DEV]
"""While an alert of these is open, the baseline stands still: neither a slow illness nor a hot week becomes usual."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lately:
    """What is known of n wearers at local noon, one column a day, newest last; NaN = not known.

    nights_bpm, slept_min : (n, 28) of the nights up to the one that just ended. days : (n, 28, 12) UTC days up to
    yesterday. fall_bpm : (n,) of the rate in the minute after effort, yesterday. age_years : (n,). day : (n,) local
    epoch day.
    """

    nights_bpm: Floats
    slept_min: Floats
    days: Floats
    fall_bpm: Floats
    age_years: Floats
    day: Ints

    def of_days(self, name: str) -> Floats:
        """Return one feature of the days, (n, 28)."""
        return self.days[:, :, DAY_FEATURES.index(name)]

    def signals(self) -> DaySignals:
        """Return the columns that two rules share."""
        return DaySignals(
            night_bpm=self.nights_bpm,
            steps=self.of_days("steps"),
            sleep_min=self.slept_min,
            systolic_mmhg=self.of_days("systolic_mmhg"),
            irregular_share=self.of_days("irregular_share"),
        )


Detector = Callable[[Lately, Limits], Evidence]
DETECTORS: dict[Rule, Detector] = {
    Rule.NIGHT_SIGNAL: lambda at, limits: night_signal(at.nights_bpm, at.day, limits),
    Rule.PERSONAL_CUSUM: lambda at, limits: personal_cusum(at.nights_bpm, at.day, limits),
    Rule.TREND_DEV: lambda at, limits: trend_dev(at.signals(), at.day, limits),
    Rule.POOR_RECOVERY: lambda at, limits: poor_recovery(
        at.nights_bpm,
        at.of_days("resting_bpm"),
        at.of_days("active_min"),
        at.fall_bpm,
        at.day,
        limits,
    ),
    Rule.SLEEP_DEBT: lambda at, limits: sleep_debt(at.slept_min, at.age_years, at.day, limits),
    Rule.SUB_HEALTH: lambda at, limits: sub_health(
        at.signals(), at.of_days("diastolic_mmhg"), at.age_years, at.day, limits
    ),
}


def judge_days(board: Board, profiles: Profiles, limits: Limits, when: Moments) -> None:
    """Judge the day of every wearer of whom a minute at or after local noon is decided for the first time.

    Parameters
    ----------
    when : decided minutes that hold anything, ascending by row and minute.
    """
    state = board.state
    while (due := np.flatnonzero(when.minute >= state.noon_minute[when.row])).size:
        first = due[np.unique(when.row[due], return_index=True)[1]]
        now = when.take(first)
        offset = profiles.offset_min(now.row, now.minute)
        local = now.minute + offset
        day = local // MINUTES
        after_noon = local % MINUTES >= NOON_MIN
        next_noon = profiles.utc_minute(now.row, (day + after_noon) * MINUTES + NOON_MIN)
        state.noon_minute[now.row] = np.maximum(next_noon, now.minute + 1)  # a clock set back at noon is no circle
        turns = after_noon & (day > state.judged_day[now.row])
        if turns.any():
            _judge(board, profiles, limits, now.take(turns), day[turns])


def _judge(board: Board, profiles: Profiles, limits: Limits, now: Moments, day: Ints) -> None:
    state = board.state
    begin_night(state, now.row, day)
    write_night(state, now.row, *profiles.night(now.row, day))
    lately = Lately(
        nights_bpm=past_nights(state, now.row),
        slept_min=slept_minutes(state, profiles, now.row, now.minute, day),
        days=past_days(state, now.row, now.minute // MINUTES).astype(np.float64),
        fall_bpm=fall_bpm(state, now.row, now.minute // MINUTES),
        age_years=np.where(state.known[now.row] > 0, state.age_years[now.row].astype(np.float64), np.nan),
        day=day,
    )
    usual: NDArray[np.bool_] = state.alert_open[now.row][:, NOT_USUAL].max(axis=1) == 0
    noon = profiles.utc_minute(now.row, day * MINUTES + NOON_MIN)
    move_baseline(state, now.row, noon, profiles.turned(now.row, noon), ~usual)
    for rule, detector in DETECTORS.items():
        if is_on(rule, limits) or state.alert_open[now.row, rule].any():
            evidence = switched(detector(lately, limits), limits)
            # detectors count days by the local clock; an episode begins at a time of all the world
            evidence = replace(evidence, start_minute=profiles.utc_minute(now.row, evidence.start_minute))
            report(board, evidence, now, limits, _describe(evidence, now))


def slept_minutes(state: State, profiles: Profiles, row: Ints, minute: Ints, day: Ints) -> Floats:
    """Minutes asleep in the nights that ended on the 28 local days up to `day`, by what was told until `minute`.

    The last 14 sessions are held. (n, 28), NaN = no night, or its length was not told. A night before a change of the
    clock ended by the clock of then; where a wearer was before the profile told another zone is not kept.
    """
    end = state.sleep_end[row].astype(np.int64)
    slots = end.shape[1]
    sessions = Sessions(
        source=state.sleep_id[row],
        revision=state.sleep_revisions()[row].astype(np.int64),
        start=state.sleep_start[row].astype(np.int64),
        end=end,
        offset=profiles.offset_min(np.repeat(row, slots), end.ravel()).reshape(end.shape),
        minutes=state.sleep_minutes[row].astype(np.float64),
    )
    return nights(sessions, standing(sessions, minute), day, DAYS).asleep


def _describe(evidence: Evidence, now: Moments) -> Callable[[int], dict[str, Any]]:
    def describe(i: int) -> dict[str, Any]:
        days = -(-(int(now.minute[i]) - int(evidence.start_minute[i])) // MINUTES)
        late = int(now.stamp_ms[i]) - int(now.minute[i]) * MINUTE_MS > LATE_MS
        return {"window_s": days * MINUTES * 60, "late": late}

    return describe
