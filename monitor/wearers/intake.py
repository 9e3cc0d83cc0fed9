"""From accepted envelopes to events: who is it, and may it be written.

One function a topic. Each gives events, which wait until T has passed their stamps and only then act, and refusals:
(index into the batch, reason, detail). Which records are refused depends on their own stamps alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.inputs import Batch
from monitor.signals.irregular import irregular_pct
from monitor.signals.reasons import EXERCISE, SAID_ASLEEP, SAID_AWAKE, SAID_REST
from monitor.wearers.admission import Admission, Intake
from monitor.wearers.events import Kind, Samples, events
from monitor.wearers.ranges import runs
from monitor.wearers.reported import Order, Report, Reported, Session, short_hash
from stream_schemas import columns as c
from stream_schemas.heart_rate import CONTEXTS
from stream_schemas.reasons import Rejected

MINUTE_MS = 60_000
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
    """Samples, what the device says of rest and sleep, and RR irregularity."""
    n = len(cols.record)
    if n == 0:
        return
    ends = np.cumsum(cols.count, dtype=np.int64)
    time_ms = np.repeat(cols.start_ms, cols.count) + cols.offset_ms
    newest = np.maximum.reduceat(time_ms, ends - cols.count)
    oldest = np.minimum.reduceat(time_ms, ends - cols.count)
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, newest, DAY_MS, intake)
    bpm, rr_count, rr_ms = cols.bpm, cols.rr_count, cols.rr_ms
    if not keep.all():
        samples = np.repeat(keep, cols.count)
        time_ms, bpm = time_ms[samples], bpm[samples]
        rr_ms, rr_count = rr_ms[np.repeat(keep, rr_count)], rr_count[keep]
    if not len(row):
        return
    count, newest, oldest = cols.count[keep].astype(np.int64), newest[keep], oldest[keep]
    told = SAID[cols.context[keep]].astype(np.int64)
    if len(rr_ms):
        percent = irregular_pct(rr_ms, rr_count)
        some = ~np.isnan(percent)
        told[some] += (np.minimum(np.rint(percent[some]), MOST_IRREGULAR - 1).astype(np.int64) + 1) * 256
    record = cols.record[keep]
    intake.events.append(
        events(
            row,
            batch.stamp_ms[record],
            Kind.HEART_RATE,
            batch.offset[record],
            a=oldest // MINUTE_MS,
            b=newest,
            c=np.where(count > 1, (newest - oldest) // np.maximum(count - 1, 1), 0),
            d=told,
            count=count,
            samples=Samples(time_ms // 1000, bpm),
        )
    )


def activity(admission: Admission, batch: Batch, cols: c.ActivityColumns, intake: Intake) -> None:
    """Steps of minutes."""
    first = cols.start_ms // MINUTE_MS
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.start_ms, DAY_MS, intake)
    if not len(row):
        return
    record = cols.record[keep]
    first, count = first[keep], cols.count[keep].astype(np.int64)
    # an envelope must not carry the minutes ring into the future
    past = (batch.stamp_ms[record] + admission.future_ms) // MINUTE_MS - first + 1
    run, minute = runs(first, first + count - 1)
    steps = cols.steps[np.repeat(keep, cols.count)]
    kept = minute - first[run] < past[run]
    intake.events.append(
        events(
            row,
            batch.stamp_ms[record],
            Kind.ACTIVITY,
            batch.offset[record],
            a=first,
            count=np.minimum(count, past),
            samples=Samples(minute[kept] * 60, steps[kept]),
        )
    )


def blood_pressure(admission: Admission, batch: Batch, cols: c.BloodPressureColumns, intake: Intake) -> None:
    """Readings; which of them repeat one that is known is seen when they act."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.start_ms, DAY_MS * 14, intake)
    if not len(row):
        return
    record = cols.record[keep]
    intake.events.append(
        events(
            row,
            batch.stamp_ms[record],
            Kind.READING,
            batch.offset[record],
            a=cols.start_ms[keep],
            b=cols.systolic_mmhg[keep].astype(np.int64) * 1000 + cols.diastolic_mmhg[keep],
            c=cols.method[keep].astype(np.int64),
            what=[
                Reported(cols.device_id[i], short_hash(cols.event_id[i]), int(cols.pulse_bpm[i]))
                for i in np.flatnonzero(keep)
            ],
        )
    )


