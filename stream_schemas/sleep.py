"""sleep/1: one sleep session; a correction has the same source_record_id and a higher revision."""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stream_schemas.event import (
    Event,
    Identifier,
    Instant,
    instant_ms,
    invalid_field,
    invalid_time,
    length_mismatch,
    one_of,
)
from stream_schemas.units import Revision, SleepMin, StageStartS

MAX_STAGES = 1440
LONGEST = timedelta(hours=24)
STAGES = ("unknown", "awake", "light", "deep", "rem", "asleep")
"""Stages in the order of their codes; "asleep" = asleep, the device does not tell how."""
MINUTES = ("total_sleep_min", "light_min", "deep_min", "rem_min", "awake_min")
"""The totals, in the order of `SleepColumns.minutes`."""

Stage = Annotated[Literal["unknown", "awake", "light", "deep", "rem", "asleep"], one_of(STAGES)]


class SleepEvent(Event):
    """A sleep session from `start` to `end`; `stage[i]` holds from `stage_start_s[i]` after `start` until the next."""

    schema_: Literal["sleep/1"] = Field("sleep/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier
    start: Instant
    end: Instant
    stage_start_s: list[StageStartS] = Field(max_length=MAX_STAGES, description="From 0, rising. Empty if not told.")
    stage: list[Stage] = Field(max_length=MAX_STAGES)
    source_record_id: Identifier
    revision: Revision
    total_sleep_min: SleepMin | None = None
    light_min: SleepMin | None = None
    deep_min: SleepMin | None = None
    rem_min: SleepMin | None = None
    awake_min: SleepMin | None = None

    @model_validator(mode="after")
    def _stages_fill_the_session(self) -> Self:
        if not timedelta(0) < self.end - self.start <= LONGEST:
            raise invalid_time("end must be after start, by at most 24 h")
        if len(self.stage_start_s) != len(self.stage):
            raise length_mismatch("stage_start_s and stage must have the same length")
        starts = self.stage_start_s
        if starts and starts[0] != 0:
            raise invalid_field("stage_start_s must begin with 0")
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise invalid_field("stage_start_s must rise")
        if starts and starts[-1] * 1000 >= instant_ms(self.end) - instant_ms(self.start):
            raise invalid_field("stage_start_s must lie before the end")
        return self
