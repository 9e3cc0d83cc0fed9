"""A worker that reads a long replay while it is being written: T waits for what is on its way."""

import json
import random
from concurrent.futures import ThreadPoolExecutor

from kafka import KafkaProducer

from monitor.settings import Settings
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import INPUTS
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.test_worker import ALERTS
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import compare, settled, status, until

START_MS = 1_767_571_200_000  # 2026-01-05
WEARERS = 40
MINUTES = 200
RARE = {"vitals.blood-pressure.v1": 97, "vitals.sleep.v1": 1_013, "context.weather.v1": 61}


def write_replay(settings: Settings, seed: int) -> int:
    """Write some hours of every wearer in the order of time, as fast as it goes; return how many records."""
    chance = random.Random(seed)
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, linger_ms=20)
    written = 0
    for minute in range(MINUTES):
        for i in range(WEARERS):
            key = b"w%d" % i
            topics = ["vitals.heart-rate.v1", "vitals.activity.v1"]
            topics += [topic for topic, every in RARE.items() if (minute * WEARERS + i) % every == 0]
            for topic in topics:
                value = json.dumps(
                    {"wearer_id": key.decode(), "n": minute, "pad": "x" * chance.randrange(400)}
                ).encode()
                producer.send(
                    settings.kafka.topic_prefix + topic,
                    value,
                    key=key,
                    partition=murmur2_partition(key, settings.stream.partitions),
                    timestamp_ms=START_MS + minute * 60_000 + i * 1_000,
                )
                written += 1
    producer.flush(patience(30))
    producer.close()
    return written


def test_a_worker_that_reads_a_replay_while_it_is_written_counts_nearly_nothing_below_T(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream={"clock": "log"})
    processes.toy(settings)
    until("it owns all", lambda: len(settled(settings, "w1")["assigned"]) == 4)
    with ThreadPoolExecutor() as pool:
        written = pool.submit(write_replay, settings, 7).result()
    until("everything is in", lambda: settled(settings, "w1")["ingested"] == written)
    last_ms = START_MS + (MINUTES - 1) * 60_000
    until("T is at the end of the log", lambda: status(settings, "w1")["T_ms"] >= last_ms)
    print(status(settings, "w1"))
    # None where the writer is never held up for a second; without the wait it was a fifth of all records.
    assert status(settings, "w1")["below_T"] <= written // 100
    assert compare(settings, ToyEngine(INPUTS), ALERTS)[0] > 0
