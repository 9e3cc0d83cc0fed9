"""The journal's files: written, merged, read, damaged, in a folder and in an object store."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import structlog

from models.errors import DataUnusable, PlaceUnusable
from models.journal import read_cohort
from models.journal_files import MERGED
from models.journal_reading import Journal as Reader
from models.journal_tables import CUT, TABLES
from models.place import Place
from monitor.errors import StoreUnreachable
from monitor.wearers import journal_merging
from monitor.wearers.journal import Journal
from monitor.wearers.journal_merging import KEEP_MARKS, MERGE_FILES
from simulators import wearable
from tests.wearers.a_day import ILL, WELL, write_day

LOG = "0a1b2c3d"


def minutes(cut: int, *bpm: int, partition: int = 0) -> dict[str, Any]:
    n = len(bpm)
    columns: dict[str, Any] = {
        column.name: np.zeros(n, column.type.to_pandas_dtype()) for column in TABLES["minutes"].columns[2:]
    }
    columns |= {"wearer_id": ["w"] * n, "partition": np.full(n, partition, np.int32), CUT: np.full(n, cut, np.int64)}
    return {"minutes": columns | {"minute": np.arange(n), "hr_median": np.array(bpm, np.uint8)}}


def write(
    journal: Journal, cut: int, *bpm: int, epoch: int = 0, begin: int | None = None, end: int | None = None
) -> list[str]:
    journal.add(minutes(cut, *bpm))
    return journal.write(0, epoch, cut - 1 if begin is None else begin, end or cut, journal.take(0))


def held(folder: str | Path) -> list[int]:
    """Read the heart rates of the minutes that count, in the order in which they were written."""
    read = Reader(folder).read("minutes")
    return [] if read is None else [int(value) for value in read["hr_median"].to_pylist()]


def files(folder: Path, table: str = "minutes") -> list[Path]:
    return sorted((folder / table).iterdir())


# -------------------------------------------------------------------------------- written


def test_the_engine_fills_every_column_of_every_table_with_the_types_of_the_page(tmp_path: Path) -> None:
    write_day(tmp_path)
    written = {path.name: Reader(tmp_path).read(path.name) for path in tmp_path.iterdir() if path.name != "owners"}
    assert set(written) == set(TABLES) - {"labels"}
    for name, rows in written.items():
        assert rows is not None
        assert rows.schema.equals(TABLES[name].schema), name
        assert rows.num_rows


def test_each_partitions_rows_go_into_its_files_and_no_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path, log=LOG)
    mixed: dict[str, Any] = {
        name: np.concatenate([values, other]) if isinstance(values, np.ndarray) else [*values, *other]
        for (name, values), other in zip(
            minutes(5, 70, 71)["minutes"].items(), minutes(6, 80, 81, partition=3)["minutes"].values(), strict=True
        )
    }
    shuffled: dict[str, Any] = {
        name: values[[2, 0, 3, 1]] if isinstance(values, np.ndarray) else [values[i] for i in (2, 0, 3, 1)]
        for name, values in mixed.items()
    }
    journal.add({"minutes": shuffled})
    (one,) = journal.write(0, 2, 4, 9, journal.take(0))
    (other,) = journal.write(3, 2, 5, 9, journal.take(3))
    assert one == f"minutes/{LOG}-00000-000000000002-000000000004-000000000009.parquet"
    assert pq.read_table(tmp_path / one)["hr_median"].to_pylist() == [70, 71]
    assert pq.read_table(tmp_path / other)["hr_median"].to_pylist() == [80, 81]


def test_a_partition_that_is_given_up_leaves_nothing_to_write(tmp_path: Path) -> None:
    journal = Journal(tmp_path, log=LOG)
    journal.add(minutes(5, 70))
    journal.forget(0)
    assert journal.write(0, 2, 4, 9, journal.take(0)) == []
    assert not list(tmp_path.iterdir())


def test_rows_that_could_not_be_written_are_kept_and_come_first(tmp_path: Path) -> None:
    (tmp_path / "minutes").write_text("a file where a folder should be")
    journal = Journal(tmp_path, log=LOG)
    journal.add(minutes(5, 70))
    rows = journal.take(0)
    with pytest.raises(OSError, match="minutes"):
        journal.write(0, 2, 4, 5, rows)
    journal.give_back(0, rows)
    journal.add(minutes(6, 71))
    (tmp_path / "minutes").unlink()
    journal.write(0, 2, 4, 6, journal.take(0))
    assert held(tmp_path) == [70, 71]


def test_rows_of_other_cuts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Rows of the cuts 5 to 5 are not of the cuts \(5, 9\]"):
        write(Journal(tmp_path), 5, 70, begin=5) if False else Journal(tmp_path).write(
            0, 0, 5, 9, _taken(minutes(5, 1))
        )


def _taken(rows: dict[str, Any]) -> Any:
    journal = Journal("/nowhere")
    journal.add(rows)
    return journal.take(0)


def test_a_file_that_is_being_written_is_not_seen(tmp_path: Path) -> None:
    write(Journal(tmp_path, log=LOG), 5, 70)
    (path,) = files(tmp_path)
    (tmp_path / "minutes" / f".{path.name}.abcd").write_bytes(path.read_bytes()[:100])
    assert held(tmp_path) == [70]


def test_an_address_that_is_none_is_refused_without_its_keys() -> None:
    with pytest.raises(StoreUnreachable, match=r"PULSEWARDEN_JOURNAL__PLACE.*nothing://bucket") as refused:
        Journal("nothing://KEY:SECRET@bucket/x?token=hidden")
    assert "SECRET" not in str(refused.value)
    assert "hidden" not in str(refused.value)


# -------------------------------------------------------------------------------- merged


def test_many_small_files_become_few_and_say_the_same(tmp_path: Path) -> None:
    journal = Journal(tmp_path, log=LOG, keep_s=0)
    for cut in range(1, MERGE_FILES * 4):
        write(journal, cut, cut)
        if cut % 5 == 0:
            assert held(tmp_path) == list(range(1, cut + 1))
    assert len(files(tmp_path)) <= 2 * MERGE_FILES + 4, "the last sixteen that were merged, and those since"
    assert len(Reader(tmp_path).tables["minutes"].pieces) <= MERGE_FILES + 2


def test_a_reader_that_has_just_listed_files_finds_them_after_a_merge(tmp_path: Path) -> None:
    journal = Journal(tmp_path, log=LOG, keep_s=600)
    for cut in range(1, MERGE_FILES + 1):
        write(journal, cut, cut)
    reader = Reader(tmp_path)
    for cut in range(MERGE_FILES + 1, MERGE_FILES * 3):
        write(journal, cut, cut)
    assert set(Reader(tmp_path).tables["minutes"].ignored.values()) == {MERGED}
    rows = reader.read("minutes")
    assert rows is not None
    assert rows["hr_median"].to_pylist() == list(range(1, MERGE_FILES + 1))


def test_a_reader_whose_files_are_gone_looks_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, log=LOG, keep_s=0)
    for cut in range(1, MERGE_FILES + 1):
        write(journal, cut, cut)
    reader = Reader(tmp_path)
    for cut in range(MERGE_FILES + 1, MERGE_FILES * 3):
        write(journal, cut, cut)
    rows = reader.read("minutes")
    assert rows is not None
    assert rows["hr_median"].to_pylist() == list(range(1, MERGE_FILES * 3))


def test_a_late_file_of_a_worker_before_one_that_began_anew_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_merging, "MERGE_FILES", 2)
    old, new = Journal(tmp_path, log=LOG, keep_s=0), Journal(tmp_path, log=LOG, keep_s=0)
    write(old, 1, 1, begin=-1)
    write(new, 9, 9, epoch=5, begin=-1)
    write(new, 10, 10, epoch=5, begin=9)
    write(old, 3, 3, begin=1)  # what it held when the inputs were lost
    write(new, 11, 11, epoch=5, begin=10)
    assert held(tmp_path) == [1, 3, 9, 10, 11]


def test_marks_stay_while_a_file_needs_them(tmp_path: Path) -> None:
    write(Journal(tmp_path, log=LOG), 15, 99, epoch=0, begin=0)
    for epoch in range(1, KEEP_MARKS + 5):  # the first of them began behind cut 10, before that file's end
        write(Journal(tmp_path, log=LOG), 10 * (epoch + 1), epoch, epoch=epoch, begin=10 * epoch)
    epochs = [int(path.name.split("-")[2]) for path in files(tmp_path, "owners")]
    assert epochs == [1, *range(5, KEEP_MARKS + 5)]
    assert held(tmp_path) == list(range(1, KEEP_MARKS + 5))


# -------------------------------------------------------------------------------- damaged


@pytest.mark.parametrize("harm", ["truncated", "flipped", "text", "empty"])
def test_a_damaged_file_stops_training_with_its_name_and_is_never_merged(tmp_path: Path, harm: str) -> None:
    journal = Journal(tmp_path, log=LOG, keep_s=0)
    for cut in range(1, 4):
        write(journal, cut, *[60 + cut] * 50)
    path = files(tmp_path)[1]
    whole = path.read_bytes()
    flipped = whole[:40] + bytes([whole[40] ^ 4]) + whole[41:]
    path.write_bytes({"truncated": whole[:-20], "flipped": flipped, "text": b"minutes", "empty": b""}[harm])
    with pytest.raises(DataUnusable, match=rf"{path.name} is damaged or no Parquet file .*: move it out"):
        read_cohort(tmp_path)
    with structlog.testing.capture_logs() as logs:
        for cut in range(4, MERGE_FILES * 2 + 4):
            write(journal, cut, cut)
    assert path.exists()
    assert [entry["file"] for entry in logs if entry["log_level"] == "error"] == [f"minutes/{path.name}"]
    path.unlink()
    assert len(held(tmp_path)) == 100 + MERGE_FILES * 2, "all that is left counts"


def test_a_column_of_another_type_is_damage_too(tmp_path: Path) -> None:
    write(Journal(tmp_path, log=LOG), 5, 70)
    (path,) = files(tmp_path)
    rows = pq.read_table(path)
    pq.write_table(rows.drop_columns("hr_median"), path)
    with pytest.raises(DataUnusable, match="column hr_median is missing or not uint8"):
        held(tmp_path)


# -------------------------------------------------------------------------------- places


@pytest.mark.parametrize("place", ["folder", "file", "s3"])
def test_training_reads_the_same_wherever_the_journal_is(
    tmp_path: Path, place: str, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path / "journal")
    if place != "folder":
        where = f"file://{where}" if place == "file" else request.getfixturevalue("bucket_url")
    write_day(tmp_path / "beside", every_h=26)
    write_day(where, every_h=26)
    cohort, beside = read_cohort(where), read_cohort(tmp_path / "beside")
    assert cohort.wearer_ids == (ILL, WELL)
    for name, grid in cohort.grid.items():
        np.testing.assert_array_equal(grid, beside.grid[name])
    assert "SECRET" not in Reader(where).place.name


def test_an_object_store_merges_deletes_and_shows_no_half_file(
    bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_merging, "MERGE_FILES", 3)
    journal = Journal(bucket_url, log=LOG, keep_s=0)
    for cut in range(1, 9):
        write(journal, cut, cut)
    assert held(bucket_url) == list(range(1, 9))
    assert len(Place.of(bucket_url).list("minutes")) < 8


def test_a_store_that_is_away_is_named_without_its_keys(tmp_path: Path) -> None:
    away = "s3://KEY:SECRET@bucket/x?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1&connect_timeout=1"
    with pytest.raises(PlaceUnusable) as refused:
        Reader(away)
    assert "SECRET" not in str(refused.value)
    assert "s3://bucket/x" in str(refused.value)


def test_the_simulators_files_and_a_workers_are_one_journal(tmp_path: Path) -> None:
    wearable.run(wearers=3, duration="2h", journal_folder=tmp_path, plain=True)
    simulated = read_cohort(tmp_path)
    write_day(tmp_path)
    both = read_cohort(tmp_path)
    assert set(both.wearer_ids) == {*simulated.wearer_ids, ILL, WELL}
    assert [*both.profiles.sex[[both.wearer_ids.index(ILL)]]] == [1]
    for name in simulated.wearer_ids:
        at, of = both.wearer_ids.index(name), simulated.wearer_ids.index(name)
        assert both.profiles.sex[at] == simulated.profiles.sex[of]
