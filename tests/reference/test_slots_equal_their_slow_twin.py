"""Fast slots against the slow twin, on gappy, doubled, unordered, many-wearer input."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.signals.hampel import is_outlier
from monitor.wearers.fields import HR_COUNT, HR_MAX, HR_MEDIAN, HR_MIN, MINUTES
from monitor.wearers.slots import write_heart_rate
from monitor.wearers.state import State
from tests.reference.slow_slots import SlowWearer, slow_outlier

START_S = 1_767_571_200

sample = st.tuples(st.integers(0, 2), st.integers(0, 14 * 60 - 1), st.integers(20, 300))
writes = st.lists(st.lists(sample, min_size=1, max_size=40), min_size=1, max_size=8)


def state_of(rows: int) -> State:
    state = State(rows=8)
    for k in range(rows):
        state.add(f"w{k}", 0)
    return state


def summary(state: State, row: int, minute: int) -> tuple[int, ...]:
    if not state.head_minute[row] - MINUTES < minute <= state.head_minute[row]:
        return 0, 0, 0, 0
    slot = state.minute_bytes()[row, minute % MINUTES]
    return tuple(int(slot[f]) for f in (HR_MEDIAN, HR_MIN, HR_MAX, HR_COUNT))


@settings(max_examples=200, deadline=None)
@given(writes)
def test_minutes_within_the_seconds_ring_equal_the_slow_twin_in_any_order(
    batches: list[list[tuple[int, int, int]]],
) -> None:
    state = state_of(3)
    slow = [SlowWearer() for _ in range(3)]
    for batch in batches:
        row, second, bpm = (np.array(x) for x in zip(*batch, strict=True))
        time_ms = (START_S + second.astype(np.int64)) * 1000 + 7
        write_heart_rate(state, row.astype(np.int64), time_ms, bpm.astype(np.int16))
        for r, t, b in zip(row.tolist(), time_ms.tolist(), bpm.tolist(), strict=True):
            slow[r].write(t, b)

    for r in range(3):
        for minute in range(START_S // 60, START_S // 60 + 14):
            assert summary(state, r, minute) == slow[r].minute(minute)


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(40)), st.integers(0, 2**32 - 1))
def test_whole_minutes_equal_the_slow_twin_however_late_they_come(order: list[int], seed: int) -> None:
    """Forty minutes, more than twice the seconds ring, one envelope a minute, in any order and twice."""
    rng = np.random.default_rng(seed)
    bpm = rng.integers(40, 180, (40, 60)).astype(np.int16)
    state, slow = state_of(1), SlowWearer()
    for m in [*order, *order]:
        time_ms = (START_S + m * 60 + np.arange(60)) * 1000
        write_heart_rate(state, np.zeros(60, np.int64), time_ms, bpm[m])
        for t, b in zip(time_ms.tolist(), bpm[m].tolist(), strict=True):
            slow.write(t, b)

    for m in range(40):
        assert summary(state, 0, START_S // 60 + m) == slow.minute(START_S // 60 + m)


def test_a_burst_of_ten_hours_in_one_write_equals_the_slow_twin() -> None:
    rng = np.random.default_rng(1)
    seconds = rng.permutation(36_000)[:20_000]
    bpm = rng.integers(40, 180, len(seconds)).astype(np.int16)
    state, slow = state_of(1), SlowWearer()
    time_ms = (START_S + seconds.astype(np.int64)) * 1000

    write_heart_rate(state, np.zeros(len(seconds), np.int64), time_ms, bpm)
    for t, b in zip(time_ms.tolist(), bpm.tolist(), strict=True):
        slow.write(t, b)

    for minute in range(START_S // 60, START_S // 60 + 600):
        assert summary(state, 0, minute) == slow.minute(minute)


def test_after_more_than_a_day_the_ring_holds_the_last_24_hours_and_nothing_else() -> None:
    state = state_of(1)
    for hour in (0, 12, 30):
        time_ms = np.array([(START_S + hour * 3600) * 1000])
        write_heart_rate(state, np.zeros(1, np.int64), time_ms, np.array([60 + hour], np.int16))

    minute = START_S // 60
    assert summary(state, 0, minute) == (0, 0, 0, 0)
    assert summary(state, 0, minute + 12 * 60) == (72, 72, 72, 1)
    assert summary(state, 0, minute + 30 * 60) == (90, 90, 90, 1)
    assert int((state.minutes[0] != 0).sum()) == 2


@given(st.lists(st.integers(0, 240), min_size=15, max_size=15))
def test_hampel_equals_its_slow_twin(values: list[int]) -> None:
    assert bool(is_outlier(np.array([values], np.uint8))[0]) == slow_outlier(values)


def test_samples_days_apart_in_one_write_end_no_worker() -> None:
    state, slow = state_of(2), SlowWearer()
    second = np.array([0, 3_600, 30_000, 86_000])
    time_ms = (START_S + second) * 1000

    write_heart_rate(state, np.array([0, 1, 0, 0]), time_ms, np.array([60, 61, 62, 63], np.int16))
    for t, b in zip(time_ms[[0, 2, 3]].tolist(), (60, 62, 63), strict=True):
        slow.write(t, b)

    for minute in (START_S // 60, START_S // 60 + 500, START_S // 60 + 86_000 // 60):
        assert summary(state, 0, minute) == slow.minute(minute)
