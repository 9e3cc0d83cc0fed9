"""Checkpoints: what is written is what is read, which generation is taken, and which ones are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load_file
from structlog.testing import capture_logs

from monitor.errors import CheckpointsDiffer, StoreUnreachable
from monitor.outputs import Output
from monitor.saved import Saved
from monitor.wearers.checkpoint import Checkpoint
from monitor.wearers.generation import Generation
from monitor.wearers.tensor_file import sealed
from tests.wearers.checkpoints import FOREVER, INPUTS, checkpoint, files, same, store

A, B, C, D = (f"00002/000000000007-{at:012d}.safetensors" for at in (10, 20, 30, 40))


def reasons(logs: Sequence[Mapping[str, object]]) -> list[tuple[object, object]]:
    return [(entry["name"], entry["reason"]) for entry in logs if entry["log_level"] == "warning"]


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    written = checkpoint(10)
    assert store(tmp_path).write(written) == A
    assert same(store(tmp_path).newest(2, FOREVER), written)
    assert files(tmp_path) == [A]


def test_the_safetensors_library_reads_a_checkpoint(tmp_path: Path) -> None:
    written = checkpoint(10)
    store(tmp_path).write(written)
    tensors = load_file(tmp_path / A)
    assert tensors["document"].tobytes() == written.engine.document
    for name, array in written.engine.arrays.items():
        assert tensors[f"engine/{name}"].dtype == array.dtype
        assert tensors[f"engine/{name}"].shape == array.shape
        assert tensors[f"engine/{name}"].tobytes() == array.tobytes()
    with safetensors.safe_open(tmp_path / A, framework="numpy") as file:
        assert file.metadata()["partitions"] == "4"


def test_arrays_that_are_not_contiguous_are_kept_as_they_look(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.int32).reshape(4, 6)[:, ::2]
    one = checkpoint(10)
    store(tmp_path).write(Checkpoint(2, one.position, Saved({"odd": array}, b""), b"", INPUTS))
    read = store(tmp_path).newest(2, FOREVER)
    assert read is not None
    assert np.array_equal(read.engine.arrays["odd"], array)
    assert (read.engine.document, read.books) == (b"", b"")


def test_no_array_is_copied_on_its_way_to_the_file_or_back_for_that_would_hold_the_gil(tmp_path: Path) -> None:
    arrays = checkpoint(10).engine.arrays
    parts = [np.frombuffer(part, np.uint8) for part in sealed({}, arrays)]
    for name, array in arrays.items():
        assert array.size == 0 or sum(np.shares_memory(part, array) for part in parts) == 1, name
    store(tmp_path).write(checkpoint(10))
    read = store(tmp_path).newest(2, FOREVER)
    assert read is not None
    buffers = {id(_whole(array)) for array in read.engine.arrays.values()}
    assert len(buffers) == 1


def _whole(array: object) -> object:
    """Return the object that owns an array's memory."""
    while True:
        below = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
        if below is None:
            return array
        array = below


def test_an_array_that_safetensors_does_not_have_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    one = checkpoint(10)
    for array in (np.array(["text"]), np.array([1j]), np.arange(3, dtype=">i4"), np.zeros(2, "M8[ms]")):
        with pytest.raises(TypeError, match="odd"):
            store(tmp_path).write(Checkpoint(2, one.position, Saved({"odd": array}, b""), b"", INPUTS))
    assert files(tmp_path) == []


def test_there_is_nothing_to_keep_before_cut_0(tmp_path: Path) -> None:
    one = checkpoint(10)
    with pytest.raises(ValueError, match="cut 0"):
        store(tmp_path).write(Checkpoint(2, type(one.position)(), one.engine, one.books, INPUTS))


def test_the_highest_epoch_wins_and_within_it_the_highest_cut(tmp_path: Path) -> None:
    place = store(tmp_path)
    for one in (checkpoint(50, epoch=7), checkpoint(30, epoch=9), checkpoint(40, epoch=9)):
        place.write(one)
    assert place.generations(2) == [Generation(9, 40), Generation(9, 30)]
    assert same(place.newest(2, FOREVER), checkpoint(40, epoch=9))


def test_only_cuts_below_the_given_offset_count(tmp_path: Path) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10))
    place.write(checkpoint(20))
    assert same(place.newest(2, 21), checkpoint(20))
    assert same(place.newest(2, 20), checkpoint(10))
    assert place.newest(2, 10) is None


def test_a_partition_sees_its_own_only(tmp_path: Path) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10, partition=1))
    assert place.newest(2, FOREVER) is None
    assert same(place.newest(1, FOREVER), checkpoint(10, partition=1))


