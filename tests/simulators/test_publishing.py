"""What is published is in Kafka: counted, keyed, in the right partition, with the right clock."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from typer.testing import CliRunner

from monitor.settings import Settings
from simulators import scenario, wearable
from simulators.errors import OptionRefused, ScenarioRefused
from stream_schemas import rfc3339, topics
from stream_schemas.partition import murmur2_partition
from tests.patience import patience

REPOSITORY = Path(__file__).parents[2]


def stored(settings: Settings, names: list[str]) -> list[tuple[str, int, bytes, bytes, int]]:
    """Read (topic, partition, key, value, timestamp) of all that the topics hold."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap_servers, enable_auto_commit=False)
    try:
        prefix = settings.kafka.topic_prefix
        places = [TopicPartition(prefix + name, p) for name in names for p in range(settings.stream.partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        found: list[tuple[str, int, bytes, bytes, int]] = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for place, records in consumer.poll(timeout_ms=500).items():
                found += [
                    (place.topic.removeprefix(prefix), place.partition, r.key, r.value, r.timestamp) for r in records
                ]
        return found
    finally:
        consumer.close()


def options(settings: Settings) -> dict[str, str]:
    return {"bootstrap_servers": settings.kafka.bootstrap_servers, "topic_prefix": settings.kafka.topic_prefix}


def test_a_run_of_another_time_on_the_brokers_clock_is_warned_of_and_others_are_not(
    live_settings: Settings, replay_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for settings, warned in ((live_settings, True), (replay_settings, False)):
        wearable.run(wearers=2, speed=5000, duration="2m", plain=True, **options(settings))  # type: ignore[arg-type]
        assert ("warning: these topics have the broker's time" in capsys.readouterr().err) is warned


def test_a_run_on_the_log_clock_is_in_kafka_whole_keyed_and_stamped(replay_settings: Settings, tmp_path: Path) -> None:
    truth_file = tmp_path / "truth.json"
    counts = wearable.run(
        wearers=30,
        speed=5000,
        seed=2,
        scenario_name="demo",
        duration="40m",
        truth_file=truth_file,
        plain=True,
        **options(replay_settings),  # type: ignore[arg-type]
    )
    found = stored(replay_settings, list(counts))
    assert Counter(topic for topic, *_ in found) == counts
    truth = json.loads(truth_file.read_text())
    assert truth["events_published"] == counts
    assert counts[topics.LABELS] == len(truth["episodes"])
    start_ms = 1_767_571_200_000
    for topic, partition, key, value, stamp in found:
        assert partition == murmur2_partition(key, replay_settings.stream.partitions)
        assert json.loads(value)["wearer_id"] == key.decode()
        assert topic not in topics.INPUTS or start_ms <= stamp < start_ms + 24 * 3_600_000


def test_ctrl_c_ends_a_live_run_cleanly_with_everything_counted(live_settings: Settings, tmp_path: Path) -> None:
    truth_file = tmp_path / "truth.json"
    command = [sys.executable, "-m", "simulators.wearable", "--wearers", "50", "--speed", "1", "--plain"]
    command += ["--duration", "10m", "--truth", str(truth_file)]
    environment = os.environ | {
        "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": live_settings.kafka.bootstrap_servers,
        "PULSEWARDEN_KAFKA__TOPIC_PREFIX": live_settings.kafka.topic_prefix,
    }
    consumer = KafkaConsumer(
        live_settings.kafka.topic_prefix + topics.HEART_RATE,
        bootstrap_servers=live_settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
        consumer_timeout_ms=30_000,
    )
    child = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        first = next(iter(consumer))
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=patience(30))
    finally:
        child.kill()
        child.wait()
        consumer.close()
    assert child.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
    published = json.loads(truth_file.read_text())["events_published"]
    assert Counter(topic for topic, *_ in stored(live_settings, list(published))) == published
    # Live: the broker's stamp is now; what a run begins with is at most two minutes old, and nothing is in the future.
    event = json.loads(first.value)
    measured = (rfc3339.epoch_ms(event["start"]) or 0) + event["offset_ms"][-1]
    assert 0 <= first.timestamp - measured < 125_000


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"wearers": 0}, "at least 1"),
        ({"speed": 0.5}, "--speed"),
        ({"speed": float("nan")}, "--speed"),
        ({"duration": "soon"}, "--duration"),
        ({"duration": "0s"}, "--duration"),
        ({"duration": "500d"}, "too much"),
        ({"start": "2026-01-05T00:00:00"}, "--start"),
        ({"teams": "North!"}, "team name"),
        ({"bootstrap_servers": "nowhere", "out": None}, "--bootstrap-servers"),
        ({"duplicates": 1.5}, "--duplicates"),
        ({"shuffle_s": -1.0}, "--shuffle-s"),
    ],
)
def test_a_wrong_option_is_refused_with_a_sentence(wrong: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(OptionRefused, match=says) as refused:
        wearable.run(**{"out": tmp_path / "lines", "plain": True, **wrong})  # type: ignore[arg-type]
    assert str(refused.value).endswith(".")


def test_a_wrong_scenario_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScenarioRefused, match="demo"):
        scenario.load("nonsense")
    (tmp_path / "x.toml").write_text('description = "d"\n[episodes]\nhiccups = { per_day = 1 }\n')
    with pytest.raises(ScenarioRefused, match="hiccups"):
        scenario.load(str(tmp_path / "x.toml"))


def test_an_absent_kafka_is_told_without_a_traceback() -> None:
    result = CliRunner().invoke(
        wearable.app, ["--wearers", "1", "--duration", "1m", "--bootstrap-servers", "127.0.0.1:1", "--plain"]
    )
    assert result.exit_code == 2
    assert "python -m monitor up" in result.output
    assert "Traceback" not in result.output
