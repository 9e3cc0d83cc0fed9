"""A training, from labels in Kafka to a switch in every partition of Kafka, and every way to be refused."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import structlog
import torch
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from rich.console import Console

from models import bundle
from models.heads import HEADS
from models.network import LOGITS, Network, Shape
from models.recipe import Recipe
from models.registry import Registry
from monitor.errors import SettingsInvalid
from monitor.retraining import job, labels, schedule
from monitor.retraining.verdict import Row, Verdict
from monitor.settings import Settings
from stream_schemas.codec import encode
from stream_schemas.label import LabelEvent
from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from tests.conftest import PARTITIONS, NewSettings
from tests.models.village import make_village

TINY = dataclasses.replace(
    Recipe(),
    epochs=2,
    samples_per_epoch=1024,
    batch=64,
    learning_rate=3e-3,
    tick_min=30,
    bootstrap=60,
    shares=(0.4, 0.2, 0.2, 0.2),
    shape=Shape(width=32, latents=4, depth=1, attention_heads=2, recurrent=16),
)


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_village(tmp_path_factory.mktemp("village"), wearers=40, days=2, seed=1)


@pytest.fixture
def settings(new_settings: NewSettings, village: Path) -> Settings:
    """Settings whose journal is the village's, with its labels in Kafka instead of in the journal."""
    made = new_settings(trainer={"seed": TINY.seed})
    for table in village.iterdir():
        if table.name != labels.TABLE:
            (Path(made.journal_place) / table.name).parent.mkdir(parents=True, exist_ok=True)
            (Path(made.journal_place) / table.name).symlink_to(table)
    rows = [row for row in pq.read_table(village / labels.TABLE).to_pylist() if row["outcome"] == "tachycardia_at_rest"]
    publish(made, [label_event(number, as_seen_now(row)) for number, row in enumerate(rows)])
    return made


def as_seen_now(row: dict[str, Any]) -> dict[str, Any]:
    """Ask for what can be seen while it lasts: a model this small foresees nothing."""
    return {**row, "outcome": "atrial_fibrillation", "onset_minute": row["onset_minute"] - 40}


def label_event(number: int, row: dict[str, Any]) -> LabelEvent:
    onset, end = row["onset_minute"], row["end_minute"]
    return LabelEvent.model_validate(
        {
            "schema": "label/1",
            "event_id": f"label-{number}",
            "wearer_id": row["wearer_id"],
            "outcome": row["outcome"],
            "onset": rfc3339(onset * 60_000),
            "end": rfc3339(end * 60_000) if end is not None else None,
            "asserted_by": "village",
        }
    )


def publish(settings: Settings, events: list[LabelEvent]) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    for event in events:
        producer.send(
            settings.kafka.topic_prefix + "labels.v1",
            key=event.wearer_id.encode(),
            value=encode(event),
            partition=murmur2_partition(event.wearer_id.encode(), PARTITIONS),
        )
    producer.flush()
    producer.close()


def know_nothing(settings: Settings) -> str:
    """Make a model champion that answers no question at all; return its version."""
    manifest = bundle.Manifest(
        shape=TINY.shape,
        trained=(False,) * len(HEADS),
        limits=(None,) * len(HEADS),
        slope=(1.0,) * LOGITS,
        intercept=(0.0,) * LOGITS,
        budget_per_wearer_day=0.02,
        training={"origin": "nothing"},
    )
    folder = settings.state_dir / "ignorant"
    bundle.save(folder, Network(TINY.shape), manifest, report={}, card="# Knows nothing\n")
    registry = Registry(settings.registry_folder)
    version = registry.add(folder)
    registry.promote(version)
    return version


def switches(settings: Settings) -> dict[int, list[dict[str, str]]]:
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap_servers, auto_offset_reset="earliest")
    topic = settings.kafka.topic_prefix + "control.v1"
    partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found: dict[int, list[dict[str, str]]] = {partition: [] for partition in range(PARTITIONS)}
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for place, records in consumer.poll(timeout_ms=500).items():
            found[place.partition] += [json.loads(record.value) for record in records]
    consumer.close()
    return found


