"""Kafka's jars are verified before use, and whatever an interrupted download left behind is mended or named."""

import hashlib
import shutil
from pathlib import Path

import pytest

from monitor.errors import JarRefused, JarsUnreachable
from monitor.local import kafka_jars

CONTENT = {"one": b"first jar", "two": b"second jar"}
LOCK = "# comment\n\n" + "\n".join(
    f"org.example:{name}:1.0 sha256:{hashlib.sha256(content).hexdigest()}" for name, content in CONTENT.items()
)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Serve jars from memory instead of the network; returns what is served, to tamper with."""
    served = dict(CONTENT)

    def fetch(jar: kafka_jars.Jar, scratch: Path, *, offline: bool) -> Path:
        if offline:
            raise OSError("no network")
        scratch.mkdir(parents=True)
        path = scratch / "download.jar"
        path.write_bytes(served[jar.artifact])
        return path

    monkeypatch.setattr(kafka_jars, "fetch", fetch)
    return served


def test_missing_jars_are_fetched_with_progress_and_later_starts_are_offline(
    source: dict[str, bytes], tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    paths = kafka_jars.ensure(tmp_path, lock=LOCK, progress=lambda done, wanted: seen.append((done, wanted)))
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert seen == [(1, 2), (2, 2)]
    assert kafka_jars.ensure(tmp_path, lock=LOCK, offline=True) == paths


def test_a_jar_with_another_hash_is_refused_and_not_kept(source: dict[str, bytes], tmp_path: Path) -> None:
    source["two"] = b"not the second jar"
    with pytest.raises(JarRefused, match=r"org\.example:two:1\.0 .* kafka\.lock says"):
        kafka_jars.ensure(tmp_path, lock=LOCK)
    assert not (tmp_path / "two-1.0.jar").exists()
    assert not list(tmp_path.glob(".fetching-*"))


def test_a_truncated_jar_is_fetched_again(source: dict[str, bytes], tmp_path: Path) -> None:
    first, _ = kafka_jars.ensure(tmp_path, lock=LOCK)
    first.write_bytes(CONTENT["one"][:4])
    assert kafka_jars.ensure(tmp_path, lock=LOCK)[0].read_bytes() == CONTENT["one"]


def test_a_truncated_jar_without_a_network_is_named(source: dict[str, bytes], tmp_path: Path) -> None:
    first, _ = kafka_jars.ensure(tmp_path, lock=LOCK)
    first.write_bytes(CONTENT["one"][:4])
    with pytest.raises(JarsUnreachable, match=r"org\.example:one:1\.0 could not be fetched"):
        kafka_jars.ensure(tmp_path, lock=LOCK, offline=True)


def test_the_packaged_lock_names_kafka_and_a_hash_for_every_jar() -> None:
    jars = kafka_jars.parse_lock(kafka_jars.packaged_lock())
    assert "org.apache.kafka:kafka_2.13:4.4.0" in map(str, jars)
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_a_real_jar_that_a_killed_download_left_half_is_mended(jars: Path, tmp_path: Path) -> None:
    """The only one here that uses the network: one small jar of the real lock."""
    line = next(line for line in kafka_jars.packaged_lock().splitlines() if "jopt-simple" in line)
    (jar,) = kafka_jars.parse_lock(line)
    shutil.copy(jars / jar.file_name, tmp_path)
    half = (tmp_path / jar.file_name).read_bytes()[:1000]
    (tmp_path / jar.file_name).write_bytes(half)
    (path,) = kafka_jars.ensure(tmp_path, lock=line)
    assert kafka_jars.sha256_of(path) == jar.sha256
