"""What a decoded batch is: one dataclass of columns per input topic.

n envelopes were kept, in the order of the batch; `record` says where in the batch each stood. Series of all envelopes
lie behind one another; `count` says how many belong to each.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stream_schemas.command import AlertCommand
from stream_schemas.control import Control
from stream_schemas.score import RiskScores
from stream_schemas.wearer import WearerProfile

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

ABSENT_BPM = -1
"""In `BloodPressureColumns.pulse_bpm`: not told."""


@dataclass(frozen=True, slots=True)
class HeartRateColumns:
    """heart-rate/1: N samples and R beat intervals in all.

    Attributes
    ----------
    record, start_ms : int64 (n,). count, rr_count : int32 (n,).
    offset_ms : int64 (N,); bpm : int16 (N,); rr_ms : int16 (R,).
    context : uint8 (n,), codes of CONTEXTS. quality : float32 (n,), NaN = not told.
    """

    record: I64
    wearer_id: list[str]
    device_id: list[str]
    start_ms: I64
    count: I32
    offset_ms: I64
    bpm: I16
    context: U8
    quality: F32
    rr_count: I32
    rr_ms: I16


@dataclass(frozen=True, slots=True)
class BloodPressureColumns:
    """blood-pressure/1: `pulse_bpm` -1 = not told, `method` in codes of METHODS."""

    record: I64
    wearer_id: list[str]
    device_id: list[str]
    event_id: list[str]
    start_ms: I64
    systolic_mmhg: I16
    diastolic_mmhg: I16
    pulse_bpm: I16
    method: U8


@dataclass(frozen=True, slots=True)
class SleepColumns:
    """sleep/1: `stage` in codes of STAGES; `minutes` float32 (n, 5) in the order of sleep.MINUTES, NaN = not told."""

    record: I64
    wearer_id: list[str]
    device_id: list[str]
    source_record_id: list[str]
    revision: I32
    start_ms: I64
    end_ms: I64
    stage_count: I32
    stage_start_s: I32
    stage: U8
    minutes: F32


@dataclass(frozen=True, slots=True)
class ActivityColumns:
    """activity/1: `steps` per minute, int16 (N,)."""

    record: I64
    wearer_id: list[str]
    device_id: list[str]
    start_ms: I64
    count: I32
    steps: I16


@dataclass(frozen=True, slots=True)
class WeatherColumns:
    """weather/1: float32 (n,) with NaN = not told; the forecast columns share `forecast_count`."""

    record: I64
    wearer_id: list[str]
    start_ms: I64
    temperature_c: F32
    humidity_pct: F32
    wind_mps: F32
    pm25_ugm3: F32
    forecast_count: I32
    forecast_offset_h: I32
    forecast_temperature_c: F32
    forecast_humidity_pct: F32


@dataclass(frozen=True, slots=True)
class WearerColumns:
    """wearer/1: None in `profile` erases the wearer."""

    record: I64
    wearer_id: list[str]
    profile: list[WearerProfile | None]


@dataclass(frozen=True, slots=True)
class CommandColumns:
    """alert-command/1."""

    record: I64
    wearer_id: list[str]
    command: list[AlertCommand]


@dataclass(frozen=True, slots=True)
class ScoreColumns:
    """risk-scores/1."""

    record: I64
    scores: list[RiskScores]


@dataclass(frozen=True, slots=True)
class ControlColumns:
    """control/1."""

    record: I64
    control: list[Control]


Columns: TypeAlias = (
    HeartRateColumns
    | BloodPressureColumns
    | SleepColumns
    | ActivityColumns
    | WeatherColumns
    | WearerColumns
    | CommandColumns
    | ScoreColumns
    | ControlColumns
)
