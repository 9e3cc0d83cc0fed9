"""Blood pressure: sittings, categories, dip and trend."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.signals.bp_average import Readings, sittings
from monitor.signals.bp_category import LIMITS, Guideline, Place, category, names
from monitor.signals.bp_dip import ASLEEP, AWAKE, CLASSES, UNKNOWN, asleep_at, dip
from monitor.signals.bp_trend import DAY_MS, trend
from monitor.signals.why_not import WhyNot
from tests.reference import slow_sittings as slow
from tests.reference.slow_sittings import SlowReading

MINUTE = 60_000
NOW = 40 * DAY_MS

reading = st.builds(
    SlowReading,
    st.one_of(st.just(0), st.integers(1, 60), st.integers(30 * 1440, 41 * 1440)).map(lambda minute: minute * MINUTE),
    st.integers(70, 220),
    st.integers(40, 130),
    st.sampled_from([0, 1, 1, 1, 2, 3]),
)
wearer = st.lists(reading, min_size=16, max_size=16)


def slots(rows: list[list[SlowReading]]) -> Readings:
    return Readings(
        np.array([[r.time_ms for r in row] for row in rows], np.int64).reshape(len(rows), -1),
        np.array([[r.systolic for r in row] for row in rows], np.int16).reshape(len(rows), -1),
        np.array([[r.diastolic for r in row] for row in rows], np.int16).reshape(len(rows), -1),
        np.array([[r.method for r in row] for row in rows], np.uint8).reshape(len(rows), -1),
    )


def at(*minutes: int, systolic: int = 130, method: int = 1) -> list[SlowReading]:
    return [SlowReading(m * MINUTE, systolic, 80, method) for m in minutes]


def nows(n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(n, NOW, np.int64)


@settings(max_examples=40, deadline=None)
@given(st.lists(wearer, min_size=1, max_size=3))
def test_sittings_equal_their_slow_twin(rows: list[list[SlowReading]]) -> None:
    found = sittings(slots(rows), nows(len(rows)))

    for k, row in enumerate(rows):
        expected = slow.sittings(row, NOW)
        held = found.time_ms[k] > 0
        assert held.tolist() == [False] * (16 - len(expected)) + [True] * len(expected)
        assert found.time_ms[k, held].tolist() == [s[0].time_ms for s in expected]
        assert found.readings[k, held].tolist() == [len(s) for s in expected]
        np.testing.assert_allclose(found.systolic[k, held], [slow.mean([r.systolic for r in s]) for s in expected])
        assert np.isnan(found.systolic[k, ~held]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(wearer, min_size=1, max_size=3))
def test_the_trend_equals_its_slow_twin(rows: list[list[SlowReading]]) -> None:
    found = trend(slots(rows), nows(len(rows)))

    np.testing.assert_allclose(found.systolic, [slow.week_mean(row, NOW) for row in rows])
    np.testing.assert_allclose(found.systolic_slope, [slow.slope(row, NOW) for row in rows], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(wearer, st.randoms())
def test_the_order_of_the_slots_decides_nothing(row: list[SlowReading], random: object) -> None:
    other = list(row)
    random.shuffle(other)  # type: ignore[attr-defined]

    one, two = (sittings(slots([r]), nows(1)) for r in (row, other))
    np.testing.assert_array_equal(one.systolic, two.systolic)
    np.testing.assert_array_equal(one.time_ms, two.time_ms)
    np.testing.assert_array_equal(trend(slots([row]), nows(1)).systolic, trend(slots([other]), nows(1)).systolic)


@settings(max_examples=25, deadline=None)
@given(wearer)
def test_readings_after_now_change_no_bit(row: list[SlowReading]) -> None:
    cut = [r if r.time_ms <= NOW - DAY_MS else SlowReading(0, 0, 0, 0) for r in row]
    now = nows(1) - DAY_MS
    state = np.full((1, 16), AWAKE, np.uint8)
    state[0, :4] = ASLEEP

    for signal in (sittings, trend, lambda r, n: dip(r, state, n)):
        whole, before = signal(slots([row]), now), signal(slots([cut]), now)
        for name in whole.__slots__:
            np.testing.assert_array_equal(getattr(whole, name), getattr(before, name), err_msg=name)


def test_a_sitting_lasts_ten_minutes_from_its_first_reading() -> None:
    found = sittings(slots([at(100, 106, 110, 111)]), nows(1))

    assert found.readings[0].tolist() == [0, 0, 3, 1]


def test_cuffless_readings_never_count_not_even_beside_a_cuff() -> None:
    mixed = at(100, systolic=120) + at(101, 102, systolic=180, method=3) + at(103, systolic=180, method=0)
    alone = at(*range(100, 3000, 181), method=3)

    found = sittings(slots([mixed, alone[:4]]), nows(2))
    assert found.systolic[0, -1] == 120.0
    assert found.cuffless.tolist() == [2, 4]
    assert np.isnan(found.systolic[1]).all()
    assert np.isnan(trend(slots([alone]), nows(1)).systolic).all()


@pytest.mark.parametrize("signal", [sittings, trend])
def test_no_wearers_and_no_readings_are_defined(signal: object) -> None:
    for rows in ([], [[SlowReading(0, 0, 0, 0)] * 16], [[SlowReading(0, -1, -1, 0)] * 16]):
        empty = slots(rows) if rows else slots([[SlowReading(0, 0, 0, 0)] * 16])
        empty = empty if rows else Readings(*(getattr(empty, name)[:0] for name in empty.__slots__))
        found = signal(empty, nows(len(rows)))  # type: ignore[operator]
        assert np.isnan(found.systolic).all()
        assert len(found.systolic) == len(rows)


def test_a_year_without_readings_leaves_no_trend_and_says_why() -> None:
    old = slots([at(*range(1, 17)), at(*range(57_000, 57_003), *[0] * 13)])

    found = trend(old, nows(2))
    assert found.why_not.tolist() == [WhyNot.NOTHING, WhyNot.TOO_FEW]
    assert np.isnan(found.systolic).all()
    assert np.isnan(found.systolic_slope).all()


def test_a_single_reading_has_no_slope_and_constant_ones_have_slope_zero() -> None:
    found = trend(slots([at(50_000, *[0] * 9), at(*range(48_000, 58_000, 1000))]), nows(2))

    assert np.isnan(found.systolic_slope[0])
    assert found.systolic_slope[1] == 0.0


@pytest.mark.parametrize(
    ("guideline", "place", "pressure", "name"),
    [
        ("aha_acc_2025", "office", (119.9, 79.9), "normal"),
        ("aha_acc_2025", "office", (129.6, 79.0), "elevated"),
        ("aha_acc_2025", "office", (130.0, 79.0), "stage 1"),
        ("aha_acc_2025", "office", (118.0, 80.0), "stage 1"),
        ("aha_acc_2025", "office", (118.0, 90.0), "stage 2"),
        ("aha_acc_2025", "home", (135.0, 70.0), "stage 2"),
        ("aha_acc_2025", "night", (99.0, 65.0), "stage 1"),
        ("aha_acc_2025", "24h", (125.0, 70.0), "stage 1"),
        ("esc_2024", "office", (119.0, 69.0), "non-elevated"),
        ("esc_2024", "office", (119.0, 70.0), "elevated"),
        ("esc_2024", "office", (139.0, 90.0), "high"),
        ("esc_2024", "home", (135.0, 60.0), "high"),
        ("china_2024", "office", (119.0, 80.0), "high normal"),
        ("china_2024", "office", (159.0, 100.0), "grade 2"),
        ("china_2024", "office", (180.0, 70.0), "grade 3"),
        ("china_2024", "home", (134.0, 85.0), "at or above the limit"),
        ("china_2024", "night", (119.0, 69.0), "below the limit"),
    ],
)
def test_categories_of_the_guidelines(
    guideline: Guideline, place: Place, pressure: tuple[float, float], name: str
) -> None:
    code = category(np.array(pressure[:1]), np.array(pressure[1:]), np.array([2]), guideline, place)[0]

    assert names(guideline, place)[code] == name


@pytest.mark.parametrize(("guideline", "place"), LIMITS)
def test_every_table_has_a_name_for_every_category_and_rises(guideline: Guideline, place: Place) -> None:
    systolic, diastolic = LIMITS[guideline, place]

    assert len(names(guideline, place)) == len(systolic) + 2 == len(diastolic) + 2
    assert list(systolic) == sorted(systolic)
    assert list(diastolic) == sorted(diastolic)


def test_no_category_without_two_sittings_or_with_half_a_pressure() -> None:
    found = category(
        np.array([150.0, np.nan, 150.0, np.nan]),
        np.array([90.0, 90.0, np.nan, np.nan]),
        np.array([1, 9, 9, 0]),
        "esc_2024",
        "home",
    )

    assert found.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("asleep", "kind"),
    [(101, "reverse"), (100, "reduced"), (91, "reduced"), (90, "normal"), (81, "normal"), (80, "extreme")],
)
def test_classes_of_the_dip_at_their_borders(asleep: int, kind: str) -> None:
    readings = slots([at(57_000, 57_010, 57_020, systolic=200) + at(57_100, 57_110, systolic=2 * asleep)])

    found = dip(readings, np.array([[AWAKE] * 3 + [ASLEEP] * 2], np.uint8), nows(1))
    assert CLASSES[found.kind[0]] == kind
    assert found.percent[0] == pytest.approx(slow.dip_percent([100] * 3, [asleep] * 2))


@pytest.mark.parametrize(("awake", "asleep"), [(2, 5), (5, 1), (0, 0), (0, 3)])
def test_too_few_readings_on_one_side_are_no_dip(awake: int, asleep: int) -> None:
    row = at(*range(57_000, 57_000 + 10 * (awake + asleep), 10), *[0] * (16 - awake - asleep))
    state = [AWAKE] * awake + [ASLEEP] * asleep + [UNKNOWN] * (16 - awake - asleep)

    found = dip(slots([row]), np.array([state], np.uint8), nows(1))
    assert np.isnan(found.percent[0])
    assert found.kind[0] == 0
    assert found.why_not[0] == (WhyNot.TOO_FEW if awake + asleep else WhyNot.NOTHING)


def test_readings_far_from_any_recorded_sleep_are_neither_awake_nor_asleep() -> None:
    sleep = np.array([[10_000, 700, 0, 9_000]]), np.array([[10_400, 500, 0, 9_000]])

    found = asleep_at(np.array([[10_100, 10_400, 10_401 + 1440, 8_000]]) * MINUTE, *sleep, nows(1))
    assert found[0].tolist() == [ASLEEP, AWAKE, UNKNOWN, UNKNOWN]
