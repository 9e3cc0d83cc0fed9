"""The folder store: a file is whole or it is not there, whoever else writes, and whoever was killed."""

import fcntl
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.wearers.folder import FolderStore
from tests.wearers.checkpoints import files

# A process that stages a file and then waits for its standard input to end, to be killed or to go on.
STAGES = """
import sys
from pathlib import Path
from monitor.wearers.folder import FolderStore

class Parts(list):
    def __iter__(self):
        yield b"first half, "
        print("staged", flush=True)
        sys.stdin.read()
        yield b"second half"

FolderStore(Path(sys.argv[1])).write("table/file", Parts())
"""


def staging(place: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", STAGES, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"staged\n"
    return process


def test_parts_become_one_file(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "new")
    assert (store.folders(), store.list("table")) == ([], [])
    store.write("table/file", [b"one", memoryview(b""), memoryview(b"two")])
    store.write("table/empty", [])
    assert store.folders() == ["table"]
    assert store.list("table") == ["empty", "file"]
    assert bytes(store.read("table/file")) == b"onetwo"
    assert bytes(store.read("table/file", 4)) == b"onet"
    assert bytes(store.read("table/file", 400)) == b"onetwo"
    assert bytes(store.read("table/empty")) == b""


def test_what_is_gone_is_said_when_read_and_fine_when_deleted(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(FileNotFoundError):
        store.read("table/file")
    store.delete("table/file")


def test_a_file_is_not_seen_before_it_is_whole_and_a_killed_writer_leaves_none(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with staging(tmp_path) as process:
        assert store.list("table") == []
        process.kill()
    assert store.list("table") == []
    assert len(files(tmp_path)) == 1
    store.write("table/other", [b"x"])
    assert files(tmp_path) == ["table/other"]


def test_a_staged_file_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with staging(tmp_path) as slow:
        with staging(tmp_path) as killed:
            killed.kill()
        store.write("table/file", [b"first half, second half"])
        assert store.list("table") == ["file"]
        assert len(files(tmp_path)) == 2
        slow.communicate()
        assert slow.returncode == 0
    assert files(tmp_path) == ["table/file"]
    assert bytes(store.read("table/file")) == b"first half, second half"


def test_a_staged_file_is_left_alone_between_its_making_and_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    lock = fcntl.flock
    taken: list[Path] = []

    def cleaned_by_another_first(descriptor: int, how: int) -> None:
        if how == fcntl.LOCK_EX and not taken:
            taken.extend((tmp_path / "table").iterdir())
            FolderStore(tmp_path).write("table/other", [b"other"])
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", cleaned_by_another_first)
    store.write("table/file", [b"mine"])
    assert len(taken) == 1
    assert files(tmp_path) == ["table/file", "table/other"]


def test_many_writers_of_one_name_and_many_readers_see_whole_files_only(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    begun = threading.Barrier(6)

    def write() -> None:
        store = FolderStore(tmp_path)
        begun.wait()
        for _ in range(20):
            store.write("table/file", [content[:1000], memoryview(content)[1000:]])

    def read() -> int:
        store, seen = FolderStore(tmp_path), 0
        begun.wait()
        while seen < 20:
            for name in store.list("table"):
                assert name == "file"
                assert store.read(f"table/{name}") == content
                seen += 1
        return seen

    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(work) for work in (write, write, write, read, read, read)]
        for one in done:
            one.result()
    assert files(tmp_path) == ["table/file"]


def test_a_file_too_large_is_an_error_and_nothing_of_it_stays(tmp_path: Path) -> None:
    script = """
import errno, resource, sys
from pathlib import Path
from monitor.wearers.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
store.write("table/file", [b"small"])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    store.write("table/file", [bytes(60_000), bytes(60_000)])
except OSError as error:
    assert error.errno == errno.EFBIG, error
else:
    sys.exit("it was written")
assert bytes(store.read("table/file")) == b"small"
"""
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
    assert files(tmp_path) == ["table/file"]


def test_a_full_disk_is_an_error_and_leaves_both_generations_and_no_half_file(tmp_path: Path) -> None:
    script = """
import errno, subprocess, sys
from pathlib import Path
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", sys.argv[1]], check=True)
from tests.wearers.checkpoints import FOREVER, checkpoint, files, same, store
place = Path(sys.argv[1])
for at in (10, 20, 30):
    store(place).write(checkpoint(at, wearers=1000))
ballast = place / "ballast"
ballast.write_bytes(bytes(225_000))
before = files(place)
for _ in range(3):
    try:
        store(place).write(checkpoint(40, wearers=1000))
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    else:
        sys.exit("it was written")
    assert files(place) == before, files(place)
    assert same(store(place).newest(2, FOREVER), checkpoint(30, wearers=1000))
ballast.unlink()
store(place).write(checkpoint(40, wearers=1000))
assert same(store(place).newest(2, FOREVER), checkpoint(40, wearers=1000))
"""
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine gives no mount namespace to make a small disk in")
    subprocess.run([*alone, sys.executable, "-c", script, tmp_path], check=True)


def test_a_file_system_without_locks_still_keeps_files_and_takes_nothing_for_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(descriptor: int, how: int) -> None:
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    store = FolderStore(tmp_path)
    with staging(tmp_path) as killed:
        killed.kill()
    left = files(tmp_path)
    store.write("table/file", [b"x"])
    assert files(tmp_path) == sorted([*left, "table/file"])
