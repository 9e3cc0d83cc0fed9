"""Times on the wire: RFC 3339 text with an offset <-> epoch milliseconds. Both decoders use this page.

Accepted: ``2026-01-05T07:30:00Z``, ``2026-01-05T08:30:00.25+01:00``; fractions of 1 to 9 digits, cut off (not rounded)
at milliseconds. Refused: no offset, lower-case letters, a blank for the T, a leap second, what is before 1970 or after
9999 in UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}"
    r":[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
"""For the exported schemas; what is not a calendar date passes here and is refused by `epoch_ms`."""

_HEAD = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})")
_TAIL = re.compile(r":([0-5][0-9])(?:\.([0-9]{1,9}))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))")
_HEAD_CHARACTERS = 16
LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, in UTC; behind it no calendar of ours goes."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(text: str) -> int | None:
    """Read a time.

    Returns
    -------
    int or None
        Milliseconds since the epoch, 0 to `LAST_MS`; None if the text is not a time as this page defines it.
    """
    # Minutes repeat between neighbours in a batch and tails within a device's habit, so both halves are remembered.
    minute = _minute_ms(text[:_HEAD_CHARACTERS])
    rest = _tail_ms(text[_HEAD_CHARACTERS:])
    if minute is None or rest is None or not 0 <= minute + rest <= LAST_MS:
        return None
    return minute + rest


def text(at_ms: int) -> str:
    """Write a time in UTC, with milliseconds only if there are any.

    Raises
    ------
    OverflowError
        If the time is outside the years 1 to 9999.
    """
    seconds, milliseconds = divmod(at_ms, 1000)
    return _second_text(seconds) + (f".{milliseconds:03d}Z" if milliseconds else "Z")


@lru_cache(maxsize=1 << 14)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1 << 14)
def _minute_ms(head: str) -> int | None:
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    year, month, day, hour, minute = map(int, match.groups())
    try:
        at = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    return (at - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=1 << 17)
def _tail_ms(tail: str) -> int | None:
    match = _TAIL.fullmatch(tail)
    if match is None:
        return None
    second, fraction, sign, hours, minutes = match.groups()
    milliseconds = int(second) * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    if sign is None:
        return milliseconds
    offset = (int(hours) * 60 + int(minutes)) * 60_000
    return milliseconds - offset if sign == "+" else milliseconds + offset