def sleep(admission: Admission, batch: Batch, cols: c.SleepColumns, intake: Intake) -> None:
    """Sleep sessions."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.end_ms, DAY_MS * 14, intake)
    begins = np.cumsum(cols.stage_count, dtype=np.int64) - cols.stage_count
    sessions = [
        Session(
            source_record_id=cols.source_record_id[i],
            revision=int(cols.revision[i]),
            start_ms=int(cols.start_ms[i]),
            end_ms=int(cols.end_ms[i]),
            minutes=tuple(cols.minutes[i].tolist()),
            stage_start_s=tuple(cols.stage_start_s[begins[i] : begins[i] + cols.stage_count[i]].tolist()),
            stage=bytes(cols.stage[begins[i] : begins[i] + cols.stage_count[i]]),
        )
        for i in np.flatnonzero(keep).tolist()
    ]
    _objects(batch, cols.record[keep], row, Kind.SLEEP, sessions, intake)


def weather(admission: Admission, batch: Batch, cols: c.WeatherColumns, intake: Intake) -> None:
    """Weather reports with their forecasts."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, cols.start_ms, DAY_MS, intake)
    begins = np.cumsum(cols.forecast_count, dtype=np.int64) - cols.forecast_count
    reports = []
    for i in np.flatnonzero(keep).tolist():
        part = slice(begins[i], begins[i] + cols.forecast_count[i])
        reports.append(
            Report(
                time_ms=int(cols.start_ms[i]),
                now=tuple(float(x[i]) for x in (cols.temperature_c, cols.humidity_pct, cols.wind_mps, cols.pm25_ugm3)),
                forecast_h=tuple(cols.forecast_offset_h[part].tolist()),
                forecast=tuple(
                    zip(
                        cols.forecast_temperature_c[part].tolist(),
                        cols.forecast_humidity_pct[part].tolist(),
                        strict=True,
                    )
                ),
            )
        )
    _objects(batch, cols.record[keep], row, Kind.WEATHER, reports, intake)


def wearer(admission: Admission, batch: Batch, cols: c.WearerColumns, intake: Intake) -> None:
    """Profiles and tombstones; both take effect at their stamp."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, None, None, intake)
    _objects(batch, cols.record[keep], row, Kind.PROFILE, [cols.profile[i] for i in np.flatnonzero(keep)], intake)


def commands(admission: Admission, batch: Batch, cols: c.CommandColumns, intake: Intake) -> None:
    """What a human decided about an alert; takes effect at its stamp."""
    keep, row = admission.admit(batch, cols.record, cols.wearer_id, None, None, intake)
    what = [
        Order(cols.command[i], batch.key[cols.record[i]], batch.value[cols.record[i]]) for i in np.flatnonzero(keep)
    ]
    _objects(batch, cols.record[keep], row, Kind.COMMAND, what, intake)


def scores(admission: Admission, batch: Batch, cols: c.ScoreColumns, intake: Intake) -> None:
    """Scores that came back; each wearer's takes effect at its stamp. Wearers that are not known here have left.

    The first of a wearer counts, in a record too. Scores of a time to come are refused: no later ones would count.
    """
    known = admission.state.row_of
    for i, of_step in zip(cols.record.tolist(), cols.scores, strict=True):
        if (refusal := admission.refuse_time(int(batch.stamp_ms[i]), of_step.scored_at_ms)) is not None:
            intake.refused.append(Rejected(i, *refusal))
            continue
        partition = int(batch.partition[i])
        place = dict(zip(reversed(of_step.wearer_id), range(len(of_step.wearer_id) - 1, -1, -1), strict=True))
        of_row = [(known[w], k) for w, k in place.items() if w in known]
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

KIND_OF: dict[str, Kind] = {
    "vitals.heart-rate.v1": Kind.HEART_RATE,
    "vitals.blood-pressure.v1": Kind.READING,
    "vitals.sleep.v1": Kind.SLEEP,
    "vitals.activity.v1": Kind.ACTIVITY,
    "context.weather.v1": Kind.WEATHER,
    "context.wearer.v1": Kind.PROFILE,
    "alert-commands.v1": Kind.COMMAND,
    "risk.scores.v1": Kind.SCORE,
}
"""What the records of a topic become: a record has one kind of events, under its own offset."""
