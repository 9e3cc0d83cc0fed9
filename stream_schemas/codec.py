"""One message: bytes <-> event. `decode` defines what is accepted; the batch decoder must agree with it."""

import json
import math
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stream_schemas.event import Event, is_identifier
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.topics import ALERTS, BY_NAME, Topic

_encoder = msgspec.json.Encoder()
_OWN_REASONS = frozenset(Reason)
_LONGEST_WHOLE_NUMBER = 300  # digits; a longer one is beyond any range, as infinity is
MAX_NESTING = 32
"""Objects and lists within each other; deeper JSON is refused, so that no reader's stack decides what is accepted."""


def encode(event: Event | msgspec.Struct) -> bytes:
    """Return the record value of an event, the same bytes for the same event. Of models, absent fields are left out."""
    if isinstance(event, BaseModel):
        return event.model_dump_json(by_alias=True, exclude_none=True).encode()
    return _encoder.encode(event)


def topic_of(name: str) -> Topic:
    """Find a topic of the table by its name; a team's alert topic is found too.

    Raises
    ------
    KeyError
        If the table has no such topic.
    """
    if name.startswith("alerts.") and name.endswith(".v1"):
        return BY_NAME[ALERTS]
    return BY_NAME[name]


def decode(topic: str, key: bytes | None, value: bytes | None) -> Event | Rejected | None:
    """Read one record.

    Parameters
    ----------
    topic : unprefixed name of the table.
    key, value : as they lie in Kafka.

    Returns
    -------
    Event, None or Rejected
        None is a tombstone, where the topic has such.
    """
    row = topic_of(topic)
    if value is None:
        return _tombstone(row, key)
    event = decode_value(row, value)
    if isinstance(event, Rejected) or row.key == "none":
        return event
    identity = getattr(event, row.key, None)  # "as it came" is no field, so any key is right
    if identity is not None and key != identity.encode():
        return _rejected(Reason.KEY_MISMATCH, f"The record key must be the event's {row.key}.")
    return event


def decode_value(row: Topic, value: bytes) -> Event | Rejected:
    """Read a value alone, whatever its key."""
    if len(value) > row.largest_value_bytes:
        return _rejected(Reason.TOO_LARGE, f"{len(value)} bytes, at most {row.largest_value_bytes} are read.")
    try:
        fields = _parse(value)
    except (ValueError, RecursionError):
        return _rejected(Reason.MALFORMED_JSON, f"The value is not UTF-8 JSON of at most {MAX_NESTING} levels.")
    if not isinstance(fields, dict):
        return _rejected(Reason.NOT_AN_OBJECT, "The value must be a JSON object.")
    kind = row.events[0]
    if "schema_" in kind.model_fields:
        if "schema" not in fields:
            return _rejected(Reason.MISSING_FIELD, "schema: Field required")
        if fields["schema"] != row.schema:
            return _rejected(Reason.UNKNOWN_SCHEMA, f"schema must be {row.schema} in this topic.")
    elif "claim" in fields:
        kind = row.events[1]
    elif "T" not in fields and fields.keys() & {"x", "w"}:
        kind = row.events[2]
    try:
        return kind.model_validate(fields, by_alias=True, by_name=False)
    except ValidationError as invalid:
        return _first(invalid.errors(include_url=False, include_context=False, include_input=False))


def _parse(value: bytes) -> Any:
    """Read JSON as RFC 8259 has it: UTF-8, no NaN, no infinity; the last of two equal names counts."""
    fields = json.loads(value.decode(), parse_int=_whole_number, parse_constant=_refuse)
    level = _inside([fields])
    for _ in range(MAX_NESTING):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return fields
    raise ValueError("nested too deeply")


def _inside(outer: dict[str, Any] | list[Any]) -> list[Any]:
    # Only containers matter, and most lists are numbers: look before copying.
    return [inner for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, dict | list)]


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_WHOLE_NUMBER else math.inf


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _tombstone(row: Topic, key: bytes | None) -> Rejected | None:
    if not row.nullable:
        return _rejected(Reason.NULL_VALUE, "This topic has no null values.")
    if key is None or not key.isascii() or not is_identifier(key.decode()):
        return _rejected(Reason.KEY_MISMATCH, f"The key of a null value must be a {row.key}.")
    return None


def _first(errors: list[ErrorDetails]) -> Rejected:
    error = errors[0]
    where = ".".join(map(str, error["loc"])) or "event"
    return _rejected(_reason(error["type"]), f"{where}: {error['msg']}")


def _reason(error_type: str) -> Reason:
    if error_type in _OWN_REASONS:
        return Reason(error_type)
    return Reason.MISSING_FIELD if error_type == "missing" else Reason.INVALID_FIELD


def _rejected(reason: Reason, detail: str) -> Rejected:
    return Rejected(0, reason, detail)
