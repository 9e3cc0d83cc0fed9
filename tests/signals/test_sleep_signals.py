"""Sleep: corrections, nights over clock changes and flights, timing and regularity."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.signals.nights import DAY, Nights, Sessions, nights, standing, timing, waking, weekend
from monitor.signals.regularity import regularity
from monitor.signals.why_not import WhyNot
from tests.reference import slow_sleep as slow
from tests.reference.slow_sleep import SlowSession

FIRST = 20_000 * DAY
SLOTS = 14
Ints = NDArray[np.int64]


def sessions(rows: list[list[SlowSession]], minutes: NDArray[np.float64] | None = None) -> Sessions:
    slots = SLOTS if minutes is None else minutes.shape[1]
    filled = [row + [SlowSession(0, 0, 0, 0, 0)] * (slots - len(row)) for row in rows]

    def column(name: str) -> Ints:
        return np.array([[getattr(s, name) for s in row] for row in filled], np.int64).reshape(len(rows), slots)

    told = np.full((len(rows), slots, 5), np.nan, np.float16) if minutes is None else minutes
    return Sessions(
        column("source").astype(np.uint64),
        column("revision").astype(np.int32),
        column("start"),
        column("end"),
        column("offset"),
        told,
    )


def night(day: int, start: int = 1380, length: int = 480, offset: int = 0, revision: int = 1) -> SlowSession:
    """A session that starts `start` local minutes after midnight of a day."""
    begin = FIRST + day * DAY + start - offset
    return SlowSession(day + 100, revision, begin, begin + length, offset)


def at(day: int, minute: int = 0) -> Ints:
    return np.array([FIRST + day * DAY + minute], np.int64)


def sri(row: list[SlowSession], now: Ints) -> float:
    one = sessions([row])
    return float(regularity(one, standing(one, now), now).index[0])


@st.composite
def sleeper(draw: st.DrawFn) -> list[SlowSession]:
    """Up to 14 sessions around 20 days, with corrections, overlaps, reversals, naps and other zones."""
    offset = draw(st.sampled_from([0, 60, 330, -480]))
    found = []
    for k in range(draw(st.integers(0, SLOTS))):
        start = FIRST + draw(st.integers(0, 19)) * DAY + draw(st.sampled_from([1320, 1380, 1400, 30, 720, 719, 60]))
        length = draw(st.sampled_from([480, 471, 420, 180, 179, 30, 0, -60, 1440, 1441]))
        found.append(
            SlowSession(draw(st.integers(1, 14)), k % 3, start, start + length, offset + draw(st.sampled_from([0, 60])))
        )
    return found


@st.composite
def nightly(draw: st.DrawFn) -> list[SlowSession]:
    """A night on most of 14 days, early or late, long or short."""
    return [
        night(d + 5, draw(st.integers(1000, 1800)), draw(st.integers(170, 700)), draw(st.sampled_from([0, 60])))
        for d in range(14)
        if draw(st.integers(0, 9))
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(sleeper(), nightly()), min_size=1, max_size=3), st.integers(12 * DAY, 21 * DAY))
def test_regularity_and_corrections_equal_their_slow_twins(rows: list[list[SlowSession]], later: int) -> None:
    all_of = sessions(rows)
    now = np.full(len(rows), FIRST + later, np.int64)

    keep = standing(all_of, now)
    found = regularity(all_of, keep, now)

    slots = all_of.start.shape[1]
    for k, row in enumerate(rows):
        # The same revision twice: the later slot, so the twin sees only that one.
        row = [s for i, s in enumerate(row) if not any(_same(s, o) for o in row[i + 1 :] if 0 < o.end <= now[0])]
        kept = slow.standing(row, int(now[k]))
        got = sorted(zip(all_of.start[k, keep[k]].tolist(), all_of.end[k, keep[k]].tolist(), strict=True))
        assert got == sorted((s.start, s.end) for s in kept)
        expected, pairs = slow.regularity(kept, int(now[k]), slots, len(rows[k]))
        assert found.pairs[k] == pairs
        np.testing.assert_allclose(found.index[k], expected, atol=1e-9)


def _same(one: SlowSession, other: SlowSession) -> bool:
    return (one.source, one.revision) == (other.source, other.revision)


@settings(max_examples=25, deadline=None)
@given(sleeper(), st.integers(8 * DAY, 18 * DAY))
def test_sessions_that_end_after_now_change_no_bit(row: list[SlowSession], later: int) -> None:
    now = np.array([FIRST + later])
    ended = [s if 0 < s.end <= now[0] else SlowSession(0, 0, 0, 0, 0) for s in row]
    whole, cut = sessions([row]), sessions([ended])

    np.testing.assert_array_equal(standing(whole, now), standing(cut, now))
    one, two = (nights(s, standing(s, now), now // DAY) for s in (whole, cut))
    for name in one.__slots__:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    if len(row) < SLOTS:  # a full ring is a fact of today
        one_sri, two_sri = (regularity(s, standing(s, now), now) for s in (whole, cut))
        full = bool((whole.start > 0).all()) and not bool((cut.start > 0).all())
        assert full or np.array_equal(one_sri.index, two_sri.index, equal_nan=True)


def test_the_same_night_every_night_is_regular_and_the_opposite_is_minus_a_hundred() -> None:
    steady = [night(d) for d in range(10)]
    turned = [night(d, start=720 if d % 2 else 1440, length=720) for d in range(12)]

    assert sri(steady, at(12)) == 100.0
    # From noon to noon: asleep for the second half, then for the first half, and so on.
    assert sri(turned, at(13)) == pytest.approx(-100.0)


def test_one_hour_later_each_night_costs_two_hours_of_agreement() -> None:
    drifting = [night(d, start=1200 + 60 * d, length=480) for d in range(8)]

    assert sri(drifting, at(10)) == pytest.approx(200 * (1 - 120 / 1440) - 100)


def test_a_night_that_was_not_recorded_is_unknown_and_not_awake() -> None:
    gap = [night(d) for d in range(12) if d != 5]
    with_nap = [*gap, night(5, start=1500, length=40)]

    assert sri(gap, at(13)) == 100.0
    one = sessions([with_nap])
    assert regularity(one, standing(one, at(13)), at(13)).pairs.tolist() == [9]


def test_a_full_ring_gives_up_its_oldest_day() -> None:
    one = sessions([[night(d) for d in range(14)]])

    assert regularity(one, standing(one, at(14, 800)), at(14, 800)).pairs.tolist() == [12]


def test_a_clock_change_is_no_irregularity_and_the_night_lasts_what_it_lasts() -> None:
    """Berlin, 23:00 to 07:00 by the clock: 7 h on 30 March 2025, 9 h on 26 October, the double hour lived twice."""
    zone = ZoneInfo("Europe/Berlin")
    for month, first, changed, hours in ((3, 24, 29, 7), (10, 20, 25, 9)):
        row = []
        for d in range(8):
            start = datetime(2025, month, first + d, 23, tzinfo=zone)
            end = datetime(2025, month, first + d + 1, 7, tzinfo=zone) if (month, first + d) != (3, 31) else None
            if end is None:
                continue
            offset = end.utcoffset()
            assert offset is not None
            row.append(
                SlowSession(
                    d + 1,
                    1,
                    int(start.timestamp()) // 60,
                    int(end.timestamp()) // 60,
                    int(offset.total_seconds()) // 60,
                )
            )
        one = sessions([row])
        now = np.array([max(s.end for s in row) + 600])
        last = (one.end + one.offset).max(axis=1) // DAY
        found = nights(one, standing(one, now), last, days=len(row))
        k = changed - first
        assert found.in_bed[0, k] == hours * 60
        assert found.in_bed[0, k - 1] == 480
        # Three hours before waking, on both sides of the change but for the half hour that the length shifts.
        assert found.midpoint[0, k - 1] == 180
        assert found.midpoint[0, k] == 420 - hours * 30
        result = regularity(one, standing(one, now), now)
        assert result.index[0] >= 200 * (1 - 120 / 1440 / result.pairs[0]) - 100 - 1e-9


def test_a_flight_west_with_the_new_clock_kept_is_regular() -> None:
    home = [night(d, offset=60) for d in range(6)]
    away = [night(d, offset=-480) for d in range(6, 12)]

    assert sri([*home, *away], at(14)) == 100.0


def test_an_overlap_on_the_local_clock_after_a_flight_is_counted_once() -> None:
    """Asleep until 07:00 in Berlin, flown west, asleep at 06:30 local of the same date: that half hour is one."""
    row = [night(d) for d in range(10)]
    row[5] = night(5, length=510, offset=0)
    extra = SlowSession(900, 1, row[5].end + 480, row[5].end + 480 + 60, -480 - 30)
    one = sessions([[*row, extra]])
    now = at(12)
    keep = standing(one, now)

    expected, _ = slow.regularity(slow.standing([*row, extra], int(now[0])), int(now[0]), 14, 11)
    assert regularity(one, keep, now).index[0] == pytest.approx(expected)


def test_a_correction_replaces_its_session_even_if_it_is_shorter_or_absurd() -> None:
    shorter = [night(1), night(1, length=300, revision=2)]
    reversed_ = [night(1), night(1, length=-10, revision=2)]

    assert standing(sessions([shorter, reversed_]), np.concatenate([at(3)] * 2))[:, :2].tolist() == [
        [False, True],
        [False, False],
    ]


def test_two_devices_in_one_bed_slept_one_night() -> None:
    watch, ring = night(1, length=470), SlowSession(999, 1, FIRST + DAY + 1385, FIRST + DAY + 1385 + 480, 0)
    one = sessions([[watch, ring]])
    keep = standing(one, at(3))

    assert keep[:, :2].tolist() == [[False, True]]
    assert np.nansum(nights(one, keep, at(3) // DAY).in_bed) == 480


def told(*rows: list[float]) -> NDArray[np.float64]:
    return np.array([rows], np.float64)


def one_night(minutes: list[float]) -> Nights:
    one = sessions([[night(0)]], told(minutes))
    return nights(one, standing(one, at(2)), at(1) // DAY, days=1)


def test_efficiency_and_shares_of_a_night_worked_by_hand() -> None:
    found = one_night([420.0, 210.0, 84.0, 126.0, 60.0])

    assert found.efficiency.tolist() == [[420 / 480]]
    assert [found.light[0, 0], found.deep[0, 0], found.rem[0, 0]] == [0.5, 0.2, 0.3]
    assert found.midpoint.tolist() == [[180.0]]


@pytest.mark.parametrize(
    ("minutes", "efficiency", "deep"),
    [
        ([np.nan, 210.0, 84.0, 126.0, np.nan], 420 / 480, 0.2),
        ([np.nan, 210.0, 84.0, np.nan, np.nan], np.nan, np.nan),
        ([481.0, 210.0, 84.0, 126.0, 0.0], np.nan, np.nan),
        ([300.0, 210.0, 84.0, 126.0, 0.0], 300 / 480, np.nan),
        ([0.0, 0.0, 0.0, 0.0, 480.0], 0.0, np.nan),
        ([np.nan] * 5, np.nan, np.nan),
    ],
)
def test_what_is_not_told_or_cannot_be_true_is_nan(minutes: list[float], efficiency: float, deep: float) -> None:
    found = one_night(minutes)

    np.testing.assert_array_equal(found.efficiency, [[efficiency]])
    np.testing.assert_array_equal(found.deep, [[deep]])


def test_a_nap_is_no_night_but_counts_as_sleep_of_a_day_with_one() -> None:
    minutes = told([400.0] + [np.nan] * 4, [60.0] + [np.nan] * 4, [60.0] + [np.nan] * 4)
    one = sessions([[night(0), night(1, start=840, length=60), night(2, start=840, length=60)]], minutes)

    found = nights(one, standing(one, at(4)), at(2) // DAY, days=3)
    np.testing.assert_array_equal(found.asleep, [[np.nan, 460.0, np.nan]])
    np.testing.assert_array_equal(found.efficiency, [[np.nan, 400 / 480, np.nan]])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.integers(-300, 600), st.none()), min_size=14, max_size=14))
def test_the_spread_of_midpoints_equals_its_slow_twin(minutes: list[int | None]) -> None:
    known = [float(m) for m in minutes if m is not None]

    found = timing(np.array([[np.nan if m is None else m for m in minutes]]), np.zeros((1, 14), bool))
    np.testing.assert_allclose(found.midpoint_sd[0], slow.midpoint_sd(known), rtol=1e-6, atol=1e-5)
    assert found.nights[0] == len(known)


def test_midnight_is_no_edge_and_social_jet_lag_has_a_sign() -> None:
    late = np.array([[-10.0, 10, -10, 10, -10, 110, 130]])
    free = np.array([[False] * 5 + [True] * 2])

    found = timing(late, free)
    assert found.social_jet_lag[0] == pytest.approx(122.0, abs=0.01)
    assert timing(late + 1440, free).midpoint_sd[0] == pytest.approx(found.midpoint_sd[0])
    assert np.isnan(timing(late, np.zeros((1, 7), bool)).social_jet_lag[0])


def test_midpoints_all_around_the_clock_have_no_mean_and_no_spread() -> None:
    found = timing(np.array([np.arange(8) * 180.0]), np.zeros((1, 8), bool))

    assert np.isnan(found.midpoint[0])
    assert np.isnan(found.midpoint_sd[0])
    assert found.why_not[0] == WhyNot.CONTRADICTION


def test_the_weekend_is_found_from_the_epoch_day() -> None:
    sunday = datetime(2026, 11, 15, tzinfo=ZoneInfo("UTC"))
    day = int(sunday.timestamp()) // 86_400

    assert weekend(np.array([day]), days=7).tolist() == [[False] * 5 + [True] * 2]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([1, 1, 2, 3, 4, 5, 0]), min_size=1, max_size=30), st.integers(0, 5))
def test_latency_and_waso_equal_their_slow_twin(stages: list[int], before: int) -> None:
    stage = np.array([[2] * before + stages], np.uint8)
    session = np.array([[False] * before + [True] * len(stages)])

    found = waking(stage, session)
    np.testing.assert_array_equal([found.latency[0], found.waso[0]], slow.waking(stages))


def test_nobody_and_nothing_have_defined_results() -> None:
    cases: list[list[list[SlowSession]]] = [[], [[]], [[SlowSession(1, 1, 900, 500, 0)]]]
    for rows in cases:
        one = sessions(rows)
        now = np.full(len(rows), FIRST, np.int64)
        keep = standing(one, now)
        assert not keep.any()
        found = regularity(one, keep, now)
        assert np.isnan(found.index).all()
        assert (found.why_not == WhyNot.NOTHING).all()
        grid = nights(one, keep, now // DAY)
        assert np.isnan(grid.asleep).all()
        assert np.isnan(timing(grid.midpoint, weekend(now // DAY)).midpoint_sd).all()
    assert np.isnan(waking(np.zeros((2, 10), np.uint8), np.zeros((2, 10), bool)).latency).all()


def test_a_year_of_gaps_is_too_few() -> None:
    row = [night(d * 28) for d in range(13)]

    one = sessions([row])
    found = regularity(one, standing(one, at(365)), at(365))
    assert np.isnan(found.index[0])
    assert found.pairs[0] == 0


def test_a_wearers_result_does_not_depend_on_who_is_beside() -> None:
    rows = [[night(d, start=1300 + (d * 37 * k) % 180, length=400 + d * k) for d in range(13)] for k in range(1, 5)]
    now = np.concatenate([at(14)] * 4)
    together = sessions(rows)

    all_of = regularity(together, standing(together, now), now).index
    assert all_of.tolist() == [sri(row, at(14)) for row in rows]
