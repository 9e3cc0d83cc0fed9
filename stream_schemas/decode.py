"""A batch of records of one input topic -> columns, and the records that are refused.

Heart-rate and activity envelopes, which are nearly all of the load, take the fast path (`fast.py`); everything else,
and whatever the fast path does not read, goes through `codec.decode`, the definition of what is accepted.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from stream_schemas import columns as c
from stream_schemas.activity import ActivityEvent
from stream_schemas.blood_pressure import METHODS, BloodPressureEvent
from stream_schemas.codec import decode, encode, topic_of
from stream_schemas.command import AlertCommand
from stream_schemas.control import Control
from stream_schemas.event import Event, instant_ms
from stream_schemas.fast import Activity, HeartRate, read_activity, read_heart_rate
from stream_schemas.heart_rate import CONTEXTS, HeartRateEvent
from stream_schemas.reasons import Rejected
from stream_schemas.score import RiskScores
from stream_schemas.sleep import MINUTES, STAGES, SleepEvent
from stream_schemas.topics import (
    ACTIVITY,
    ALERT_COMMANDS,
    BLOOD_PRESSURE,
    CONTROL,
    HEART_RATE,
    RISK_SCORES,
    SLEEP,
    WEARER,
    WEATHER,
)
from stream_schemas.wearer import WearerProfile
from stream_schemas.weather import WeatherEvent

Keys = Sequence[bytes | None]
Values = Sequence[bytes | None]
Accepted = list[tuple[int, Any]]
"""(index into the batch, event or tombstone) of what was accepted."""

_CONTEXT = {name: code for code, name in enumerate(CONTEXTS)}
_METHOD = {name: code for code, name in enumerate(METHODS)}
_STAGE = {name: code for code, name in enumerate(STAGES)}


def decode_batch(topic: str, keys: Keys, values: Values) -> tuple[c.Columns, list[Rejected]]:
    """Decode the records of one input topic.

    Parameters
    ----------
    topic : unprefixed name, one of `topics.INPUTS`.
    keys, values : n items as they lie in Kafka.

    Returns
    -------
    Columns of what was accepted, in the order of the batch, and what was refused, with its index, reason and detail.
    """
    if topic == HEART_RATE:
        return _heart_rate(keys, values)
    if topic == ACTIVITY:
        return _activity(keys, values)
    accepted, rejected = _one_by_one(topic, keys, values, range(len(values)))
    return _COLUMNS[topic](accepted, keys), rejected


def _one_by_one(topic: str, keys: Keys, values: Values, which: Sequence[int]) -> tuple[Accepted, list[Rejected]]:
    accepted: Accepted = []
    rejected: list[Rejected] = []
    for i in which:
        event = decode(topic, keys[i], values[i])
        if isinstance(event, Rejected):
            rejected.append(Rejected(i, event.reason, event.detail))
        else:
            accepted.append((i, event))
    return accepted, rejected


def _heart_rate(keys: Keys, values: Values) -> tuple[c.HeartRateColumns, list[Rejected]]:
    largest = topic_of(HEART_RATE).largest_value_bytes
    read: list[tuple[int, HeartRate | HeartRateEvent, int, c.I64]] = []
    doubted: list[int] = []
    for i, (key, value) in enumerate(zip(keys, values, strict=True)):
        found = read_heart_rate(key, value) if value is not None and len(value) <= largest else None
        if found is None:
            doubted.append(i)
        else:
            read.append((i, *found))
    accepted, rejected = _one_by_one(HEART_RATE, keys, values, doubted)
    for i, event in accepted:
        read.append((i, event, instant_ms(event.start), np.array(event.offset_ms, np.int64)))
    if accepted:
        read.sort(key=lambda one: one[0])
    envelopes = [envelope for _, envelope, _, _ in read]
    count = np.fromiter((len(e.bpm) for e in envelopes), np.int32, len(read))
    rr = [e.rr_ms or [] for e in envelopes]
    rr_count = np.fromiter(map(len, rr), np.int32, len(read))
    samples = int(count.sum())
    columns = c.HeartRateColumns(
        record=np.fromiter((i for i, _, _, _ in read), np.int64, len(read)),
        wearer_id=[e.wearer_id for e in envelopes],
        device_id=[e.device_id for e in envelopes],
        start_ms=np.fromiter((start_ms for _, _, start_ms, _ in read), np.int64, len(read)),
        count=count,
        offset_ms=np.concatenate([offset_ms for _, _, _, offset_ms in read]) if read else np.empty(0, np.int64),
        bpm=np.fromiter(chain.from_iterable(e.bpm for e in envelopes), np.int16, samples),
        context=np.fromiter((_CONTEXT.get(e.context or "unknown", 0) for e in envelopes), np.uint8, len(read)),
        quality=np.fromiter((np.nan if e.quality is None else e.quality for e in envelopes), np.float32, len(read)),
        rr_count=rr_count,
        rr_ms=np.fromiter(chain.from_iterable(rr), np.int16, int(rr_count.sum())),
    )
    return columns, rejected


def _activity(keys: Keys, values: Values) -> tuple[c.ActivityColumns, list[Rejected]]:
    largest = topic_of(ACTIVITY).largest_value_bytes
    read: list[tuple[int, Activity | ActivityEvent, int]] = []
    doubted: list[int] = []
    for i, (key, value) in enumerate(zip(keys, values, strict=True)):
        found = read_activity(key, value) if value is not None and len(value) <= largest else None
        if found is None:
            doubted.append(i)
        else:
            read.append((i, *found))
    accepted, rejected = _one_by_one(ACTIVITY, keys, values, doubted)
    for i, event in accepted:
        read.append((i, event, instant_ms(event.start)))
    if accepted:
        read.sort(key=lambda one: one[0])
    count = np.fromiter((len(e.steps) for _, e, _ in read), np.int32, len(read))
    columns = c.ActivityColumns(
        record=np.fromiter((i for i, _, _ in read), np.int64, len(read)),
        wearer_id=[e.wearer_id for _, e, _ in read],
        device_id=[e.device_id for _, e, _ in read],
        start_ms=np.fromiter((start_ms for _, _, start_ms in read), np.int64, len(read)),
        count=count,
        steps=np.fromiter(chain.from_iterable(e.steps for _, e, _ in read), np.int16, int(count.sum())),
    )
    return columns, rejected


def _record(accepted: Accepted) -> c.I64:
    return np.fromiter((i for i, _ in accepted), np.int64, len(accepted))


def _float(events: Sequence[Event], name: str) -> c.F32:
    told = (getattr(event, name) for event in events)
    return np.fromiter((np.nan if value is None else value for value in told), np.float32, len(events))


def _blood_pressure(accepted: Accepted, _: Keys) -> c.BloodPressureColumns:
    events: list[BloodPressureEvent] = [event for _, event in accepted]
    pulse = [c.ABSENT_BPM if e.pulse_bpm is None else e.pulse_bpm for e in events]
    return c.BloodPressureColumns(
        record=_record(accepted),
        wearer_id=[e.wearer_id for e in events],
        device_id=[e.device_id for e in events],
        event_id=[e.event_id for e in events],
        start_ms=np.array([instant_ms(e.start) for e in events], np.int64),
        systolic_mmhg=np.array([e.systolic_mmhg for e in events], np.int16),
        diastolic_mmhg=np.array([e.diastolic_mmhg for e in events], np.int16),
        pulse_bpm=np.array(pulse, np.int16),
        method=np.array([_METHOD[e.measurement_method] for e in events], np.uint8),
    )


def _sleep(accepted: Accepted, _: Keys) -> c.SleepColumns:
    events: list[SleepEvent] = [event for _, event in accepted]
    return c.SleepColumns(
        record=_record(accepted),
        wearer_id=[e.wearer_id for e in events],
        device_id=[e.device_id for e in events],
        source_record_id=[e.source_record_id for e in events],
        revision=np.array([e.revision for e in events], np.int32),
        start_ms=np.array([instant_ms(e.start) for e in events], np.int64),
        end_ms=np.array([instant_ms(e.end) for e in events], np.int64),
        stage_count=np.array([len(e.stage) for e in events], np.int32),
        stage_start_s=np.array([s for e in events for s in e.stage_start_s], np.int32),
        stage=np.array([_STAGE[s] for e in events for s in e.stage], np.uint8),
        minutes=np.stack([_float(events, name) for name in MINUTES], axis=1),
    )


def _weather(accepted: Accepted, _: Keys) -> c.WeatherColumns:
    events: list[WeatherEvent] = [event for _, event in accepted]
    return c.WeatherColumns(
        record=_record(accepted),
        wearer_id=[e.wearer_id for e in events],
        start_ms=np.array([instant_ms(e.start) for e in events], np.int64),
        temperature_c=_float(events, "temperature_c"),
        humidity_pct=_float(events, "humidity_pct"),
        wind_mps=_float(events, "wind_mps"),
        pm25_ugm3=_float(events, "pm25_ugm3"),
        forecast_count=np.array([len(e.forecast_offset_h or ()) for e in events], np.int32),
        forecast_offset_h=np.array([h for e in events for h in e.forecast_offset_h or ()], np.int32),
        forecast_temperature_c=np.array([t for e in events for t in e.forecast_temperature_c or ()], np.float32),
        forecast_humidity_pct=np.array([h for e in events for h in e.forecast_humidity_pct or ()], np.float32),
    )


def _wearer(accepted: Accepted, keys: Keys) -> c.WearerColumns:
    read = msgspec.json.Decoder(WearerProfile).decode
    profiles = [None if event is None else read(encode(event)) for _, event in accepted]
    return c.WearerColumns(_record(accepted), [(keys[i] or b"").decode() for i, _ in accepted], profiles)


def _commands(accepted: Accepted, _: Keys) -> c.CommandColumns:
    read = msgspec.json.Decoder(AlertCommand).decode
    commands = [read(encode(event)) for _, event in accepted]
    return c.CommandColumns(_record(accepted), [command.wearer_id for command in commands], commands)


def _scores(accepted: Accepted, _: Keys) -> c.ScoreColumns:
    read = msgspec.json.Decoder(RiskScores).decode
    return c.ScoreColumns(_record(accepted), [read(encode(event)) for _, event in accepted])


def _control(accepted: Accepted, _: Keys) -> c.ControlColumns:
    read = msgspec.json.Decoder(Control).decode
    return c.ControlColumns(_record(accepted), [read(encode(event)) for _, event in accepted])


_COLUMNS: dict[str, Callable[[Accepted, Keys], c.Columns]] = {
    BLOOD_PRESSURE: _blood_pressure,
    SLEEP: _sleep,
    WEATHER: _weather,
    WEARER: _wearer,
    ALERT_COMMANDS: _commands,
    RISK_SCORES: _scores,
    CONTROL: _control,
}