def test_two_generations_are_kept(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in (10, 20, 30, 40):
        place.write(checkpoint(at))
    place.write(checkpoint(10, partition=1))
    assert files(tmp_path) == ["00001/000000000007-000000000010.safetensors", C, D]


def test_an_overtaken_owner_deletes_nothing_of_its_successor(tmp_path: Path) -> None:
    zombie, successor = store(tmp_path), store(tmp_path)
    zombie.write(checkpoint(10, epoch=7))
    zombie.write(checkpoint(20, epoch=7))
    successor.write(checkpoint(40, epoch=35))
    successor.write(checkpoint(50, epoch=35))
    zombie.write(checkpoint(30, epoch=7))
    assert [(one.epoch, one.at) for one in successor.generations(2)] == [(35, 50), (35, 40), (7, 30)]
    assert same(successor.newest(2, FOREVER), checkpoint(50, epoch=35))
    successor.write(checkpoint(60, epoch=35))
    assert [(one.epoch, one.at) for one in successor.generations(2)] == [(35, 60), (35, 50)]


def test_after_topics_were_made_anew_old_files_of_higher_epochs_do_not_push_out_new_ones(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in (910, 920):
        place.write(checkpoint(at, epoch=900))
    for at in (10, 20, 30):
        place.write(checkpoint(at, epoch=7))
    assert [(one.epoch, one.at) for one in place.generations(2)] == [(900, 920), (900, 910), (7, 30), (7, 20)]
    assert same(place.newest(2, 31), checkpoint(30, epoch=7))


def test_writing_again_what_is_there_changes_nothing(tmp_path: Path) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10))
    before = (tmp_path / A).read_bytes()
    store(tmp_path).write(checkpoint(10))
    assert (tmp_path / A).read_bytes() == before
    assert files(tmp_path) == [A]


def test_foreign_files_are_neither_read_nor_deleted(tmp_path: Path) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10))
    foreign = ["00002/notes.txt", "00002/7-10.safetensors", "00002/000000000009-000000000099.safetensors.bak", "README"]
    for name in foreign:
        (tmp_path / name).write_text("not ours")
    (tmp_path / "00002" / "000000000009-000000000099.safetensors").mkdir()
    (tmp_path / "lost+found").mkdir()
    for at in (20, 30):
        place.write(checkpoint(at))
    place.check()
    assert same(place.newest(2, FOREVER), checkpoint(30))
    assert files(tmp_path) == sorted([B, C, *foreign])


def test_a_damaged_newest_one_is_named_and_the_older_generation_is_taken(tmp_path: Path) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10))
    place.write(checkpoint(20))
    data = bytearray((tmp_path / B).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / B).write_bytes(data)
    with capture_logs() as logs:
        assert same(place.newest(2, FOREVER), checkpoint(10))
    assert reasons(logs) == [(B, "its sha256 does not fit its bytes")]


def test_a_generation_that_is_known_to_be_unusable_does_not_push_out_a_usable_one(tmp_path: Path) -> None:
    place = store(tmp_path)
    place.write(checkpoint(10))
    place.write(checkpoint(20))
    (tmp_path / B).write_bytes(b"")
    place.newest(2, FOREVER)
    place.write(checkpoint(30))
    assert files(tmp_path) == [A, B, C]
    place.write(checkpoint(40))
    assert files(tmp_path) == [C, D]


