"""control/1: a switch of model or rules; written to every partition, so that it is part of each log."""

from typing import Annotated, Literal

import msgspec
from pydantic import BeforeValidator, Field

from stream_schemas.event import Event, Identifier, Instant, matching, one_of

KINDS = ("unknown", "model_switch", "rules")
ORIGINS = ("operator", "settings")
SHA256 = r"^[0-9a-f]{64}$"
MAX_URL = 2000
MAX_CONTENT = 1_000_000

Kind = Annotated[Literal["unknown", "model_switch", "rules"], one_of(KINDS)]
Sha256 = Annotated[str, Field(pattern=SHA256), matching(SHA256)]
Url = Annotated[str, Field(max_length=MAX_URL), msgspec.Meta(max_length=MAX_URL)]
Content = Annotated[str, Field(max_length=MAX_CONTENT), msgspec.Meta(max_length=MAX_CONTENT)]


def _read_origin(value: object) -> object:
    """Read an origin of a later version as the one that is answered for by a human."""
    return "operator" if isinstance(value, str) and value not in ORIGINS else value


Origin = Annotated[Literal["operator", "settings"], BeforeValidator(_read_origin)]


class ControlEvent(Event):
    """A switch; "unknown" kinds are of a later version and change nothing."""

    schema_: Literal["control/1"] = Field("control/1", alias="schema")
    event_id: Identifier | None = None
    kind: Kind
    model_version: Identifier | None = None
    sha256: Sha256 | None = Field(None, description="Of the bundle or of the content.")
    bundle_url: Url | None = None
    content: Content | None = Field(None, description="A rule file, whole.")
    replace: bool | None = Field(
        None,
        description="Rules only. false: limits that the file does not name stay as they are. true: they go back to the "
        "packaged ones. Absent: true from an operator, as it was before the field was there, else false.",
    )
    origin: Origin = Field("operator", description="Who wants it: an operator, or the settings of the workers.")
    at: Instant


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A switch, inside; `kind` is one of `KINDS`, `origin` one of `ORIGINS`, `at` is RFC 3339."""

    schema_: Literal["control/1"] = msgspec.field(default="control/1", name="schema")
    event_id: Identifier | None = None
    kind: str
    model_version: Identifier | None = None
    sha256: Sha256 | None = None
    bundle_url: Url | None = None
    content: Content | None = None
    replace: bool | None = None
    origin: str = "operator"
    at: str

    @property
    def merges(self) -> bool:
        """Whether limits that its file does not name stay as they are."""
        return self.origin == "settings" if self.replace is None else not self.replace
