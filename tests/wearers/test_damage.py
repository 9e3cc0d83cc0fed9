"""Damage: no flipped bit, cut or append goes unseen, wherever it is."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.wearers.tensor_file import Damaged, metadata_of, sealed, unsealed
from tests.wearers.checkpoints import FOREVER, checkpoint, same, store


def sealed_bytes() -> bytes:
    arrays = checkpoint(10).engine.arrays
    return b"".join(bytes(part) for part in sealed({"format": "x", "place": "Zürich"}, arrays))


def test_a_flipped_bit_is_found_wherever_it_is() -> None:
    data = bytearray(sealed_bytes())
    assert len(unsealed(memoryview(data)).arrays) == 6
    for position in range(len(data) * 8):
        data[position // 8] ^= 1 << position % 8
        with pytest.raises(Damaged):
            unsealed(memoryview(data))
        data[position // 8] ^= 1 << position % 8


def test_a_file_that_ends_early_is_found_at_any_length() -> None:
    data = memoryview(sealed_bytes())
    for length in range(len(data)):
        with pytest.raises(Damaged):
            unsealed(data[:length])


def test_a_beginning_of_any_length_gives_the_metadata_or_says_that_it_is_not_whole() -> None:
    data = memoryview(sealed_bytes())
    header = 8 + int.from_bytes(data[:8], "little")
    for length in range(len(data)):
        if length < header:
            with pytest.raises(Damaged, match="not whole"):
                metadata_of(data[:length])
        else:
            assert metadata_of(data[:length]) == {"format": "x", "place": "Zürich"}


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"7",
        b"{}",
        b"not json",
        b"\xff",
        b"[" * 100_000,
        b'{"__metadata__":7}',
        b'{"__metadata__":{},"x":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}}',
        b'{"__metadata__":{},"x":{"dtype":"X8","shape":[2],"data_offsets":[0,2]}}',
        b'{"__metadata__":{},"x":{"dtype":"U8","shape":"ab","data_offsets":[0,2]}}',
        b'{"__metadata__":{},"x":7}',
        b'{"__metadata__":{}}',
    ],
)
def test_a_sealed_file_of_another_layout_is_damaged_too(header: bytes) -> None:
    body = len(header).to_bytes(8, "little") + header + b"abcdef"
    seal = hashlib.sha256(body).digest()
    with pytest.raises(Damaged):
        unsealed(memoryview(body + seal))


def test_arrays_come_back_aligned() -> None:
    arrays = {f"{dtype}": np.ones(3, dtype) for dtype in ("u1", "f8", "i2", "f4", "?")}
    held = np.frombuffer(b"".join(bytes(part) for part in sealed({}, arrays)), np.uint8).copy()
    for array in unsealed(held.data).arrays.values():
        assert array.flags.aligned


def test_the_same_content_is_the_same_bytes_in_any_order() -> None:
    arrays = checkpoint(10).engine.arrays
    one = b"".join(bytes(part) for part in sealed({"a": "1", "b": "2"}, arrays))
    other = b"".join(bytes(part) for part in sealed({"b": "2", "a": "1"}, dict(reversed(arrays.items()))))
    assert one == other
    assert json.loads(one[8 : 8 + int.from_bytes(one[:8], "little")])["__metadata__"] == {"a": "1", "b": "2"}


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_the_newest_file_the_older_generation_is_taken(tmp_path: Path, data: st.DataObject) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10))
    path = tmp_path / place.write(checkpoint(20))
    whole = path.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "cut", "append", "overwrite", "other's"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if kind == "flip":
        bit = 1 << data.draw(st.integers(0, 7))
        harmed = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
    elif kind == "cut":
        harmed = whole[:at]
    elif kind == "append":
        harmed = whole + data.draw(st.binary(min_size=1, max_size=40))
    elif kind == "overwrite":  # a block that was never written to the disk
        harmed = whole[:at] + bytes(len(whole) - at)
    else:
        harmed = (tmp_path / "00002" / "000000000007-000000000010.safetensors").read_bytes()
    path.write_bytes(harmed)
    assert same(store(tmp_path).newest(2, FOREVER), checkpoint(20) if harmed == whole else checkpoint(10))