def test_one_that_the_engine_or_the_log_refuses_is_named_and_the_next_follows(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in (10, 20):
        place.write(checkpoint(at))
    usable = place.usable(2, FOREVER)
    first = next(usable)
    with capture_logs() as logs:
        place.refuse(first, "the log does not hold its cut")
    assert reasons(logs) == [(B, "the log does not hold its cut")]
    assert same(next(usable), checkpoint(10))
    place.write(checkpoint(30))
    assert files(tmp_path) == [A, B, C]


def test_one_that_is_deleted_while_it_is_looked_for_is_no_reason_to_begin_anew(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in (10, 20):
        place.write(checkpoint(at))
    usable = place.usable(2, FOREVER)
    assert same(next(usable), checkpoint(20))
    owner = store(tmp_path)
    for at in (30, 40):
        owner.write(checkpoint(at))
    assert same(next(usable), checkpoint(40))


def test_without_any_usable_one_there_is_none_and_each_is_named(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in (10, 20):
        place.write(checkpoint(at))
    (tmp_path / A).write_bytes((tmp_path / A).read_bytes()[:-1])
    (tmp_path / B).write_bytes(b"half a file")
    with capture_logs() as logs:
        assert place.newest(2, FOREVER) is None
    assert reasons(logs) == [(B, "it has only 11 bytes"), (A, "its sha256 does not fit its bytes")]


def test_the_inputs_version_and_outputs_of_a_checkpoint_are_those_with_which_it_was_written(tmp_path: Path) -> None:
    outputs = (Output("alerts.north.v1", 2, b"id", b"{}"), Output("dead-letter.v1", 2, None, b"\x00"))
    one = checkpoint(10)
    named = replace(one, inputs=("sounds.v1", *INPUTS[:1]), version="7.1", outputs=outputs)
    store(tmp_path).write(named)
    with capture_logs() as logs:
        assert same(store(tmp_path).newest(2, FOREVER), named)
    assert logs == []


def test_a_position_that_does_not_name_every_input_is_not_taken(tmp_path: Path) -> None:
    store(tmp_path).write(replace(checkpoint(10), inputs=INPUTS[:1]))
    with capture_logs() as logs:
        assert store(tmp_path).newest(2, FOREVER) is None
    assert reasons(logs) == [(A, "its position does not name every input")]


def test_four_pinned_ones_stay_beside_the_two_newest_generations_and_are_seen_like_them(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in range(10, 70, 10):
        assert place.write(checkpoint(at), pinned=True) == f"00002/000000000007-{at:012d}.pinned.safetensors"
    for at in range(70, 110, 10):
        place.write(checkpoint(at))
    assert [(one.at, one.pinned) for one in place.generations(2)] == [
        *((at, False) for at in (100, 90)),
        *((at, True) for at in (60, 50, 40, 30)),
    ]
    assert same(place.newest(2, 90), checkpoint(60))
    assert [one.position.at for one in place.usable(2, FOREVER)] == [100, 90, 60, 50, 40, 30]


def test_a_pinned_one_that_the_log_refuses_pushes_out_no_other(tmp_path: Path) -> None:
    place = store(tmp_path)
    for at in range(10, 60, 10):
        place.write(checkpoint(at), pinned=True)
        if at == 20:
            place.refuse(checkpoint(20), "the log does not hold its cut")
    assert [one.at for one in place.generations(2)] == [50, 40, 30, 20, 10]


@pytest.mark.parametrize(
    "name", ["00001/000000000007-000000000010", "00002/000000000008-000000000010", "00002/000000000007-000000000011"]
)
def test_one_under_the_name_of_another_is_not_taken(tmp_path: Path, name: str) -> None:
    store(tmp_path).write(checkpoint(10))
    moved = tmp_path / f"{name}.safetensors"
    moved.parent.mkdir(exist_ok=True)
    (tmp_path / A).rename(moved)
    with capture_logs() as logs:
        assert store(tmp_path).newest(int(name[:5]), FOREVER) is None
    assert reasons(logs) == [(f"{name}.safetensors", "its name is that of another checkpoint")]


def test_checkpoints_of_another_number_of_partitions_are_refused_with_a_sentence(tmp_path: Path) -> None:
    store(tmp_path, partitions=8).write(checkpoint(10))
    with pytest.raises(CheckpointsDiffer, match=r"holds checkpoints of 8 partitions, not of 4: set .* back"):
        store(tmp_path).newest(2, FOREVER)
    with pytest.raises(CheckpointsDiffer):
        store(tmp_path).check()


def test_a_start_sees_that_there_were_more_partitions_than_now(tmp_path: Path) -> None:
    store(tmp_path, partitions=8).write(checkpoint(10, partition=7))
    with pytest.raises(CheckpointsDiffer):
        store(tmp_path).check()


def test_a_flipped_bit_is_not_taken_for_another_number_of_partitions(tmp_path: Path) -> None:
    store(tmp_path).write(checkpoint(10))
    data = (tmp_path / A).read_bytes()
    (tmp_path / A).write_bytes(data.replace(b'"partitions":"4"', b'"partitions":"5"'))
    store(tmp_path).check()
    assert store(tmp_path).newest(2, FOREVER) is None


def test_a_check_leaves_nothing_behind_and_accepts_its_own(tmp_path: Path) -> None:
    place = store(tmp_path / "not" / "yet")
    place.check()
    place.write(checkpoint(10))
    (tmp_path / "not" / "yet" / "00002" / "000000000007-000000000099.safetensors").write_text("[" * 70_000)
    place.check()
    assert len(files(tmp_path)) == 2


def test_a_place_that_cannot_be_written_is_refused_at_start_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnreachable, match=r"cannot be written and read \(.+\): make it reachable and writable"):
        store(tmp_path / "file").check()


def test_a_place_that_fails_in_the_middle_is_an_error_and_not_no_checkpoint(tmp_path: Path) -> None:
    place = store(tmp_path / "place")
    place.write(checkpoint(10))
    (tmp_path / "place" / "00002").rename(tmp_path / "aside")
    (tmp_path / "place" / "00002").write_text("not a folder")
    with pytest.raises(OSError, match="Not a directory"):
        place.newest(2, FOREVER)
    with pytest.raises(OSError, match="exists"):
        place.write(checkpoint(20))
    (tmp_path / "place" / "00002").unlink()
    (tmp_path / "aside").rename(tmp_path / "place" / "00002")
    place.write(checkpoint(20))
    assert same(place.newest(2, FOREVER), checkpoint(20))
