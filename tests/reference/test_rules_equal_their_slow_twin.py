"""Windows, outliers, the two heart-rate rules and heat load against loops over a dictionary of minutes."""

import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerting.evidence import Evidence
from monitor.alerting.heart_rate import heart_rate_window, hr_high_rest, hr_low
from monitor.alerting.heat import heat_load
from monitor.alerting.limits import Limits
from monitor.alerting.minute_rules import flag_outliers
from monitor.signals.baseline import STARTER
from monitor.signals.hampel import is_outlier
from monitor.signals.minutes import summarise
from monitor.wearers.baselines import move_baseline, usual_bpm
from monitor.wearers.fields import MINUTES
from monitor.wearers.local_time import Turned
from monitor.wearers.reported import Report
from monitor.wearers.rings import write_report
from monitor.wearers.state import State
from monitor.wearers.windows import held_pairs, minutes_before
from tests.reference.slow_heat import Reports, resting_hours, usual_at_rest
from tests.reference.slow_heat import heat_load as slow_heat_load
from tests.reference.slow_rules import Whom, flag_outlier, heart_rate_findings, judge_window, slow_outlier
from tests.reference.slow_slots import SAID, SlowMinute

BEGIN = 1_767_571_200 // 60
LENGTH = 1600  # longer than the ring
LEVELS = ((60, 80), (112, 124), (118, 140), (36, 48), (20, 42), (26, 36))
TEMPERATURES_C, HUMIDITIES = (25.0, 29.5, 33.0, 36.0, 40.5), (10.0, 45.0, 60.0, 90.0)
OTHER_LIMITS = Limits(hr_window_min=20, hr_min_samples=8, rest_max_steps=12, rest_min_known=0.3)


@dataclass
class Life:
    """One wearer: what is held of minutes, the time between samples, and the profile."""

    minutes: dict[int, SlowMinute]
    gap_s: float
    whom: Whom


def a_life(rng: random.Random) -> Life:
    """A day of a device of any cadence, with holes, outliers, steps that are known or not, and a talkative device."""
    every_min = rng.choice([1, 1, 1, 2, 5, 15, 60])
    minutes: dict[int, SlowMinute] = {}
    steps_known, talks, level, words = rng.random() < 0.7, rng.random() < 0.4, LEVELS[0], sorted(SAID)
    word, until = words[0], 0
    for m in range(rng.randrange(every_min), LENGTH):
        if m >= until:
            level, word, until = rng.choice(LEVELS), rng.choice(words), m + rng.randrange(5, 60)
            steps_known = steps_known != (rng.random() < 0.2)
        one = SlowMinute()
        if m % every_min == 0 and rng.random() < 0.93:
            bpm = rng.choice([rng.randint(*level)] * 20 + [180, 22])
            one.put(
                {m * 60 + k: bpm + rng.choice([0, 0, 1]) for k in range(rng.choice([1, 4, 60]) if every_min < 5 else 1)}
            )
        if steps_known and rng.random() < 0.9:
            one.steps = rng.choice([0] * 40 + [3, 90])
        if talks and rng.random() < 0.9:
            one.marks |= SAID[word]
        one.stage = rng.choice([0] * 30 + [1, 2, 3])
        if any(one.as_bytes()):
            minutes[BEGIN + m] = one
    newest = max(minutes)
    whom = Whom(rng.choice([0, 0, 0, 110, 135]), rng.choice([0, 0, 0, 45, 35]), defaults_off=rng.random() < 0.2)
    return Life({m: one for m, one in minutes.items() if m > newest - MINUTES}, every_min * 60.0, whom)


def write(lives: list[Life]) -> State:
    state = State(rows=len(lives))
    for row, life in enumerate(lives):
        state.add(f"w{row}", 0)
        state.head_minute[row] = max(life.minutes)
        state.sample_gap_s[row] = life.gap_s
        state.own_hr_high[row], state.own_hr_low[row] = life.whom.own_high, life.whom.own_low
        for minute, one in life.minutes.items():
            state.minute_bytes()[row, minute % MINUTES] = np.frombuffer(one.as_bytes(), np.uint8)
    return state


