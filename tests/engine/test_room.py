"""What an engine has no room for is refused by name, a wearer too many or a time beyond all clocks; nobody else is."""

import resource
import subprocess
import sys

import numpy as np
import pytest

from monitor.wearers.state import RESERVED, ROWS, State, TooManyWearers
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import HEART_RATE, INPUTS, RISK_SCORES, WEARER
from tests.engine.feed import MINUTE, PARTITIONS, START, Feed, feed
from tests.engine.ordinary import DAY, NOW, ordinary

LAST = 253_402_300_799_999  # the year 9999


def of_partition(p: int, n: int) -> list[str]:
    names = (f"w{k}" for k in range(10_000))
    return [name for name in names if murmur2_partition(name.encode(), PARTITIONS) == p][:n]


def small(most: int) -> Feed:
    f = feed()
    f.engine.state.of_partition_at_most = most
    return f


def test_a_wearer_too_many_for_a_partition_is_refused_and_nobody_else() -> None:
    f = small(3)
    here, there = of_partition(0, 4), of_partition(1, 2)
    for k, wearer in enumerate([*here, *there, *here]):
        f.heart_rate(wearer, START + k * MINUTE, [70] * 60)

    f.run(START + 12 * MINUTE)

    assert f.refused == {"no_room": 2}
    assert {letter["origin_partition"] for letter in f.dead} == {0}
    assert sorted(f.engine.state.row_of) == sorted(here[:3] + there)
    assert "null value" in f.dead[0]["detail"]


def test_there_is_room_again_when_somebody_has_left() -> None:
    f = small(2)
    first, second, third = of_partition(0, 3)
    f.heart_rate(first, START, [70] * 60)
    f.heart_rate(second, START, [70] * 60)
    f.publish(WEARER, None, START + 2 * MINUTE, key=first)
    f.heart_rate(third, START + 3 * MINUTE, [70] * 60)
    f.heart_rate(third, START + 16 * DAY, [70] * 60)

    f.cut(START + 10 * MINUTE)
    f.cut(START + 15 * DAY + 10 * MINUTE)
    f.cut(START + 17 * DAY)

    assert f.refused == {"no_room": 1}
    assert sorted(f.engine.state.row_of) == sorted([second, third])


def test_what_other_partitions_hold_decides_nothing_for_one_that_is_loaded_or_dropped() -> None:
    f = small(2)
    here, there = of_partition(0, 3), of_partition(1, 3)
    for wearer in here + there:
        f.heart_rate(wearer, START, [70] * 60)
    f.cut(START + 5 * MINUTE)
    saved, position = f.engine.save(0), f.engine.position(0)
    f.engine.drop(0)
    f.engine.open(0)
    f.engine.load(0, saved, position)
    f.heart_rate(here[2], START + 6 * MINUTE, [70] * 60)
    f.cut(START + 10 * MINUTE)

    assert f.refused == {"no_room": 3}
    f.engine.drop(1)
    assert not f.engine.state.is_full(1)
    assert f.engine.state.is_full(0)


def test_a_worker_that_can_hold_no_more_says_what_to_do() -> None:
    state = State(rows=4)
    state.add_many(["a", "b", "c"], 0)

    with pytest.raises(TooManyWearers, match="start more workers"):
        state.add_many(["d", "e"], 1)
    assert state.add("d", 1) == 3


def test_the_columns_grow_over_any_number_of_wearers() -> None:
    state = State(rows=5000)
    for p in range(5):
        state.add_many([f"{p}-{k}" for k in range(1000)], p)

    assert np.bincount(state.partition[: state.used]).tolist() == [1000] * 5
    assert [len(state.of_partition(p)) for p in range(5)] == [1000] * 5


def test_a_host_that_limits_what_is_reserved_gives_as_much_as_it_has() -> None:
    code = "from monitor.wearers.state import State; print(State().rows)"
    limit = 100 << 30

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    ran = subprocess.run([sys.executable, "-c", code], preexec_fn=limited, check=True, capture_output=True)

    assert ROWS <= int(ran.stdout) < RESERVED


