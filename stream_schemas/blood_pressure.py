"""blood-pressure/1: one reading."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stream_schemas.event import Event, Identifier, Instant, invalid_field, one_of
from stream_schemas.units import Bpm, DiastolicMmhg, SystolicMmhg

METHODS = ("unknown", "cuff_oscillometric", "cuff_auscultatory", "cuffless")
"""Measurement methods in the order of their codes. Only the two cuff methods may raise a blood-pressure alert."""
POSTURES = ("unknown", "sitting", "standing", "lying")

Method = Annotated[Literal["unknown", "cuff_oscillometric", "cuff_auscultatory", "cuffless"], one_of(METHODS)]
Posture = Annotated[Literal["unknown", "sitting", "standing", "lying"], one_of(POSTURES)]


class BloodPressureEvent(Event):
    """One blood-pressure reading, taken at `start`."""

    schema_: Literal["blood-pressure/1"] = Field("blood-pressure/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier
    start: Instant
    systolic_mmhg: SystolicMmhg
    diastolic_mmhg: DiastolicMmhg
    pulse_bpm: Bpm | None = None
    measurement_method: Method
    posture: Posture | None = None

    @model_validator(mode="after")
    def _diastolic_below_systolic(self) -> Self:
        if self.diastolic_mmhg >= self.systolic_mmhg:
            raise invalid_field("diastolic_mmhg must be below systolic_mmhg")
        return self
