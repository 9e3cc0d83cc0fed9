"""A care team that has read docs/subscribing.md and nothing else, against the real worker and projector."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import redis
from kafka import KafkaProducer

from monitor.engine import Engine
from monitor.settings import Settings
from stream_schemas.topics import ALERT_COMMANDS
from tests.conftest import NewSettings
from tests.engine.feed import MINUTE, START, Feed, feed
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.world import compare, read, settled, status, until

PAGE = (Path(__file__).parents[2] / "docs" / "subscribing.md").read_text()
KAFKA, REDIS, ANSWER = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
DAY_START = START + 600 * MINUTE
WEARERS = 12


def an_afternoon() -> Feed:
    """Twelve wearers: a third at 128 bpm at rest for a while, a quarter with two severe readings, one bad record."""
    f = feed()
    for w in range(WEARERS):
        wearer = f"w{w}"
        f.profile(wearer, DAY_START - MINUTE, team="south" if w % 2 else "north")
        f.minutes(wearer, DAY_START, [70] * 12 + ([128] * 25 if w % 3 == 0 else [72] * 25) + [71] * 3)
        if w % 4 == 0:
            f.pressure(wearer, DAY_START + 20 * MINUTE, 188, 104)
            f.pressure(wearer, DAY_START + 27 * MINUTE, 190, 100)
    f.publish("vitals.heart-rate.v1", b"junk", DAY_START + 30 * MINUTE, key="w1")
    return f


def publish(settings: Settings, f: Feed, *, after_ms: int = 0, until_ms: int = 1 << 60) -> int:
    rows = [(r.stamp_ms, topic, p, r) for (topic, p), records in f.records.items() for r in records]
    rows = sorted((row for row in rows if after_ms <= row[0] < until_ms), key=lambda row: row[0])
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    for stamp, topic, p, r in rows:
        producer.send(settings.kafka.topic_prefix + topic, key=r.key, value=r.value, partition=p, timestamp_ms=stamp)
    producer.flush(patience(30))
    producer.close()
    return len(rows)


def follow(code: str, settings: Settings, tail: str = "") -> str:
    """Run a page's code as it stands, but for addresses and the test's prefixes."""
    for said, meant in (
        ("127.0.0.1:9092", settings.kafka.bootstrap_servers),
        ("redis://127.0.0.1:6379/0", settings.redis.url),
        ('"alerts.north.v1"', f'"{settings.kafka.topic_prefix}alerts.north.v1"'),
        ('"alert-commands.v1"', f'"{settings.kafka.topic_prefix}alert-commands.v1"'),
        ("pw:{", settings.redis.key_prefix + "{"),
    ):
        code = code.replace(said, meant)
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, timeout=patience(60), check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def open_in_kafka(settings: Settings) -> dict[str, dict[str, object]]:
    newest: dict[str, dict[str, object]] = {}
    for row in read(settings, "alerts.north.v1"):
        alert = json.loads(row.value or b"")
        if alert["version"] > newest.get(alert["alert_id"], {"version": 0})["version"]:
            newest[alert["alert_id"]] = alert
    return {k: a for k, a in newest.items() if a["workflow"] != "closed"}


def test_readers_of_kafka_and_of_redis_see_the_same_alerts_and_an_answer_comes_back(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream={"clock": "log"}, scoring={"enabled": False})
    published = publish(settings, an_afternoon())
    processes.start(settings, "monitor", "worker")
    processes.start(settings, "monitor", "projector")
    until("all is read", lambda: settled(settings, "worker-1")["ingested"] == published - 1, 60)
    assert settled(settings, "worker-1")["dead"] == 1
    until("time has passed it", lambda: status(settings, "worker-1")["T_ms"] >= DAY_START + 39 * MINUTE)
    r = redis.Redis.from_url(settings.redis.url, decode_responses=True, socket_timeout=10)
    active = f"{settings.redis.key_prefix}{{north}}:active"
    until("Redis follows", lambda: len(open_in_kafka(settings)) == r.zcard(active) >= 4)
    expected = open_in_kafka(settings)

    from_kafka = follow(KAFKA, settings).strip().splitlines()
    from_redis = follow(REDIS, settings).strip().splitlines()
    assert len(from_kafka) == len(expected)
    assert {line.split(" Ask")[0].split(" Call")[0].split(" Review")[0] for line in from_kafka} == set(from_redis)
    assert from_redis[0].startswith("high BP_SEVERE Cuff reading 190/100 mmHg")

    def document() -> dict[str, object]:
        """The worst open alert, as Redis has it."""
        alert_id = next(iter(r.zrevrange(active, 0, 0)))
        return dict(json.loads(str(r.hget(f"{settings.redis.key_prefix}{{north}}:alert:{alert_id!s}", "doc"))))

    worst = document()
    follow(f"alert = {worst!r}\n" + ANSWER, settings)
    until("the command is in the log", lambda: len(read(settings, ALERT_COMMANDS)) == 1)
    until("the answer is a new version", lambda: document()["workflow"] == "acked")


def test_a_killed_worker_with_the_real_engine_gives_the_same_alerts_byte_for_byte(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(
        stream={"clock": "log", "session_timeout_s": 6.0, "heartbeat_s": 1.0}, scoring={"enabled": False}
    )
    f = an_afternoon()
    half = DAY_START + 25 * MINUTE
    published = publish(settings, f, until_ms=half)
    first = processes.start(settings, "monitor", "worker")
    until("the first half is read", lambda: settled(settings, "worker-1")["ingested"] == published, 60)
    first.send_signal(signal.SIGKILL)
    first.wait()
    published += publish(settings, f, after_ms=half)
    second = processes.start(settings, "monitor", "worker")
    until("all is read", lambda: settled(settings, "worker-1")["ingested"] == published - 1, 90)
    second.terminate()
    second.wait(patience(10))

    engine = Engine(settings.limits, partitions=settings.stream.partitions, teams=settings.teams, log_clock=True)
    for topic in ("alerts.north.v1", "alerts.south.v1", "dead-letter.v1"):
        expected, _ = compare(settings, engine, topic)
        assert expected >= 1
