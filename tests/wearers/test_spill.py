"""While the journal's place takes nothing, rows lie on the local disk, bounded, and are written when it is back."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from monitor.wearers import spill
from monitor.wearers.journal import Journal
from monitor.wearers.spill import Spill
from tests.wearers.test_journal_files import LOG, held, minutes

MIB = 1 << 20


def out_of_the_way(place: Path) -> Callable[[], None]:
    """Put a file where the journal was; return what puts the journal back."""
    aside = place.with_name("aside")
    place.rename(aside)
    place.write_text("a file in its way")

    def back() -> None:
        place.unlink()
        aside.rename(place)

    return back


def journal(tmp_path: Path, limit_bytes: int = 64 * MIB) -> Journal:
    made = Journal(tmp_path / "place", log=LOG, held=Spill(tmp_path / "spill", limit_bytes))
    (tmp_path / "place").mkdir(mode=0o700, exist_ok=True)
    return made


def kept(one: Journal, cut: int, *bpm: int, epoch: int = 0) -> bool:
    """Write the rows of a cut; if the place does not take them, spill them. True if they are in the journal."""
    one.add(minutes(cut, *bpm))
    rows = one.take(0)
    try:
        one.write(0, epoch, cut - 1, cut, rows)
    except OSError:
        assert one.spill(0, epoch, cut - 1, cut, rows)
        return False
    return True


def on_disk(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "spill").rglob("*.parquet"))


def test_what_the_place_did_not_take_is_written_when_it_is_back_and_each_row_counts_once(tmp_path: Path) -> None:
    one = journal(tmp_path)
    assert kept(one, 5, 70, 71)
    back = out_of_the_way(tmp_path / "place")
    assert not any(kept(one, cut, cut + 60) for cut in (6, 7, 8))
    assert one.owes(0)
    assert len(on_disk(tmp_path)) == 3
    back()
    assert held(tmp_path / "place") == [70, 71]
    assert kept(one, 9, 90)
    assert held(tmp_path / "place") == [70, 71, 66, 67, 68, 90]
    assert not one.owes(0)
    assert on_disk(tmp_path) == []


def test_rows_without_a_step_after_them_are_written_too(tmp_path: Path) -> None:
    one = journal(tmp_path)
    back = out_of_the_way(tmp_path / "place")
    kept(one, 6, 80)
    back()
    assert len(one.write(0, 0, 6, 6, {})) == 1
    assert held(tmp_path / "place") == [80]


def test_memory_stays_flat_while_a_place_fails_and_so_does_the_disk(tmp_path: Path) -> None:
    one = journal(tmp_path, limit_bytes=200_000)
    spilled = one.held
    assert spilled is not None
    out_of_the_way(tmp_path / "place")
    before = pa.total_allocated_bytes()
    with capture_logs() as logs:
        for cut in range(300):
            kept(one, cut, *([70] * 500))
    assert not one._rows
    assert spilled.memory_bytes == 0
    assert pa.total_allocated_bytes() - before < 100_000
    assert 150_000 < spilled.size_bytes == sum(file.stat().st_size for file in on_disk(tmp_path)) <= 200_000
    lost = [entry for entry in logs if entry["event"] == "rows of the journal are lost"]
    assert spilled.dropped_rows == sum(entry["rows"] for entry in lost) == 500 * (300 - len(on_disk(tmp_path)))
    assert {entry["log_level"] for entry in lost} == {"error"}


def test_the_oldest_rows_go_first(tmp_path: Path) -> None:
    one = journal(tmp_path)
    kept(one, 0, 70)
    assert one.held is not None
    back = out_of_the_way(tmp_path / "place")
    kept(one, 1, 71)
    one.held._limit_bytes = 5 * one.held.size_bytes // 2
    for cut in (2, 3, 4):
        kept(one, cut, 70 + cut)
    back()
    kept(one, 5, 75)
    assert held(tmp_path / "place") == [70, 73, 74, 75]


def test_a_local_disk_that_takes_nothing_either_costs_no_rows_until_the_room_in_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = journal(tmp_path)
    (tmp_path / "spill").write_text("a file in its way as well")
    back = out_of_the_way(tmp_path / "place")
    assert one.held is not None
    with capture_logs() as logs:
        kept(one, 1, 71)
        assert one.held.memory_bytes == one.held.size_bytes > 0
        monkeypatch.setattr(spill, "IN_MEMORY_BYTES", 3 * one.held.size_bytes)
        for cut in range(2, 6):
            kept(one, cut, 70 + cut)
    assert one.held.dropped_rows == 2
    assert {entry["event"] for entry in logs} == {
        "rows of the journal are lost",
        "the local disk takes no rows of the journal: they are held in memory",
    }
    back()
    kept(one, 6, 76)
    assert held(tmp_path / "place") == [73, 74, 75, 76]


def test_what_another_claim_spilled_is_not_written(tmp_path: Path) -> None:
    one = journal(tmp_path)
    back = out_of_the_way(tmp_path / "place")
    kept(one, 6, 66, epoch=3)
    back()
    kept(one, 8, 88, epoch=7)
    assert held(tmp_path / "place") == [88]
    assert on_disk(tmp_path) == []


def test_a_partition_that_is_forgotten_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    one = journal(tmp_path)
    out_of_the_way(tmp_path / "place")
    kept(one, 6, 66)
    one.forget(0)
    assert (on_disk(tmp_path), one.owes(0), one.lost_rows) == ([], False, 0)


def test_a_file_that_the_local_disk_lost_is_said_and_the_others_are_written(tmp_path: Path) -> None:
    one = journal(tmp_path)
    back = out_of_the_way(tmp_path / "place")
    kept(one, 6, 66)
    kept(one, 7, 67)
    on_disk(tmp_path)[0].unlink()
    back()
    with capture_logs() as logs:
        kept(one, 8, 68)
    assert [(entry["event"], entry["rows"]) for entry in logs] == [("rows of the journal are lost", 1)]
    assert held(tmp_path / "place") == [67, 68]


HOLDS = """
import sys
from pathlib import Path
import pyarrow as pa
from monitor.wearers.spill import Spill
one = Spill(Path(sys.argv[1]), 1 << 20)
one.put("minutes/x.parquet", 0, 0, pa.py_buffer(b"rows"), 1)
print("held", flush=True)
sys.stdin.read()
"""


def test_what_a_dead_process_left_goes_at_the_next_start_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    folder = tmp_path / "spill"
    dead, living = (
        subprocess.Popen([sys.executable, "-c", HOLDS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    )
    try:
        for process in (dead, living):
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
        assert len(on_disk(tmp_path)) == 2
        os.kill(dead.pid, signal.SIGKILL)
        dead.wait(10)
        Spill(folder, MIB)
        assert len(on_disk(tmp_path)) == 1
        assert len(list(folder.iterdir())) == 1
    finally:
        for process in (dead, living):
            process.kill()
            process.wait(10)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def test_one_that_ends_in_order_leaves_nothing(tmp_path: Path) -> None:
    one = journal(tmp_path)
    out_of_the_way(tmp_path / "place")
    kept(one, 6, 66)
    one.close()
    assert list((tmp_path / "spill").iterdir()) == []
