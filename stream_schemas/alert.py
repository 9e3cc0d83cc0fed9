"""alert/1: one version of one alert. Readers keep the highest version of each alert_id."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from stream_schemas.command import VERDICTS, Verdict
from stream_schemas.event import Code, Event, Identifier, Instant, Note, matching, one_of
from stream_schemas.units import Revision, Share
from stream_schemas.wearer import Team

__all__ = ["CONDITIONS", "KINDS", "PRIORITIES", "VERDICTS", "WORKFLOWS", "Advice", "Alert", "AlertEvent", "Trigger"]

KINDS = ("unknown", "physiological", "model", "technical")
PRIORITIES = ("unknown", "high", "medium", "low", "technical")
CONDITIONS = ("unknown", "pending", "present", "clearing", "absent")
"""Of the wearer; "unknown" while data is missing: an alert is never resolved by silence."""
WORKFLOWS = ("unknown", "unacked", "acked", "snoozed", "closed")
"""Of the people who care."""
RULE = r"^[A-Z0-9_]{1,40}$"

Kind = Annotated[Literal["unknown", "physiological", "model", "technical"], one_of(KINDS)]
Priority = Annotated[Literal["unknown", "high", "medium", "low", "technical"], one_of(PRIORITIES)]
Condition = Annotated[Literal["unknown", "pending", "present", "clearing", "absent"], one_of(CONDITIONS)]
Workflow = Annotated[Literal["unknown", "unacked", "acked", "snoozed", "closed"], one_of(WORKFLOWS)]
Rule = Annotated[str, Field(pattern=RULE), matching(RULE)]


class TriggerEvent(Event):
    """What crossed which limit: `value` `op` `limit`, in `unit`, over `window_s` and `n_samples` samples."""

    metric: Code
    value: float | None = Field(None, description="Absent or null for a silence.")
    limit: float | None = None
    op: str = Field(max_length=8)
    unit: str = Field(max_length=24)
    window_s: float = Field(ge=0)
    n_samples: int = Field(ge=0)


class AdviceEvent(Event):
    """What staff may do: a stable code, and the sentence for it."""

    code: Code
    text: Note


class AlertEvent(Event):
    """One version of one alert."""

    schema_: Literal["alert/1"] = Field("alert/1", alias="schema")
    alert_id: Identifier
    version: Revision = Field(description="Only grows; the highest is the alert as it stands.")
    wearer_id: Identifier
    team: Team
    kind: Kind
    rule: Rule
    priority: Priority
    condition: Condition
    workflow: Workflow
    event_time: Instant = Field(description="Start of the episode, in event time.")
    raised_at: Instant = Field(description="T at which the alert was raised.")
    updated_at: Instant = Field(description="Received time of the record that decided this version.")
    trigger: TriggerEvent
    text: Note = Field(description="One plain sentence for staff.")
    advice: AdviceEvent
    missing: list[Code] = Field(max_length=32, description="Inputs that were lacking.")
    quality: Share | None = Field(None, description="Of the data behind it; absent or null = not told.")
    unverified: bool
    late: bool = Field(description="The data came later than the rule's clinical window.")
    flap_count: Revision
    escalation_level: Revision
    model_version: Identifier | None = None
    device_id: Identifier | None = None
    actor: Identifier | None = None
    verdict: Verdict | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """What crossed which limit, inside."""

    metric: str
    value: float | None = None
    limit: float | None = None
    op: str
    unit: str
    window_s: float
    n_samples: int


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What staff may do, inside."""

    code: str
    text: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an alert, inside; times are RFC 3339. `codec.encode` writes every field, in this order."""

    schema_: Literal["alert/1"] = msgspec.field(default="alert/1", name="schema")
    alert_id: str
    version: int
    wearer_id: str
    team: str
    kind: str
    rule: str
    priority: str
    condition: str
    workflow: str
    event_time: str
    raised_at: str
    updated_at: str
    trigger: Trigger
    text: str
    advice: Advice
    missing: tuple[str, ...]
    quality: float | None = None
    unverified: bool
    late: bool
    flap_count: int
    escalation_level: int
    model_version: str | None = None
    device_id: str | None = None
    actor: str | None = None
    verdict: str | None = None
