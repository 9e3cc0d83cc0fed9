"""dead-letter/1: a record that was refused, whole, with where it came from and why."""

import base64
import hashlib
from typing import Annotated, Literal

import msgspec
from pydantic import Field

from stream_schemas.control import Sha256
from stream_schemas.event import Event, one_of
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.units import EpochMs, Offset

KEPT_BYTES = 65_536
REASONS = ("unknown", *(reason.value for reason in Reason))

ReasonText = Annotated[str, one_of(REASONS), Field(json_schema_extra={"enum": list(REASONS)})]


class DeadLetterEvent(Event):
    """A refused record. `value_base64` holds its first 64 KiB, `value_bytes` and `value_sha256` are of the whole."""

    schema_: Literal["dead-letter/1"] = Field("dead-letter/1", alias="schema")
    reason: ReasonText
    detail: str = Field(description="Field and rule; never a value of the wearer.")
    origin_topic: str = Field(max_length=249)
    origin_partition: Offset
    origin_offset: Offset
    received_at_ms: EpochMs
    key_base64: str | None = None
    value_base64: str | None = None
    value_bytes: Offset
    value_sha256: Sha256


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused record, inside."""

    schema_: Literal["dead-letter/1"] = msgspec.field(default="dead-letter/1", name="schema")
    reason: str
    detail: str
    origin_topic: str
    origin_partition: int
    origin_offset: int
    received_at_ms: int
    key_base64: str | None = None
    value_base64: str | None = None
    value_bytes: int
    value_sha256: str


def dead_letter(
    rejected: Rejected,
    *,
    topic: str,
    partition: int,
    offset: int,
    received_at_ms: int,
    key: bytes | None,
    value: bytes | None,
) -> DeadLetter:
    """Build the dead letter of a refused record; key and value keep their first 64 KiB, a null stays a null."""
    whole = value or b""
    return DeadLetter(
        reason=rejected.reason.value,
        detail=rejected.detail,
        origin_topic=topic,
        origin_partition=partition,
        origin_offset=offset,
        received_at_ms=received_at_ms,
        key_base64=None if key is None else base64.b64encode(key[:KEPT_BYTES]).decode(),
        value_base64=None if value is None else base64.b64encode(value[:KEPT_BYTES]).decode(),
        value_bytes=len(whole),
        value_sha256=hashlib.sha256(whole).hexdigest(),
    )
