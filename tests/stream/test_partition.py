"""The inbox of an owned partition."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.partition import Answers, Gap, Partition
from monitor.stream.records import Fetched, Records, running_stamps


def fetched(source: int, begin: int, stamps: list[int], end: int | None = None, skip: int = 0) -> Fetched:
    offsets = np.arange(begin + skip, begin + skip + len(stamps))
    rows = Records(offsets, np.array(stamps, np.int64), [b"k"] * len(stamps), [b"%d" % i for i in offsets])
    return Fetched(f"t{source}", 0, 1, begin, begin + skip + len(stamps) if end is None else end, rows)


def new() -> Partition:
    return Partition(0, epoch=0, expected=1, tag=1, begin=(10, 20), stamp_ms=(0, 0))


def test_a_fetch_that_does_not_follow_is_a_gap() -> None:
    part = new()
    part.receive(0, fetched(0, 10, [1]))
    with pytest.raises(Gap):
        part.receive(0, fetched(0, 12, [1]))
    with pytest.raises(Gap):
        part.receive(1, fetched(1, 20, [], end=3))


def test_a_step_takes_the_oldest_stamps_of_all_inputs_first() -> None:
    part = new()
    part.receive(0, fetched(0, 10, [1, 2, 100, 101]))
    part.receive(1, fetched(1, 20, [1, 50, 99, 200]))
    taken = part.take(4)
    assert (taken.next, taken.stamp_ms) == ((12, 22), (2, 50))
    taken = part.take(100)
    assert (taken.next, taken.stamp_ms) == ((14, 24), (101, 200))
    assert not part.waiting
    assert part.size_bytes == 0


def test_positions_move_over_holes() -> None:
    part = new()
    part.receive(0, fetched(0, 10, [5], end=13))
    assert part.take(10).next == (13, 20)
    part.receive(0, fetched(0, 13, [], end=14))
    assert part.waiting
    assert part.take(10).next == (14, 20)


def test_what_was_deleted_before_it_was_read_is_no_hole_but_a_gap() -> None:
    part = new()
    with pytest.raises(Gap, match="was cut off before 10 was read; it goes on at 13"):
        part.receive(0, replace(fetched(0, 10, [5], end=13), cut_off=True))
    assert not part.waiting


@given(
    st.lists(st.tuples(st.integers(0, 1), st.lists(st.integers(0, 50), max_size=6), st.integers(0, 2)), max_size=12),
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
)
def test_every_record_is_taken_once_in_order_whatever_the_limits(
    fetches: list[tuple[int, list[int], int]], limits: list[int]
) -> None:
    given_to: tuple[list[int], list[int]] = ([], [])
    got: tuple[list[int], list[int]] = ([], [])
    part, reach = new(), [10, 20]
    for i, (source, stamps, hole) in enumerate(fetches):
        one = fetched(source, reach[source], stamps, end=reach[source] + len(stamps) + hole)
        part.receive(source, one)
        reach[source] = one.end
        given_to[source].extend(one.records.offset.tolist())
        taken = part.take(limits[i % len(limits)])
        for s in (0, 1):
            got[s].extend(taken.records[s].offset.tolist())
            assert all(offset < taken.next[s] for offset in got[s])
    while part.waiting:
        taken = part.take(1)
        for s in (0, 1):
            got[s].extend(taken.records[s].offset.tolist())
    assert got == given_to
    assert list(part.take(1).next) == reach == part.reach
    assert part.unread_records == part.size_bytes == 0


def test_a_step_spans_ten_minutes_of_time_at_most_and_nothing_beyond_the_ceiling() -> None:
    part = new()
    minute_ms = 60_000
    part.receive(0, fetched(0, 10, [minute_ms, 5 * minute_ms, 12 * minute_ms]))
    assert part.take(10, 4 * minute_ms).next == (11, 20)
    assert part.take(10, 4 * minute_ms).next == (11, 20)
    assert part.take(10).next == (13, 20)
    part.receive(1, fetched(1, 20, [20 * minute_ms, 31 * minute_ms]))
    assert part.take(10).next == (13, 21)


def test_inputs_that_are_not_timed_are_read_whatever_their_stamps_say() -> None:
    part = Partition(0, epoch=0, expected=1, tag=1, begin=(10, 20), stamp_ms=(0, 0), timed=(True, False))
    part.receive(0, fetched(0, 10, [1_000, 2_000]))
    part.receive(1, fetched(1, 20, [9_000_000, 9_000_001]))
    assert part.take(1, 1_500).next == (11, 22)


def test_what_had_been_heard_at_a_moment_is_the_newest_stamp_of_the_timed_inputs_fetched_by_then() -> None:
    part = Partition(0, epoch=0, expected=1, tag=1, begin=(10, 20), stamp_ms=(700, 0), timed=(True, False))
    part.receive(0, fetched(0, 10, [1_000]))
    part.receive(1, fetched(1, 20, [9_000]))
    assert part.heard_ms(float("inf")) == 1_000
    assert part.heard_ms(float("-inf")) == 0


def test_a_stamp_beyond_the_cap_counts_as_the_cap_of_the_cut_that_takes_it() -> None:
    part = new()
    part.receive(0, fetched(0, 10, [100, 9_000]))
    part.receive(1, fetched(1, 20, [50]))
    taken = part.take(2, cap_ms=200)  # two of the three: the one that is ahead waits
    assert (taken.next, taken.stamp_ms, taken.cap_ms) == ((11, 21), (100, 50), 0)
    part.receive(0, fetched(0, 12, [150, 300]))  # the clock was set right
    taken = part.take(10, cap_ms=400)
    assert (taken.next, taken.stamp_ms, taken.cap_ms) == ((14, 21), (400, 50), 400)
    part.receive(0, fetched(0, 14, [500]))
    assert part.take(10, cap_ms=600).stamp_ms == (500, 50)


@given(
    st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=5), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(1, 6), st.integers(50, 400)), min_size=1, max_size=10),
)
def test_a_replay_with_the_caps_of_the_cuts_counts_the_same_stamps(
    fetches: list[list[int]], takes: list[tuple[int, int]]
) -> None:
    part = Partition(0, epoch=0, expected=1, tag=1, begin=(0,), stamp_ms=(0,))
    reach, cap = 0, 0
    before = 0
    for i, stamps in enumerate(fetches):
        part.receive(0, fetched(0, reach, stamps))
        reach += len(stamps)
        limit, more = takes[i % len(takes)]
        cap = max(cap, more)
        taken = part.take(limit, cap_ms=cap)
        if len(taken.records[0]):
            replayed = running_stamps(taken.records[0].stamp_ms, before, taken.cap_ms)
            before = int(replayed[-1])
            assert before == taken.stamp_ms[0]


def test_an_input_is_silent_only_while_others_answer() -> None:
    answers = Answers(2)
    answers.look([1.0, 1.0], 1.0)
    for second in range(2, 12):
        answers.look([float(second), 1.0], float(second))
    assert answers.silent(9.5) == [False, True]
    assert answers.silent(10.5) == [False, False]
    answers.look([12.0, 12.0], 12.0)
    assert answers.silent(0.5) == [False, False]


def test_a_time_in_which_nothing_answered_or_the_process_was_frozen_counts_for_no_input() -> None:
    answers = Answers(2)
    answers.look([1.0, 1.0], 1.0)
    for second in range(2, 60):
        answers.look([1.0, 1.0], float(second))  # the brokers are away
    answers.look([60.0, 1.0], 90.0)  # this process was frozen
    assert answers.silent(1.5) == [False, False]
