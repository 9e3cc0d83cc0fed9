"""The jars of Apache Kafka, exactly those of ``kafka.lock``.

A jar is used only after its sha256 was checked, at every start: a download that was interrupted, or a disk that lied,
is noticed and mended. With all of them in place nothing is fetched, so a second start works offline. Downloads are
written to a scratch folder beside the jars and renamed when they are right, so a kill in the middle leaves no half jar
under a good name. (`jgo.build` would: its cache calls a half-filled environment valid.)
"""

import concurrent.futures
import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from monitor.errors import JarRefused, JarsUnreachable

Progress = Callable[[int, int], None]
"""Called with how many of how many missing jars have been fetched."""

SCRATCH = ".fetching-"
THREADS = 8
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of kafka.lock: a Maven coordinate and the sha256 of its jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name under which the jar is kept."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        """Return the coordinate."""
        return f"{self.group}:{self.artifact}:{self.version}"


def packaged_lock() -> str:
    """Return the text of the kafka.lock that ships with this package."""
    return resources.files("monitor.local").joinpath("kafka.lock").read_text(encoding="utf-8")


def parse_lock(text: str) -> list[Jar]:
    """Read the lines ``group:artifact:version sha256:...``; blank lines and ``#`` comments are skipped."""
    jars = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            coordinate, digest = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, digest.removeprefix("sha256:")))
    return jars


def sha256_of(path: Path) -> str | None:
    """Return the file's sha256 in hexadecimal, or None if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def fetch(jar: Jar, scratch: Path, *, offline: bool) -> Path:
    """Download one jar into *scratch* and return its path there."""
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch, offline=offline, timeout=TIMEOUT_S)
    return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())


def ensure(
    folder: Path, *, lock: str | None = None, offline: bool = False, progress: Progress | None = None
) -> list[Path]:
    """Return the paths of all jars in *folder*, each of them verified, fetching those that are missing or damaged.

    Raises
    ------
    JarRefused
        If what was downloaded has another sha256 than the lock; nothing of it is kept.
    JarsUnreachable
        If a jar is missing or damaged and could not be fetched.
    """
    jars = parse_lock(packaged_lock() if lock is None else lock)
    if _wrong(jars, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            for leftover in folder.glob(f"{SCRATCH}*"):
                shutil.rmtree(leftover)
            wanted = _wrong(jars, folder)  # another process may have fetched them meanwhile
            with tempfile.TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch:
                _fetch_all(wanted, folder, Path(scratch), offline=offline, progress=progress)
    return [folder / jar.file_name for jar in jars]


def _wrong(jars: list[Jar], folder: Path) -> list[Jar]:
    return [jar for jar in jars if sha256_of(folder / jar.file_name) != jar.sha256]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time fetch into *folder*; the kernel frees the lock of a killed one."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch_all(wanted: list[Jar], folder: Path, scratch: Path, *, offline: bool, progress: Progress | None) -> None:
    def one(jar: Jar) -> None:
        try:
            path = fetch(jar, scratch / jar.sha256[:16], offline=offline)
        except Exception as error:
            raise JarsUnreachable(
                f"{len(wanted)} of Kafka's jars are missing or damaged in {folder} and {jar} could not be fetched "
                f"({type(error).__name__}): connect this machine to the network once, or copy the folder from one "
                "that has them."
            ) from error
        found = sha256_of(path)
        if found != jar.sha256:
            raise JarRefused(
                f"{jar} came with sha256 {found}, but kafka.lock says {jar.sha256}: the download is damaged or is not "
                "what was locked; nothing of it was kept, try again or check the network between here and the source."
            )
        os.replace(path, folder / jar.file_name)

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        done = 0
        futures = [pool.submit(one, jar) for jar in wanted]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
                done += 1
                if progress is not None:
                    progress(done, len(wanted))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
