"""A checkpoint of thousands of wearers is written and read in a thread while the stream goes on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.saved import Saved
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from tests.wearers.checkpoints import FOREVER, checkpoint, store

WEARERS = 6_250  # of 100,000 in one of 16 partitions
PAUSE_MS = 25
ROUNDS = 4
"""One round must pass: what holds the GIL holds it in each of them; another process on the core does not."""


@pytest.fixture(scope="module")
def rings() -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (WEARERS, 15_000), dtype=np.uint8)


def longest_pause_ms(work: Callable[[], object]) -> float:
    """Run *work* in a thread and return the longest time for which this thread did not get on."""
    done = threading.Event()

    def run() -> None:
        work()
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while not done.is_set():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    thread.join()
    return longest * 1000


def test_neither_writing_nor_reading_100_megabytes_stops_another_thread(
    tmp_path: Path, rings: NDArray[np.uint8]
) -> None:
    place: Checkpoints = store(tmp_path)
    position = checkpoint(10).position
    one = Checkpoint(2, position, Saved({"rings": rings, "same": rings[:10]}, b"x"), b"y")
    assert any(longest_pause_ms(lambda: place.write(one)) < PAUSE_MS for _ in range(ROUNDS))
    assert any(longest_pause_ms(lambda: place.newest(2, FOREVER)) < PAUSE_MS for _ in range(ROUNDS))
