"""Same log, same alerts: cuts, placement, order and repetition decide nothing but `raised_at`."""

import json
from typing import Any

import numpy as np
import pytest

from monitor.cuts import Cut
from monitor.errors import ReplayDiffers
from stream_schemas.topics import CONTROL, INPUTS
from tests.engine.feed import MINUTE, PARTITIONS, START, Feed, feed

DAY_START = START + 10 * 60 * MINUTE
LENGTH = 70


def a_busy_hour(f: Feed, seed: int, *, jitter_ms: int = 0, duplicates: float = 0.0) -> None:
    """Twelve wearers with episodes; every envelope may come again and up to `jitter_ms` late."""
    rng = np.random.default_rng(seed)
    log: list[tuple[int, Any, int]] = []
    recorder = feed()
    for w in range(12):
        wearer = f"w{w}"
        calm = [int(rng.integers(60, 80)) for _ in range(LENGTH)]
        if w % 3 == 0:
            calm[20:45] = [int(rng.integers(124, 140))] * 25
        if w % 4 == 1:
            calm[10:40] = [36] * 30
        recorder.minutes(wearer, DAY_START, calm if w != 5 else calm[:20])
        if w % 5 == 0:
            recorder.pressure(wearer, DAY_START + 30 * MINUTE, 186, 101)
            recorder.pressure(wearer, DAY_START + 36 * MINUTE, 192, 110)
    shift = np.random.default_rng(seed + 1)
    for (topic, p), records in recorder.records.items():
        for r in records:
            times = 1 + (shift.random() < duplicates)
            for _ in range(times):
                log.append((r.stamp_ms + int(shift.integers(0, jitter_ms + 1)), (topic, p, r), len(log)))
    for stamp, (topic, p, r), _ in sorted(log, key=lambda one: (one[0], one[2])):
        f.publish(topic, r.value, stamp, key=r.key.decode(), p=p)


def but_for_raised_at(f: Feed) -> list[str]:
    versions = {}
    for a in f.out:
        a = dict(a)
        del a["raised_at"]
        versions[a["alert_id"], a["version"]] = json.dumps(a, sort_keys=True)
    return sorted(versions.values())


@pytest.mark.parametrize("seed", range(4))
def test_i4_other_cuts_of_the_same_records_give_the_same_alerts(seed: int) -> None:
    one, other = feed(), feed()
    for f in (one, other):
        a_busy_hour(f, seed, jitter_ms=1400, duplicates=0.2)
    one.run(DAY_START + (LENGTH + 20) * MINUTE, every=MINUTE)

    rng = np.random.default_rng(seed + 100)
    T, end = DAY_START, DAY_START + (LENGTH + 20) * MINUTE
    while end > T:
        T = min(end, T + int(rng.choice([40, 1000, 25_000, 400_000]) * rng.random()) + 1)
        other.cut(T, upto=T + int(rng.integers(0, 1_200_000)))  # reading ahead of T is a matter of the moment

    assert len(one.out) > 10
    assert but_for_raised_at(one) == but_for_raised_at(other)


@pytest.mark.parametrize("seed", range(2))
def test_duplicates_and_shuffles_within_the_settle_time_change_no_alert(seed: int) -> None:
    clean, messy = feed(), feed()
    a_busy_hour(clean, seed)
    a_busy_hour(messy, seed, jitter_ms=1400, duplicates=0.3)
    for f in (clean, messy):
        f.run(DAY_START + (LENGTH + 20) * MINUTE)

    def what(f: Feed) -> set[tuple[Any, ...]]:
        return {(a["alert_id"], a["version"], a["priority"], a["condition"], a["workflow"]) for a in f.out}

    assert what(clean) == what(messy)


def test_i14_partitions_stepped_together_or_apart_give_the_same_bytes() -> None:
    together, apart = feed(), feed()
    for f in (together, apart):
        a_busy_hour(f, 3, jitter_ms=1000)
    for T in range(DAY_START, DAY_START + 90 * MINUTE, 7000):
        together.cut(T)
        for p in reversed(range(PARTITIONS)):
            apart.cut(T, partitions=[p])

    def of(f: Feed) -> list[list[tuple[Any, ...]]]:
        return [[b for b in f.bytes_out if b[1] == p] for p in range(PARTITIONS)]

    assert sum(map(len, of(together))) > 10
    assert of(together) == of(apart)
    assert [together.engine.position(p).digest for p in range(PARTITIONS)] == [
        apart.engine.position(p).digest for p in range(PARTITIONS)
    ]


