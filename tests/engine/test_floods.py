"""A wearer who sends thousands of records at once: as if they had come one by one, and the others need not wait."""

import random
from typing import Any

import numpy as np
import pytest

from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import HEART_RATE
from tests.engine.feed import MINUTE, PARTITIONS, START, Feed, feed
from tests.engine.test_determinism import but_for_raised_at

NOW = START + 30 * 60 * MINUTE
CONTEXTS = ("unknown", "at_rest", "active", "exercise", "asleep")


def a_flood(f: Feed, seed: int, records: int) -> int:
    """Heart rate and steps of three wearers, live, late, again, out of range, a second each; return the last stamp."""
    rng, stamp = random.Random(seed), NOW
    for w in range(3):
        f.minutes(f"w{w}", NOW - 25 * MINUTE, [128 if w else 70] * 20)
    for k in range(records):
        wearer, kind = f"w{rng.randrange(3)}", rng.choice(["again", "again", "late", "live", "steps", "second"])
        stamp += rng.choice([1, 1, 1, 7, 300, 2500 if rng.random() < 0.2 else 3, 700_000 if rng.random() < 0.01 else 2])
        minute = stamp // MINUTE * MINUTE
        bpm = [rng.choice([36, 70, 71, 74, 128, 250 if k % 3 else 90]) for _ in range(60)]
        if kind == "steps":
            f.steps(wearer, minute - rng.randrange(1, 700) * MINUTE, [rng.choice([0, 0, 90, 300])] * 3, stamp=stamp)
        elif kind == "second":
            f.heart_rate(wearer, stamp // 1000 * 1000, bpm[:1], stamp=stamp)
        else:
            back = {"again": rng.randrange(1, 20), "late": rng.randrange(16, 700), "live": 1}[kind]
            begin = minute - back * MINUTE + rng.choice([0, 0, 13_000])
            f.heart_rate(wearer, begin, bpm, stamp=stamp, context=rng.choice(CONTEXTS))
        if k % 97 == 0:
            f.pressure(wearer, stamp // 1000 * 1000, rng.choice([120, 190]), 80, stamp=stamp)
    return stamp


def saved(f: Feed) -> dict[tuple[int, str], Any]:
    found: dict[tuple[int, str], Any] = {}
    for p in range(PARTITIONS):
        of_partition = f.engine.save(p)
        found |= {(p, name): array.tolist() for name, array in of_partition.arrays.items()}
    return found


@pytest.mark.parametrize("seed", range(4))
def test_records_that_are_decided_together_leave_what_they_leave_one_by_one(seed: int) -> None:
    together, one_by_one = feed(), feed()
    for f in (together, one_by_one):
        end = a_flood(f, seed, 600) + 5 * MINUTE
        f.cut(NOW)
    stamps = sorted({r.stamp_ms for log in together.records.values() for r in log if r.stamp_ms >= NOW})

    together.cut(end)
    for stamp in stamps:
        one_by_one.cut(stamp + 1)
    one_by_one.cut(end)

    assert len(together.out) > 3
    assert but_for_raised_at(together) == but_for_raised_at(one_by_one)
    for name, array in saved(together).items():
        assert np.array_equal(array, saved(one_by_one)[name], equal_nan=True), name


def test_a_thousand_records_of_one_wearer_cost_a_few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    f, rounds = feed(), 0
    f.minutes("w", NOW - 20 * MINUTE, [70] * 20)
    f.cut(NOW)
    for k in range(1000):
        f.heart_rate("w", NOW - (k % 600 + 1) * MINUTE, [70 + k % 5] * 60, stamp=NOW + k)
        f.steps("w", NOW - (k % 600 + 1) * MINUTE, [0], stamp=NOW + k)
    decisions = f.engine._decisions
    handle = decisions.on_events

    def counted(*these: Any) -> Any:
        nonlocal rounds
        rounds += 1
        return handle(*these)

    monkeypatch.setattr(decisions, "on_events", counted)

    f.cut(NOW + 2 * MINUTE)

    assert f.ingested[HEART_RATE] == 1020
    assert rounds < 10


def test_who_else_is_decided_in_a_round_asks_for_nobodys_score() -> None:
    """After a pause the empty minutes of it are due before the one that has begun: they hold nothing to score."""
    alone, beside = feed(), feed()
    for f in (alone, beside):
        f.heart_rate("w1", NOW, [70] * 60)
        f.heart_rate("w1", NOW + 20 * MINUTE, [70] * 3)
    p = next(p for _, p in alone.records)
    other = next(name for name in map(str, range(99)) if murmur2_partition(name.encode(), PARTITIONS) == p)
    beside.heart_rate(other, NOW, [70] * 60)
    beside.heart_rate(other, NOW + 15 * MINUTE, [70] * 303)
    for f in (alone, beside):
        f.cut(NOW + 30 * MINUTE)

    asked_ms = [int(f.engine.state.scored_ms[f.engine.state.row_of["w1"]]) for f in (alone, beside)]
    assert asked_ms[0] == asked_ms[1]
    assert asked_ms[0] >= NOW + 21 * MINUTE  # when the minute that had begun was over
