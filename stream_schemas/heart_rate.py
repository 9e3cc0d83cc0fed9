"""heart-rate/1: samples of one device, usually a minute's worth, as columns."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stream_schemas.event import Event, Identifier, Instant, length_mismatch, one_of
from stream_schemas.units import Bpm, OffsetMs, RrMs, Share

MAX_SAMPLES = 10_000
CONTEXTS = ("unknown", "at_rest", "active", "exercise", "asleep")
"""Contexts in the order of their codes; 0 = not told or not known."""

Context = Annotated[Literal["unknown", "at_rest", "active", "exercise", "asleep"], one_of(CONTEXTS)]


class HeartRateEvent(Event):
    """Heart-rate samples: `bpm[i]` was measured `offset_ms[i]` after `start`. Neither order nor repetition matters."""

    schema_: Literal["heart-rate/1"] = Field("heart-rate/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier
    start: Instant
    offset_ms: list[OffsetMs] = Field(min_length=1, max_length=MAX_SAMPLES)
    bpm: list[Bpm] = Field(min_length=1, max_length=MAX_SAMPLES)
    rr_ms: list[RrMs] | None = Field(None, max_length=MAX_SAMPLES, description="Intervals between beats, in order.")
    context: Context | None = None
    quality: Share | None = Field(None, description="The device's own confidence; 1 is best.")

    @model_validator(mode="after")
    def _as_many_offsets_as_rates(self) -> Self:
        if len(self.offset_ms) != len(self.bpm):
            raise length_mismatch("offset_ms and bpm must have the same length")
        return self