def test_a_dropped_partition_that_is_replayed_gives_the_same_bytes_again() -> None:
    whole, broken = feed(), feed()
    for f in (whole, broken):
        a_busy_hour(f, 5)
    cuts = list(range(DAY_START, DAY_START + 90 * MINUTE, 11_000))
    for T in cuts:
        whole.cut(T)
    for T in cuts[: len(cuts) // 2]:
        broken.cut(T)
    broken.engine.drop(2)
    broken.engine.open(2)
    for topic in INPUTS:
        broken.read[topic, 2] = 0
    for T in cuts[: len(cuts) // 2]:
        broken.cut(T, partitions=[2])
    for T in cuts[len(cuts) // 2 :]:
        broken.cut(T)

    assert broken.engine.position(2).digest == whole.engine.position(2).digest
    replayed = {b for b in broken.bytes_out if b[1] == 2}
    assert replayed == {b for b in whole.bytes_out if b[1] == 2}


def test_i13_what_is_scored_at_T_holds_nothing_of_a_later_minute() -> None:
    f = feed()
    f.minutes("w1", DAY_START, list(range(60, 80)))
    step = f.cut(DAY_START + 10 * MINUTE + 5000, upto=DAY_START + 30 * MINUTE)

    assert step.due is not None
    snapshot = f.engine.snapshot(step.due)

    assert snapshot.as_of_minute[0] == (DAY_START + 10 * MINUTE) // MINUTE
    assert snapshot.hr_median[0, -10:].tolist() == list(range(60, 70))
    assert (snapshot.steps[0, -10:] == 0).all()
    assert (snapshot.steps[0, :-10] == 255).all()


def test_a_cut_that_does_not_follow_is_refused_with_a_sentence() -> None:
    f = feed()
    f.cut(DAY_START)

    with pytest.raises(ReplayDiffers, match="does not follow"):
        f.engine.step([Cut(0, 9, 0, 7, DAY_START, (0,) * len(INPUTS), (0,) * len(INPUTS), 0)], [])


def test_on_the_log_clock_a_command_written_today_acts_on_the_simulated_day() -> None:
    f = feed(log_clock=True)
    f.minutes("w1", DAY_START, [125] * 20)
    f.run(DAY_START + 20 * MINUTE)
    f.command(f.alerts("HR_HIGH_REST")[-1], "acknowledge", DAY_START + 300 * 1440 * MINUTE)

    f.cut(DAY_START + 20 * MINUTE + 1, upto=1 << 60)

    assert f.alerts("HR_HIGH_REST")[-1]["workflow"] == "acked"


OTHER_RULES = """\
hr_high_rest_bpm = 150
hr_high_rest_urgent_bpm = 160
bp_severe_systolic_mmhg = 170
bp_severe_clear_systolic_mmhg = 165
"""


def switch_rules(f: Feed, content: str, at: int, partitions: range = range(PARTITIONS), **more: Any) -> None:
    event = {"schema": "control/1", "kind": "rules", "content": content, "at": "2026-01-05T10:30:00Z", **more}
    for p in partitions:
        f.publish(CONTROL, event, at, key="", p=p)


@pytest.mark.parametrize("seed", range(2))
def test_a_switch_of_rules_acts_at_its_stamp_however_the_log_is_cut(seed: int) -> None:
    one, other = feed(), feed()
    for f in (one, other):
        a_busy_hour(f, seed, jitter_ms=1400)
        switch_rules(f, OTHER_RULES, DAY_START + 25 * MINUTE)
        switch_rules(f, "hr_low_awake_bpm = 35\nhr_low_urgent_bpm = 28", DAY_START + 50 * MINUTE, range(2))
    end = DAY_START + (LENGTH + 20) * MINUTE
    one.run(end, every=MINUTE)

    rng = np.random.default_rng(seed)
    T = DAY_START
    while end > T:
        T = min(end, T + int(rng.choice([1000, 25_000, 4_000_000]) * rng.random()) + 1)
        other.cut(T, upto=T + int(rng.integers(0, 600_000)))

    without = feed()
    a_busy_hour(without, seed, jitter_ms=1400)
    without.run(end, every=MINUTE)
    assert but_for_raised_at(one) == but_for_raised_at(other)
    assert but_for_raised_at(one) != but_for_raised_at(without)


def test_rules_that_are_wrong_are_a_dead_letter_and_change_nothing() -> None:
    f = feed()
    switch_rules(f, "hr_high_rest_bpm = 'fast'", DAY_START, range(1))
    switch_rules(f, "= what", DAY_START, range(1))
    switch_rules(f, "hr_high_rest_bpm = 110", DAY_START, range(1))
    switch_rules(f, "hr_high = 130", DAY_START, range(1))
    switch_rules(f, "x = " + "[" * 2000, DAY_START, range(1))
    switch_rules(f, "hr_min_samples = " + "9" * 5000, DAY_START, range(1))
    f.minutes("w1", DAY_START, [125] * 20)

    f.run(DAY_START + 20 * MINUTE)

    assert [letter["reason"] for letter in f.dead] == ["invalid_field"] * 6
    assert [letter["detail"] for letter in f.dead][2:] == [
        "hr_high_rest_clear_bpm = 115 must be below hr_high_rest_bpm = 110: a high rate clears below where it raises",
        "hr_high is no limit; did you mean hr_high_rest_bpm?",
        "The content is nested: a rule file has one line `limit = value` for each limit.",
        "The content is not TOML: a number has too many digits.",
    ]
    assert f.alerts("HR_HIGH_REST")
