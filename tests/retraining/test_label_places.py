"""Labels go where the journal is, once, whatever happens to their topic."""

from pathlib import Path

import pytest
from kafka import KafkaProducer

from models.journal_reading import Journal
from models.journal_tables import LABELS, TABLES
from monitor.errors import StoreUnreachable
from monitor.retraining import labels
from monitor.settings import Settings
from monitor.topics import connected, create, log_name
from stream_schemas import topics
from stream_schemas.codec import encode
from stream_schemas.label import LabelEvent
from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from tests.conftest import PARTITIONS


def publish(settings: Settings, onset_minute: int) -> None:
    event = LabelEvent.model_validate(
        {
            "schema": "label/1",
            "event_id": f"label-{onset_minute}",
            "wearer_id": "w-1",
            "outcome": "infection",
            "onset": rfc3339(onset_minute * 60_000),
            "asserted_by": "nurse",
        }
    )
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    partition = murmur2_partition(b"w-1", PARTITIONS)
    producer.send(settings.kafka.topic_prefix + topics.LABELS, key=b"w-1", value=encode(event), partition=partition)
    producer.flush()
    producer.close()


def at(settings: Settings, place: str) -> Settings:
    return settings.model_copy(update={"journal": settings.journal.model_copy(update={"place": place})})


def onsets(place: str) -> list[int]:
    rows = Journal(place).read(LABELS)
    assert rows is not None
    assert rows.schema.equals(TABLES[LABELS].schema)
    return sorted(rows["onset_minute"].to_pylist())


def test_labels_reach_a_journal_by_its_url_and_only_once(live_settings: Settings, tmp_path: Path) -> None:
    settings = at(live_settings, f"file://{tmp_path}/journal")
    publish(settings, 100)
    assert labels.copy(settings).labels == 1
    assert labels.copy(settings).labels == 0
    publish(settings, 200)
    assert labels.copy(settings).labels == 1
    assert onsets(settings.journal_place) == [100, 200]


def test_labels_of_a_topic_that_was_created_anew_are_not_taken_for_old_ones(
    live_settings: Settings, tmp_path: Path
) -> None:
    settings = at(live_settings, str(tmp_path / "journal"))
    publish(settings, 100)
    labels.copy(settings)
    before = log_name(settings, topics.LABELS)
    with connected(settings) as admin:
        admin.delete_topics([settings.kafka.topic_prefix + topics.LABELS])
    create(settings)
    assert log_name(settings, topics.LABELS) != before
    publish(settings, 300)
    assert labels.copy(settings).labels == 1
    assert onsets(settings.journal_place) == [100, 300]


def test_a_journal_that_takes_no_labels_is_named(live_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where a folder should be")
    publish(live_settings, 100)
    with pytest.raises(StoreUnreachable, match=r"PULSEWARDEN_JOURNAL__PLACE\) takes no labels: .*journal"):
        labels.copy(at(live_settings, str(tmp_path / "journal")))
