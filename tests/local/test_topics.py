"""Topics are created as the table says, and a broker that says otherwise is refused in a sentence."""

import subprocess
import sys
import time

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from monitor import topics
from monitor.errors import BrokerUnreachable, TopicsDiffer
from monitor.local import servers
from monitor.settings import Settings, load
from monitor.topic_config import Listed, Wanted, configuration, differing
from monitor.topic_differences import differences, remarks
from stream_schemas.topics import INPUTS, TOPICS
from tests.conftest import NewSettings
from tests.patience import patience


def with_partitions(settings: Settings, partitions: int) -> Settings:
    return settings.model_copy(update={"stream": settings.stream.model_copy(update={"partitions": partitions})})


def with_copies(settings: Settings, copies: int) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"replication_factor": copies})})


def alter(settings: Settings, topic: str, **configs: str) -> None:
    name = settings.kafka.topic_prefix + topic
    wrong = {key.replace("_", "."): value for key, value in configs.items()}
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=wrong)])
    admin.close()


def found(settings: Settings, sentences: int) -> list[str]:
    """Check until so many sentences come; the broker answers an alteration before it has applied it."""
    deadline = time.monotonic() + patience(10)
    while len(got := topics.check(settings)) < sentences and time.monotonic() < deadline:
        time.sleep(0.05)
    return got


def environment(settings: Settings) -> dict[str, str]:
    return {
        "PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "PULSEWARDEN_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "PULSEWARDEN_STREAM__PARTITIONS": str(settings.stream.partitions),
        "PULSEWARDEN_STATE_DIR": str(settings.state_dir),
    }


def test_created_topics_are_what_the_table_says_and_creating_again_changes_nothing(live_settings: Settings) -> None:
    assert topics.check(live_settings) == []
    assert topics.create(live_settings) == []
    rows = topics.listing(live_settings)
    assert {row.partitions for row in rows} == {4}
    assert len(rows) == len(TOPICS) - 1 + len(live_settings.teams)
    by_name = {row.topic.name: row.config for row in rows}
    assert by_name["vitals.heart-rate.v1"]["message.timestamp.type"] == "LogAppendTime"
    assert by_name["context.wearer.v1"]["cleanup.policy"] == "compact"
    topics.require(live_settings)


def test_on_a_log_clock_inputs_keep_their_writers_times_for_ever(replay_settings: Settings) -> None:
    by_name = {row.topic.name: row.config for row in topics.listing(replay_settings)}
    for name in INPUTS:
        assert by_name[name]["message.timestamp.type"] == "CreateTime"
        assert by_name[name]["retention.ms"] == "-1"
    assert by_name["cuts.v1"]["message.timestamp.type"] == "LogAppendTime"
    producer = KafkaProducer(bootstrap_servers=replay_settings.kafka.bootstrap_servers)
    topic = f"{replay_settings.kafka.topic_prefix}vitals.heart-rate.v1"
    far_ahead_ms = 4_102_444_800_000  # the year 2100: a simulation runs ahead of the broker's clock
    assert producer.send(topic, b"{}", timestamp_ms=far_ahead_ms).get(patience(20)).timestamp == far_ahead_ms
    producer.close()


def test_another_partition_count_is_refused_with_the_two_ways_out(live_settings: Settings) -> None:
    with pytest.raises(TopicsDiffer) as refused:
        topics.require(with_partitions(live_settings, 8))
    sentence = str(refused.value)
    assert "The topics have 4 partitions, but the settings say 8" in sentence
    assert "PULSEWARDEN_STREAM__PARTITIONS=4" in sentence
    assert "PULSEWARDEN_KAFKA__TOPIC_PREFIX" in sentence


def test_unequal_partition_counts_are_refused(live_settings: Settings) -> None:
    admin = KafkaAdminClient(bootstrap_servers=live_settings.kafka.bootstrap_servers)
    odd = f"{live_settings.kafka.topic_prefix}vitals.sleep.v1"
    admin.create_partitions({odd: 6})
    admin.close()
    (sentence,) = found(live_settings, 1)
    assert f"different partition counts ({odd} 6, others 4)" in sentence
    assert "`python -m monitor topics grow`" in sentence


def test_a_configuration_that_differs_is_named_and_alter_sets_it(live_settings: Settings) -> None:
    name = f"{live_settings.kafka.topic_prefix}vitals.activity.v1"
    admin = KafkaAdminClient(bootstrap_servers=live_settings.kafka.bootstrap_servers)
    wrong = {"message.timestamp.type": "CreateTime", "retention.ms": "1000"}
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=wrong)])
    admin.close()
    sentences = found(live_settings, 2)
    assert any(f"Topic {name} has message.timestamp.type=CreateTime, but the table says" in one for one in sentences)
    assert any("has retention.ms=1000" in one and "topics create --alter" in one for one in sentences)
    topics.create(live_settings, alter=True)
    assert topics.check(live_settings) == []


def test_a_longer_memory_than_the_table_asks_for_is_fine(live_settings: Settings) -> None:
    name = f"{live_settings.kafka.topic_prefix}vitals.activity.v1"
    admin = KafkaAdminClient(bootstrap_servers=live_settings.kafka.bootstrap_servers)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "-1"})])
    admin.close()
    assert topics.check(live_settings) == []


