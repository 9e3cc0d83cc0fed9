"""Rule files at their edges: each limit at its bounds acts, everything else is a dead letter and ends nobody."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from monitor.alerting.limit_order import out_of_order
from monitor.alerting.limits import Limits
from monitor.alerting.rule_book import read_rules
from monitor.engine import Engine
from stream_schemas.control import Control
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import CONTROL
from tests.engine.feed import MINUTE, START, TEAMS, Feed
from tests.engine.ordinary import DAY

PACKAGED = Limits().model_dump()
AT = "2026-01-05T00:00:00Z"
NOT_RULES = {
    "nested lists": "a = " + "[" * 2000 + "]" * 2000,
    "nested tables": "a = " + "{a = " * 2000 + "1" + "}" * 2000,
    "lists a line each": "a = " + "[\n" * 2000 + "]" * 2000,
    "a dotted key": ".".join("a" * 5000) + " = 1",
    "a dotted key behind a #": '"#".' + ".".join("a" * 5000) + " = 1",
    "a dotted table": "[" + ".".join("a" * 5000) + "]",
    "many tables": "\n".join(f"[a{k}]" for k in range(5000)),
    "a number of 5,000 digits": "hr_min_samples = " + "9" * 5000,
    "a hexadecimal number": "hr_min_samples = 0x" + "f" * 5000,
    "a number beyond 64 bits": f"hr_min_samples = {2**63}",
    "a number beyond its reach": "bp_low_systolic_mmhg = 1000001",
    "infinity": "late_after_s = inf",
    "not a number": "heat_index_c = nan",
    "a date": "hr_high_rest_bpm = 2026-01-05",
    "no date": "hr_high_rest_bpm = 2026-02-30",
    "a time": "hr_high_rest_bpm = 25:00:00",
    "a text": 'hr_high_rest_bpm = "130"\nx = 1',
    "a table": "[hr_high_rest_bpm]",
    "a text without end": 'a = """',
    "a code point that is none": 'a = "\\ud800"',
    "a control character": "a = 1\x00",
    "an endless key": "a" * 900_000 + " = 1",
    "Python's own names": "self = 1\n__class__ = 2",
}


@pytest.mark.parametrize("content", NOT_RULES.values(), ids=NOT_RULES)
def test_what_is_no_rule_file_is_refused_with_a_short_reason(content: str) -> None:
    said = read_rules(Control(kind="rules", content=content, at=AT), Limits())

    assert isinstance(said, str)
    assert 0 < len(said) <= 220


def test_a_long_rule_file_with_comments_is_read() -> None:
    remarks = "# as agreed on 5.1.2026 ... [ward 3] {all of it}\n" * 1900

    said = read_rules(Control(kind="rules", content=remarks + "heat_index_c = 39.9 # v. 1.2.3\n", at=AT), Limits())

    assert said == Limits(heat_index_c=39.9)


def bounds() -> Iterator[tuple[str, Any, bool]]:
    """Every limit at its lowest and highest, and beyond both."""
    for name, schema in Limits.model_json_schema()["properties"].items():
        if schema["type"] == "boolean":
            yield from [(name, True, True), (name, False, True), (name, "on or off", False)]
            continue
        step = 1 if schema["type"] == "integer" else 1e-9
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        lowest = low + step if "exclusiveMinimum" in schema else low
        highest = high - step if "exclusiveMaximum" in schema else high
        yield from [(name, lowest, True), (name, highest, True), (name, low - 1, False), (name, high + 1, False)]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, value, valid in bounds() if not valid], ids=lambda one: str(one)
)
def test_a_limit_beyond_its_bounds_is_refused_by_name(name: str, value: Any) -> None:
    said = read_rules(Control(kind="rules", content=f"{name} = {json.dumps(value)}", at=AT), Limits())

    assert isinstance(said, str)
    assert name in said


def test_the_limits_at_their_bounds_judge_everything() -> None:
    """A partition for ten limits at their lowest, or highest, with one wearer of whom there is some of everything."""
    switches: list[dict[str, Any]] = []
    never = []
    valid = [(name, value) for name, value, ok in bounds() if ok]
    ends: dict[str, list[Any]] = {}
    for name, value in valid:
        ends.setdefault(name, []).append(value)
    for name, value in valid:
        limits = _in_order(name, value, ends)
        switches = _with(switches, limits) if limits else switches
        never += [] if limits else [name]
    assert len(never) < 13, never  # bounds behind which no order leaves room
    partitions = len(switches)
    engine = Engine(Limits(), partitions=partitions, teams=TEAMS)
    whose: dict[int, str] = {}
    for k in range(100 * partitions):
        whose.setdefault(murmur2_partition(f"w{k}".encode(), partitions), f"w{k}")
    f = Feed(engine)
    for p, limits in enumerate(switches):
        engine.open(p)
        content = "\n".join(f"{name} = {json.dumps(value)}" for name, value in limits.items())
        f.publish(CONTROL, {"schema": "control/1", "kind": "rules", "content": content, "at": AT}, START, key="", p=p)
        a_life(f, whose[p], p)
    for T in (START + 10 * 60 * MINUTE, START + 20 * 60 * MINUTE, START + 2 * DAY, START + 40 * DAY):
        f.cut(T, partitions=range(partitions))

    assert not f.refused
    assert f.ingested.total() == sum(map(len, f.records.values()))


def _with(switches: list[dict[str, Any]], more: dict[str, Any]) -> list[dict[str, Any]]:
    """Put limits into the first switch that has room for them and still stands in order."""
    for switch in switches:
        both = {**switch, **more}
        if len(both) <= 10 and not switch.keys() & more.keys() and not out_of_order({**PACKAGED, **both}):
            switch.update(more)
            return switches
    return [*switches, more]


def _in_order(name: str, value: Any, ends: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return a limit, with as many others beside it as it takes to stand in order; nothing where it never can."""
    limits = {name: value}
    while (wrong := out_of_order({**PACKAGED, **limits})) is not None:
        one, _, rest = wrong.partition(" = ")
        order, other = re.search(r"must be (below|above|at most|at least) (\w+)", rest).groups()  # type: ignore[union-attr]
        fixed, free = (one, other) if one in limits else (other, one)
        if free in limits:
            return {}
        lower = (free == one) == (order in ("below", "at most"))
        apart = 0 if order.startswith("at") else 1
        moved = limits[fixed] + (-apart if lower else apart)
        if not min(ends[free]) <= moved <= max(ends[free]):
            return {}
        limits[free] = moved
    return limits


def a_life(f: Feed, wearer: str, p: int) -> None:
    """Alerts of heart rate, pressure and heat, and the noon after."""
    one, begin = Feed(f.engine), START + 9 * 60 * MINUTE
    one.profile(wearer, START + MINUTE, age_years=70)
    one.weather(wearer, begin, 41, 40)
    one.heart_rate(wearer, begin, [130] * 144 + [60] * 72, every_s=5, rr_ms=[500, 900] * 30)
    one.steps(wearer, begin, [0] * 18)
    one.pressure(wearer, begin + 5 * MINUTE, 190, 100)
    one.pressure(wearer, begin + 9 * MINUTE, 85, 50)
    one.minutes(wearer, START + DAY + 12 * 60 * MINUTE, [70, 36])
    for (topic, _), log in one.records.items():
        f.records.setdefault((topic, p), []).extend(sorted(log, key=lambda record: record.stamp_ms))
