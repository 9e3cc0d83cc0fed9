"""The object store, on a local S3 server: the same promises as in a folder."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs
from structlog.testing import capture_logs

from monitor.errors import CheckpointsDiffer, StoreUnreachable
from monitor.wearers.bucket import BucketStore
from monitor.wearers.store import check, open_store, said
from tests.wearers.checkpoints import FOREVER, checkpoint, files, same, store
from tests.wearers.conftest import BucketServer


def test_checkpoints_live_in_a_bucket_as_they_do_in_a_folder(bucket_url: str) -> None:
    place = store(bucket_url)
    place.check()
    assert place.newest(2, FOREVER) is None
    for at in (10, 20, 30):
        place.write(checkpoint(at))
    place.write(checkpoint(5, partition=1))
    assert [one.at for one in place.generations(2)] == [30, 20]
    assert same(place.newest(2, FOREVER), checkpoint(30))
    assert same(place.newest(2, 30), checkpoint(20))
    assert same(store(bucket_url).newest(1, FOREVER), checkpoint(5, partition=1))
    with pytest.raises(CheckpointsDiffer):
        store(bucket_url, partitions=3).check()


def test_a_damaged_object_is_named_and_the_older_generation_is_taken(bucket_url: str) -> None:
    place = store(bucket_url)
    place.write(checkpoint(10))
    name = place.write(checkpoint(20))
    raw = open_store(bucket_url)
    raw.write(name, [raw.read(name)[:-1]])
    with capture_logs() as logs:
        assert same(place.newest(2, FOREVER), checkpoint(10))
    assert [entry["name"] for entry in logs] == [name]


def test_a_bucket_store_writes_lists_reads_and_deletes(bucket_url: str) -> None:
    place = open_store(bucket_url)
    assert (place.folders(), place.list("table")) == ([], [])
    place.write("table/file", [b"one", memoryview(b""), memoryview(b"two")])
    place.write("table/empty", [])
    place.write("table/.hidden", [b"x"])
    assert place.folders() == ["table"]
    assert place.list("table") == ["empty", "file"]
    assert bytes(place.read("table/file")) == b"onetwo"
    assert bytes(place.read("table/file", 4)) == b"onet"
    place.write("table/file", [b"three"])
    assert bytes(place.read("table/file", 400)) == b"three"
    for name in ("file", "empty", ".hidden", "never"):
        place.delete(f"table/{name}")
    assert place.list("table") == []
    with pytest.raises(FileNotFoundError):
        place.read("table/file")


def test_a_bucket_that_is_not_there_is_refused_at_start_without_the_secret(bucket_server: BucketServer) -> None:
    with pytest.raises(StoreUnreachable, match=r"^s3://nowhere/ward/7 cannot be written and read") as refused:
        store(bucket_server.url("nowhere")).check()
    assert "SECRET" not in str(refused.value)


class _KillsTheServer(list[bytes]):
    """Parts that kill the server once they have begun to be sent."""

    def __init__(self, server: BucketServer) -> None:
        super().__init__([bytes(12_000_000), b"the rest"])
        self._server, self._rounds = server, 0

    def __iter__(self) -> Iterator[bytes]:
        self._rounds += 1
        for number, part in enumerate(super().__iter__()):
            if self._rounds == 2 and number == 1:
                self._server.process.kill()
                self._server.process.wait()
            yield part


def test_a_server_that_dies_in_the_middle_is_an_error_and_the_same_may_be_tried_again(
    bucket_server: BucketServer, bucket: str
) -> None:
    place = BucketStore(bucket_server.files(), f"{bucket}/ward", "the ward's bucket")
    place.write("table/file", [b"older"])
    parts = _KillsTheServer(bucket_server)
    try:
        with pytest.raises(OSError, match="AWS Error"):
            place.write("table/other", parts)
        for fails in (lambda: place.list("table"), lambda: place.read("table/file"), place.folders):
            with pytest.raises(OSError, match="AWS Error"):
                fails()
        with pytest.raises(OSError, match="AWS Error"):
            place.write("table/file", [b"newer"])
        with pytest.raises(StoreUnreachable, match=r"^the ward's bucket cannot be written and read"):
            check(place)
    finally:
        bucket_server.start()
    assert place.list("table") == ["file"]
    assert bytes(place.read("table/file")) == b"older"
    place.write("table/other", list(parts))
    assert len(place.read("table/other")) == 12_000_008


def test_a_put_that_was_torn_is_deleted_and_one_that_was_whole_is_not(tmp_path: Path) -> None:
    """On pyarrow's local file system, which shows a file while it is written, as some stores behind a URL do."""
    script = """
import errno, resource, sys
from pyarrow import fs
from monitor.wearers.bucket import BucketStore
store = BucketStore(fs.SubTreeFileSystem(sys.argv[1], fs.LocalFileSystem()), "ward", "here")
store.write("table/file", [b"small"])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    store.write("table/torn", [bytes(60_000), bytes(60_000)])
except OSError as error:
    assert error.errno == errno.EFBIG, error
else:
    sys.exit("it was written")
assert store.list("table") == ["file"]
assert bytes(store.read("table/file")) == b"small"
"""
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
    assert files(tmp_path) == ["ward/table/file"]


def test_pyarrows_own_file_system_keeps_checkpoints_too(tmp_path: Path) -> None:
    place = BucketStore(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "ward", "here")
    check(place)
    place.write("table/file", [b"x"])
    assert (place.folders(), place.list("table")) == (["table"], ["file"])
    place.delete("table/file")
    place.delete("table/file")
    assert place.list("table") == []


def test_a_file_url_is_the_folder_that_it_names(tmp_path: Path) -> None:
    place = store((tmp_path / "a place").as_uri())
    place.write(checkpoint(10))
    assert same(store(tmp_path / "a place").newest(2, FOREVER), checkpoint(10))


@pytest.mark.parametrize("url", ["bogus://SECRET@x/y", "s3:///x", "s3://KEY:SECRET@b/x?nope=SECRET"])
def test_a_url_that_is_no_place_is_refused_with_a_sentence_and_without_the_secret(url: str) -> None:
    with pytest.raises(StoreUnreachable, match=r"is no place for files") as refused:
        open_store(url)
    assert "SECRET" not in str(refused.value)


def test_what_is_said_of_a_url_has_neither_keys_nor_options() -> None:
    assert said("s3://KEY:SEC%2FRET@bucket/path?session=x&endpoint_override=y") == "s3://bucket/path"
    assert said("s3://bucket/a@b") == "s3://bucket/a@b"
