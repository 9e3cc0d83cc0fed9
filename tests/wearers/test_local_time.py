"""The clock on the wall of every wearer: that of the locked zone database, to the minute, whatever the host has."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from monitor.wearers.profiles import Profiles
from monitor.wearers.state import State
from stream_schemas.zones import time_zone, zone_database_version, zone_names

NO_ZONES = (
    "Europe",
    "America",
    "America/Argentina",
    "posix/Europe/Berlin",
    "right/Europe/Berlin",
    "localtime",
    "posixrules",
    "zone",
    "zone.tab",
    "zone1970.tab",
    "tzdata.zi",
    "europe/berlin",
    "Europe/Berlin\0",
    "../zoneinfo/UTC",
    "/etc/localtime",
    "A" * 300,
    "",
)
CHANGES = (
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
    ("America/Havana", "2026-03-08"),  # at midnight
    ("Africa/Cairo", "2026-04-24"),
    ("Pacific/Apia", "2011-12-30"),  # a whole day
    ("Asia/Kolkata", "2026-03-08"),  # none
)
MINUTE = timedelta(minutes=1)


def profiles_of(*zones: str) -> Profiles:
    state = State(len(zones))
    profiles = Profiles(state, ("north",))
    for k, _ in enumerate(zones):
        state.add(f"w{k}", 0)
    state.zone[: len(zones)] = profiles.places(list(zones))
    return profiles


def by_the_book(zone: str, minute: int) -> int:
    """The offset as zoneinfo itself tells it."""
    known = time_zone(zone)
    assert known is not None
    offset = datetime.fromtimestamp(minute * 60, UTC).astimezone(known).utcoffset()
    assert offset is not None
    return offset // MINUTE


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_is_no_zone_of_the_database_is_utc_and_takes_no_place(name: str) -> None:
    profiles = profiles_of(name)

    assert profiles.zones == ["UTC"]
    assert profiles.local_hour(np.array([0]), np.array([29_000_000])).tolist() == [29_000_000 // 60 % 24]


def test_the_zones_of_any_number_of_profiles_are_bounded_by_the_database() -> None:
    profiles = profiles_of("UTC")

    places = profiles.places([*(f"Zone/N{k}" for k in range(70_000)), *sorted(zone_names())])

    assert len(profiles.zones) == len(zone_names())
    assert not places[:70_000].any()
    assert [profiles.zones[place] for place in places[70_000:]] == sorted(zone_names())


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_minute_around_a_change_of_the_clock_has_the_offset_of_that_minute(zone: str, day: str) -> None:
    profiles = profiles_of(zone)
    first = int(np.datetime64(day, "D").astype(np.int64)) * 1440 - 2 * 1440
    minute = first + np.arange(4 * 1440)

    offset = profiles.offset_min(np.zeros(len(minute), np.int64), minute)

    assert offset.tolist() == [by_the_book(zone, m) for m in minute.tolist()]


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(zone_names())), st.integers(0, (1 << 31) - 1)),
        min_size=1,
        max_size=20,
    )
)
def test_the_offset_of_any_zone_and_minute_is_that_of_the_database(asked: list[tuple[str, int]]) -> None:
    profiles = profiles_of(*(zone for zone, _ in asked))

    offset = profiles.offset_min(np.arange(len(asked)), np.array([minute for _, minute in asked]))

    assert offset.tolist() == [by_the_book(zone, minute) for zone, minute in asked]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_a_local_noon_and_a_night_are_found_on_both_sides_of_a_change(zone: str, day: str) -> None:
    profiles, row = profiles_of(zone), np.array([0])
    change = int(np.datetime64(day, "D").astype(np.int64))
    for local_day in range(change - 2, change + 3):
        if (zone, local_day) == ("Pacific/Apia", change):
            continue  # that day was not
        noon = profiles.utc_minute(row, np.array([local_day * 1440 + 720]))
        begins, ends = profiles.night(row, np.array([local_day]))
        assert (noon + profiles.offset_min(row, noon)).tolist() == [local_day * 1440 + 720]
        assert (ends + profiles.offset_min(row, ends)).tolist() == [local_day * 1440 + 420]
        wall = [m + by_the_book(zone, m) for m in range(int(begins[0]), int(ends[0]))]
        assert {m // 1440 for m in wall} == {local_day}
        assert int(begins[0]) - 1 + by_the_book(zone, int(begins[0]) - 1) < local_day * 1440


def test_the_24_hours_before_noon_tell_when_the_clock_was_changed_in_them() -> None:
    profiles = profiles_of("UTC", "America/New_York", "Asia/Tokyo")
    change = int(np.datetime64("2026-03-08T07:00", "m").astype(np.int64))
    noon = np.array([change + 9 * 60, change + 9 * 60, change + 9 * 60])

    clock = profiles.turned(np.arange(3), noon)
    day_after = profiles.turned(np.arange(3), noon + 1440)

    assert clock.by_min.tolist() == [0, -60, 0]
    assert clock.minute[1] == change
    assert day_after.by_min.tolist() == [0, 0, 0]


def test_no_zone_changes_its_clock_twice_within_two_days() -> None:
    """What `local_time` builds on: looked at by the hour, in every zone, over the years that are near."""
    hours = np.arange(24 * 400) * 60 + int(np.datetime64("2026-01-01T00:00", "m").astype(np.int64))
    for zone in sorted(zone_names()):
        profiles = profiles_of(zone)
        offset = profiles.offset_min(np.zeros(len(hours), np.int64), hours)
        changes = np.flatnonzero(np.diff(offset))
        assert (np.diff(changes) > 48).all(), zone


def test_the_version_of_the_zone_database_is_that_of_the_locked_package() -> None:
    assert zone_database_version() == tzdata.IANA_VERSION