@pytest.mark.parametrize("limits", [Limits(), OTHER_LIMITS], ids=["default", "other"])
@pytest.mark.parametrize("seed", range(2))
def test_outliers_windows_and_both_rules_equal_their_twins(seed: int, limits: Limits) -> None:
    rng = random.Random(seed)
    lives = [a_life(rng) for _ in range(16)]
    state = write(lives)
    everyone = np.arange(len(lives))
    row, minute = held_pairs(state, everyone, np.zeros_like(everyone), state.head_minute[everyone].astype(np.int64))
    rated = [lives[r].minutes[m].count > 0 for r, m in zip(row.tolist(), minute.tolist(), strict=True)]
    row, minute = row[rated], minute[rated]
    hour = minute // 60 % 24

    flag_outliers(state, row, minute)
    window = heart_rate_window(state, row, minute, limits, of_interest=np.ones(len(row), bool))
    off = np.array([life.whom.defaults_off for life in lives])[row]
    fast = [
        hr_high_rest(window, limits, state.own_hr_high[row], off),
        hr_low(window, limits, state.own_hr_low[row], off, hour),
    ]

    for life in lives:
        for m in sorted(life.minutes):
            if life.minutes[m].count:
                flag_outlier(life.minutes, m, life.gap_s)
    raised = 0
    for i, (r, m) in enumerate(zip(row.tolist(), minute.tolist(), strict=True)):
        life = lives[r]
        assert state.minute_bytes()[r, m % MINUTES].tobytes() == life.minutes[m].as_bytes()
        judged = judge_window(life.minutes, m, life.gap_s, limits)
        assert (window.enough[i], window.slow[i]) == (judged.enough, judged.slow)
        assert (window.rest[i], window.moving[i]) == (judged.rest, judged.moving)
        ours = heart_rate_findings(life.minutes, m, 0, life.gap_s, life.whom, limits, int(hour[i]))
        for evidence, one in zip(fast, ours, strict=True):
            assert said(evidence, i) == (
                one["raised"],
                one["cleared"],
                one["priority"] if one["raised"] else None,
                one["value"],
                one["limit"],
                one["samples"],
                one["start_ms"] // 60_000,
                one["unverified"],
            ), (r, m, one["rule"])
            raised += one["raised"]
    assert raised > 200
    slow_devices = [life for life in lives if life.gap_s >= 300]
    assert any("outlier" in one.marks for life in slow_devices for one in life.minutes.values())


def said(evidence: Evidence, i: int) -> tuple[object, ...]:
    """What evidence says of one pair; a priority only of what is raised."""
    priority = ("technical", "low", "medium", "high")[evidence.priority[i]] if evidence.raised[i] else None
    return (
        evidence.raised[i],
        evidence.cleared[i],
        priority,
        evidence.value[i],
        evidence.limit[i],
        evidence.samples[i],
        evidence.start_minute[i],
        evidence.unverified[i],
    )


