"""Health data on disk is its owner's only, whatever the umask; what was there before keeps its rights and is named."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from models.private import make_folder, new_file
from monitor.wearers.folder import FolderStore
from monitor.wearers.journal import Journal
from monitor.wearers.spill import Spill
from tests.wearers.checkpoints import checkpoint, store
from tests.wearers.test_journal_files import LOG, write


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def rights(below: Path) -> dict[str, set[str]]:
    """The rights of all files and folders below a folder, the folder itself included."""
    found: dict[str, set[str]] = {"files": set(), "folders": set()}
    for path in (below, *below.rglob("*")):
        found["folders" if path.is_dir() else "files"].add(f"{stat.S_IMODE(path.stat().st_mode):o}")
    return found


OWNERS_ONLY = {"files": {"600"}, "folders": {"700"}}


def test_checkpoints_are_their_owners_only(tmp_path: Path, umask: int) -> None:
    place = store(tmp_path / "some" / "where")
    place.check()
    place.write(checkpoint(10))
    place.write(checkpoint(20), pinned=True)
    assert rights(tmp_path / "some") == OWNERS_ONLY


def test_the_journal_and_what_it_spills_are_their_owners_only(tmp_path: Path, umask: int) -> None:
    spilled = Spill(tmp_path / "spill", 1 << 20)
    journal = Journal(tmp_path / "some" / "journal", log=LOG, held=spilled)
    write(journal, 5, 70)
    spilled.put("minutes/x.parquet", 0, 0, pa.py_buffer(b"rows"), 1)
    assert rights(tmp_path / "some") == OWNERS_ONLY
    assert rights(tmp_path / "spill") == OWNERS_ONLY


def test_a_folder_that_others_may_enter_keeps_its_rights_and_is_said_once(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o755)
    with capture_logs() as logs:
        for number in range(3):
            FolderStore(place).write(f"table/{number}", [b"x"])
        write(Journal(place, log=LOG), 5, 70)
    assert [(entry["folder"], entry["mode"]) for entry in logs] == [(str(place), "755")]
    assert f"{stat.S_IMODE(place.stat().st_mode):o}" == "755"
    assert f"{stat.S_IMODE((place / 'table').stat().st_mode):o}" == "700"


def test_a_file_in_the_way_of_a_folder_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="exists"):
        make_folder(tmp_path / "file")
    os.close(new_file(tmp_path / "new"))
    with pytest.raises(FileExistsError):
        new_file(tmp_path / "new")
