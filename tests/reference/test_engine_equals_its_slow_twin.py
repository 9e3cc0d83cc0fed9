"""The engine, under random cuts, against a twin that takes one wearer and one event at a time."""

import random
from collections import defaultdict
from typing import Any

import pytest

from monitor.alerting.limits import Limits
from tests.engine.feed import MINUTE, PARTITIONS, Feed, feed
from tests.reference.slow_policy import essence
from tests.reference.worlds import BEGIN, END, Kind, Log, a_world, add_commands, as_the_twin_tells

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
    assert_true_times(f)
    return f.out


def assert_true_times(f: Feed) -> None:
    assert f.last is not None
    assert f.last.below_T == 0
    for alert in f.out:
        assert alert["raised_at"] >= alert["event_time"] or alert["rule"] == "NO_DATA"


def compare(seed: int, kind: Kind) -> Versions:
    log = a_world(seed, kind)
    if kind.commands:
        add_commands(log, as_the_engine_tells(log, seed), seed)

    fast = by_wearer_and_rule([essence(one) for one in as_the_engine_tells(log, seed + 1)])
    told = as_the_twin_tells(log, END, Limits())
    slow = by_wearer_and_rule([one for of_wearer in told.values() for one in of_wearer])
    for key in sorted({*fast, *slow}):
        assert fast.get(key, []) == slow.get(key, []), (seed, key)
    return fast


@pytest.mark.parametrize("seed", range(6))
def test_every_version_is_the_one_that_the_twin_tells(seed: int) -> None:
    versions = compare(seed, Kind())

    assert {rule for _, rule in versions} >= {"HR_HIGH_REST", "HR_LOW", "BP_SEVERE"}
    assert sum(map(len, versions.values())) > 30
