"""What waits for T comes out when T has passed it, whole and once, however it came in."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.wearers.events import Events, Kind, Samples, events
from monitor.wearers.waiting import MOST_PARTS, Waiting

ROWS = 6
PARTITION = np.array([0, 1, 0, 1, 0, 1], np.int32)

one = st.tuples(st.integers(0, ROWS - 1), st.integers(1, 50), st.integers(0, 3))  # row, stamp, samples
part = st.lists(one, max_size=5)
step = st.tuples(st.lists(part, max_size=3), st.tuples(st.integers(0, 60), st.integers(0, 60)))


def built(rows: list[tuple[int, int, int]], first_id: int) -> Events:
    """Each event has its id as its offset, and in each of its samples."""
    n = len(rows)
    row, stamp, count = (np.array([r[i] for r in rows], np.int64).reshape(n) for i in range(3))
    ids = first_id + np.arange(n)
    value = np.repeat(ids, count)
    return events(row, stamp, Kind.HEART_RATE, ids, count=count, samples=Samples(value, value.astype(np.int16)))


def contents(found: Events) -> set[tuple[int, int, int, tuple[int, ...]]]:
    event, samples = found.of_samples()
    return {
        (
            int(found.offset[i]),
            int(found.row[i]),
            int(found.stamp_ms[i]),
            tuple(samples.second[event == i].tolist()),
        )
        for i in range(len(found))
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(step, max_size=8))
def test_each_event_comes_out_once_when_the_T_of_its_partition_has_passed_it(
    steps: list[tuple[list[list[tuple[int, int, int]]], tuple[int, int]]],
) -> None:
    waiting, held, next_id = Waiting(), set(), 0
    for parts, below in steps:
        added = []
        for rows in parts:
            added.append(built(rows, next_id))
            next_id += len(rows)
            held |= contents(added[-1])
        waiting.add(added)
        expected = {e for e in held if e[2] < below[PARTITION[e[1]]]}
        out = waiting.take(np.array(below, np.int64), PARTITION)
        assert contents(out) == expected
        assert len(out) == len(expected)
        held -= expected
        assert len(waiting) == len(held)
        rows_waiting = np.arange(ROWS)
        assert waiting.any_of(rows_waiting).tolist() == [any(e[1] == r for e in held) for r in range(ROWS)]
        here = PARTITION == 1
        assert contents(waiting.of_rows(here)) == {e for e in held if here[e[1]]}


def test_many_small_parts_become_one() -> None:
    waiting = Waiting()
    for k in range(3 * MOST_PARTS):
        waiting.add([built([(k % ROWS, 100 + k, 2)], k)])
    assert len(waiting._parts) <= MOST_PARTS
    assert len(waiting) == 3 * MOST_PARTS
    out = waiting.take(np.array([1000, 1000]), PARTITION)
    assert sorted(out.offset.tolist()) == list(range(3 * MOST_PARTS))
    assert len(waiting) == 0


def test_samples_of_what_is_gone_are_not_kept_for_long() -> None:
    waiting = Waiting()
    waiting.add([built([(0, stamp, 3) for stamp in range(1, 101)], 0)])
    waiting.take(np.array([90, 0]), PARTITION)
    assert len(waiting) == 11
    assert sum(len(events.samples.second) for _, events in waiting._parts) < 2 * 3 * 11 + 3


def test_the_events_of_a_partition_that_is_given_away_are_gone() -> None:
    waiting = Waiting()
    waiting.add([built([(0, 5, 1), (1, 6, 2), (2, 7, 0)], 0)])
    waiting.drop(PARTITION == 0)
    assert contents(waiting.take(np.array([99, 99]), PARTITION)) == {(1, 1, 6, (1, 1))}