@pytest.mark.parametrize("seed", range(2))
def test_heat_load_equals_its_twin(seed: int) -> None:
    rng, limits = random.Random(seed), Limits()
    lives = [a_life(rng) for _ in range(6)]
    reports: list[Reports] = []
    for life in lives:
        life.whom.vulnerable = rng.random() < 0.3
        hours = [h for h in range(LENGTH // 60 - 22, LENGTH // 60) if rng.random() < 0.4]
        at = [(BEGIN + h * 60) * 60_000 + rng.randrange(3_600_000) for h in hours]
        reports.append(
            {t: (rng.choice([25.0, 29.5, 33.0, 36.0, 40.5]), rng.choice([10.0, 45.0, 60.0, 90.0])) for t in at}
        )
    state = write(lives)
    for row, of_row in enumerate(reports):
        for at_ms, (temperature, humidity) in of_row.items():
            write_report(state, row, Report(at_ms, (temperature, humidity, math.nan, math.nan), (), ()))
    pairs = [(r, m) for r, life in enumerate(lives) for m in sorted(life.minutes) if life.minutes[m].count][::3]
    row, minute = np.array(pairs).T
    window = heart_rate_window(state, row, minute, limits, of_interest=np.ones(len(row), bool))
    usual = np.array([rng.choice([math.nan, 55.0, 62.0]) for _ in lives])

    fast = heat_load(
        state,
        row,
        minute,
        window,
        limits,
        vulnerable=np.array([life.whom.vulnerable for life in lives])[row],
        usual_rest_bpm=usual[row],
        off=np.array([life.whom.defaults_off for life in lives])[row],
    )

    for i, (r, m) in enumerate(pairs):
        life = lives[r]
        judged = judge_window(life.minutes, m, life.gap_s, limits)
        slow = slow_heat_load(life.minutes, m, judged, reports[r], life.whom, usual[r], limits)
        assert (fast.raised[i], fast.cleared[i]) == slow, (r, m)
    assert 20 < fast.raised.sum() < len(pairs) / 2


@pytest.mark.parametrize(
    ("before_min", "offset_min", "since_min"),
    [(0, 0, 0), (120, 120, 0), (-210, -210, 0), (60, 120, 660), (-240, -300, 600), (660, 630, 1439)],
)
def test_what_is_usual_at_rest_equals_its_twin(before_min: int, offset_min: int, since_min: int) -> None:
    """The clock showed `before_min` east of UTC until `since_min` before noon."""
    rng = random.Random(offset_min)
    lives = [a_life(rng) for _ in range(12)]
    state = write(lives)
    noon = (BEGIN + LENGTH) // MINUTES * MINUTES + 720 - offset_min
    row = np.arange(len(lives))

    clock = Turned(np.full(len(row), before_min - offset_min), np.full(len(row), noon - since_min))
    move_baseline(state, row, np.full(len(row), noon), clock, np.zeros(len(row), bool))

    known = 0
    for r, life in enumerate(lives):
        means, asleep = resting_hours(life.minutes, noon, lambda m: before_min if m < noon - since_min else offset_min)
        for hour, (mean, slept) in enumerate(zip(means, asleep, strict=True)):
            counts = slept >= 0 and not math.isnan(mean)
            assert state.baseline_days[r, :, hour].tolist() == [counts and slept == 0, counts and slept == 1]
            if counts:
                start, most = STARTER.level[slept, hour], 2.5 * STARTER.spread[slept, hour]
                level = start + max(-most, min(most, mean - start))
                assert state.baseline_bpm[r, slept, hour] == pytest.approx(level, abs=0.07)
            known += counts
    assert known > 20
    state.baseline_days[:] = np.array([rng.randrange(15) for _ in range(state.baseline_days.size)]).reshape(-1, 2, 24)
    for hour in range(24):
        usual = usual_bpm(state, row, np.full(len(row), hour), row % 2 == 1)
        for r in row.tolist():
            own, days = float(state.baseline_bpm[r, r % 2, hour]), int(state.baseline_days[r, r % 2, hour])
            slow = usual_at_rest(own, days, STARTER.level[r % 2, hour], math.nan)
            assert usual[r] == pytest.approx(slow, nan_ok=True)


def test_a_window_holds_what_the_ring_holds_of_its_minutes_and_nothing_else() -> None:
    life = a_life(random.Random(7))
    state = write([life])
    newest = max(life.minutes)
    for last in (newest - 2000, newest - 1436, newest - 700, newest, newest + 5, newest + 3000):
        for width in (1, 10, 1440):
            got = minutes_before(state, np.zeros(1, np.int64), np.array([last]), width)[0]

            wanted = [life.minutes.get(m, SlowMinute()).as_bytes() for m in range(last - width + 1, last + 1)]
            assert [one.tobytes() for one in got] == wanted


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.one_of(st.integers(0, 240), st.integers(60, 75), st.just(0)), min_size=15, max_size=15))
def test_hampel_equals_its_twin(values: list[int]) -> None:
    assert bool(is_outlier(np.array([values], np.uint8))[0]) == slow_outlier(values)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.integers(0, 59), st.one_of(st.integers(1, 255), st.integers(18, 28)), max_size=60))
def test_the_summary_of_a_minute_equals_its_twin(seconds: dict[int, int]) -> None:
    minute = np.zeros((1, 60), np.uint8)
    for second, bpm in seconds.items():
        minute[0, second] = bpm
    slow = SlowMinute()
    slow.put(seconds)

    fast = summarise(minute)

    columns = (fast.median, fast.low, fast.high, fast.count, fast.reason)
    assert bytes(int(column[0]) for column in columns) == slow.as_bytes()[:5]