def test_a_better_candidate_becomes_champion_and_every_partition_is_told_and_its_twin_is_refused(
    settings: Settings,
) -> None:
    ignorant = know_nothing(settings)

    first = job.retrain(settings, TINY)

    assert first.promoted, first.reasons
    assert first.labels > 0
    registry = Registry(settings.registry_folder)
    assert registry.champion() == first.candidate != ignorant
    told = switches(settings)
    assert {len(switch) for switch in told.values()} == {1}
    for (switch,) in told.values():
        assert switch["model_version"] == first.candidate
        folder = Path(switch["bundle_url"].removeprefix("file://"))
        assert bundle.verified(folder)[1] == switch["sha256"]

    with structlog.testing.capture_logs() as logs:
        second = job.retrain(settings, TINY)

    assert not second.promoted
    assert any("Not better" in reason for reason in second.reasons)
    assert [entry["reason"] for entry in logs if entry["event"] == "why it was refused"] == list(second.reasons)
    assert registry.champion() == first.candidate
    assert switches(settings) == told
    assert second.labels == 0, "labels that were copied once are not copied again"


def test_too_few_wearers_are_refused_before_any_training(new_settings: NewSettings, village: Path) -> None:
    settings = new_settings(trainer={"min_wearers": 41}, journal={"place": str(village)})

    verdict = job.retrain(settings, TINY)

    assert not verdict.promoted
    assert verdict.candidate is None
    assert verdict.reasons == ["The journal holds 40 wearers; 41 are needed."]


def test_an_empty_journal_is_refused_with_a_sentence(new_settings: NewSettings) -> None:
    verdict = job.retrain(new_settings(), TINY)

    assert not verdict.promoted
    assert "has no minutes table" in verdict.reasons[0]


def test_another_seed_is_refused_because_the_champion_may_know_the_people(settings: Settings) -> None:
    know_nothing(settings)
    manifest = bundle.load(Registry(settings.registry_folder).champion_path() or Path())[1]
    folder = settings.state_dir / "ours"
    training = {"origin": job.ORIGIN, "recipe": {"seed": TINY.seed + 1, "shares": TINY.shares}}
    ours = dataclasses.replace(manifest, training=training)
    bundle.save(folder, Network(TINY.shape), ours, report={}, card="# Ours\n")
    registry = Registry(settings.registry_folder)
    registry.promote(registry.add(folder))

    verdict = job.retrain(settings, TINY)

    assert not verdict.promoted
    assert "PULSEWARDEN_TRAINER__SEED 8" in verdict.reasons[0]


def test_a_label_that_is_none_is_counted_by_reason_and_the_others_are_copied(live_settings: Settings) -> None:
    row: dict[str, Any] = {"wearer_id": "w-1", "outcome": "infection", "onset_minute": 100, "end_minute": None}
    publish(live_settings, [label_event(1, row)])
    producer = KafkaProducer(bootstrap_servers=live_settings.kafka.bootstrap_servers)
    topic = live_settings.kafka.topic_prefix + "labels.v1"
    producer.send(topic, key=b"w-1", value=b"{", partition=murmur2_partition(b"w-1", PARTITIONS))
    producer.flush()
    producer.close()

    copied = labels.copy(live_settings)

    assert copied.labels == 1
    assert copied.refused == {"malformed_json": 1}
    (row_read,) = pq.read_table(Path(live_settings.journal_place) / labels.TABLE).to_pylist()
    assert (row_read["wearer_id"], row_read["onset_minute"], row_read["end_minute"]) == ("w-1", 100, None)


def test_a_cron_line_that_is_none_is_named_with_its_setting() -> None:
    with pytest.raises(SettingsInvalid, match="PULSEWARDEN_TRAINER__CRON is 'nightly'"):
        schedule.trigger("nightly")


def test_the_table_shows_both_models_and_every_reason() -> None:
    console = Console(record=True, width=90, file=None, quiet=True)
    verdict = Verdict(False, "a" * 12, "b" * 12, ["Not better."], [Row("infection", "AUROC", 0.71, None)], 40, 3)

    with console.capture() as captured:
        console.quiet = False
        schedule.show(verdict, console)

    text = captured.get()
    assert "0.710" in text
    assert f"Refused: {'a' * 12} is not better; {'b' * 12} stays." in text
    assert "- Not better." in text
