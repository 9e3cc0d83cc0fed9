"""Local time: by how much the clocks of a zone are ahead of UTC at each minute, exact where they change.

The database has no zone that changes twice within two days, so a UTC day of a zone is told by three numbers: the offset
at its beginning, the minute of the change, if there is one, and the offset from then on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stream_schemas.zones import time_zone

DAY_MIN = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MINUTE = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(minutes=1)

Ints = NDArray[np.int64]


def offset_min(zones: list[str], zone: Ints, minute: Ints) -> Ints:
    """Minutes by which the clock of each zone is ahead of UTC at each epoch minute.

    Parameters
    ----------
    zones : names that the database has. zone : (n,) indexes of them; 0 is UTC. minute : (n,).
    """
    if not zone.any():
        return np.zeros(len(zone), np.int64)
    before, change, after = _days(zones, zone, minute)
    offset: Ints = np.where(minute < change, before, after)
    return offset


@dataclass(frozen=True, slots=True)
class Turned:
    """Which clocks were changed within the 24 h before n moments; both (n,).

    Attributes
    ----------
    by_min : how much later the clock was before the change; 0 = no change. minute : epoch minute of the change.
    """

    by_min: Ints
    minute: Ints


def turned(zones: list[str], zone: Ints, end: Ints) -> Turned:
    """Tell which clocks were changed within the 24 h that end at each epoch minute; parameters as of `offset_min`."""
    if not zone.any():
        return Turned(np.zeros(len(end), np.int64), end)
    before, change, after = _days(zones, zone, end - DAY_MIN)
    _, later, _ = _days(zones, zone, end)
    by_min = offset_min(zones, zone, end - DAY_MIN) - offset_min(zones, zone, end)
    return Turned(by_min, np.where(before != after, change, later))


def _days(zones: list[str], zone: Ints, minute: Ints) -> tuple[Ints, Ints, Ints]:
    """Return what `_day` tells of the UTC day of each minute; what lies before 1970 counts as its first day."""
    keys, of = np.unique(zone << 32 | np.maximum(minute, 0) // DAY_MIN, return_inverse=True)
    days = np.array([_day(zones[key >> 32], key & 0xFFFFFFFF) for key in keys.tolist()], np.int64).reshape(-1, 3)
    before, change, after = days[of].T
    return before, change, after


@lru_cache(maxsize=1 << 15)
def _day(zone: str, day: int) -> tuple[int, int, int]:
    """Offset at the beginning of a UTC day, epoch minute of the change on that day, and offset from then on."""
    low, high = day * DAY_MIN, (day + 1) * DAY_MIN
    before, after = _at(zone, low), _at(zone, high)
    while before != after and high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _at(zone, middle) == after else (middle, high)
    return before, high, after


def _at(zone: str, minute: int) -> int:
    """Offset at an epoch minute; after the year 9999 that of its last days, for no calendar of ours goes further."""
    known = time_zone(zone)
    if known is None:
        return 0
    offset = (_EPOCH + timedelta(minutes=min(minute, _LAST_MINUTE))).astimezone(known).utcoffset()
    return 0 if offset is None else offset // timedelta(minutes=1)
