"""From accepted envelopes to slots and events: who is it, may it be written, what changed.

One function a topic. Each writes the slots of what it admits at once (slots are idempotent) and returns events, which
wait until T has passed their stamps, and refusals: (index into the batch, reason, detail).
"""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.inputs import Batch
from monitor.signals.irregular import irregular_pct
from monitor.signals.reasons import EXERCISE, SAID_ASLEEP, SAID_AWAKE, SAID_REST
from monitor.wearers.admission import Admission, Intake
from monitor.wearers.events import Kind, events
from monitor.wearers.fields import HOURS
from monitor.wearers.ranges import runs
from monitor.wearers.slots import (
    mark_reason,
    write_heart_rate,
    write_irregular,
    write_stages,
    write_steps,
)
from stream_schemas import columns as c
from stream_schemas.heart_rate import CONTEXTS

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
MOST_IRREGULAR = 254

SAID = np.zeros(len(CONTEXTS), np.uint8)  # what a context says, as bits of the minute's reason byte
for _context, _bits in (
    ("at_rest", SAID_AWAKE | SAID_REST),
    ("active", SAID_AWAKE),
    ("exercise", SAID_AWAKE | EXERCISE),
    ("asleep", SAID_ASLEEP | SAID_REST),
):
    SAID[CONTEXTS.index(_context)] = _bits


def heart_rate(admission: Admission, batch: Batch, cols: c.HeartRateColumns, intake: Intake) -> None:
    """Samples to their seconds; what the device says of rest and sleep, and RR irregularity, to their minutes."""
    state = admission.state
    n = len(cols.record)
    ends = np.cumsum(cols.count, dtype=np.int64)
    begins = ends - cols.count
    time_ms = np.repeat(cols.start_ms, cols.count) + cols.offset_ms
    if n == 0:
        return
    newest = np.maximum.reduceat(time_ms, begins)
    oldest = np.minimum.reduceat(time_ms, begins)
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, newest, DAY_MS, intake)
    bpm, rr_count, rr_ms = cols.bpm, cols.rr_count, cols.rr_ms
    if not keep.all():
        samples = np.repeat(keep, cols.count)
        time_ms, bpm = time_ms[samples], bpm[samples]
        rr_ms, rr_count = rr_ms[np.repeat(keep, rr_count)], rr_count[keep]
    count, newest, oldest = cols.count[keep], newest[keep], oldest[keep]
    if not len(row):
        return
    write_heart_rate(state, np.repeat(row, count), time_ms, bpm)
    first, last = oldest // MINUTE_MS, newest // MINUTE_MS
    said = SAID[cols.context[keep]]
    if said.any():
        run, minute = runs(np.maximum(first[said > 0], last[said > 0] - 1439), last[said > 0])
        mark_reason(state, row[said > 0][run], minute, said[said > 0][run])
    if len(rr_ms):
        percent = irregular_pct(rr_ms, rr_count)
        some = ~np.isnan(percent)
        code = np.minimum(np.rint(percent[some]), MOST_IRREGULAR - 1).astype(np.uint8) + np.uint8(1)
        write_irregular(state, row[some], first[some], code)
    gap = np.where(count > 1, (newest - oldest) // np.maximum(count - 1, 1), 0)
    record = cols.record[keep]
    intake.events.append(
        events(row, batch.stamp_ms[record], Kind.HEART_RATE, batch.offset[record], a=first, b=newest, c=gap)
    )


def activity(admission: Admission, batch: Batch, cols: c.ActivityColumns, intake: Intake) -> None:
    """Steps to their minutes."""
    last = cols.start_ms // MINUTE_MS + cols.count - 1
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.start_ms, DAY_MS, intake)
    if not len(row):
        return
    run, minute = runs(cols.start_ms[keep] // MINUTE_MS, last[keep])
    steps = cols.steps[np.repeat(keep, cols.count)]
    stamp_minute = batch.stamp_ms[cols.record[keep]] // MINUTE_MS + admission.future_ms // MINUTE_MS
    past = minute <= stamp_minute[run]  # an envelope must not carry the minutes ring into the future
    write_steps(admission.state, row[run][past], minute[past], steps[past])
    record = cols.record[keep]
    first = cols.start_ms[keep] // MINUTE_MS
    intake.events.append(events(row, batch.stamp_ms[record], Kind.ACTIVITY, batch.offset[record], a=first))


def blood_pressure(admission: Admission, batch: Batch, cols: c.BloodPressureColumns, intake: Intake) -> None:
    """Readings to their slots by event id; a reading that is already there is the same reading and decides nothing."""
    state = admission.state
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.start_ms, DAY_MS * 14, intake)
    fresh: list[int] = []
    kept = np.flatnonzero(keep)
    for r, i in zip(row.tolist(), kept.tolist(), strict=True):
        name = _hash(cols.event_id[i])
        if (state.bp_id[r] == name).any():
            continue
        slot = int(np.argmin(state.bp_ms[r]))  # a free one, else the oldest
        fresh.append(i)
        if cols.start_ms[i] < state.bp_ms[r, slot]:
            continue
        state.bp_ms[r, slot] = cols.start_ms[i]
        state.bp_id[r, slot] = name
        state.bp_systolic[r, slot] = cols.systolic_mmhg[i]
        state.bp_diastolic[r, slot] = cols.diastolic_mmhg[i]
        state.bp_pulse[r, slot] = cols.pulse_bpm[i]
        state.bp_method[r, slot] = cols.method[i]
    if fresh:
        index = np.array(fresh)
        rows = row[np.searchsorted(kept, index)]
        record = cols.record[index]
        intake.events.append(
            events(
                rows,
                batch.stamp_ms[record],
                Kind.READING,
                batch.offset[record],
                a=cols.start_ms[index],
                b=cols.systolic_mmhg[index].astype(np.int64) * 1000 + cols.diastolic_mmhg[index],
                c=cols.method[index].astype(np.int64),
                what=[(cols.device_id[i], int(cols.pulse_bpm[i])) for i in fresh],
            )
        )


