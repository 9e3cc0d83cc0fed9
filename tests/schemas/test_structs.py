"""The msgspec structs used inside and the pydantic models of the wire are the same events, field by field."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from stream_schemas.alert import Advice, AdviceEvent, Alert, AlertEvent, Trigger, TriggerEvent
from stream_schemas.codec import decode, encode
from stream_schemas.command import AlertCommand, AlertCommandEvent
from stream_schemas.control import Control, ControlEvent
from stream_schemas.dead_letter import KEPT_BYTES, DeadLetter, DeadLetterEvent, dead_letter
from stream_schemas.event import Event
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.score import RiskScores, RiskScoresEvent
from stream_schemas.topics import ALERTS, BY_NAME, DEAD_LETTER, TOPICS
from stream_schemas.wearer import OwnLimits, OwnLimitsEvent, WearerEvent, WearerProfile

EXAMPLES = Path(__file__).parent / "examples"
PAIRS: list[tuple[type[msgspec.Struct], type[BaseModel]]] = [
    (Alert, AlertEvent),
    (Trigger, TriggerEvent),
    (Advice, AdviceEvent),
    (AlertCommand, AlertCommandEvent),
    (Control, ControlEvent),
    (DeadLetter, DeadLetterEvent),
    (RiskScores, RiskScoresEvent),
    (WearerProfile, WearerEvent),
    (OwnLimits, OwnLimitsEvent),
]
WHOLE = [(struct, model) for struct, model in PAIRS if "schema_" in model.model_fields]


@pytest.mark.parametrize(("struct", "model"), PAIRS, ids=lambda kind: kind.__name__)
def test_a_struct_has_the_fields_of_its_model_in_the_same_order(
    struct: type[msgspec.Struct], model: type[BaseModel]
) -> None:
    wire_names = [field.alias or name for name, field in model.model_fields.items()]
    assert list(struct.__struct_encode_fields__) == wire_names


@pytest.mark.parametrize(("struct", "model"), WHOLE, ids=lambda kind: kind.__name__)
def test_what_a_struct_writes_its_model_reads_and_back(struct: type[msgspec.Struct], model: type[BaseModel]) -> None:
    schema = str(model.model_fields["schema_"].default)
    topic = next(topic for topic in TOPICS if topic.schema == schema)
    files = sorted((EXAMPLES / schema.split("/")[0] / "v1/valid").glob("*.json"))
    assert files
    for file in files:
        inside = msgspec.json.decode(file.read_bytes(), type=struct)
        identity: str | None = getattr(inside, topic.key, None)
        event = decode(topic.name, identity.encode() if identity is not None else None, encode(inside))
        assert isinstance(event, Event), file
        assert event == decode(topic.name, identity.encode() if identity is not None else None, file.read_bytes())
        again = msgspec.json.decode(encode(event), type=struct)
        assert encode(msgspec.json.decode(encode(again), type=struct)) == encode(again)


def test_an_alert_is_the_same_bytes_each_time_with_absent_fields_as_nulls() -> None:
    text = (EXAMPLES / "alert/v1/valid/least.json").read_bytes()
    first, second = (encode(msgspec.json.decode(text, type=Alert)) for _ in range(2))
    assert first == second
    assert json.loads(first)["model_version"] is None


def test_a_struct_cannot_be_changed() -> None:
    alert: Any = msgspec.json.decode((EXAMPLES / "alert/v1/valid/least.json").read_bytes(), type=Alert)
    with pytest.raises(AttributeError):
        alert.version = 2


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff" * (KEPT_BYTES + 1), b"x" * 4_100_000])
@pytest.mark.parametrize("key", [None, b"", b"\xff", b"k" * 4_000_000])
def test_a_dead_letter_of_any_record_is_accepted_by_its_model_and_its_topic(
    key: bytes | None, value: bytes | None
) -> None:
    letter = dead_letter(
        Rejected(0, Reason.MALFORMED_JSON, "x"),
        topic="vitals.heart-rate.v1",
        partition=3,
        offset=9,
        received_at_ms=1,
        key=key,
        value=value,
    )
    event = decode(DEAD_LETTER, key, encode(letter))
    assert isinstance(event, DeadLetterEvent)
    assert event.value_bytes == len(value or b"")
    assert (event.value_base64 is None) == (value is None)
    assert len(encode(letter)) + len(key or b"") < BY_NAME[DEAD_LETTER].max_message_bytes


def test_a_key_that_is_not_the_alert_id_is_refused() -> None:
    verdict = decode(ALERTS, b"w1", (EXAMPLES / "alert/v1/valid/least.json").read_bytes())
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.KEY_MISMATCH