@pytest.mark.parametrize("log_clock", [False, True])
@pytest.mark.parametrize("stamp", [0, 1, LAST // 2, 127_174_492_799_999, 127_174_492_800_000, LAST])
def test_a_received_time_of_any_year_ends_nobody(stamp: int, log_clock: bool) -> None:
    """A log whose records carry their publishers' times."""
    f = feed(log_clock=log_clock)
    f.minutes("before", START, [130] * 12)
    f.cut(START + 20 * MINUTE)
    for topic in INPUTS:
        event = ordinary(topic, "w")
        key = "" if "wearer_id" not in event or isinstance(event["wearer_id"], list) else "w"
        f.publish(topic, event, stamp, key=key, p=murmur2_partition(b"w", PARTITIONS))
    f.heart_rate("w", min(stamp // MINUTE * MINUTE, LAST - 2 * MINUTE), [130] * 60, stamp=stamp)

    for T in (START + 30 * MINUTE, min(stamp + 1, LAST), min(stamp + 20 * MINUTE, LAST)):
        f.cut(T, upto=LAST + 1)

    assert f.ingested.total() + f.refused.total() == sum(map(len, f.records.values()))


def test_scores_of_a_time_to_come_are_refused_and_later_ones_still_count() -> None:
    for log_clock in (False, True):
        f = feed(log_clock=log_clock)
        f.minutes("w", NOW - 50 * MINUTE, [70] * 20)
        p = murmur2_partition(b"w", PARTITIONS)
        for at, scored in ((-20, 10_000), (-20, 6), (-10, -10), (0, 0)):
            event = ordinary(RISK_SCORES, "w", at=NOW + scored * MINUTE)
            f.publish(RISK_SCORES, event, NOW + at * MINUTE, key="", p=p)
        for minutes in (-19, -9, 1):
            f.cut(NOW + minutes * MINUTE)

        assert f.refused == {"future": 2}
        assert f.told("RISK_MODEL") == [("medium", "present", "unacked")]


def test_a_record_with_one_wearers_score_many_times_counts_once_and_its_first() -> None:
    f = feed()
    f.minutes("w", NOW - 50 * MINUTE, [70] * 20)
    p = murmur2_partition(b"w", PARTITIONS)
    many = {"wearer_id": ["w"] * 50_000, "coverage": [1] * 50_000, "missing": [0] * 50_000}
    for at, first in ((NOW - 2 * MINUTE, 0.9), (NOW - MINUTE, 0.9)):
        event = ordinary(RISK_SCORES, "w", at=at) | many | {"probability": [[first] + [0.1] * 49_999]}
        f.publish(RISK_SCORES, event, at, key="", p=p)
    waiting: list[int] = []
    f.cut(NOW - 10 * MINUTE)
    f.cut(NOW - 10 * MINUTE + 1, upto=NOW)
    waiting.append(len(f.engine._waiting))
    f.cut(NOW)

    assert waiting == [2]
    assert len(f.alerts("RISK_MODEL")) == 1


def test_a_day_of_the_most_steps_a_minute_is_judged_without_a_number_that_cannot_be_kept() -> None:
    f = feed()
    for day in range(2):
        f.steps("w", START + day * DAY, [254] * 1440)
        f.heart_rate("w", START + day * DAY + 14 * 60 * MINUTE, [70] * 1440, every_s=5)
        f.heart_rate("w", START + day * DAY + 16 * 60 * MINUTE, [70] * 1440, every_s=5)

    f.run(START + 3 * DAY, every=60 * MINUTE)

    state = f.engine.state
    days = state.days[state.row_of["w"]].astype(float)
    assert not np.isinf(days).any()
    assert f.refused == {}
    assert f.ingested[HEART_RATE] == 4
