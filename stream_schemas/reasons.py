"""Why a record is refused: the closed list that dead letters and metrics count by."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises at a value that it cannot read; the last one at JSON that is nested too deep."""


class Reason(StrEnum):
    """Why a record became a dead letter.

    From WRONG_PARTITION on they need more than the record and are found by the engine.
    """

    MALFORMED_JSON = "malformed_json"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_SCHEMA = "unknown_schema"
    MISSING_FIELD = "missing_field"
    INVALID_FIELD = "invalid_field"
    INVALID_TIME = "invalid_time"
    LENGTH_MISMATCH = "length_mismatch"
    NULL_VALUE = "null_value"
    TOO_LARGE = "too_large"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    FUTURE = "future"
    TOO_OLD = "too_old"
    UNKNOWN_ALERT = "unknown_alert"
    UNSUPPORTED_ACTION = "unsupported_action"
    ENGINE_ERROR = "engine_error"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that was refused.

    Attributes
    ----------
    index : its place in the batch; 0 for a single message.
    reason : the bucket.
    detail : one sentence for the publisher. It names the field and the rule, never a value of the wearer.
    """

    index: int
    reason: Reason
    detail: str
