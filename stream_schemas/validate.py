"""Check a file of events, one JSON object a line, as a reader would: which lines would become dead letters, and why."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from stream_schemas.codec import decode, decode_value
from stream_schemas.event import Event
from stream_schemas.reasons import UNREADABLE, Reason, Rejected
from stream_schemas.topics import BY_NAME, TOPICS, Topic

BY_SCHEMA = {topic.schema: topic for topic in TOPICS}


@dataclass(slots=True)
class Verdict:
    """What was found in a file.

    Attributes
    ----------
    accepted : accepted lines, by topic.
    refused : (line number from 1, topic or "?", what is wrong).
    """

    accepted: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str, Rejected]] = field(default_factory=list)

    @property
    def by_reason(self) -> Counter[str]:
        """Count the refused lines by reason."""
        return Counter(rejected.reason.value for _, _, rejected in self.refused)


def validate(path: Path, topic: str | None = None) -> Verdict:
    """Check every line of a file; empty lines are passed over.

    Parameters
    ----------
    path : a line is an event, or a record ``{"topic": ..., "key": ..., "value": {...}}`` whose key is checked too.
    topic : unprefixed topic of all lines; without it a record says its own, and an event is told by its `schema`.
    """
    verdict = Verdict()
    for number, line in _lines(path):
        name, judged = _judge(line, topic)
        if isinstance(judged, Rejected):
            verdict.refused.append((number, name, judged))
        else:
            verdict.accepted[name] += 1
    return verdict


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")


def _judge(line: bytes, topic: str | None) -> tuple[str, Event | Rejected | None]:
    try:
        fields: Any = msgspec.json.decode(line)
    except UNREADABLE:
        return topic or "?", Rejected(0, Reason.MALFORMED_JSON, "The line is not UTF-8 JSON.")
    if isinstance(fields, dict) and {"topic", "value"} <= fields.keys():
        return _judge_record(fields, topic)
    row = BY_NAME.get(topic) if topic else _by_schema(fields)
    if row is None:
        return topic or "?", _unknown()
    return row.name, decode_value(row, line)


def _judge_record(record: dict[str, Any], topic: str | None) -> tuple[str, Event | Rejected | None]:
    name = topic or str(record["topic"])
    row = BY_NAME.get(name)
    if row is None:
        return name, _unknown()
    key, value = record.get("key"), record["value"]
    key_bytes = key.encode() if isinstance(key, str) else None
    return name, decode(row.name, key_bytes, None if value is None else msgspec.json.encode(value))


def _by_schema(fields: Any) -> Topic | None:
    schema = fields.get("schema") if isinstance(fields, dict) else None
    return BY_SCHEMA.get(schema) if isinstance(schema, str) else None


def _unknown() -> Rejected:
    known = ", ".join(topic.schema for topic in TOPICS if topic.schema != "cut")
    return Rejected(0, Reason.UNKNOWN_SCHEMA, f"Neither topic nor schema is known; schemas are {known}.")
