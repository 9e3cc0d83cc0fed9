"""Readings, nights and weather into their rings, one event at a time: they are rare. Repetition changes nothing."""

import numpy as np

from monitor.wearers.fields import HOURS
from monitor.wearers.reported import Report, Reported, Session
from monitor.wearers.slots import write_stages
from monitor.wearers.state import State

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def write_reading(
    state: State, row: int, time_ms: int, systolic_mmhg: int, diastolic_mmhg: int, method: int, reported: Reported
) -> bool:
    """Put a reading into the place of the oldest; False if it is there already, or older than all that are held.

    Nobody could tell whether one that is not kept came twice, so it decides nothing.
    """
    name = np.uint64(reported.name)
    if (state.bp_id[row] == name).any():
        return False
    slot = int(np.argmin(state.bp_ms[row]))  # a free one, else the oldest
    if time_ms < state.bp_ms[row, slot]:
        return False
    state.bp_ms[row, slot] = time_ms
    state.bp_id[row, slot] = name
    state.bp_systolic[row, slot] = systolic_mmhg
    state.bp_diastolic[row, slot] = diastolic_mmhg
    state.bp_pulse[row, slot] = reported.pulse_bpm
    state.bp_method[row, slot] = method
    return True


def write_session(state: State, row: int, name: int, session: Session) -> bool:
    """Put a session into its place, and its stages to their minutes; False if a higher revision is there."""
    same = np.flatnonzero(state.sleep_id[row] == np.uint64(name))
    if len(same) and state.sleep_revisions()[row, same[0]] > session.revision:
        return False
    first, end = session.start_ms // MINUTE_MS, session.end_ms // MINUTE_MS
    slot = int(same[0]) if len(same) else int(np.argmin(state.sleep_start[row]))
    if not len(same) and first < state.sleep_start[row, slot]:
        return False
    state.sleep_id[row, slot] = name
    state.sleep_revisions()[row, slot] = session.revision + 1
    state.sleep_start[row, slot] = first
    state.sleep_end[row, slot] = end
    state.sleep_minutes[row, slot] = session.minutes
    if session.stage:
        minute = np.arange(first, (session.end_ms - 1) // MINUTE_MS + 1)
        into_s = minute * 60 - session.start_ms // 1000
        at = np.searchsorted(np.array(session.stage_start_s), into_s, side="right") - 1
        write_stages(state, row, minute, np.frombuffer(session.stage, np.uint8)[np.maximum(at, 0)])
    return True


def write_report(state: State, row: int, report: Report) -> None:
    """Put a weather report to its hour, and its forecast if none was issued later.

    The newest of an hour stays, to the minute; of two that are of one minute the one that was received last.
    """
    hour, minute = report.time_ms // HOUR_MS, report.time_ms // MINUTE_MS
    slot = hour % HOURS
    if minute >= state.weather_minute[row, slot]:
        state.weather_minute[row, slot] = minute
        state.weather[row, slot] = report.now
    if report.forecast_h and report.time_ms >= state.forecast_ms[row]:
        ahead = hour + np.array(report.forecast_h)
        state.forecast_hour[row, ahead % HOURS] = ahead
        state.forecast[row, ahead % HOURS] = report.forecast
        state.forecast_ms[row] = report.time_ms
