"""The hot path: heart-rate and activity envelopes by msgspec, which is several times faster than pydantic.

What is read here is accepted by `codec.decode` too; what is not read here is shown to `codec.decode`, which has the
last word and names the reason. So a difference between the two can only cost time, never a record.
"""

from typing import Annotated, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream_schemas import rfc3339
from stream_schemas.activity import MAX_MINUTES, MINUTE_MS
from stream_schemas.codec import MAX_NESTING
from stream_schemas.event import Identifier
from stream_schemas.heart_rate import MAX_SAMPLES
from stream_schemas.reasons import UNREADABLE
from stream_schemas.units import Bpm, EnergyKcal, OffsetMs, RrMs, Share, Steps


class HeartRate(msgspec.Struct, gc=False):
    """A heart-rate envelope as it lies on the wire; the offsets are still text."""

    schema: str
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier
    start: str
    offset_ms: msgspec.Raw
    bpm: Annotated[list[Bpm], msgspec.Meta(min_length=1, max_length=MAX_SAMPLES)]
    rr_ms: Annotated[list[RrMs], msgspec.Meta(max_length=MAX_SAMPLES)] | None = None
    context: str | None = None
    quality: Share | None = None


class Activity(msgspec.Struct, gc=False):
    """An activity envelope as it lies on the wire."""

    schema: str
    event_id: Identifier
    wearer_id: Identifier
    device_id: Identifier
    start: str
    steps: Annotated[list[Steps], msgspec.Meta(min_length=1, max_length=MAX_MINUTES)]
    energy_kcal: EnergyKcal | None = None
    activity: str | None = None


Envelope = TypeVar("Envelope", HeartRate, Activity)

_REMEMBERED = 512
_LONGEST_REMEMBERED = 2048  # bytes

_heart_rate = msgspec.json.Decoder(HeartRate).decode
_offset_list = msgspec.json.Decoder(
    Annotated[list[OffsetMs], msgspec.Meta(min_length=1, max_length=MAX_SAMPLES)]
).decode
_offsets_of: dict[bytes, NDArray[np.int64]] = {}
_activity = msgspec.json.Decoder(Activity).decode


def read_heart_rate(key: bytes | None, value: bytes) -> tuple[HeartRate, int, NDArray[np.int64]] | None:
    """Read one heart-rate envelope: with start in epoch milliseconds and offsets; None sends it to `codec.decode`."""
    try:
        envelope = _heart_rate(value)
        offset_ms = _offsets(envelope.offset_ms)
    except UNREADABLE:
        return None
    start_ms = rfc3339.epoch_ms(envelope.start)
    if start_ms is None or envelope.schema != "heart-rate/1" or len(envelope.bpm) != offset_ms.size:
        return None
    return (envelope, start_ms, offset_ms) if _is_whole(key, value, envelope) else None


def read_activity(key: bytes | None, value: bytes) -> tuple[Activity, int] | None:
    """Read one activity envelope and its start in epoch milliseconds; None sends it to `codec.decode`."""
    try:
        envelope = _activity(value)
    except UNREADABLE:
        return None
    start_ms = rfc3339.epoch_ms(envelope.start)
    if start_ms is None or envelope.schema != "activity/1" or start_ms % MINUTE_MS:
        return None
    return (envelope, start_ms) if _is_whole(key, value, envelope) else None


def _offsets(raw: msgspec.Raw) -> NDArray[np.int64]:
    # A device sends the same offsets minute after minute: the text says so without being read again.
    text = bytes(raw)
    known = _offsets_of.get(text)
    if known is not None:
        return known
    offsets = _offset_list(text)
    read = np.fromiter(offsets, np.int64, len(offsets))
    if len(text) <= _LONGEST_REMEMBERED:
        if len(_offsets_of) >= _REMEMBERED:
            _offsets_of.clear()
        read.flags.writeable = False
        _offsets_of[text] = read
    return read


def _is_whole(key: bytes | None, value: bytes, envelope: Envelope) -> bool:
    # msgspec does not look into fields that it skips: only ASCII is surely text, and few brackets surely shallow.
    return (
        key == envelope.wearer_id.encode() and value.isascii() and value.count(b"[") + value.count(b"{") <= MAX_NESTING
    )
