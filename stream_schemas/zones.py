"""Time zones as the locked `tzdata` package has them, on every host alike.

`zoneinfo` looks at the host's own zone data first, and hosts differ: the same log would give other alerts on another
machine. So zones are read from the package alone, and what it does not list is no zone: a folder, a file that is no
zone, `localtime`.
"""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata


def zone_database_version() -> str:
    """Return the release of the IANA zone database that decides local times, as in 2026f."""
    return str(tzdata.IANA_VERSION)


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def time_zone(name: str) -> ZoneInfo | None:
    """Return a zone by its IANA name; None if the database has none of that name.

    >>> str(time_zone("Europe/Berlin")), time_zone("Europe")
    ('Europe/Berlin', None)
    """
    return _read(name) if name in zone_names() else None


@cache
def _read(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
