"""Small checkpoints for these tests, and how to compare them."""

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.cuts import Position
from monitor.saved import Saved
from monitor.wearers.checkpoint import Checkpoint, Checkpoints

INPUTS = ("vitals.heart-rate.v1", "control.v1")
PARTITIONS = 4
FOREVER = 10**12


def store(place: str | Path, partitions: int = PARTITIONS) -> Checkpoints:
    return Checkpoints(place, partitions=partitions)


def checkpoint(at: int, epoch: int = 7, partition: int = 2, wearers: int = 5) -> Checkpoint:
    """One whose every value depends on where it stands, so that no other can be taken for it."""
    unique = hashlib.shake_128(f"{at} {epoch} {partition}".encode())

    def filled(dtype: str, *shape: int) -> NDArray[Any]:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        return np.frombuffer(unique.digest(size), dtype).reshape(shape)

    arrays: dict[str, NDArray[Any]] = {
        "seconds": filled("u1", wearers, 12),
        "received_ms": filled("i8", wearers),
        "weather": filled("f2", wearers, 3),
        "known": filled("u1", wearers) > 127,
        "no_one": np.empty((0, 4), np.int32),
        "count": np.array(at, np.uint32),
    }
    position = Position(at, epoch, at // 2, at * 50, (at + 1, 3), (at * 50 - 1, 0), 2**64 - 1 - at)
    return Checkpoint(partition, position, Saved(arrays, b"engine at %d" % at), b'{"books":%d}' % at, INPUTS)


def same(one: Checkpoint | None, other: Checkpoint) -> bool:
    return (
        one is not None
        and (one.partition, one.position, one.books) == (other.partition, other.position, other.books)
        and (one.inputs, one.version, one.outputs) == (other.inputs, other.version, other.outputs)
        and one.engine.document == other.engine.document
        and one.engine.arrays.keys() == other.engine.arrays.keys()
        and all(
            array.dtype == other.engine.arrays[name].dtype
            and array.shape == other.engine.arrays[name].shape
            and array.tobytes() == other.engine.arrays[name].tobytes()
            for name, array in one.engine.arrays.items()
        )
    )


def files(place: Path) -> list[str]:
    """Every file below a place, staged and hidden ones too."""
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
