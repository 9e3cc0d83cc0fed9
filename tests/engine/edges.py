"""The edges of every field of every input event, read from the contract itself: a new field is covered by itself.

An edge is an event of which one field stands at its minimum, its maximum, its longest or shortest, or one beyond;
everything else is as it usually is, but for the companions that a series must fit.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import BY_NAME
from tests.engine.ordinary import DAY, NOW, ordinary

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str, Any, bool | None]]
LATER = "of-a-later-version"

WORDS: dict[str, tuple[list[str], list[str]]] = {
    r"^[A-Za-z0-9_-]{1,64}$": (["a", "Z" * 64], ["", "a" * 65, "a\n", "ä"]),
    r"^[a-z0-9_-]{1,40}$": (["a", "z" * 40], ["", "a" * 41, "A"]),
    r"^[a-z0-9-]{1,40}$": (["a", "z" * 40, "no-such-team"], ["", "a" * 41, "_"]),
    r"^[0-9a-f]{64}$": (["0" * 64], ["0" * 63, "0" * 65, "G" * 64]),
    r"^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}$": (
        [
            *("A", "z" * 32 + ("/" + "z" * 31) * 2, "Europe", "America", "America/Argentina", "posix/Europe/Berlin"),
            *("right/UTC", "localtime", "posixrules", "zone", "leapseconds", "America/Argentina/Ushuaia", "Factory"),
        ],
        ["", "/", "a//b", "a" * 33, "zone.tab", "Europe/Berlin\0", "../UTC", "a/b/c/d", "UTC\n"],
    ),
}
"""Pattern -> texts at its edges, and texts beyond. A pattern that is not here makes the test fail: add its own."""
TIMES = (
    *("1970-01-01T00:00:00Z", "1970-01-01T14:00:00+14:00", "1969-12-31T12:00:00-12:00", "9999-12-31T23:59:00Z"),
    *("9999-12-31T23:59:59.999999999Z", "9999-12-31T11:59:00-12:00", "2026-01-05T00:00:00-23:59"),
    *("1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:00-12:00"),
    *("2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "2026-01-05T24:00:00Z", "2026-01-05T09:00:00+24:00", "", "Z"),
)
COMPANIONS: dict[str, list[tuple[str, ...]]] = {
    "vitals.heart-rate.v1": [("offset_ms", "bpm")],
    "vitals.sleep.v1": [("stage_start_s", "stage")],
    "context.weather.v1": [("forecast_offset_h", "forecast_temperature_c", "forecast_humidity_pct")],
    "risk.scores.v1": [("heads", "limit", "probability"), ("wearer_id", "coverage", "missing")],
}
"""Series that must have one length."""


@dataclass(frozen=True)
class Edge:
    """An event at an edge of one field.

    Attributes
    ----------
    valid : whether the contract takes it; None where other fields decide too, as with times.
    """

    topic: str
    path: Path
    label: str
    value: Any
    valid: bool | None


def edges_of(topic: str) -> list[Edge]:
    """Return every edge of a topic's event, and each field left out."""
    schema = BY_NAME[topic].events[0].model_json_schema(by_alias=True)
    usual = ordinary(topic, "w")
    assert usual.keys() >= schema["properties"].keys(), "an ordinary event has every field"
    return [
        Edge(topic, path, label, value, valid)
        for name, of_field in schema["properties"].items()
        for path, label, value, valid in _edges((name,), of_field, schema.get("$defs", {}), usual[name])
    ]


def event_at(edge: Edge, wearer: str) -> dict[str, Any]:
    """Build the event, of a wearer unless the edge is in the wearer's id."""
    return put(ordinary(edge.topic, wearer), edge.topic, edge.path, edge.value)


