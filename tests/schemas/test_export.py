"""The exported schemas say what the readers do, as far as JSON Schema can."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stream_schemas.event import Event
from stream_schemas.export import ASYNCAPI, asyncapi, export, file_name, json_schema
from stream_schemas.topics import TOPICS

EXAMPLES = Path(__file__).parent / "examples"
EVENTS: dict[str, type[Event]] = {topic.schema.split("/")[0]: topic.events[0] for topic in TOPICS}
# What JSON Schema cannot say: series of one length, order of times, real dates, that 72.0 is not whole for us, depth.
BEYOND = {
    "start_after_9999_in_utc",
    "start_before_1970",
    "bpm_as_float",
    "diastolic_above_systolic",
    "diastolic_equals_systolic",
    "end_before_onset",
    "end_before_start",
    "end_equals_start",
    "longer_than_24_h",
    "note_half_a_surrogate",
    "revision_a_float",
    "stage_after_the_end",
    "stages_not_from_zero",
    "stages_not_rising",
    "start_no_such_day",
    "start_within_a_minute",
}
# Python's `re` lets a line feed through before `$`; ECMA-262, which JSON Schema names, does not.
BEYOND_THE_LIBRARY = {"start_newline_behind", "team_with_newline", "wearer_id_with_newline"}


def examples(kind: str) -> list[Path]:
    return [file for file in sorted(EXAMPLES.glob(f"*/v1/{kind}/*.json")) if file.name != "claim.json"]


def expressible() -> list[Path]:
    found = []
    for file in examples("invalid"):
        reason, defect = file.stem.split(".", 1)
        beyond = reason in {"malformed_json", "length_mismatch"} or defect in BEYOND | BEYOND_THE_LIBRARY
        if not beyond:
            found.append(file)
    return found


def schema_of(file: Path) -> dict[str, Any]:
    return json_schema(EVENTS[file.parents[2].name])


def name_of(file: Path) -> str:
    return str(file.relative_to(EXAMPLES))


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.__name__)
def test_a_schema_is_a_schema(event: type[Event]) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(event))


@pytest.mark.parametrize("file", examples("valid"), ids=name_of)
def test_a_schema_accepts_the_valid_examples(file: Path) -> None:
    jsonschema.validate(json.loads(file.read_bytes()), schema_of(file), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("file", expressible(), ids=name_of)
def test_a_schema_refuses_the_invalid_examples(file: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(file.read_bytes()), schema_of(file), jsonschema.Draft202012Validator)


def test_the_list_of_what_a_schema_cannot_say_names_real_examples() -> None:
    assert {file.stem.split(".", 1)[1] for file in examples("invalid")} >= BEYOND | BEYOND_THE_LIBRARY


def test_units_are_in_the_schema() -> None:
    properties = json_schema(EVENTS["heart-rate"])["properties"]
    assert properties["bpm"]["items"] == {"type": "integer", "minimum": 20, "maximum": 300, "unit": "/min"}


def test_export_writes_every_event_and_the_same_bytes_again(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in export(tmp_path / "first")}
    second = {path.name: path.read_bytes() for path in export(tmp_path / "second")}
    assert first == second
    assert set(first) == {ASYNCAPI, *(file_name(event) for topic in TOPICS for event in topic.events)}


def test_the_asyncapi_document_has_every_topic_and_no_loose_end() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in document["channels"].values()} == {
        topic.name.replace("<team>", "{team}") for topic in TOPICS
    }
    references = list(refs(document))
    assert len(references) > len(TOPICS)
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def refs(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for inner in node for reference in refs(inner)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if "$ref" in node else []
    return own + [reference for inner in node.values() for reference in refs(inner)]
