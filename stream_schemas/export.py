"""JSON Schemas of all events and one AsyncAPI 3 document, made from the models and the topics table."""

import json
from pathlib import Path
from typing import Any

from stream_schemas.codec import MAX_NESTING
from stream_schemas.event import Event
from stream_schemas.topics import TOPICS, Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI = "asyncapi.json"
NOT_EXPRESSED = (
    "Rules that JSON Schema cannot express are enforced by the reader: series of equal length, order of times, "
    f"diastolic below systolic, calendar dates, at most {MAX_NESTING} levels, and the record key."
)


def json_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what a reader accepts from a publisher.

    A value of an enumeration that is not listed is read as "unknown", so enumerations are examples here, not limits.
    """
    schema = event.model_json_schema(by_alias=True, mode="validation")
    field = event.model_fields.get("schema_")
    if field is not None:
        schema["required"] = ["schema", *schema.get("required", [])]
    return {"$schema": DIALECT, **_open(schema), "$comment": NOT_EXPRESSED}


def file_name(event: type[Event]) -> str:
    """Return the name of the schema's file, as in ``heart-rate.v1.schema.json``."""
    field = event.model_fields.get("schema_")
    name = str(field.default).replace("/", ".v") if field is not None else event.__name__.removesuffix("Event").lower()
    return f"{name}.schema.json"


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document: a channel a topic, what our programs send and receive, and the schemas."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        name = _component(topic.name)
        channels[name] = _channel(topic)
        refs = [{"$ref": f"#/channels/{name}/messages/{event.__name__}"} for event in topic.events]
        for action, people in (("send", topic.writers), ("receive", topic.readers)):
            operations[f"{action}_{name}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": f"Done by: {people}.",
                "messages": refs,
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pulsewarden",
            "version": "1.0.0",
            "description": f"Events of wearables, scores and alerts on Kafka. Not a medical device. {NOT_EXPRESSED}",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": {event.__name__: _message(topic, event) for topic, event in _all()}},
    }


def export(folder: Path) -> list[Path]:
    """Write all schemas and the AsyncAPI document; the same models give the same bytes.

    Returns
    -------
    The files written, in order of their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents = {file_name(event): json_schema(event) for _, event in _all()}
    documents[ASYNCAPI] = asyncapi()
    written = []
    for name, document in sorted(documents.items()):
        path = folder / name
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _all() -> list[tuple[Topic, type[Event]]]:
    return [(topic, event) for topic in TOPICS for event in topic.events]


def _channel(topic: Topic) -> dict[str, Any]:
    settings = {"cleanup.policy": [topic.cleanup_policy], "retention.ms": topic.retention_ms}
    channel: dict[str, Any] = {
        "address": topic.name.replace("<team>", "{team}"),
        "description": topic.notes,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in topic.events},
        "bindings": {
            "kafka": {
                "topicConfiguration": {**settings, "max.message.bytes": topic.max_message_bytes},
                "bindingVersion": "0.5.0",
            }
        },
    }
    if "<team>" in topic.name:
        channel["parameters"] = {"team": {"description": "Short name of a care team: a-z, 0-9 and hyphens."}}
    return channel


def _message(topic: Topic, event: type[Event]) -> dict[str, Any]:
    schema = json_schema(event)
    # Definitions move with the message, so their references must say where they went.
    text = json.dumps(schema).replace("#/$defs/", f"#/components/messages/{event.__name__}/payload/$defs/")
    return {
        "name": event.__name__,
        "summary": (event.__doc__ or "").strip(),
        "contentType": "application/json",
        "payload": json.loads(text),
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": "0.5.0"}},
    }


def _component(name: str) -> str:
    return name.replace("<team>", "team").replace(".", "_").replace("-", "_")


def _open(schema: Any) -> Any:
    """Turn enumerations into examples, since readers take any text, and leave all else as it is."""
    if isinstance(schema, list):
        return [_open(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    opened = {name: _open(inner) for name, inner in schema.items() if name != "enum"}
    if "enum" in schema:
        opened["examples"] = schema["enum"]
        opened["type"] = "string"
    return opened