def put(event: dict[str, Any], topic: str, path: Path, value: Any) -> dict[str, Any]:
    """Put a value to its place, and give a series' companions its length."""
    event = deepcopy(event)
    at: Any = event
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    name = str(path[0])
    if path[:1] == ("stage_start_s",) and path[1:] and value == 0:
        event[name] = [0]  # it must rise
    if name == "offset_ms" and value == 86_399_999:
        event["start"] = rfc3339(NOW - DAY)  # the longest envelope ends now
    for group in COMPANIONS.get(topic, []):
        for other in group:
            if name in group and other != name:
                event[other] = None if event[name] is None else resized(event[other], len(event[name]))
    if topic == "risk.scores.v1" and isinstance(event["probability"], list):
        n = len(event["wearer_id"])
        if len(path) == 2 and name == "probability" and isinstance(value, list):  # one head's column
            n = len(value)
            for other in ("wearer_id", "coverage", "missing"):
                event[other] = resized(event[other], n)
        event["probability"] = [resized(column, n) for column in event["probability"]]
    return event


def resized(series: list[Any], n: int) -> list[Any]:
    """Cut a series off, or go on with its last item; one that rises goes on rising."""
    if n <= len(series):
        return series[:n]
    more, rises = n - len(series), len(series) > 1 and series[0] == 0
    return series + ([series[-1] + 1 + k for k in range(more)] if rises else [series[-1]] * more)


def _edges(path: Path, schema: dict[str, Any], defs: Any, usual: Any) -> Found:
    schema = defs[schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
    if "anyOf" in schema:
        yield path, "null", None, True
        for one in schema["anyOf"]:
            if one.get("type") != "null":
                yield from _edges(path, one, defs, usual)
        return
    match schema.get("type"):
        case "object":
            for name, inner in schema["properties"].items():
                yield from _edges((*path, name), inner, defs, usual[name])
            yield path, "empty", {}, None
        case "array":
            yield from _of_array(path, schema, defs, usual)
        case "integer" | "number" as kind:
            yield from ((path, *one) for one in _of_number(schema, kind))
        case "boolean":
            yield from [(path, "true", True, True), (path, "false", False, True), (path, "a number", 1, False)]
        case "string":
            yield from ((path, f"text {text[:12]!r} of {len(text)}", text, ok) for text, ok in _of_text(schema))
            yield path, "a number", 1, False
        case other:
            raise NotImplementedError(f"{path} is of type {other}")


def _of_number(schema: dict[str, Any], kind: str) -> Iterator[tuple[str, Any, bool]]:
    low, high = schema["minimum"], schema["maximum"]
    beyond = (low - 1, high + 1) if kind == "integer" else (math.nextafter(low, -math.inf), high * (1 + 1e-12) + 5e-324)
    yield from [("minimum", low, True), ("maximum", high, True)]
    yield from [("below", beyond[0], False), ("above", beyond[1], False)]
    yield from [("text", str(low), False), ("boolean", True, False)]
    yield from [("huge", 10**250, False), ("hugest", 10**400, False)]
    if kind == "number":
        yield "smallest", (5e-324 if low <= 0 else low), True


def _of_text(schema: dict[str, Any]) -> Iterator[tuple[str, bool | None]]:
    if schema.get("format") == "date-time":
        yield from ((time, None) for time in TIMES)
    elif "const" in schema:
        yield from [(schema["const"], True), (schema["const"][:-1] + "9", False)]
    elif "enum" in schema:
        yield from ((one, True) for one in [*schema["enum"], LATER])
    elif "pattern" in schema:
        within, beyond = WORDS[schema["pattern"]]
        yield from [*((one, True) for one in within), *((one, False) for one in beyond)]
    else:
        longest = schema["maxLength"]
        yield from [("", True), ("#" * longest, True), ("#" * (longest + 1), False)]
        if longest <= 4000:
            yield "\U0001f600" * longest, True


def _of_array(path: Path, schema: dict[str, Any], defs: Any, usual: Any) -> Found:
    least, most = schema.get("minItems", 0), schema["maxItems"]
    yield path, "shortest", usual[:least], True
    yield path, "longest", resized(usual, most), True
    yield path, "too long", resized(usual, most + 1), False
    if least:
        yield path, "too short", [], False
    for inner, label, value, valid in _edges((*path, len(usual) - 1), schema["items"], defs, usual[-1]):
        yield inner, f"item {label}", value, valid
