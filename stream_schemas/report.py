"""report/1: the wearer's own answers about how they feel; labels of the sub-health head."""

from typing import Literal

from pydantic import Field

from stream_schemas.event import Code, Event, Identifier, Instant, Note
from stream_schemas.units import ScorePct


class ReportEvent(Event):
    """A wellbeing check-in, answered at `start`."""

    schema_: Literal["report/1"] = Field("report/1", alias="schema")
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier | None = None
    start: Instant
    shsq25_score: ScorePct | None = Field(None, description="SHSQ-25 sum, 0 (well) to 100.")
    symptoms: list[Code] = Field(max_length=64)
    note: Note | None = None
