"""alert-command/1: what a care team does with an alert."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from stream_schemas.event import Event, Identifier, Instant, Note, one_of
from stream_schemas.units import Revision

ACTIONS = ("unknown", "acknowledge", "close", "snooze", "escalate", "comment")
"""An action that is not known is read as "unknown" and becomes a dead letter (`unsupported_action`)."""
VERDICTS = ("unknown", "true_actionable", "true_not_actionable", "false_artifact", "false_other", "unsure")

Action = Annotated[Literal["unknown", "acknowledge", "close", "snooze", "escalate", "comment"], one_of(ACTIONS)]
Verdict = Annotated[
    Literal["unknown", "true_actionable", "true_not_actionable", "false_artifact", "false_other", "unsure"],
    one_of(VERDICTS),
]


class AlertCommandEvent(Event):
    """A command about one alert; the same `command_id` twice counts once."""

    schema_: Literal["alert-command/1"] = Field("alert-command/1", alias="schema")
    event_id: Identifier | None = Field(None, description="May be left out: command_id is enough.")
    wearer_id: Identifier
    device_id: Identifier | None = None
    command_id: Identifier
    alert_id: Identifier
    seen_version: Revision = Field(description="The version that the actor was looking at.")
    action: Action
    until: Instant | None = Field(None, description="End of a snooze.")
    verdict: Verdict | None = None
    reason: Note | None = None
    actor: Identifier = Field(description="Pseudonym of the person who acts.")
    at: Instant


class AlertCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command, inside; times are RFC 3339, `action` and `verdict` are of `ACTIONS` and `VERDICTS`."""

    schema_: Literal["alert-command/1"] = msgspec.field(default="alert-command/1", name="schema")
    event_id: Identifier | None = None
    wearer_id: Identifier
    device_id: Identifier | None = None
    command_id: Identifier
    alert_id: Identifier
    seen_version: Revision
    action: str
    until: str | None = None
    verdict: str | None = None
    reason: Note | None = None
    actor: Identifier
    at: str