def sleep(admission: Admission, batch: Batch, cols: c.SleepColumns, intake: Intake) -> None:
    """Sessions to their slots by source record id; only a higher revision replaces one that is there."""
    state = admission.state
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.end_ms, DAY_MS * 14, intake)
    begins = np.cumsum(cols.stage_count, dtype=np.int64) - cols.stage_count
    written: list[int] = []
    rows: list[int] = []
    for r, i in zip(row.tolist(), np.flatnonzero(keep).tolist(), strict=True):
        name = _hash(cols.source_record_id[i])
        same = np.flatnonzero(state.sleep_id[r] == name)
        if len(same) and state.sleep_revision[r, same[0]] > cols.revision[i]:
            continue
        slot = int(same[0]) if len(same) else int(np.argmin(state.sleep_start[r]))
        if not len(same) and cols.start_ms[i] // MINUTE_MS < state.sleep_start[r, slot]:
            continue
        state.sleep_id[r, slot] = name
        state.sleep_revision[r, slot] = cols.revision[i] + 1
        state.sleep_start[r, slot] = cols.start_ms[i] // MINUTE_MS
        state.sleep_end[r, slot] = cols.end_ms[i] // MINUTE_MS
        state.sleep_minutes[r, slot] = cols.minutes[i]
        first, last = int(cols.start_ms[i]) // MINUTE_MS, (int(cols.end_ms[i]) - 1) // MINUTE_MS
        minute = np.arange(first, last + 1)
        of_session = slice(begins[i], begins[i] + cols.stage_count[i])
        if cols.stage_count[i]:
            into = minute * 60 - int(cols.start_ms[i]) // 1000
            at = np.searchsorted(cols.stage_start_s[of_session], into, side="right") - 1
            write_stages(state, r, minute, cols.stage[of_session][np.maximum(at, 0)])
        written.append(i)
        rows.append(r)
    if written:
        record = cols.record[written]
        first_minute = cols.start_ms[written] // MINUTE_MS
        intake.events.append(
            events(
                np.array(rows, np.int64),
                batch.stamp_ms[record],
                Kind.SLEEP,
                batch.offset[record],
                a=first_minute,
                what=[(cols.source_record_id[i], int(cols.revision[i]), i, cols) for i in written],
            )
        )


