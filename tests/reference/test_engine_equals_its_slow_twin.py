"""The engine, under random cuts, against a twin that takes one wearer and one event at a time."""

import random
from collections import defaultdict
from typing import Any

import pytest

from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import BLOOD_PRESSURE
from tests.engine.feed import MINUTE, PARTITIONS, Feed, feed
from tests.reference.slow_policy import essence
from tests.reference.worlds import BEGIN, END, Kind, Log, a_world, as_the_twin_tells

Versions = dict[tuple[str, str], list[dict[str, Any]]]


def by_wearer_and_rule(told: list[dict[str, Any]]) -> Versions:
    """The versions of each wearer and rule, in the order in which they were told."""
    versions: Versions = defaultdict(list)
    for version in told:
        versions[version["wearer_id"], version["rule"]].append(version)
    return dict(versions)


def as_the_engine_tells(log: Log, seed: int) -> list[dict[str, Any]]:
    """Read the log in random cuts: far apart or close together, ahead of T or not, partitions together or apart."""
    rng, f = random.Random(seed), feed()
    f.records = log
    T = BEGIN
    while T < END:
        T = min(END, T + int(rng.choice([300, 20_000, 20_000, 5 * MINUTE, 40 * MINUTE]) * rng.random()) + 1)
        groups = [range(PARTITIONS)] if rng.random() < 0.5 else [[p] for p in rng.sample(range(PARTITIONS), PARTITIONS)]
        for partitions in groups:
            f.cut(T, upto=T + rng.choice([0, 0, 1000, 30 * MINUTE]), partitions=partitions)
        if rng.random() < 0.1:
            restarted(f)
    assert_true_times(f)
    return f.out


def assert_true_times(f: Feed) -> None:
    assert f.last is not None
    assert f.last.below_T == 0
    for alert in f.out:
        assert alert["raised_at"] >= alert["event_time"] or alert["rule"] == "NO_DATA"


def restarted(f: Feed) -> None:
    """Go on with another engine, from what this one saved."""
    other = feed().engine
    for p in range(PARTITIONS):
        other.load(p, f.engine.save(p), f.engine.position(p))
    f.engine = other


def compare(seed: int, kind: Kind) -> Versions:
    log = a_world(seed, kind)

    fast = by_wearer_and_rule([essence(one) for one in as_the_engine_tells(log, seed + 1)])
    told = as_the_twin_tells(log, END)
    assert all(one["version"] == k + 1 for versions in episodes(fast) for k, one in enumerate(versions)), seed
    slow = by_wearer_and_rule([one for of_wearer in told.values() for one in of_wearer])
    for key in sorted({*fast, *slow}):
        assert fast.get(key, []) == slow.get(key, []), (seed, key)
    return fast


def episodes(told: Versions) -> list[list[dict[str, Any]]]:
    """The versions of each alert; a tombstone lets the same episode begin again, so what follows one is left out."""
    of_alert: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for versions in told.values():
        for one in versions:
            if not (of_alert[one["alert_id"]] and of_alert[one["alert_id"]][-1]["actor"] == "erasure"):
                of_alert[one["alert_id"]].append(one)
    return list(of_alert.values())


@pytest.mark.parametrize("seed", range(3))
def test_every_version_is_the_one_that_the_twin_tells(seed: int) -> None:
    versions = compare(seed, Kind(commands=True, switches=seed == 1, whole_seconds=seed == 2))

    assert {rule for _, rule in versions} >= {"HR_HIGH_REST", "HR_LOW", "BP_SEVERE"}
    assert sum(map(len, versions.values())) > 30


@pytest.mark.parametrize("seed", [10])
def test_every_version_of_slow_devices_is_the_one_that_the_twin_tells(seed: int) -> None:
    versions = compare(seed, Kind(slow_devices=True, commands=True))

    assert {rule for _, rule in versions} >= {"HR_HIGH_REST", "HR_LOW", "NO_DATA"}


@pytest.mark.parametrize("seed", [0])
def test_readings_in_any_order_are_told_as_by_the_twin(seed: int) -> None:
    versions = compare(seed, Kind(readings_in_order=False, commands=True))

    assert {rule for _, rule in versions} >= {"BP_SEVERE", "BP_LOW"}


def test_a_reading_older_than_all_that_are_held_changes_nothing_when_it_comes_again() -> None:
    once, thrice = feed(), feed()
    for f, times in ((once, 1), (thrice, 3)):
        for k in range(16):
            f.pressure("w", BEGIN + k * MINUTE, 120, 80)
        for k in range(times):
            f.pressure("w", BEGIN - 300 * MINUTE, 190, 100, stamp=BEGIN + (20 + k) * MINUTE, event_id="same")
        f.run(BEGIN + 60 * MINUTE, every=5 * MINUTE)

    assert once.told("BP_SEVERE") == thrice.told("BP_SEVERE")


def test_no_version_of_an_alert_is_told_twice_with_another_content() -> None:
    f = feed()
    for minute, systolic in ((0, 184), (10, 184), (20, 120)):
        f.pressure("w", BEGIN + minute * MINUTE, systolic, 80)
    f.run(BEGIN + 21 * MINUTE)
    f.command(f.alerts("BP_SEVERE")[-1], "acknowledge", BEGIN + 22 * MINUTE)
    f.pressure("w", BEGIN + 30 * MINUTE, 190, 80)

    f.run(BEGIN + 40 * MINUTE)

    names = [(a["alert_id"], a["version"]) for a in f.alerts("BP_SEVERE")]
    assert len(names) == len(set(names)) == 5


def test_an_alert_names_no_other_cuff_than_that_of_its_reading() -> None:
    f = feed()
    for cuff, at, systolic, stamp in (("new", BEGIN + 10 * MINUTE, 85, 11), ("old", BEGIN, 88, 12)):
        f.publish(BLOOD_PRESSURE, a_reading(f.name(), cuff, at, systolic), BEGIN + stamp * MINUTE)

    f.run(BEGIN + 60 * MINUTE, every=5 * MINUTE)

    (alert,) = f.alerts("BP_LOW")
    assert alert["trigger"]["value"] == 85
    assert alert["device_id"] in ("new", None)


def a_reading(event_id: str, cuff: str, at: int, systolic: int) -> dict[str, Any]:
    return {
        "schema": "blood-pressure/1",
        "event_id": event_id,
        "wearer_id": "w",
        "device_id": cuff,
        "start": rfc3339(at),
        "systolic_mmhg": systolic,
        "diastolic_mmhg": 60,
        "measurement_method": "cuff_oscillometric",
    }
