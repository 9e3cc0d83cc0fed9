"""What all events share: identifiers, times, codes, and the pydantic base, strict in types and open to extra fields."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from stream_schemas import rfc3339
from stream_schemas.reasons import Reason

IDENTIFIER = r"^[A-Za-z0-9_-]{1,64}$"
CODE = r"^[a-z0-9_-]{1,40}$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def matching(pattern: str) -> Meta:
    r"""Return msgspec's annotation of a pattern: it uses Python's re, whose ``$`` lets a last newline through."""
    return Meta(pattern=pattern.removesuffix("$") + r"\Z")


def is_identifier(value: str) -> bool:
    """Tell whether a text may be a wearer, device or event id."""
    return _identifier.fullmatch(value) is not None


_identifier = re.compile(IDENTIFIER.strip("^$"))

Identifier = Annotated[str, Field(pattern=IDENTIFIER), matching(IDENTIFIER)]
Code = Annotated[str, Field(pattern=CODE), matching(CODE)]
Note = Annotated[str, Field(max_length=4000), Meta(max_length=4000)]


def invalid_time(message: str) -> PydanticCustomError:
    """Return the error that becomes `Reason.INVALID_TIME`."""
    return PydanticCustomError(Reason.INVALID_TIME.value, message)


def length_mismatch(message: str) -> PydanticCustomError:
    """Return the error that becomes `Reason.LENGTH_MISMATCH`."""
    return PydanticCustomError(Reason.LENGTH_MISMATCH.value, message)


def invalid_field(message: str) -> PydanticCustomError:
    """Return the error that becomes `Reason.INVALID_FIELD`, for rules between fields."""
    return PydanticCustomError(Reason.INVALID_FIELD.value, message)


def _read_instant(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:  # from Python only; JSON has no such type
        return value
    at_ms = rfc3339.epoch_ms(value) if isinstance(value, str) else None
    if at_ms is None:
        raise invalid_time("must be RFC 3339 text with an offset, as in 2026-01-05T07:30:00Z")
    return _EPOCH + at_ms * _MILLISECOND


def instant_ms(value: datetime) -> int:
    """Return milliseconds since the epoch, cut off below."""
    return (value - _EPOCH) // _MILLISECOND


Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant, json_schema_input_type=str),
    PlainSerializer(lambda value: rfc3339.text(instant_ms(value)), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": rfc3339.PATTERN}),
]


def one_of(codes: Sequence[str]) -> Any:
    """Return pydantic's annotation of an enumeration: a text that is not in `codes` is read as "unknown"."""

    def read(value: object) -> object:
        return "unknown" if isinstance(value, str) and value not in codes else value

    return BeforeValidator(read)


class Event(BaseModel):
    """Base of all events. Strict: no numbers as text, no NaN. Open: fields it does not know are ignored."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, allow_inf_nan=False, validate_by_name=True, validate_by_alias=True
    )
