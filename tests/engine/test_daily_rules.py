"""The rules that look at days, weeks and rhythm: they fire, and how the log was cut or shuffled decides nothing."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from models.snapshot import DAY_FEATURES
from monitor.alerting.daily_rules import slept_minutes
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.wearers.baselines import move_baseline
from monitor.wearers.days import fall_bpm, past_days
from monitor.wearers.fields import DAYS as HELD
from monitor.wearers.fields import HR_COUNT, HR_MEDIAN, STEPS
from monitor.wearers.local_time import Turned
from monitor.wearers.profiles import Profiles
from monitor.wearers.state import State
from tests.engine.a_month import DAY, DAYS, END, LAST, RULES_OF_DAYS, a_month, slept
from tests.engine.feed import MINUTE, START, Feed, Record, feed
from tests.engine.test_determinism import but_for_raised_at

HOUR = 60 * MINUTE
NO_SILENCE = Limits(no_data_grace_min=100_000)
HEART_RATE, ACTIVITY, SLEEP = "vitals.heart-rate.v1", "vitals.activity.v1", "vitals.sleep.v1"
NEW = {*RULES_OF_DAYS, "NEWS2_PARTS", "AF_BURDEN", "BP_TREND"}


def episodes(f: Feed) -> list[tuple[Any, ...]]:
    """Whose, which, since when, how bad, and by which value and limit."""
    return sorted(
        (a["wearer_id"], a["rule"], a["event_time"], a["priority"], a["trigger"]["value"], a["trigger"]["limit"])
        for a in f.out
        if a["version"] == 1 and a["rule"] != "NO_DATA"
    )


@cache
def lived(seed: int = 1) -> Feed:
    """The month as it came, cut every eight hours."""
    f = feed(NO_SILENCE)
    a_month(f, seed)
    f.run(END, every=8 * HOUR)
    return f


def received_otherwise(f: Feed, seed: int, jitter_ms: int, duplicates: float) -> None:
    """Let records come again, and up to so much later, in the order of their stamps."""
    rng = np.random.default_rng(seed)
    for place, log in f.records.items():
        many = [r for r in log for _ in range(1 + int(rng.random() < duplicates))]
        again = [Record(r.stamp_ms + int(rng.integers(0, jitter_ms + 1)), r.key, r.value) for r in many]
        f.records[place] = sorted(again, key=lambda r: r.stamp_ms)


def come_at(f: Feed, wearer: str, topics: tuple[str, ...], stamps: tuple[int, int], later: tuple[int, ...]) -> None:
    """Let what a wearer sent in a time come at other times, in turn."""
    for (topic, p), log in f.records.items():
        if topic in topics:
            mine = [r for r in log if r.key == wearer.encode() and stamps[0] <= r.stamp_ms < stamps[1]]
            moved = [Record(later[k % len(later)], r.key, r.value) for k, r in enumerate(mine)]
            f.records[topic, p] = sorted([*(r for r in log if r not in mine), *moved], key=lambda r: r.stamp_ms)


def test_every_detector_raises_once_for_whom_it_is_meant() -> None:
    raised = [(wearer, rule) for wearer, rule, *_ in episodes(lived())]

    assert {rule for _, rule in raised} == NEW
    assert {who for who, rule in raised if rule in ("NIGHT_SIGNAL", "TREND_DEV")} <= {"ill", "runner"}
    assert [who for who, rule in raised if rule in ("POOR_RECOVERY", "SUB_HEALTH", "AF_BURDEN")] == [
        "beats",
        "runner",
        "tired",
    ]
    assert len(raised) == len(set(raised))


def test_i4_other_cuts_give_the_same_alerts_of_days_and_weeks() -> None:
    other, rng = feed(NO_SILENCE), np.random.default_rng(3)
    a_month(other, 1)
    T = START
    while T < END:
        T = min(END, T + int(rng.choice([MINUTE, 5 * HOUR, 30 * HOUR]) * rng.random()) + 1)
        other.cut(T, upto=T + int(rng.integers(0, 20 * HOUR)))

    assert but_for_raised_at(other) == but_for_raised_at(lived())


def test_duplicates_and_shuffles_within_the_settle_time_change_no_daily_alert() -> None:
    messy = feed(NO_SILENCE)
    a_month(messy, 1)
    received_otherwise(messy, 7, 1400, 0.3)
    messy.run(END, every=8 * HOUR)

    assert episodes(messy) == episodes(lived())


def test_a_day_that_is_synced_at_once_gives_what_live_would_have_given() -> None:
    synced = feed(NO_SILENCE)
    a_month(synced, 1)
    at = LAST - DAY + 17 * HOUR
    for wearer in ("ill", "tired", "runner"):
        come_at(synced, wearer, (HEART_RATE, ACTIVITY, SLEEP), (at - 16 * HOUR, at), (at + 8_000, at, at + 4_000))
    synced.run(END, every=8 * HOUR)

    assert episodes(synced) == episodes(lived())


def test_a_night_that_comes_after_noon_is_judged_at_the_next_noon() -> None:
    late = feed(NO_SILENCE)
    a_month(late, 1)
    day = LAST - 2 * DAY
    come_at(late, "ill", (HEART_RATE, ACTIVITY), (day + 7 * HOUR, day + 9 * HOUR), (day + 18 * HOUR,))
    late.run(day + 17 * HOUR, every=8 * HOUR)
    row = late.engine.state.row_of["ill"]
    slot = day // DAY % 28
    assert late.engine.state.night_bpm[row, slot] == 0

    late.run(END, every=8 * HOUR)

    live = lived().engine.state
    assert late.engine.state.night_bpm[row, slot] == live.night_bpm[live.row_of["ill"], slot] > 60
    assert [one for one in episodes(late) if one[1] == "NIGHT_SIGNAL"] == [
        one for one in episodes(lived()) if one[1] == "NIGHT_SIGNAL"
    ]


def test_a_saved_state_goes_on_with_the_same_daily_alerts() -> None:
    f = feed(NO_SILENCE)
    a_month(f, 1)
    f.run(LAST - 3 * DAY, every=8 * HOUR)
    other = feed(NO_SILENCE).engine
    for p in range(4):
        other.load(p, f.engine.save(p), f.engine.position(p))
    f.engine = other
    f.run(END, every=8 * HOUR)

    assert but_for_raised_at(f) == but_for_raised_at(lived())


def test_detectors_that_are_off_raise_nothing() -> None:
    off = {f"{rule.name.lower()}_on": False for rule in Rule if f"{rule.name.lower()}_on" in Limits.model_fields}
    f = feed(Limits(**{"no_data_grace_min": 100_000, **off}))
    a_month(f, 1)
    f.run(END, every=30 * HOUR)

    assert len(off) == len(NEW)
    assert episodes(f) == []


def test_the_day_of_a_wearer_turns_at_noon_of_the_own_clock() -> None:
    """In Tokyo noon is at 03:00 UTC, and the local day begins at 15:00 UTC of the day before."""
    f = feed()
    f.profile("w", START - 14 * DAY, time_zone="Asia/Tokyo", age_years=40)
    for d in range(-13, 1):
        slept(f, "w", START + d * DAY - 2 * HOUR, 300)
    f.minutes("w", START + 2 * HOUR + 50 * MINUTE, [70] * 20)
    for log in f.records.values():
        log.sort(key=lambda r: r.stamp_ms)

    f.run(START + 3 * HOUR, every=HOUR)
    assert f.alerts("SLEEP_DEBT") == []
    f.run(START + 4 * HOUR, every=HOUR)

    (alert,) = f.alerts("SLEEP_DEBT")
    assert (alert["event_time"], alert["updated_at"][:17]) == ("2025-12-22T15:00:00Z", "2026-01-05T03:01:")
    assert (alert["priority"], alert["missing"], alert["trigger"]["n_samples"]) == ("low", [], 14)
    assert alert["text"] == "Sleep short by 28 h in 14 days, limit >= 21 h (14 nights known)."


def irregular(f: Feed, samples: int) -> None:
    rng = np.random.default_rng(2)
    for m in range(50):
        rr = [int(ms) for ms in rng.choice([700, 800, 920], 60)]
        f.heart_rate("w", START + m * MINUTE, [75] * samples, rr_ms=rr)
        f.steps("w", START + m * MINUTE, [0])
    f.run(START + 60 * MINUTE, every=10 * MINUTE)


@pytest.mark.parametrize(("samples", "minimum", "told"), [(60, 0.5, 1), (10, 0.5, 0), (10, 0.0, 1)])
def test_an_index_below_the_gate_lets_a_rule_that_is_no_limit_begin_no_alert(
    samples: int, minimum: float, told: int
) -> None:
    f = feed(Limits(hr_min_quality=minimum))
    irregular(f, samples)

    assert len(f.alerts("AF_BURDEN")) == told


def test_rhythm_is_judged_once_a_quarter_of_an_hour() -> None:
    f = feed()
    irregular(f, 60)

    (alert,) = f.alerts("AF_BURDEN")
    assert alert["updated_at"][:17] == "2026-01-05T00:31:"
    assert 30 <= alert["trigger"]["value"] <= 33
    assert (alert["quality"], alert["unverified"]) == (1, False)


@pytest.mark.parametrize(("varies", "told"), [(0, 0), (1, 1)])
def test_a_heart_rate_that_stands_still_while_the_wearer_walks_begins_no_alert(varies: int, told: int) -> None:
    f = feed(Limits(hr_window_min=20))
    for m in range(30):
        f.heart_rate("w", START + m * MINUTE, [38 + varies * (k % 2) for k in range(60)])
        f.steps("w", START + m * MINUTE, [60 * (m % 2)])
    f.run(START + 40 * MINUTE)

    assert len({a["alert_id"] for a in f.alerts("HR_LOW")}) == told


def test_a_flat_line_at_120_or_more_is_told_as_unverified() -> None:
    f = feed()
    for m in range(16):
        f.heart_rate("w", START + m * MINUTE, [125] * 60)
        f.steps("w", START + m * MINUTE, [40 if m < 4 else 0])
    f.run(START + 20 * MINUTE)

    (alert,) = f.alerts("HR_HIGH_REST")
    assert alert["unverified"]
    assert "unverified" in alert["text"]
    assert alert["quality"] > 0.9


def test_a_mean_of_a_week_of_readings_raises_and_a_better_week_clears() -> None:
    f = feed()
    for d in range(14):
        f.pressure("w", START + d * DAY, 140 if d < 7 else 118, 80)
    f.run(START + 14 * DAY, every=12 * HOUR)

    assert f.told("BP_TREND") == [("low", "present", "unacked"), ("low", "absent", "closed")]
    assert f.alerts("BP_TREND")[0]["updated_at"][:10] == "2026-01-10"  # the sixth reading
    assert f.alerts("BP_TREND")[0]["trigger"]["metric"] == "mean_pressure"


def test_pulse_and_pressure_together_raise_and_say_what_nobody_measured() -> None:
    f = feed()
    f.pressure("w", START + 5 * MINUTE, 88, 55)
    f.minutes("w", START, [118] * 20 + [80] * 15)
    for log in f.records.values():
        log.sort(key=lambda r: r.stamp_ms)
    f.run(START + 40 * MINUTE)

    (first,) = f.alerts("NEWS2_PARTS")
    assert (first["priority"], first["trigger"]["value"], first["trigger"]["limit"]) == ("medium", 5, 5)
    assert "respiration_rate" in first["missing"]


def test_the_month_is_long_enough() -> None:
    assert DAYS > 14 + 5


@pytest.mark.parametrize("away_days", [0, 1, 5])
def test_a_day_whose_morning_the_ring_has_left_is_closed_as_it_was_kept(away_days: int) -> None:
    """Worn all day; what comes next comes at once, up to the evening of another day."""
    f = feed(NO_SILENCE)
    for hour in range(24):
        f.heart_rate("w", START + hour * HOUR, [60 + hour] * 12, every_s=300)
    back = START + (1 + away_days) * DAY
    for hour in range(18):
        f.heart_rate("w", back + hour * HOUR, [90] * 12, every_s=300, stamp=back + 18 * HOUR + hour)
    f.run(back + 19 * HOUR, every=HOUR)

    state = f.engine.state
    row = np.array([state.row_of["w"]])
    days = past_days(state, row, state.day[row])[0]
    worn = days[:, DAY_FEATURES.index("worn_min")]
    assert worn[~np.isnan(worn)].tolist() == [288]
    assert days[27 - away_days, DAY_FEATURES.index("low_bpm")] == 60


def test_the_fall_of_the_rate_after_yesterdays_effort_is_known_today() -> None:
    f = feed(NO_SILENCE)
    effort = [65] * 90 + [150] * 20 + [138, 120, 110, 100, 95, 90] + [66] * 60
    for m, bpm in enumerate(effort):
        f.heart_rate("w", START + 10 * HOUR + m * MINUTE, [bpm] * 12, every_s=5)
        f.steps("w", START + 10 * HOUR + m * MINUTE, [120 if bpm == 150 else 0])
    f.run(START + 20 * HOUR, every=HOUR)
    f.minutes("w", START + DAY, [60] * 3)
    f.run(START + DAY + HOUR, every=HOUR)

    row, today = np.array([f.engine.state.row_of["w"]]), np.array([(START + DAY) // DAY])
    assert fall_bpm(f.engine.state, row, today).tolist() == [30.0]
    assert np.isnan(fall_bpm(f.engine.state, row, today + 1)).all()


def test_the_baseline_moves_once_a_day_and_stands_still_while_a_night_alert_is_open() -> None:
    state = lived().engine.state
    ill, tired = state.row_of["ill"], state.row_of["tired"]

    assert state.baseline_days[tired, 0].tolist()[8:12] == [DAYS] * 4  # awake by steps
    assert 14 < state.baseline_days[ill, 0, 9] < DAYS
    assert 60 <= state.baseline_bpm[tired, 0, 9] <= 62
    assert state.baseline_days[tired, 1].tolist()[1:6] == [DAYS] * 5  # asleep from 1:00 to 6:00
    assert not state.baseline_bpm[ill, 1].any()


@pytest.mark.parametrize("offset_min", [0, 330, -300])
def test_the_hours_of_the_baseline_are_those_of_the_own_clock(offset_min: int) -> None:
    noon = START // MINUTE + 720 - offset_min
    state = State(1)
    row = np.array([state.add("w", 0)])
    before = noon - 1 - np.arange(1440)
    held = state.minute_bytes()
    held[0, before % 1440, HR_MEDIAN] = 50 + (before + offset_min) // 60 % 24
    held[0, before % 1440, HR_COUNT] = 12
    held[0, before % 1440, STEPS] = 1 + ((before + offset_min) % 60 < 20)  # 20 minutes of steps, then 40 still
    held[0, before[(before + offset_min) % 60 < 29] % 1440, HR_MEDIAN] = 200  # not at rest yet
    state.head_minute[0] = noon + 3
    held[0, (noon + np.arange(4)) % 1440, HR_MEDIAN] = 200  # after noon: its minutes took the place of a day before

    move_baseline(state, row, np.array([noon]), Turned(np.array([0]), np.array([noon])), np.array([False]))

    assert state.baseline_days[0, 0].tolist() == [1] * 24
    expected = [max(50 + h, level - 15) for h, level in enumerate([70.0] * 7 + [76.0] * 14 + [70.0] * 3)]
    assert state.baseline_bpm[0, 0].tolist() == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(("days", "raises"), [(0, False), (6, False), (7, True)])
def test_heat_compares_with_the_rate_at_rest_of_this_hour_from_a_week_of_days_on(days: int, raises: bool) -> None:
    """83 bpm is 15 above a baseline of (7 x 58 + 7 x 76) / 14 = 67."""
    f = feed()
    f.weather("w", START + 10 * HOUR, 41.0, 40.0)
    f.minutes("w", START + 10 * HOUR + MINUTE, [83])
    f.run(START + 10 * HOUR + 2 * MINUTE, every=HOUR)
    state = f.engine.state
    row = state.row_of["w"]
    state.baseline_bpm[row, 0, 10], state.baseline_days[row, 0, 10] = 58, days
    f.minutes("w", START + 10 * HOUR + 2 * MINUTE, [83] * 15)
    f.run(START + 10 * HOUR + 20 * MINUTE, every=HOUR)

    assert bool(f.alerts("HEAT_LOAD")) == raises


@pytest.mark.parametrize(
    ("zone", "change", "before_min", "after_min", "clock_min"),
    [
        ("Europe/Berlin", "2026-03-29", 60, 120, 1410),
        ("Europe/Berlin", "2026-10-25", 120, 60, 30),
        ("UTC", "2026-03-29", 0, 0, 30),
    ],
)
def test_a_night_before_a_change_of_the_clock_belongs_to_the_day_on_which_it_ended_then(
    zone: str, change: str, before_min: int, after_min: int, clock_min: int
) -> None:
    """Six nights each before and after, that end half an hour from midnight."""
    state = State(2)
    profiles = Profiles(state, ("north",))
    row = np.array([state.add("other", 0), state.add("w", 0)])
    state.zone[row] = profiles.places(["Asia/Tokyo", zone])
    changes = int(np.datetime64(change, "D").astype(np.int64))
    expected = np.full(HELD, np.nan)
    for slot, d in enumerate([*range(-6, 0), *range(1, 7)]):
        end = (changes + d) * 1440 + clock_min - (before_min if d < 0 else after_min)
        state.sleep_id[1, slot], state.sleep_revision[1, slot] = slot + 1, 1
        state.sleep_start[1, slot], state.sleep_end[1, slot] = end - 400, end
        state.sleep_minutes[1, slot] = [360 + slot, *[np.nan] * 4]
        expected[HELD - 1 - (7 - d)] = 360 + slot

    today = np.full(2, changes + 7)
    found = slept_minutes(state, profiles, row, today * 1440 + 720, today)

    np.testing.assert_array_equal(found[1], expected)
    assert np.isnan(found[0]).all()
