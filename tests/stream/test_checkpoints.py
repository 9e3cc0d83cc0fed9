"""Checkpoints of worker processes against a real Kafka: what is kept, what is committed, what is replayed."""

import time
from pathlib import Path

from kafka import KafkaAdminClient

from monitor.cuts import Position
from monitor.settings import Settings
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.test_worker import ALERTS, HEART_RATE, caught_up, load, replayed
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import compare, read, settled, status, until

SESSION_S = 85.0
"""As long as Faust takes, and longer than a process needs to start: who waits for a session to end is found by it."""


def kept(settings: Settings) -> dict[int, Position]:
    """Return where the newest checkpoint of each partition stands."""
    store = Checkpoints(settings.checkpoint_place, partitions=settings.stream.partitions)
    found = {p: store.newest(p, below=1 << 60) for p in range(settings.stream.partitions)}
    return {p: one.position for p, one in found.items() if one is not None}


def committed(settings: Settings) -> dict[tuple[str, int], int]:
    """Return what the group has committed."""
    group = settings.kafka.topic_prefix + "core"
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    try:
        found = admin.list_group_offsets({group: None})[group]
    finally:
        admin.close()
    return {(tp.topic, tp.partition): one.offset for tp, one in found.items() if one.offset >= 0}


def durable(settings: Settings) -> dict[tuple[str, int], int]:
    """Return the inputs' positions in the newest checkpoints."""
    prefix = settings.kafka.topic_prefix
    return {
        (prefix + topic, p): offset
        for p, position in kept(settings).items()
        for topic, offset in zip(INPUTS, position.next or (), strict=True)
    }


def own_all(settings: Settings, worker_id: str = "w1") -> None:
    until("it owns all", lambda: len(settled(settings, worker_id)["assigned"]) == 4)


def test_commits_follow_durable_checkpoints_a_place_that_fails_holds_only_them_up_and_a_successor_begins_there(
    new_settings: NewSettings, processes: Processes, tmp_path: Path
) -> None:
    place = tmp_path / "checkpoints"
    settings = new_settings(
        stream={"session_timeout_s": SESSION_S, "heartbeat_s": 1.0}, checkpoint={"interval_s": 0.5, "place": str(place)}
    )
    worker = processes.toy(settings)
    own_all(settings)
    for begin in range(0, 2_000, 100):
        load(settings, begin, begin + 100)
        told = committed(settings)
        safe = durable(settings)
        assert all(offset <= safe.get(tp, 0) for tp, offset in told.items())
    hr = [(settings.kafka.topic_prefix + HEART_RATE, p) for p in range(4)]
    until("everything is committed", lambda: sum(committed(settings).get(tp, 0) for tp in hr) == 2_000)
    assert status(settings, "w1")["checkpoints_failed"] == 0
    assert status(settings, "w1")["checkpoints_written"] >= 4

    place.rename(tmp_path / "away")
    place.write_text("a file where the folder was")
    until("it is noticed", lambda: status(settings, "w1")["checkpoints_failed"] > 0)
    before = committed(settings)
    load(settings, 2_000, 4_000)
    caught_up(settings, 4_000, "w1")
    until("the alerts go on", lambda: len({row.value for row in read(settings, ALERTS)}) == 400)
    assert committed(settings) == before
    place.unlink()
    (tmp_path / "away").rename(place)
    until("the commits follow", lambda: sum(committed(settings).get(tp, 0) for tp in hr) == 4_000)
    assert committed(settings).items() <= durable(settings).items()

    worker.terminate()
    assert worker.wait(patience(7)) == 0
    began = time.monotonic()
    processes.toy(settings, "w2")
    own_all(settings, "w2")
    assert time.monotonic() - began < SESSION_S, "a process starts, but no session times out"
    assert replayed(processes)[-1] == (4, 0)
    caught_up(settings, 4_000, "w2")  # the counts come from the checkpoints
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] == 400
