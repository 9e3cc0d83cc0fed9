"""A store in an object store, through `pyarrow.fs`: every file is one whole put."""

from collections.abc import Sequence
from contextlib import suppress

import pyarrow as pa
from pyarrow import fs

from monitor.errors import StoreUnreachable


class BucketStore:
    """`monitor.wearers.store.Store` on a file system of pyarrow.

    A put becomes visible when its stream is closed, and pyarrow closes a stream that failed as well; so its size is
    checked afterwards, and what is not whole is deleted. Files that cannot be deleted either are found out by what
    reads them: a checkpoint by its seal, a Parquet file by its end.

    Parameters
    ----------
    files : pyarrow.fs.FileSystem
    root : str
        Bucket and path in it.
    place : str
        What people are told of where it is.
    """

    def __init__(self, files: fs.FileSystem, root: str, place: str) -> None:
        self.place = place
        self._files, self._root = files, root.rstrip("/")

    def folders(self) -> list[str]:
        """See `Store.folders`."""
        return _names(self._files, self._root, fs.FileType.Directory)

    def list(self, folder: str) -> list[str]:
        """See `Store.list`."""
        return _names(self._files, self._path(folder), fs.FileType.File)

    def read(self, name: str, size: int | None = None) -> memoryview:
        """See `Store.read`."""
        with self._files.open_input_file(self._path(name)) as file:
            return memoryview(file.read_buffer(size)).cast("B")  # its bytes are signed otherwise

    def write(self, name: str, parts: Sequence[memoryview | bytes]) -> None:
        """See `Store.write`."""
        path, wanted = self._path(name), sum(memoryview(part).nbytes for part in parts)
        stream = self._opened(path)
        try:
            try:
                for part in parts:
                    stream.write(pa.py_buffer(part))
            finally:
                stream.close()
            self._refuse_torn(path, wanted)
        except OSError:
            with suppress(OSError):
                self._refuse_torn(path, wanted)
            raise

    def delete(self, name: str) -> None:
        """See `Store.delete`."""
        path = self._path(name)
        try:
            self._files.delete_file(path)
        except OSError:
            # Behind a folder's last file pyarrow puts an empty marker, which not every store takes: all that counts is
            # that the file is gone.
            if self._files.get_file_info(path).type != fs.FileType.NotFound:
                raise

    def _refuse_torn(self, path: str, wanted: int) -> None:
        """Delete a file that has not the bytes it should have; one that never became visible, or is whole, stays."""
        info = self._files.get_file_info(path)
        if info.type == fs.FileType.NotFound:
            raise OSError(f"{path} is not there after it was put")
        if info.size != wanted:
            self._files.delete_file(path)
            raise OSError(f"{path} had {info.size} of {wanted} bytes after it was put")

    def _opened(self, path: str) -> pa.NativeFile:
        try:
            return self._files.open_output_stream(path)
        except FileNotFoundError:
            # An object store has no folders to be made; a file system that pyarrow knows by URL may.
            self._files.create_dir(path.rpartition("/")[0], recursive=True)
            return self._files.open_output_stream(path)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _names(files: fs.FileSystem, folder: str, kind: fs.FileType) -> list[str]:
    selector = fs.FileSelector(folder, allow_not_found=True)
    found = [info.base_name for info in files.get_file_info(selector) if info.type == kind]
    return sorted(name for name in found if name and not name.startswith("."))


def open_bucket(url: str, place: str) -> BucketStore:
    """Return the store at a URL; *place* is how it is called in sentences.

    Raises
    ------
    StoreUnreachable
        If pyarrow has no file system for the URL, or refuses its options.
    """
    try:
        files, root = fs.FileSystem.from_uri(url)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StoreUnreachable(
            f"{place} is no place for files ({_without(url, error)}): name a folder, or a URL that pyarrow.fs knows."
        ) from error
    if not root.strip("/"):
        raise StoreUnreachable(f"{place} names no bucket: write s3://bucket/prefix, for example.")
    return BucketStore(files, root, place)


def _without(url: str, error: Exception) -> str:
    """Return what pyarrow says, less the URL with its secret."""
    return str(error).replace(url, "the URL").splitlines()[0].rstrip(".")