def weather(admission: Admission, batch: Batch, cols: c.WeatherColumns, intake: Intake) -> None:
    """Reports to their hours (the newest of an hour stays); the forecast as issued, the newest issue stays."""
    state = admission.state
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.start_ms, DAY_MS, intake)
    begins = np.cumsum(cols.forecast_count, dtype=np.int64) - cols.forecast_count
    kept = np.flatnonzero(keep)
    for r, i in zip(row.tolist(), kept.tolist(), strict=True):
        time_ms = int(cols.start_ms[i])
        slot = time_ms // HOUR_MS % HOURS
        if time_ms >= state.weather_ms[r, slot]:
            state.weather_ms[r, slot] = time_ms
            state.weather[r, slot] = (
                cols.temperature_c[i],
                cols.humidity_pct[i],
                cols.wind_mps[i],
                cols.pm25_ugm3[i],
            )
        if cols.forecast_count[i] and time_ms >= state.forecast_ms[r]:
            part = slice(begins[i], begins[i] + cols.forecast_count[i])
            hour = time_ms // HOUR_MS + cols.forecast_offset_h[part]
            state.forecast_hour[r, hour % HOURS] = hour
            state.forecast[r, hour % HOURS, 0] = cols.forecast_temperature_c[part]
            state.forecast[r, hour % HOURS, 1] = cols.forecast_humidity_pct[part]
            state.forecast_ms[r] = time_ms
    if len(kept):
        record = cols.record[kept]
        what = [(i, cols) for i in kept.tolist()]
        intake.events.append(
            events(row, batch.stamp_ms[record], Kind.WEATHER, batch.offset[record], a=cols.start_ms[kept], what=what)
        )


def wearer(admission: Admission, batch: Batch, cols: c.WearerColumns, intake: Intake) -> None:
    """Profiles and tombstones; both take effect at their stamp."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, None, None, intake)
    _objects(batch, cols.record[keep], row, Kind.PROFILE, [cols.profile[i] for i in np.flatnonzero(keep)], intake)


def commands(admission: Admission, batch: Batch, cols: c.CommandColumns, intake: Intake) -> None:
    """What a human decided about an alert; takes effect at its stamp."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, None, None, intake)
    what = [(cols.command[i], batch.key[cols.record[i]], batch.value[cols.record[i]]) for i in np.flatnonzero(keep)]
    _objects(batch, cols.record[keep], row, Kind.COMMAND, what, intake)


def scores(admission: Admission, batch: Batch, cols: c.ScoreColumns, intake: Intake) -> None:
    """Scores that came back; each wearer's takes effect at its stamp. Wearers that are not known here have left."""
    known = admission.state.row_of
    for i, of_step in zip(cols.record.tolist(), cols.scores, strict=True):
        partition = int(batch.partition[i])
        of_row = [(known[w], k) for k, w in enumerate(of_step.wearer_id) if w in known]
        of_row = [(r, k) for r, k in of_row if admission.state.partition[r] == partition]
        if of_row:
            row = np.array([r for r, _ in of_row], np.int64)
            stamp = np.full(len(row), batch.stamp_ms[i])
            offset = np.full(len(row), batch.offset[i])
            which = np.array([k for _, k in of_row], np.int64)
            intake.events.append(events(row, stamp, Kind.SCORE, offset, a=which, what=[of_step] * len(row)))


def _objects(
    batch: Batch, record: NDArray[np.int64], row: NDArray[np.int64], kind: Kind, what: list[Any], intake: Intake
) -> None:
    if len(row):
        intake.events.append(events(row, batch.stamp_ms[record], kind, batch.offset[record], what=what))


def _hash(name: str) -> np.uint64:
    """Eight bytes that name an event among a wearer's last 16."""
    return np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") | 1)


INTAKE: dict[str, Callable[[Admission, Batch, Any, Intake], None]] = {
    "vitals.heart-rate.v1": heart_rate,
    "vitals.blood-pressure.v1": blood_pressure,
    "vitals.sleep.v1": sleep,
    "vitals.activity.v1": activity,
    "context.weather.v1": weather,
    "context.wearer.v1": wearer,
    "alert-commands.v1": commands,
    "risk.scores.v1": scores,
}
