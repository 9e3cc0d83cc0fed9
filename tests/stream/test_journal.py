"""The journal's files."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.wearers.journal import MERGE_FILES, Journal


def minutes(wearer: str, *values: int) -> dict[str, Any]:
    rows = len(values)
    return {
        "minutes": {
            "wearer_id": [wearer] * rows,
            "minute": np.arange(rows, dtype=np.int64),
            "hr_median": np.array(values, np.uint8),
        }
    }


def flush(journal: Journal, rows: dict[str, Any]) -> list[Path]:
    journal.add(rows)
    return journal.write(journal.take())


def newest(folder: Path, table: str) -> dict[tuple[str, int], int]:
    """Read as every reader should: files in the order of their names, later rows supersede."""
    found: dict[tuple[str, int], int] = {}
    for path in sorted((folder / table).glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            found[row["wearer_id"], row["minute"]] = row["hr_median"]
    return found


def test_rows_of_many_steps_become_one_file_with_the_columns_types(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "w1")
    journal.add(minutes("a", 70, 71))
    rows: dict[str, Any] = {"bp": {"wearer_id": ["b"], "minute": [5], "systolic": [120]}}
    rows["profiles"] = {"wearer_id": ["a", "b"], "conditions": [[], ["copd"]], "age_years": [None, 50.0]}
    journal.add({**minutes("b", 80), **rows})
    assert len(journal.write(journal.take())) == 3
    read = {table: pq.read_table(tmp_path / table) for table in ("minutes", "bp", "profiles")}
    assert read["minutes"].schema.field("hr_median").type == pa.uint8()
    assert read["minutes"].column("wearer_id").to_pylist() == ["a", "a", "b"]
    assert read["bp"].to_pylist() == [{"wearer_id": "b", "minute": 5, "systolic": 120}]
    assert read["profiles"].column("conditions").to_pylist() == [[], ["copd"]]
    assert journal.write(journal.take()) == []


def test_a_successors_rows_supersede_its_predecessors(tmp_path: Path) -> None:
    one, two = Journal(tmp_path, "zz"), Journal(tmp_path, "aa")
    flush(one, minutes("a", 70))
    flush(two, minutes("a", 71))
    assert newest(tmp_path, "minutes") == {("a", 0): 71}
    flush(Journal(tmp_path, "zz"), minutes("a", 72))
    assert newest(tmp_path, "minutes") == {("a", 0): 72}


def test_many_small_files_become_few_and_say_the_same(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path, "w1"), Journal(tmp_path, "w2")
    for i in range(MERGE_FILES * 4):
        flush(journal, minutes("a", 40 + i))
        if i == MERGE_FILES + 3:
            flush(other, minutes("a", 250))
        assert newest(tmp_path, "minutes") == {("a", 0): 250 if i == MERGE_FILES + 3 else 40 + i}
    assert len(list((tmp_path / "minutes").glob("*.parquet"))) < 2 * MERGE_FILES
    assert not list((tmp_path / "minutes").glob(".*"))


def test_rows_that_could_not_be_written_are_kept(tmp_path: Path) -> None:
    (tmp_path / "minutes").write_text("a file where a folder should be")
    journal = Journal(tmp_path, "w1")
    journal.add(minutes("a", 70))
    rows = journal.take()
    with pytest.raises(OSError, match="minutes"):
        journal.write(rows)
    journal.give_back(rows)
    journal.add(minutes("a", 71))
    (tmp_path / "minutes").unlink()
    journal.write(journal.take())
    assert newest(tmp_path, "minutes") == {("a", 0): 71}
