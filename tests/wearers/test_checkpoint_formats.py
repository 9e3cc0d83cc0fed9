"""Files of every format that there was, as they were written then (tests/wearers/formats), are read as the newest."""

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.wearers.checkpoint_formats import FORMAT_NAMES, MIGRATIONS
from monitor.wearers.store import open_store
from monitor.wearers.tensor_file import sealed, unsealed
from tests.wearers.checkpoints import FOREVER, checkpoint, same, store

FORMATS = Path(__file__).parent / "formats"
NAME = "00002/000000000007-000000000010.safetensors"


def test_every_format_has_a_migration_to_the_next_and_a_real_file() -> None:
    assert len(MIGRATIONS) == len(FORMAT_NAMES) - 1
    for number, format_name in enumerate(FORMAT_NAMES):
        assert unsealed(open_store(FORMATS / str(number)).read(NAME)).metadata["format"] == format_name


@pytest.mark.parametrize("number", range(len(FORMAT_NAMES)))
def test_a_file_of_any_format_is_read_as_the_newest(number: int) -> None:
    assert same(store(FORMATS / str(number)).newest(2, FOREVER), checkpoint(10))


def test_today_writes_the_bytes_that_the_newest_format_had(tmp_path: Path) -> None:
    store(tmp_path).write(checkpoint(10))
    assert (tmp_path / NAME).read_bytes() == (FORMATS / str(len(FORMAT_NAMES) - 1) / NAME).read_bytes()


def test_a_checkpoint_of_the_old_format_goes_when_two_newer_ones_are_there(tmp_path: Path) -> None:
    shutil.copytree(FORMATS / "0", tmp_path, dirs_exist_ok=True)
    place = store(tmp_path)
    place.write(checkpoint(20))
    assert same(place.newest(2, 20), checkpoint(10))
    place.write(checkpoint(30))
    assert [one.at for one in place.generations(2)] == [30, 20]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "pulsewarden-checkpoint/99"}, "its format is 'pulsewarden-checkpoint/99', and this version knows"),
        ({"format": "another program's"}, 'its format is "another program\'s"'),
        ({"cut": None}, "it is not what a file of pulsewarden-checkpoint/0 must be"),
        ({"cut": "[1, 2]"}, "it is not what a file of pulsewarden-checkpoint/0 must be"),
        ({"cut": "[10, 7, 5, 500, null, [], 0]"}, "its position does not name every input"),
        ({"cut": '[10, 7, 5, "500", [11, 3], [499, 0], 0]'}, "a part of it is missing or unreadable"),
        ({"partitions": "four"}, "a part of it is missing or unreadable"),
        ({"inputs": None}, "a part of it is missing or unreadable"),
    ],
)
def test_a_sealed_file_that_is_not_understood_is_named_and_the_older_generation_is_taken(
    tmp_path: Path, change: dict[str, str | None], reason: str
) -> None:
    place = store(tmp_path)
    place.write(checkpoint(5))
    file = unsealed(open_store(FORMATS / "0").read(NAME))
    metadata = {name: text for name, text in {**file.metadata, **change}.items() if text is not None}
    open_store(tmp_path).write(NAME, sealed(metadata, file.arrays))
    with capture_logs() as logs:
        assert same(place.newest(2, FOREVER), checkpoint(5))
    assert [entry["name"] for entry in logs] == [NAME]
    assert str(logs[0]["reason"]).startswith(reason)
