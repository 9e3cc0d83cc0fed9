"""The table of topics is complete and consistent with the events."""

import pytest

from stream_schemas.codec import topic_of
from stream_schemas.topics import ALERTS, BY_NAME, CUTS, DEAD_LETTER, INPUTS, TOPICS, Topic, alerts_topic, topics_of


def test_names_and_schemas_are_unique() -> None:
    assert len({topic.name for topic in TOPICS}) == len({topic.schema for topic in TOPICS}) == len(TOPICS)


def test_the_inputs_are_in_the_order_that_cuts_are_written_in() -> None:
    assert INPUTS == (
        "vitals.heart-rate.v1",
        "vitals.blood-pressure.v1",
        "vitals.sleep.v1",
        "vitals.activity.v1",
        "context.weather.v1",
        "context.wearer.v1",
        "alert-commands.v1",
        "risk.scores.v1",
        "control.v1",
    )


@pytest.mark.parametrize("topic", [BY_NAME[name] for name in INPUTS], ids=lambda topic: topic.name)
def test_a_too_large_value_still_arrives_and_the_broker_stamps_it(topic: Topic) -> None:
    assert topic.timestamp_type == "LogAppendTime"
    assert topic.max_message_bytes >= 4 * 1024 * 1024 > topic.largest_value_bytes
    assert BY_NAME[DEAD_LETTER].max_message_bytes >= 2 * topic.max_message_bytes


def test_cuts_outlive_the_inputs_that_they_speak_of() -> None:
    kept = [BY_NAME[name].retention_ms for name in INPUTS if name not in {"control.v1", "context.wearer.v1"}]
    assert BY_NAME[CUTS].retention_ms > max(kept)


def test_tombstones_stay_readable_as_long_as_vitals() -> None:
    config = BY_NAME["context.wearer.v1"].config()
    assert int(config["delete.retention.ms"]) >= BY_NAME["vitals.heart-rate.v1"].retention_ms
    assert int(config["min.compaction.lag.ms"]) >= BY_NAME["vitals.heart-rate.v1"].retention_ms
    assert {topic.name for topic in TOPICS if topic.cleanup_policy == "compact"} == {"context.wearer.v1"}


def test_every_team_gets_an_alert_topic() -> None:
    names = [topic.name for topic in topics_of(("north", "south"))]
    assert {"alerts.north.v1", "alerts.south.v1"} < set(names)
    assert ALERTS not in names
    assert len(names) == len(TOPICS) + 1
    assert topic_of(alerts_topic("north")).schema == "alert/1"


def test_a_topic_that_is_not_in_the_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        topic_of("vitals.mood.v1")
