"""label/1: what really happened to a wearer and who says so; training labels."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stream_schemas.event import Event, Identifier, Instant, invalid_time, one_of
from stream_schemas.units import Share

OUTCOMES = (
    "unknown",
    "tachycardia_at_rest",
    "bradycardia",
    "hypertensive_crisis",
    "hypotension",
    "infection",
    "heat_strain",
    "atrial_fibrillation",
    "poor_recovery",
    "watch_off",
    "gateway_silent",
    "dehydration",
    "overtraining",
    "sleep_apnoea",
    "beta_blocker_start",
    "deterioration",
    "alcohol",
    "late_exercise",
    "stress",
    "travel",
    "vaccination",
    "menstrual_phase",
    "new_device",
    "heat_wave",
)

Outcome = Annotated[
    Literal[
        "unknown",
        "tachycardia_at_rest",
        "bradycardia",
        "hypertensive_crisis",
        "hypotension",
        "infection",
        "heat_strain",
        "atrial_fibrillation",
        "poor_recovery",
        "watch_off",
        "gateway_silent",
        "dehydration",
        "overtraining",
        "sleep_apnoea",
        "beta_blocker_start",
        "deterioration",
        "alcohol",
        "late_exercise",
        "stress",
        "travel",
        "vaccination",
        "menstrual_phase",
        "new_device",
        "heat_wave",
    ],
    one_of(OUTCOMES),
]


class LabelEvent(Event):
    """An outcome from `onset` to `end` (open while absent)."""

    schema_: Literal["label/1"] = Field("label/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier | None = None
    outcome: Outcome
    onset: Instant
    end: Instant | None = None
    severity: Share | None = None
    silent: bool | None = Field(None, description="True if the wearer's data cannot show it.")
    asserted_by: Identifier = Field(description="Pseudonym of a person, or the name of a program.")

    @model_validator(mode="after")
    def _ends_after_onset(self) -> Self:
        if self.end is not None and self.end < self.onset:
            raise invalid_time("end must not be before onset")
        return self
