"""A place that holds files: a folder of this machine, or a part of an object store by its URL (pyarrow.fs).

Files appear whole or not at all: a folder gets them by staging, fsync and rename, an object store as one put of all
bytes. Names that begin with a dot are half-written files and are never listed. In a folder they are their owner's only.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from models.errors import PlaceUnusable
from models.private import make_folder, new_file, say_if_open


@dataclass(frozen=True, slots=True)
class Listed:
    """A file below a place: its path from there, with slashes, and its size."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are.

    Parameters
    ----------
    files : pyarrow.fs.FileSystem
    root : str
        The place's path in it.
    name : str
        What sentences call it: as people wrote it, less a URL's keys and options.
    """

    files: fs.FileSystem
    root: str
    name: str

    @classmethod
    def of(cls, place: "str | Path | Place") -> "Place":
        """Open a folder, which need not exist yet, or a URL such as ``s3://bucket/journal`` or ``file:///srv/journal``.

        Raises
        ------
        PlaceUnusable
            If the URL is none that pyarrow.fs knows.
        """
        if isinstance(place, Place):
            return place
        if "://" not in str(place):
            return cls(fs.LocalFileSystem(), str(Path(place).absolute()), str(place))
        name = _without_keys(str(place))
        try:
            files, root = fs.FileSystem.from_uri(str(place))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise PlaceUnusable(
                f"{name} cannot be opened ({_reason(error).replace(str(place), name)}): give a folder, or a URL that "
                "pyarrow.fs knows, such as s3://bucket/prefix."
            ) from None
        return cls(files, root.rstrip("/"), name)

    @property
    def local(self) -> bool:
        """Whether it is a folder, which can stage and rename."""
        return isinstance(self.files, fs.LocalFileSystem)

    def folders(self) -> list[str]:
        """Return the names of the folders right below, sorted."""
        with self._answering():
            found = self.files.get_file_info(fs.FileSelector(self.root, allow_not_found=True))
        return sorted(one.base_name for one in found if one.type == fs.FileType.Directory)

    def list(self, folder: str) -> list[Listed]:
        """Return the files right below a folder, sorted by name; none if there is no such folder."""
        with self._answering():
            found = self.files.get_file_info(fs.FileSelector(f"{self.root}/{folder}", allow_not_found=True))
        files = [one for one in found if one.type == fs.FileType.File and not one.base_name.startswith(".")]
        return sorted((Listed(f"{folder}/{one.base_name}", one.size) for one in files), key=lambda file: file.path)

    def full(self, path: str) -> str:
        """Return a path as the file system takes it."""
        return f"{self.root}/{path}"

    def write(self, path: str, content: pa.Buffer) -> None:
        """Make a file of these bytes appear, whole; one of the same name is replaced.

        Raises
        ------
        OSError
            If it cannot be written; nothing of it is visible then.
        """
        if not self.local:
            self._put(path, content)
            return
        target = Path(self.full(path))
        make_folder(target.parent)
        say_if_open(Path(self.root))
        staged = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        try:
            with os.fdopen(new_file(staged), "wb") as file:
                file.write(memoryview(content))
                file.flush()
                os.fsync(file.fileno())
            staged.replace(target)
            _sync_folder(target.parent)
        finally:
            staged.unlink(missing_ok=True)

    def _put(self, path: str, content: pa.Buffer) -> None:
        """Put all bytes at once. A stream that failed makes its file visible too, so a torn one is deleted."""
        full, size = self.full(path), None
        try:
            with self.files.open_output_stream(full) as stream:
                stream.write(content)
        finally:
            info = self.files.get_file_info(full)
            size = info.size if info.type == fs.FileType.File else None
            if size not in (None, content.size):
                self.delete(path)
        if size != content.size:
            raise OSError(f"{path} had {size or 0} of {content.size} bytes after it was put")

    def delete(self, path: str) -> None:
        """Delete a file; one that is gone already is as good."""
        try:
            self.files.delete_file(self.full(path))
        except OSError:  # behind a folder's last file pyarrow puts an empty one, which not every store takes
            if self.files.get_file_info(self.full(path)).type != fs.FileType.NotFound:
                raise

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise PlaceUnusable(
                f"{self.name} cannot be listed ({_reason(error)}): check that it exists and may be read."
            ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename outlive a power cut."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _without_keys(url: str) -> str:
    """Return a URL without what may be secret.

    >>> _without_keys("s3://KEY:SECRET@bucket/ward/7?region=x")
    's3://bucket/ward/7'
    """
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def _reason(error: BaseException) -> str:
    return str(error).split(". Detail:")[0].strip().rstrip(".") or type(error).__name__
