"""What is known about B wearers at one moment: the one place where the model's tensors begin.

The engine fills a Snapshot from its rings, training fills it from the journal; everything after it is shared.
Minute columns cover ``[as_of_minute - 1440, as_of_minute)``, newest last, so nothing in a Snapshot comes from
the minute ``as_of_minute`` itself or later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY_FEATURES = (
    "resting_bpm",
    "mean_bpm",
    "low_bpm",
    "high_bpm",
    "steps",
    "active_min",
    "worn_min",
    "sleep_min",
    "systolic_mmhg",
    "diastolic_mmhg",
    "temperature_c",
    "irregular_share",
)

MINUTES = 1440
READINGS = 16
SESSIONS = 14
HOURS = 24
DAYS = 28

NO_STEPS = 255
NO_RR = 255
NO_PULSE = -1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """B wearers, each at its own minute. Absent values are marked as stated per field and never filled in.

    Parameters
    ----------
    as_of_minute
        int64 (B,): epoch minute. Everything below was received before it.
    hr_median, hr_min, hr_max
        uint8 (B, 1440): beats per minute of the cleaned samples; 0 = no valid sample in this minute.
    hr_count
        uint8 (B, 1440): valid samples in the minute; 0 = none.
    irregular
        uint8 (B, 1440): 100 * RMSSD / mean of the minute's RR intervals, at most 254; 255 = no RR intervals.
    steps
        uint8 (B, 1440): steps in the minute, at most 254; 255 = no data (not the same as no steps).
    stage
        uint8 (B, 1440): codes of STAGES in stream_schemas; 0 = unknown.
    bp_minute
        int64 (B, 16): epoch minutes of the readings, oldest first; 0 = none.
    bp_systolic, bp_diastolic
        int16 (B, 16): mmHg; 0 where there is no reading.
    bp_pulse
        int16 (B, 16): beats per minute; -1 = none.
    bp_method
        uint8 (B, 16): codes of METHODS in stream_schemas.
    sleep_start, sleep_end
        int64 (B, 14): epoch minutes of the sessions, oldest first; 0 = none.
    sleep_minutes
        float32 (B, 14, 5): minutes total, light, deep, rem, awake; NaN = none.
    weather_past
        float32 (B, 24, 4): hourly temperature_c, humidity_pct, wind_mps, pm25_ugm3, newest last; NaN = none.
    weather_forecast
        float32 (B, 24, 2): temperature_c, humidity_pct of the coming hours, nearest first; NaN = none.
    days
        float32 (B, 28, 12): DAY_FEATURES of the wearer's past days, newest last (yesterday); NaN = none.
    age_years, bmi
        float32 (B,): NaN = none.
    sex
        uint8 (B,): 0 unknown, 1 female, 2 male.
    conditions, medications
        uint32 (B,): bit masks of CONDITIONS and MEDICATIONS in stream_schemas.wearer; others set bit 31.
    cadence_s
        float32 (B,): measured seconds between heart-rate samples; NaN = not yet measured.

    Raises
    ------
    ValueError
        If a field has another shape or dtype than stated; the sentence names the field.
    """

    as_of_minute: NDArray[np.int64]
    hr_median: NDArray[np.uint8]
    hr_min: NDArray[np.uint8]
    hr_max: NDArray[np.uint8]
    hr_count: NDArray[np.uint8]
    irregular: NDArray[np.uint8]
    steps: NDArray[np.uint8]
    stage: NDArray[np.uint8]
    bp_minute: NDArray[np.int64]
    bp_systolic: NDArray[np.int16]
    bp_diastolic: NDArray[np.int16]
    bp_pulse: NDArray[np.int16]
    bp_method: NDArray[np.uint8]
    sleep_start: NDArray[np.int64]
    sleep_end: NDArray[np.int64]
    sleep_minutes: NDArray[np.float32]
    weather_past: NDArray[np.float32]
    weather_forecast: NDArray[np.float32]
    days: NDArray[np.float32]
    age_years: NDArray[np.float32]
    bmi: NDArray[np.float32]
    sex: NDArray[np.uint8]
    conditions: NDArray[np.uint32]
    medications: NDArray[np.uint32]
    cadence_s: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check every field's shape and dtype; contents are checked where tensors are made."""
        B = len(self.as_of_minute)
        for name, (dtype, tail, _) in LAYOUT.items():
            column = getattr(self, name)
            if column.dtype != np.dtype(dtype) or column.shape != (B, *tail):
                raise ValueError(
                    f"Snapshot.{name} must be {np.dtype(dtype)} {(B, *tail)}, got {column.dtype} {column.shape}."
                )

    def __len__(self) -> int:
        """Return the number of wearers, B."""
        return len(self.as_of_minute)

    @classmethod
    def empty(cls, B: int) -> "Snapshot":
        """Return B wearers of whom nothing is known: every mark of absence, as_of_minute 0, writable arrays."""
        return cls(**{name: np.full((B, *tail), absent, dtype) for name, (dtype, tail, absent) in LAYOUT.items()})

    def rows(self, chosen: "slice | Sequence[int] | NDArray[Any]") -> "Snapshot":
        """Return the chosen wearers, in that order (a slice gives views, indices give copies)."""
        return Snapshot(**{name: getattr(self, name)[chosen] for name in LAYOUT})

    @classmethod
    def joined(cls, parts: "Sequence[Snapshot]") -> "Snapshot":
        """Return the wearers of all parts, one after the other."""
        if not parts:
            return cls.empty(0)
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in LAYOUT})


# name -> dtype, shape of one wearer's part, the mark of absence
LAYOUT: dict[str, tuple[type[np.generic], tuple[int, ...], float]] = {
    "as_of_minute": (np.int64, (), 0),
    "hr_median": (np.uint8, (MINUTES,), 0),
    "hr_min": (np.uint8, (MINUTES,), 0),
    "hr_max": (np.uint8, (MINUTES,), 0),
    "hr_count": (np.uint8, (MINUTES,), 0),
    "irregular": (np.uint8, (MINUTES,), NO_RR),
    "steps": (np.uint8, (MINUTES,), NO_STEPS),
    "stage": (np.uint8, (MINUTES,), 0),
    "bp_minute": (np.int64, (READINGS,), 0),
    "bp_systolic": (np.int16, (READINGS,), 0),
    "bp_diastolic": (np.int16, (READINGS,), 0),
    "bp_pulse": (np.int16, (READINGS,), NO_PULSE),
    "bp_method": (np.uint8, (READINGS,), 0),
    "sleep_start": (np.int64, (SESSIONS,), 0),
    "sleep_end": (np.int64, (SESSIONS,), 0),
    "sleep_minutes": (np.float32, (SESSIONS, 5), np.nan),
    "weather_past": (np.float32, (HOURS, 4), np.nan),
    "weather_forecast": (np.float32, (HOURS, 2), np.nan),
    "days": (np.float32, (DAYS, len(DAY_FEATURES)), np.nan),
    "age_years": (np.float32, (), np.nan),
    "bmi": (np.float32, (), np.nan),
    "sex": (np.uint8, (), 0),
    "conditions": (np.uint32, (), 0),
    "medications": (np.uint32, (), 0),
    "cadence_s": (np.float32, (), np.nan),
}

assert {field.name for field in fields(Snapshot)} == set(LAYOUT)  # noqa: S101 - the two lists are one
