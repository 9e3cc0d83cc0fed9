"""A step that raises, wherever it does, is nobody's state: nothing of it is left, every other partition is whole."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import monitor
from monitor.saved import Saved
from tests.engine.feed import MINUTE, PARTITIONS, Feed, feed
from tests.engine.test_determinism import DAY_START
from tests.engine.test_saving import of_partition, rich

STEPPED, OTHERS = (0, 1), (2, 3)
ROOT = str(Path(monitor.__path__[0]).parent)
TRIPS = 40


class Boom(Exception):
    """What is raised where nobody has thought of."""


@contextmanager
def raising_at(n: int, kind: type[Exception] = Boom) -> Iterator[list[int]]:
    """Raise at the n-th call of a function of ours; yield the number of calls seen."""
    calls = [0]

    def trip(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ROOT) and "/tests/" not in frame.f_code.co_filename:
            calls[0] += 1
            if calls[0] == n:
                sys.setprofile(None)
                raise kind("at a random place")

    sys.setprofile(trip)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def at_minute(minutes: int) -> Feed:
    """Return a feed that has come to a minute of a busy hour."""
    f = feed()
    rich(f)
    for T in range(DAY_START - 300 * MINUTE, DAY_START + minutes * MINUTE, MINUTE):
        f.cut(T, upto=T + 30_000)
    return f


def go_on(f: Feed, T: int) -> None:
    for after in range(1, 40):
        f.cut(T + after * MINUTE)


def content(saved: Saved) -> dict[str, Any]:
    return {name: array.tobytes() for name, array in saved.arrays.items()} | {"document": saved.document}


def copied(f: Feed, p: int) -> Saved:
    saved = f.engine.save(p)
    return Saved({name: np.array(array) for name, array in saved.arrays.items()}, saved.document)


@pytest.fixture(scope="module")
def control() -> tuple[Feed, int]:
    """The same log without an accident, two steps further; and how many calls the step has that is tripped."""
    f = at_minute(41)
    T = DAY_START + 41 * MINUTE
    with raising_at(0) as calls:
        f.cut(T, upto=T + 30_000, partitions=STEPPED)
    go_on(f, T)
    return f, calls[0]


def test_wherever_a_step_raises_the_others_are_whole_and_a_replay_gives_the_same(control: tuple[Feed, int]) -> None:
    whole, calls = control
    assert calls > 500
    f = at_minute(41)
    T = DAY_START + 41 * MINUTE
    for p in range(PARTITIONS):  # a number may be saved as 1 and, once loaded, as 1.0
        once = copied(f, p), f.engine.position(p)
        f.engine.drop(p)
        f.engine.open(p)
        f.engine.load(p, *once)
    before = {p: (copied(f, p), f.engine.position(p)) for p in range(PARTITIONS)}
    read, offset, out = dict(f.read), f.offset_of_cut, len(f.bytes_out)
    chance = random.Random(7)
    for n in sorted({1, *chance.sample(range(2, calls * 9 // 10), TRIPS)}):  # what is cached is not called again
        kind = chance.choice((Boom, KeyError, OSError, ValueError))
        with pytest.raises(kind), raising_at(n, kind):
            f.cut(T, upto=T + 30_000, partitions=STEPPED)
        f.engine.abandon(STEPPED)
        for p in OTHERS:
            assert content(f.engine.save(p)) == content(before[p][0]), f"call {n}"
            assert f.engine.position(p) == before[p][1]
        assert not f.engine.standing.board.told
        assert not f.engine.standing.take().refused
        assert not f.engine.standing.rows.take(np.zeros(PARTITIONS, np.int64))
        f.read, f.offset_of_cut = dict(read), offset
        for p in STEPPED:
            f.engine.open(p)
            f.engine.load(p, *before[p])
            assert content(f.engine.save(p)) == content(before[p][0]), f"call {n}"
    f.cut(T, upto=T + 30_000, partitions=STEPPED)
    go_on(f, T)
    for p in range(PARTITIONS):
        assert of_partition(f, p) == of_partition(whole, p)
        assert content(f.engine.save(p)).keys() == content(whole.engine.save(p)).keys()
    assert len(f.bytes_out) > out
