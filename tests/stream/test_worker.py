"""Worker processes against a real Kafka: nothing lost, nothing different, whatever is killed."""

import json
import re
import signal
from dataclasses import replace

import pytest
from kafka import KafkaProducer

from monitor.cuts import encode_cut, valid_cuts
from monitor.errors import TopicsDiffer
from monitor.settings import Settings
from monitor.stream.worker import run
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import compare, heart_rate, publish, read, settled, status, until

HEART_RATE = "vitals.heart-rate.v1"
ALERTS = "alerts.north.v1"
QUICK = {"session_timeout_s": 6.0, "heartbeat_s": 1.0}


def load(settings: Settings, begin: int, end: int) -> None:
    publish(settings, HEART_RATE, (heart_rate(f"w{i % 40}", i) for i in range(begin, end)))


def caught_up(settings: Settings, records: int, *workers: str) -> None:
    until(f"{records} records are in", lambda: settled(settings, *workers)["ingested"] == records)


def replayed(processes: Processes) -> list[tuple[int, int]]:
    """Return, of each recovery in the order of the logs, how many partitions there were and how many records."""
    text = re.sub(r"\x1b\[[\d;]*m", "", processes.logs())
    return [
        (len(json.loads(partitions)), int(records))
        for partitions, records in re.findall(r"replayed .*partitions=(\[.*?\]) records=(\d+)", text)
    ]


def test_a_worker_killed_and_started_again_gives_the_same_bytes_and_misses_nothing(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK)
    first = processes.toy(settings)
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    for begin in range(0, 3_000, 300):  # so that there are many cuts
        load(settings, begin, begin + 300)
    until("some alerts are out", lambda: len(read(settings, ALERTS)) > 250)
    first.send_signal(signal.SIGKILL)
    first.wait()
    load(settings, 3_000, 6_000)
    second = processes.toy(settings)
    caught_up(settings, 6_000, "w1")
    until("the last alert is out", lambda: len({row.value for row in read(settings, ALERTS)}) >= 600)
    second.terminate()
    assert second.wait(patience(5)) == 0
    expected, repeated = compare(settings, ToyEngine(INPUTS), ALERTS)
    assert expected == 600
    assert repeated < 100  # the outputs of one cut of each partition, of more than 250 that were out

    forge_a_cut(settings)
    processes.toy(settings)  # what was sent stands, and alerts go on: the broken promise is said and counted
    load(settings, 6_000, 6_600)
    caught_up(settings, 6_600, "w1")
    until("the alerts after it are out", lambda: len({row.value for row in read(settings, ALERTS)}) >= 640)
    assert status(settings, "w1")["differing"] == 1
    assert "the replay differs from what the log says" in processes.logs()


def forge_a_cut(settings: Settings) -> None:
    """Append a cut that counts, and whose digest is not that of the outputs before it."""
    rows = [(row.offset, row.stamp_ms, row.value) for row in read(settings, "cuts.v1") if row.partition == 0]
    last = list(valid_cuts(rows, 0))[-1]
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    forged = replace(last, seq=last.seq + 1, digest=last.digest ^ 1)
    producer.send(settings.kafka.topic_prefix + "cuts.v1", encode_cut(forged), partition=0)
    producer.close()


def test_two_workers_share_the_partitions_and_hand_over_without_loss(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK)
    first = processes.toy(settings, "w1")
    until("one owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    load(settings, 0, 1_000)
    caught_up(settings, 1_000, "w1")
    second = processes.toy(settings, "w2")
    until(
        "each owns some",
        lambda: sorted(map(len, (status(settings, w).get("assigned", []) for w in ("w1", "w2")))) == [2, 2],
    )
    assert replayed(processes)[1] == (2, 0)  # what left was checkpointed
    load(settings, 1_000, 2_000)
    load(settings, 2_000, 4_000)
    caught_up(settings, 4_000, "w1", "w2")
    second.send_signal(signal.SIGKILL)
    second.wait()
    load(settings, 4_000, 5_000)
    caught_up(settings, 5_000, "w1")
    until("the last alert is out", lambda: len({row.value for row in read(settings, ALERTS)}) >= 480)
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] >= 480
    claims = [row for row in read(settings, "cuts.v1") if row.value is not None and b"claim" in row.value]
    assert len(claims) == 4 + 2 + 2
    first.send_signal(signal.SIGINT)
    assert first.wait(patience(5)) == 0
    assert status(settings, "w1") == {}


def test_a_frozen_worker_that_wakes_up_sends_nothing_that_its_successor_did_not(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream=QUICK)
    frozen = processes.toy(settings, "w1")
    until("one owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    load(settings, 0, 500)
    frozen.send_signal(signal.SIGSTOP)
    processes.toy(settings, "w2")
    until("the other owns all", lambda: len(status(settings, "w2").get("assigned", [])) == 4)
    load(settings, 500, 1_500)
    frozen.send_signal(signal.SIGCONT)
    load(settings, 1_500, 2_000)
    until("all alerts are out", lambda: len({row.value for row in read(settings, ALERTS)}) >= 200)
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] == 200


def test_a_worker_refuses_topics_that_differ(new_settings: NewSettings) -> None:
    settings = new_settings()
    wrong = settings.model_copy(update={"stream": settings.stream.model_copy(update={"partitions": 8})})
    with pytest.raises(TopicsDiffer, match="partitions"):
        run(wrong, lambda _: ToyEngine(INPUTS))
