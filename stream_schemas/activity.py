"""activity/1: steps of consecutive minutes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stream_schemas.event import Event, Identifier, Instant, instant_ms, invalid_time, one_of
from stream_schemas.units import EnergyKcal, Steps

MAX_MINUTES = 1440
MINUTE_MS = 60_000
ACTIVITIES = ("unknown", "still", "walking", "running", "cycling", "swimming", "strength", "other")

Activity = Annotated[
    Literal["unknown", "still", "walking", "running", "cycling", "swimming", "strength", "other"], one_of(ACTIVITIES)
]


class ActivityEvent(Event):
    """Steps: `steps[i]` were taken in the i-th minute after `start`. Zero while the watch is not worn is not rest."""

    schema_: Literal["activity/1"] = Field("activity/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier
    start: Instant = Field(description="On a whole minute.")
    steps: list[Steps] = Field(min_length=1, max_length=MAX_MINUTES)
    energy_kcal: EnergyKcal | None = Field(None, description="Of all minutes of this event together.")
    activity: Activity | None = None

    @model_validator(mode="after")
    def _on_a_whole_minute(self) -> Self:
        if instant_ms(self.start) % MINUTE_MS:
            raise invalid_time("start must be on a whole minute")
        return self