def test_no_topic_may_lose_what_was_acknowledged(live_settings: Settings) -> None:
    for row in topics.listing(live_settings):
        assert row.config["unclean.leader.election.enable"] == "false"
        assert row.config["retention.bytes"] == "-1"
        assert row.config["min.insync.replicas"] == "1"  # of one copy
        assert row.copies == 1
    alter(live_settings, "cuts.v1", unclean_leader_election_enable="true", retention_bytes="1000000")
    sentences = found(live_settings, 2)
    assert any("cuts.v1 has unclean.leader.election.enable=true, but the table says false" in one for one in sentences)
    assert any("cuts.v1 has retention.bytes=1000000" in one and "--alter" in one for one in sentences)
    topics.create(live_settings, alter=True)
    assert topics.check(live_settings) == []


def test_more_copies_in_sync_than_there_are_is_mended(live_settings: Settings) -> None:
    alter(live_settings, "cuts.v1", min_insync_replicas="2")  # nothing could be written any more
    (sentence,) = found(live_settings, 1)
    assert "cuts.v1 has min.insync.replicas=2, but the table says 1" in sentence
    topics.create(with_copies(live_settings, 3), alter=True)  # the settings' word does not make copies
    assert topics.check(live_settings) == []


def test_copies_that_are_missing_are_named_with_the_two_ways_out(live_settings: Settings) -> None:
    (sentence,) = topics.check(with_copies(live_settings, 3))
    assert "the settings say 3 of each partition" in sentence
    assert "has 1: add some with Kafka's own kafka-reassign-partitions.sh" in sentence
    assert "set PULSEWARDEN_KAFKA__REPLICATION_FACTOR=1" in sentence


def test_more_copies_than_there_are_brokers_is_one_sentence(live_settings: Settings) -> None:
    elsewhere = live_settings.model_copy(
        update={"kafka": live_settings.kafka.model_copy(update={"topic_prefix": "nowhere.", "replication_factor": 3})}
    )
    with pytest.raises(TopicsDiffer, match="3 copies of each topic, but Kafka has 1 broker: start more, or set"):
        topics.create(elsewhere)


def test_one_copy_is_a_note_and_no_error(live_settings: Settings) -> None:
    assert topics.check(live_settings) == []
    (note,) = topics.notes(live_settings)
    assert note.startswith("acks=all on one copy: a lost disk loses the log")
    assert "PULSEWARDEN_KAFKA__REPLICATION_FACTOR=3" in note


def listed(copies: int) -> list[Listed]:
    return [Listed("t", TOPICS[0], 16, dict(configuration(TOPICS[0], load())), copies)]


def test_more_copies_than_the_settings_say_are_fine_and_noted() -> None:
    settings = load()
    rows = [Wanted("t", TOPICS[0], configuration(TOPICS[0], settings))]
    assert differences(listed(3), rows, settings) == []
    assert [note.partition(":")[0] for note in remarks(listed(3), settings)] == [
        "The topics have 3 copies, the settings say 1"
    ]
    assert [note.partition(":")[0] for note in remarks(listed(2), load(kafka={"replication_factor": 2}))] == [
        "acks=all on two copies"
    ]


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_of_three_copies_two_must_have_a_record(copies: int, in_sync: str) -> None:
    settings = load(kafka={"replication_factor": copies})
    assert configuration(TOPICS[0], settings)["min.insync.replicas"] == in_sync


def test_a_stricter_choice_of_the_operator_stands() -> None:
    settings = load(kafka={"replication_factor": 2})
    row = Wanted("t", TOPICS[0], configuration(TOPICS[0], settings))
    for in_sync, expected in (("1", {}), ("2", {}), ("3", {"min.insync.replicas": "1"})):
        have = Listed("t", TOPICS[0], 16, row.config | {"min.insync.replicas": in_sync}, 2)
        assert differing(row, have) == expected


def test_the_command_line_creates_checks_and_lists(new_settings: NewSettings) -> None:
    settings = new_settings(kafka={"topic_prefix": f"{new_settings().kafka.topic_prefix}cli."})

    def pulsewarden(*arguments: str, partitions: int = 4, copies: int = 1) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitor", "topics", *arguments],
            env={
                **environment(settings),
                "PULSEWARDEN_STREAM__PARTITIONS": str(partitions),
                "PULSEWARDEN_KAFKA__REPLICATION_FACTOR": str(copies),
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=patience(60),
        )

    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    admin.delete_topics([f"{settings.kafka.topic_prefix}labels.v1"])
    admin.close()
    missing = pulsewarden("check")
    assert missing.returncode == 1
    assert "labels.v1: run `python -m monitor topics create`" in missing.stderr
    assert "labels.v1" in pulsewarden("create").stdout
    checked = pulsewarden("check")
    assert checked.returncode == 0
    assert "Note: acks=all on one copy: a lost disk loses the log" in checked.stdout
    assert "heart-rate/1" in pulsewarden("list").stdout
    alone = pulsewarden("create", copies=3)
    assert alone.returncode == 2
    assert "pulsewarden: Copies are missing: the settings say 3 of each partition" in alone.stderr
    refused = pulsewarden("create", partitions=3)
    assert refused.returncode == 2
    assert "the settings say 3" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_no_kafka_is_one_sentence_that_says_how_to_start_one() -> None:
    (port,) = servers.free_ports(1)
    settings = load(kafka={"bootstrap_servers": f"127.0.0.1:{port}"})
    with pytest.raises(
        BrokerUnreachable, match=r"No Kafka answers at 127\.0\.0\.1:\d+: start one with `python -m monitor up`"
    ):
        topics.check(settings)
