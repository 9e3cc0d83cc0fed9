"""Checkpoints of worker processes against a real Kafka: what is kept, what is committed, what is replayed."""

import json
import re
import signal
import time
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.structs import TopicPartition

from monitor import topics
from monitor.cuts import Position
from monitor.settings import Settings
from monitor.wearers.checkpoint import Checkpoints
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.stream.conftest import Processes
from tests.stream.test_worker import ALERTS, HEART_RATE, QUICK, caught_up, load, replayed
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import compare, read, settled, status, until

SOON = {"interval_s": 0.5}
NEVER = {"interval_s": 3600.0}


def kept(settings: Settings) -> dict[int, Position]:
    """Return where the newest checkpoint of each partition stands."""
    store = Checkpoints(settings.checkpoint_place, partitions=settings.stream.partitions, inputs=INPUTS)
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


def test_commits_follow_durable_checkpoints_and_a_place_that_fails_holds_only_them_up(
    new_settings: NewSettings, processes: Processes, tmp_path: Path
) -> None:
    place = tmp_path / "checkpoints"
    settings = new_settings(stream=QUICK, checkpoint={**SOON, "place": str(place)})
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
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    processes.toy(settings)
    own_all(settings)
    assert replayed(processes)[-1] == (4, 0)
    caught_up(settings, 4_000, "w1")  # the counts come from the checkpoint
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] == 400


def test_sigterm_leaves_checkpoints_and_the_successor_takes_over_at_once(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream={"session_timeout_s": 15.0, "heartbeat_s": 1.0}, checkpoint=NEVER)
    first = processes.toy(settings, "w1")
    own_all(settings)
    load(settings, 0, 2_000)
    caught_up(settings, 2_000, "w1")
    first.terminate()
    assert first.wait(7) == 0
    assert sorted(kept(settings)) == [0, 1, 2, 3]
    began = time.monotonic()
    processes.toy(settings, "w2")
    own_all(settings, "w2")
    assert time.monotonic() - began < 12.0  # the start of the process, but no session timeout
    assert replayed(processes)[-1] == (4, 0)
    load(settings, 2_000, 2_800)
    caught_up(settings, 2_800, "w2")
    until("the last alert is out", lambda: len({row.value for row in read(settings, ALERTS)}) == 280)
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] == 280


def test_a_log_cut_off_behind_the_checkpoint_is_said_and_counted_and_the_partition_begins_anew(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK, checkpoint=NEVER)
    first = processes.toy(settings)
    own_all(settings)
    load(settings, 0, 1_000)
    caught_up(settings, 1_000, "w1")
    first.terminate()
    first.wait()
    load(settings, 1_000, 2_000)
    ends = {row.partition: row.offset + 1 for row in read(settings, HEART_RATE)}
    position = kept(settings)[2].next or ()
    gone = ends[2] - 5 - position[INPUTS.index(HEART_RATE)]
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    admin.delete_records({TopicPartition(settings.kafka.topic_prefix + HEART_RATE, 2): ends[2] - 5})
    admin.close()
    processes.toy(settings)
    own_all(settings)
    until("it says so", lambda: status(settings, "w1")["losses"] == 1)
    assert f"records_gone={gone}" in re.sub(r"\x1b\[\d*m", "", processes.logs())
    kept_records = sum(end for p, end in ends.items() if p != 2) + 5
    caught_up(settings, kept_records, "w1")
    # The cuts before the loss are still in the log, and must not be replayed.
    processes.running[-1].send_signal(signal.SIGKILL)
    processes.running[-1].wait()
    processes.toy(settings, "w2")
    caught_up(settings, kept_records, "w2")
    assert status(settings, "w2")["losses"] == 0


def test_checkpoints_of_topics_that_were_created_again_are_said_and_ignored(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK, checkpoint=NEVER)
    first = processes.toy(settings)
    own_all(settings)
    load(settings, 0, 1_000)
    caught_up(settings, 1_000, "w1")
    first.terminate()
    first.wait()
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    names = [row.name for row in topics.wanted(settings)]
    admin.delete_topics(names)
    until("they are gone", lambda: not set(names) & set(admin.list_topics()))
    admin.close()
    topics.create(settings)
    load(settings, 0, 500)
    processes.toy(settings)
    caught_up(settings, 500, "w1")
    assert "of another log" in processes.logs()
    until("the alerts are those of the new log", lambda: len({row.value for row in read(settings, ALERTS)}) == 40)
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] == 40


def test_a_static_member_that_is_killed_and_started_again_moves_no_partition(
    new_settings: NewSettings, processes: Processes
) -> None:
    stream = {"session_timeout_s": 15.0, "heartbeat_s": 1.0, "static_membership": True}
    settings = new_settings(stream=stream, checkpoint=SOON)
    processes.toy(settings, "w1")
    own_all(settings)
    second = processes.toy(settings, "w2")
    until("each owns two", lambda: [len(status(settings, w).get("assigned", [])) for w in ("w1", "w2")] == [2, 2])
    theirs = status(settings, "w2")["assigned"]

    def claims() -> list[tuple[int, str]]:
        rows = [(row.partition, json.loads(row.value or b"{}")) for row in read(settings, "cuts.v1")]
        return [(p, record["claim"]) for p, record in rows if "claim" in record]

    before = claims()
    second.send_signal(signal.SIGKILL)
    second.wait()
    load(settings, 0, 500)
    processes.toy(settings, "w2")
    caught_up(settings, 500, "w1", "w2")
    assert status(settings, "w2")["assigned"] == theirs
    assert sorted(claims()) == sorted([*before, *((p, "w2") for p in theirs)])
