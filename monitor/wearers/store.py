"""Where checkpoints and journal are kept: whole files with immutable names, in a folder or an object store.

The place is a folder, or a URL that `pyarrow.fs` knows, for example
``s3://KEY:SECRET@bucket/path?endpoint_override=127.0.0.1:9000&scheme=http``; ``file://`` is the folder that it names.
All workers share one place. Names are ``folder/file``, one level deep.
"""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from monitor.errors import StoreUnreachable
from monitor.wearers.folder import FolderStore

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SECRETS = re.compile(r"(?<=://)[^/@]*@|\?.*", re.DOTALL)


class Store(Protocol):
    """A few files, each written once as a whole. Every method blocks, so call it in a thread; any thread may.

    A place that fails raises OSError from each of them; `FileNotFoundError` says that only this file is gone. Nothing
    is tried again here: the caller knows what waits for it.

    Attributes
    ----------
    place : str
        What people are told of where it is; without keys and secrets.
    """

    place: str

    def folders(self) -> list[str]:
        """Names of the folders in the place, sorted; none where nothing was written yet."""

    def list(self, folder: str) -> list[str]:
        """Names of the whole files in a folder, without the folder, sorted; none where it does not exist.

        Names that begin with a dot (staged files among them) are left out; foreign files are not.
        """

    def read(self, name: str, size: int | None = None) -> memoryview:
        """Bytes of a file, all of them or the first *size*; fewer if it is shorter.

        Raises
        ------
        FileNotFoundError
            If it is not there (any more).
        """

    def write(self, name: str, parts: Sequence[memoryview | bytes]) -> None:
        """Put *parts*, one after the other, under a name: all of it durable and visible, or nothing at all.

        What has the name already is replaced. The GIL is not held while bytes are copied.

        Raises
        ------
        OSError
            If it could not be written; a full disk too. Nothing is visible then, and the same may be tried again.
        """

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone already is no error."""


def open_store(place: str | Path) -> Store:
    """Return the store at a folder or URL. Nothing is touched yet; `check` finds out whether it answers.

    Raises
    ------
    StoreUnreachable
        If no file system of `pyarrow.fs` has that URL.
    """
    text = str(place)
    if text.startswith("file://"):
        return FolderStore(Path(unquote(urlsplit(text).path)))
    if _URL.match(text):
        # Only here: its import takes a third of a second, and a folder needs none of it.
        from monitor.wearers.bucket import open_bucket

        return open_bucket(text, said(text))
    return FolderStore(Path(text))


def check(store: Store) -> None:
    """Write, list, read and delete a small file, so that a place that cannot be used is known at start.

    Raises
    ------
    StoreUnreachable
        If any of it fails.
    """
    probe = ".probe"
    try:
        name = f"{probe}/{secrets.token_hex(8)}"
        store.write(name, [b"pulse", b"warden"])
        if store.list(probe) == [] or bytes(store.read(name)) != b"pulsewarden":
            raise OSError("what was written is not what is read")
        store.delete(name)
    except OSError as error:
        raise StoreUnreachable(
            f"{store.place} cannot be written and read ({error.strerror or error}): "
            "make it reachable and writable for this worker, or name another place."
        ) from error


def said(place: str) -> str:
    """Return a URL without user, secret and options, for sentences and logs."""
    return _SECRETS.sub("", place)
