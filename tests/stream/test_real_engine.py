"""A worker with the real engine: hostile input, scores that come back, models that are switched while it runs."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from models.bundle import DEFAULT, load, read_report, save
from monitor.settings import Settings
from stream_schemas.codec import encode
from stream_schemas.control import Control
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.stream.conftest import Processes
from tests.stream.world import publish, read, settled, status, until

HEART_RATE = "vitals.heart-rate.v1"
WORKER = "worker-1"


def at(minutes_ago: float) -> str:
    return datetime.fromtimestamp(time.time() - 60 * minutes_ago, UTC).isoformat()


def heart_rate(wearer: str, minutes_ago: float, **other: Any) -> tuple[bytes, bytes]:
    event = {
        "schema": "heart-rate/1",
        "event_id": f"{wearer}-{minutes_ago}",
        "wearer_id": wearer,
        "device_id": "d1",
        "start": at(minutes_ago),
        "offset_ms": list(range(0, 60_000, 1000)),
        "bpm": [70] * 60,
    }
    return wearer.encode(), json.dumps({**event, **other}).encode()


def send_to(settings: Settings, topic: str, partition: int, key: bytes | None, value: bytes | None) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    producer.send(settings.kafka.topic_prefix + topic, value, key=key, partition=partition)
    producer.close()


def test_hostile_records_end_in_named_buckets_and_nothing_valid_beside_them_is_lost(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(scoring={"enabled": False})
    processes.start(settings, "monitor", "worker")
    good = [heart_rate(f"w{i}", 30 - i // 20) for i in range(400)]
    cut_short = good[0][1][:-7]
    hostile: list[tuple[bytes | None, bytes | None]] = [
        (b"w1", cut_short),
        (b"w1", b"\xff\xfe"),
        (b"w1", b""),
        (b"w1", b"[1,2]"),
        (b"w1", b"\x00" * 1000),
        (b"w1", None),
        (None, good[1][1]),
        (b"w2", good[1][1]),
        (b"w1", b"{" * 100_000),
        (b"w1", b'{"schema":"heart-rate/1",' + b'"x":"' + b"y" * 2_000_000 + b'"}'),
        (b"w1", b"x" * 3_900_000),
        heart_rate("w1", 1, bpm=["70"] * 60),
        heart_rate("w1", 1, bpm=[float("nan")] * 60),
        heart_rate("w1", 1, bpm=[70] * 59),
        heart_rate("w1", 1, bpm=[700] * 60),
        heart_rate("w1", 1, start="2026-01-05T00:00:00"),
        heart_rate("w1", 1, start="yesterday"),
        heart_rate("w1", 1, start=None),
        heart_rate("w1", 1, schema="heart-rate/2"),
        heart_rate("w1", 1, schema=7),
        heart_rate("w\n1", 1),
        heart_rate("w1", -60),
        heart_rate("w1", 40 * 1440),
    ]
    mixed: list[tuple[bytes | None, bytes | None]] = []
    for i, record in enumerate(good):
        mixed.append(record)
        if i < len(hostile):
            mixed.append(hostile[i])
    mixed += good[:50]  # duplicates are fine
    publish(settings, HEART_RATE, mixed)
    elsewhere: list[bytes | None] = [b"", b"{}", b"null", b'{"schema":"?"}', None]
    for topic in INPUTS:
        publish(settings, topic, [(b"w1", value) for value in elsewhere])
    partition = next(row.partition for row in read(settings, HEART_RATE) if row.key == b"w3")
    send_to(settings, HEART_RATE, (partition + 1) % settings.stream.partitions, *good[3])

    published = sum(len(read(settings, topic)) for topic in INPUTS)
    assert published == len(mixed) + len(INPUTS) * len(elsewhere) + 1

    def counted() -> bool:
        total = settled(settings, WORKER)
        return bool(total["ingested"] + total["dead"] == published)

    until("every record is counted", counted)
    found = status(settings, WORKER)
    assert found["events_ingested"][HEART_RATE] == 450
    letters = read(settings, "dead-letter.v1")
    assert sum(found["dead_letters"].values()) == len(letters)
    for reason in ("malformed_json", "null_value", "key_mismatch", "too_large", "invalid_field", "length_mismatch"):
        assert found["dead_letters"].get(reason), reason
    for reason in ("invalid_time", "unknown_schema", "wrong_partition", "future", "too_old"):
        assert found["dead_letters"].get(reason), reason
    publish(settings, HEART_RATE, [heart_rate("w9", 1)])
    until("the stream goes on", lambda: status(settings, WORKER)["events_ingested"][HEART_RATE] == 451)


@pytest.fixture(scope="module")
def other_bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The packaged weights under another version: folder, version, sha256."""
    from dataclasses import replace

    from models.predict import Predictor

    network, manifest, _ = load(DEFAULT)
    folder = tmp_path_factory.mktemp("bundles") / "other"
    changed = replace(manifest, budget_per_wearer_day=manifest.budget_per_wearer_day + 1)
    version = save(folder, network, changed, report=read_report(DEFAULT), card="Another one, for a test.")
    return folder, version, Predictor.load(folder, "cpu").sha256


def test_scores_come_back_and_a_switch_changes_the_model_without_a_restart(
    new_settings: NewSettings, processes: Processes, other_bundle: tuple[Path, str, str]
) -> None:
    settings = new_settings(stream={"clock": "log"}, scoring={"device": "cpu"})
    processes.start(settings, "monitor", "worker")
    start_ms = 1_767_571_200_000  # 2026-01-05

    def minutes(begin: int, end: int) -> None:
        producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
        for minute in range(begin, end):
            for i in range(8):
                stamp = start_ms + minute * 60_000
                wearer = f"w{i}".encode()
                start = datetime.fromtimestamp(stamp / 1000 - 60, UTC).isoformat()
                _, value = heart_rate(wearer.decode(), minute, start=start)
                topic = settings.kafka.topic_prefix + HEART_RATE
                producer.send(topic, value, key=wearer, partition=murmur2_partition(wearer, 4), timestamp_ms=stamp)
        producer.close()

    def versions() -> list[str]:
        return [json.loads(row.value or b"{}")["model_version"] for row in read(settings, "risk.scores.v1")]

    minutes(0, 60)
    until("scores are out", versions, 60)
    first = set(versions())
    assert len(first) == 1
    until("they came back", lambda: status(settings, WORKER)["events_ingested"].get("risk.scores.v1", 0) > 0)
    folder, version, sha256 = other_bundle
    assert version not in first

    def switch(control: Control) -> None:
        for partition in range(settings.stream.partitions):
            send_to(settings, "control.v1", partition, None, encode(control))

    switch(Control(kind="model_switch", bundle_url=str(folder), sha256="0" * 64, at="2026-01-05T02:00:00Z"))
    until("the wrong one is refused", lambda: "a model was not loaded" in processes.logs())
    assert {status(settings, WORKER)["model_version"]} == first
    switch(
        Control(
            kind="model_switch",
            bundle_url=folder.as_uri(),
            sha256=sha256,
            model_version=version,
            at="2026-01-05T03:00:00Z",
        )
    )
    until("the other model is in use", lambda: status(settings, WORKER)["model_version"] == version)
    minutes(60, 120)
    until("the next scores carry its version", lambda: version in versions(), 60)
    assert len(processes.running) == 1
    assert processes.running[0].poll() is None
