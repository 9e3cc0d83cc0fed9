"""docs/publishing.md is true: its examples are accepted, its tables are complete, its producer works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer

from monitor.settings import Settings
from stream_schemas.codec import decode
from stream_schemas.event import Event
from stream_schemas.heart_rate import HeartRateEvent
from stream_schemas.partition import murmur2_partition
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.topics import BY_NAME, HEART_RATE

PAGE = (Path(__file__).parents[2] / "docs" / "publishing.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))


def block(language: str, text: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, language
    return found.group(1)


def test_every_topic_that_others_write_is_described() -> None:
    ours = {"worker", "trainer, operators"}
    assert set(SECTIONS) == {topic.name for topic in BY_NAME.values() if topic.writers not in ours}


@pytest.mark.parametrize("topic", SECTIONS)
def test_an_example_is_accepted(topic: str) -> None:
    value = block("json", SECTIONS[topic]).encode()
    verdict = decode(topic, b"w-4711", value)
    assert isinstance(verdict, Event), verdict


@pytest.mark.parametrize("topic", SECTIONS)
def test_a_table_names_every_field(topic: str) -> None:
    common = {"schema_", "event_id", "wearer_id", "device_id"}
    table = "\n".join(line for line in SECTIONS[topic].splitlines() if line.startswith("|"))
    missing = [name for name in BY_NAME[topic].events[0].model_fields if name not in common and name not in table]
    assert missing == []


def test_the_reasons_are_all_there_in_order() -> None:
    listed = re.findall(r"^\| ([a-z_]+) \|", PAGE.split("## What becomes a dead letter")[1], re.MULTILINE)
    assert listed == ["reason", *(reason.value for reason in Reason)]


def test_the_producer_of_the_page_reaches_a_real_broker_in_the_right_partition(live_settings: Settings) -> None:
    kafka = live_settings.kafka
    topic = f"{kafka.topic_prefix}{HEART_RATE}"
    source = block("python", PAGE).replace(HEART_RATE, topic).replace("127.0.0.1:9092", kafka.bootstrap_servers)
    assert topic in source
    names: dict[str, Any] = {}
    exec(compile(source, "publishing.md", "exec"), names)  # noqa: S102  # our own page
    names["producer"].close()
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        group_id=None,
        consumer_timeout_ms=30_000,
    )
    record = next(consumer)
    consumer.close()
    verdict = decode(HEART_RATE, record.key, record.value)
    assert not isinstance(verdict, Rejected)
    assert isinstance(verdict, HeartRateEvent)
    assert json.loads(record.value)["bpm"] == verdict.bpm
    assert record.partition == murmur2_partition(record.key, live_settings.stream.partitions)
