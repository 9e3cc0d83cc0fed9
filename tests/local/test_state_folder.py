"""A state folder that cannot be used is told in one sentence; one that can is its user's alone."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.errors import StateFolderUnusable
from monitor.local.stack import Stack
from monitor.local.state_folder import prepare
from tests.patience import patience

ROOT = os.geteuid() == 0


def a_file_in_its_place(folder: Path) -> Path:
    (folder / "state").write_text("what?")
    return folder / "state"


def a_file_above_it(folder: Path) -> Path:
    (folder / "file").write_text("what?")
    return folder / "file" / "state"


def a_colon(folder: Path) -> Path:
    return folder / "a:b"


def a_long_name(folder: Path) -> Path:
    return folder / ("long" * 100)


def another_users(folder: Path) -> Path:
    state = folder / "state"
    state.mkdir()
    os.chown(state, 1, 1)
    return state


UNUSABLE = [
    (a_file_in_its_place, "a file is in its place: move that away"),
    (a_file_above_it, "a file is in its place: move that away"),
    (a_colon, "which Java's class path cannot hold"),
    (a_long_name, "is too long for this machine"),
    pytest.param(another_users, "belongs to user", marks=pytest.mark.skipif(not ROOT, reason="only root gives away")),
]


@pytest.mark.parametrize(("make", "sentence"), UNUSABLE)
def test_up_says_in_one_sentence_why_the_folder_cannot_be_used_and_ends_with_status_2(
    make: Callable[[Path], Path], sentence: str, tmp_path: Path
) -> None:
    state = make(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-m", "monitor", "up"],
        env={**os.environ, "PULSEWARDEN_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(120),
    )
    assert ended.returncode == 2, ended.stderr
    assert sentence in ended.stderr
    assert "PULSEWARDEN_STATE_DIR" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_full_disk_is_told(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"), (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(2 << 20))
    with pytest.raises(StateFolderUnusable, match=rf"^The disk of {small_disk} is full: make room, or choose another"):
        prepare(small_disk)


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StateFolderUnusable, match=r"cannot be written \(Read-only file system\)"):
        prepare(small_disk / "state")


def test_a_deep_folder_is_used(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["quite-a-deep-folder"] * 12)
    assert len(str(deep)) > 200, "longer than the name of a socket may be"
    with Stack.start(deep, kafka=False) as stack:
        assert stack.redis_port


@pytest.mark.stack
def test_what_the_servers_write_is_its_users_alone_whatever_the_umask(jars: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    before = os.umask(0)
    try:
        with Stack.start(state, jars=jars):
            found = {path: path.stat().st_mode & 0o777 for path in [state, *state.rglob("*")]}
    finally:
        os.umask(before)
    assert (state / "kafka" / "meta.properties") in found
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}
