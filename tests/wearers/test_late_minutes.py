"""Late minutes against a dictionary, and what they cost."""

import random
import resource

import numpy as np
import pytest

from monitor.wearers.late_minutes import KEEP_MS, LateMinutes

HOUR_MS = 3_600_000
Twin = dict[tuple[int, int], tuple[int, list[int]]]


def contents(late: LateMinutes, rows: int) -> Twin:
    places = late.of_rows(np.arange(rows))
    return {
        (int(late.row[at]), int(late.minute[at])): (int(late.touched_ms[at]), late.seconds[at].tolist())
        for at in places.tolist()
    }


def touch(late: LateMinutes, twin: Twin, pairs: list[tuple[int, int]], stamp_ms: int, second: int) -> None:
    row, minute = (np.array([pair[i] for pair in pairs], np.int64) for i in range(2))
    place = late.places(row, minute, np.full(len(pairs), stamp_ms))
    assert len(set(place.tolist())) == len(pairs)
    late.seconds[place, second] = 70
    for pair in pairs:
        touched_ms, seconds = twin.get(pair, (stamp_ms, [0] * 60))
        if stamp_ms - touched_ms > KEEP_MS:
            seconds = [0] * 60
        seconds[second] = 70
        twin[pair] = stamp_ms, seconds


@pytest.mark.parametrize("seed", range(6))
def test_late_minutes_are_those_of_a_dictionary_however_they_come_and_go(seed: int) -> None:
    rng, late, twin, rows = random.Random(seed), LateMinutes(), Twin(), 40
    stamp_ms = 1_767_571_200_000
    for _ in range(120):
        stamp_ms += rng.choice([0, 1000, 60_000, HOUR_MS])
        pairs = {(rng.randrange(rows), 29_459_520 + rng.randrange(200)) for _ in range(rng.choice([1, 30, 900]))}
        touch(late, twin, sorted(pairs), stamp_ms, rng.randrange(60))
        if rng.random() < 0.2:
            gone = rng.sample(range(rows), rng.choice([1, 39]))
            late.free(late.of_rows(np.array(gone)).tolist())
            twin = {pair: held for pair, held in twin.items() if pair[0] not in gone}
        if rng.random() < 0.3:
            late.expire(np.full(rows, stamp_ms))
            twin = {pair: held for pair, held in twin.items() if held[0] + KEEP_MS >= stamp_ms}
        assert len(late) == len(twin)
    assert contents(late, rows) == twin
    assert len(twin) > 100


def held_bytes(late: LateMinutes) -> int:
    """All arrays that it holds, its index's too."""
    of_index = [one for one in vars(late._index).values() if isinstance(one, np.ndarray)]
    return sum(one.nbytes for one in [*vars(late).values(), *of_index] if isinstance(one, np.ndarray))


def test_a_late_minute_costs_half_of_what_a_dictionary_took_and_memory_is_given_back() -> None:
    late, rows, minutes = LateMinutes(), 364, 720  # 262,080: a little below 2**18
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for row in range(rows):
        late.places(np.full(minutes, row), 29_459_520 + np.arange(minutes), np.full(minutes, 1_767_571_200_000))
    late.seconds[late.of_rows(np.arange(rows))] = 70
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib

    assert grown_kib * 1024 / len(late) < 160  # of which a third is the pool that it grew out of
    assert held_bytes(late) / len(late) < 96

    late.expire(np.full(rows, 1_767_571_200_000 + KEEP_MS + 1))

    assert len(late) == 0
    assert held_bytes(late) < 150_000


def test_a_minute_that_is_freed_and_taken_again_begins_empty() -> None:
    late = LateMinutes()
    one = np.array([3]), np.array([29_459_520]), np.array([1_767_571_200_000])
    late.seconds[late.places(*one)] = 70
    late.free(late.of_rows(np.array([3])).tolist())

    assert late.seconds[late.places(*one)].tolist() == [[0] * 60]


def test_minutes_that_come_and_go_for_long_are_still_found() -> None:
    """What was freed leaves marks in the index; it is made anew before they fill it."""
    late = LateMinutes()
    for k in range(200):
        row, minute = np.full(500, k), 29_459_520 + np.arange(500)
        place = late.places(row, minute, np.full(500, 1_767_571_200_000))
        assert late.places(row, minute, np.full(500, 1_767_571_200_000)).tolist() == place.tolist()
        late.free(place.tolist())

    assert len(late) == 0
    assert held_bytes(late) < 150_000
