"""Both decoders accept and refuse the same records, for the same reasons, and read the same from them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_schemas import columns as c
from stream_schemas.codec import decode, encode
from stream_schemas.decode import decode_batch
from stream_schemas.event import Event, instant_ms
from stream_schemas.heart_rate import CONTEXTS, HeartRateEvent
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.topics import ACTIVITY, BLOOD_PRESSURE, HEART_RATE, INPUTS, SLEEP, TOPICS, WEARER, WEATHER

EXAMPLES = Path(__file__).parent / "examples"
TOPIC_OF = {topic.schema.split("/")[0]: topic.name for topic in TOPICS}
FILES = sorted(EXAMPLES.glob("*/v1/*/*.json"))
WEARER_KEY = b"w1"


def topic_of(file: Path) -> str:
    return TOPIC_OF[file.parents[2].name]


def key_of(topic: str) -> bytes:
    return b"a-1" if topic.startswith("alerts.") else WEARER_KEY


def name_of(file: Path) -> str:
    return str(file.relative_to(EXAMPLES))


def reason_of(verdict: Event | Rejected | None) -> Reason | None:
    return verdict.reason if isinstance(verdict, Rejected) else None


@pytest.mark.parametrize("file", [file for file in FILES if file.parent.name == "valid"], ids=name_of)
def test_a_valid_example_is_accepted_and_survives_a_round_trip(file: Path) -> None:
    topic = topic_of(file)
    event = decode(topic, key_of(topic), file.read_bytes())
    assert isinstance(event, Event)
    assert decode(topic, key_of(topic), encode(event)) == event


@pytest.mark.parametrize("file", [file for file in FILES if file.parent.name == "invalid"], ids=name_of)
def test_an_invalid_example_is_refused_for_the_reason_in_its_name(file: Path) -> None:
    topic = topic_of(file)
    assert reason_of(decode(topic, key_of(topic), file.read_bytes())) == Reason(file.name.split(".")[0])


def test_every_topic_has_valid_and_invalid_examples() -> None:
    kinds = {(topic_of(file), file.parent.name) for file in FILES}
    assert kinds == {(topic.name, kind) for topic in TOPICS for kind in ("valid", "invalid")}


@pytest.mark.parametrize("topic", INPUTS)
def test_both_decoders_judge_all_examples_alike_in_one_batch(topic: str) -> None:
    values: list[bytes | None] = [file.read_bytes() for file in FILES if file.parents[2].name in TOPIC_OF]
    values += [
        None,
        b"",
        b"{}",
        b"null",
        b"[]",
        b"1",
        b"{" * 5000,
        b'"',
        b"\x00",
        b"\xff\xfe",
        b"x" * 300_000,
        b" " * 2_000_000,
    ]
    for key in (WEARER_KEY, b"w2", b"w1\n", b"", None):
        assert_same_verdicts(topic, [key] * len(values), values)


def assert_same_verdicts(topic: str, keys: list[bytes | None], values: list[bytes | None]) -> c.Columns:
    """Compare the batch decoder with the definition, record by record, reasons and details included."""
    columns, rejected = decode_batch(topic, keys, values)
    slow = [decode(topic, key, value) for key, value in zip(keys, values, strict=True)]
    refused = [Rejected(i, v.reason, v.detail) for i, v in enumerate(slow) if isinstance(v, Rejected)]
    assert rejected == refused
    kept = [i for i, verdict in enumerate(slow) if not isinstance(verdict, Rejected)]
    assert columns.record.tolist() == kept
    if isinstance(columns, c.HeartRateColumns):
        assert_heart_rate(columns, [event for event in slow if isinstance(event, HeartRateEvent)])
    return columns


def assert_heart_rate(columns: c.HeartRateColumns, events: list[HeartRateEvent]) -> None:
    assert columns.wearer_id == [e.wearer_id for e in events]
    assert columns.device_id == [e.device_id for e in events]
    assert columns.start_ms.tolist() == [instant_ms(e.start) for e in events]
    assert columns.count.tolist() == [len(e.bpm) for e in events]
    assert columns.offset_ms.tolist() == [o for e in events for o in e.offset_ms]
    assert columns.bpm.tolist() == [b for e in events for b in e.bpm]
    assert columns.context.tolist() == [CONTEXTS.index(e.context or "unknown") for e in events]
    quality = np.array([np.nan if e.quality is None else e.quality for e in events], np.float32)
    np.testing.assert_array_equal(columns.quality, quality)
    assert columns.rr_count.tolist() == [len(e.rr_ms or []) for e in events]
    assert columns.rr_ms.tolist() == [r for e in events for r in e.rr_ms or []]
    types = {"record": "i8", "start_ms": "i8", "count": "i4", "offset_ms": "i8", "bpm": "i2"}
    types |= {"context": "u1", "quality": "f4", "rr_count": "i4", "rr_ms": "i2"}
    assert {f.name: np.dtype(types[f.name]) for f in fields(columns) if f.name in types} == {
        name: getattr(columns, name).dtype for name in types
    }


def test_one_bad_record_does_not_touch_its_neighbours() -> None:
    good = (EXAMPLES / "heart-rate/v1/valid/full.json").read_bytes()
    for bad in (file.read_bytes() for file in FILES if "heart-rate/v1/invalid" in str(file)):
        columns, rejected = decode_batch(HEART_RATE, [WEARER_KEY] * 3, [good, bad, good])
        assert columns.record.tolist() == [0, 2]
        assert [one.index for one in rejected] == [1]


@pytest.mark.parametrize("topic", INPUTS)
def test_an_empty_batch_gives_empty_columns(topic: str) -> None:
    columns, rejected = decode_batch(topic, [], [])
    assert columns.record.size == 0
    assert rejected == []


def test_a_null_value_erases_a_wearer_and_is_refused_elsewhere() -> None:
    columns, rejected = decode_batch(WEARER, [WEARER_KEY, None, b"w 1"], [None, None, None])
    assert isinstance(columns, c.WearerColumns)
    assert (columns.wearer_id, columns.profile) == (["w1"], [None])
    assert [one.reason for one in rejected] == [Reason.KEY_MISMATCH, Reason.KEY_MISMATCH]
    _, rejected = decode_batch(HEART_RATE, [WEARER_KEY], [None])
    assert [one.reason for one in rejected] == [Reason.NULL_VALUE]


def test_the_largest_value_is_the_tables_and_one_byte_more_is_too_large() -> None:
    value = (EXAMPLES / "heart-rate/v1/valid/least.json").read_bytes()
    full = value + b" " * (256 * 1024 - len(value))
    _, rejected = decode_batch(HEART_RATE, [WEARER_KEY] * 2, [full, full + b" "])
    assert [(one.index, one.reason) for one in rejected] == [(1, Reason.TOO_LARGE)]


def test_a_detail_names_the_field_and_never_the_value() -> None:
    value = (EXAMPLES / "heart-rate/v1/invalid/invalid_field.bpm_301.json").read_bytes()
    verdict = decode(HEART_RATE, WEARER_KEY, value)
    assert isinstance(verdict, Rejected)
    assert verdict.detail.startswith("bpm.1: ")
    assert "301" not in verdict.detail


def test_the_other_columns_hold_what_the_events_say() -> None:
    def read(topic: str, name: str) -> Any:
        columns, rejected = decode_batch(topic, [WEARER_KEY], [(EXAMPLES / f"{name}.json").read_bytes()])
        assert rejected == []
        return columns

    pressure = read(BLOOD_PRESSURE, "blood-pressure/v1/valid/least")
    assert (pressure.systolic_mmhg[0], pressure.diastolic_mmhg[0], pressure.pulse_bpm[0], pressure.method[0]) == (
        128,
        81,
        -1,
        1,
    )
    sleep = read(SLEEP, "sleep/v1/valid/full")
    assert sleep.stage.tolist() == [1, 2, 3]
    assert sleep.stage_start_s.tolist() == [0, 900, 4500]
    assert sleep.minutes.tolist() == [[420, 250.5, 90, 79.5, 30]]
    assert np.isnan(read(SLEEP, "sleep/v1/valid/least").minutes).all()
    assert read(ACTIVITY, "activity/v1/valid/least").steps.tolist() == [0, 34, 110]
    weather = read(WEATHER, "weather/v1/valid/full")
    assert weather.forecast_offset_h.tolist() == [1, 2]
    assert np.isnan(read(WEATHER, "weather/v1/valid/least").wind_mps[0])
    assert read(WEARER, "wearer/v1/valid/sex_of_a_later_version").profile[0].sex == "unknown"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
BASE: dict[str, dict[str, Any]] = {
    topic: json.loads(
        (EXAMPLES / f"{event}/v1/valid/{'least' if event == 'alert-command' else 'full'}.json").read_bytes()
    )
    for event, topic in TOPIC_OF.items()
    if topic in INPUTS and event not in {"risk-scores", "control"}
}


@st.composite
def damaged_records(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a valid event with some fields replaced by anything, written in some style, then perhaps cut or changed."""
    topic = draw(st.sampled_from(sorted(BASE)))
    event = dict(BASE[topic])
    for name in draw(st.lists(st.sampled_from([*event, "extra"]), max_size=2)):
        event[name] = draw(JSON | st.lists(st.integers(-1, 400), max_size=4) | st.just(event.get(name)))
    text = json.dumps(event, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    value = text.encode(errors="surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(value) - 1))
        value = value[:at] + draw(st.binary(max_size=2)) + value[at + draw(st.integers(0, 2)) :]
        if not value:
            break
    return topic, value


@settings(max_examples=1500, deadline=None)
@given(damaged_records())
def test_both_decoders_judge_any_damaged_record_alike(record: tuple[str, bytes]) -> None:
    topic, value = record
    assert_same_verdicts(topic, [WEARER_KEY], [value])


@st.composite
def heart_rates(draw: st.DrawFn) -> bytes:
    """Draw a valid heart-rate event at random, in some style of JSON."""
    samples = draw(st.integers(1, 6))
    event = {
        "schema": "heart-rate/1",
        "event_id": draw(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)),
        "wearer_id": "w1",
        "device_id": "d",
        "start": draw(
            st.sampled_from(["1970-01-01T00:00:00Z", "2026-01-05T23:59:59.999+14:00", "9999-12-31T23:59:59.999Z"])
        ),
        "offset_ms": draw(st.lists(st.integers(0, 86_399_999), min_size=samples, max_size=samples)),
        "bpm": draw(st.lists(st.integers(20, 300), min_size=samples, max_size=samples)),
        "rr_ms": draw(st.none() | st.lists(st.integers(200, 3000), max_size=4)),
        "context": draw(st.none() | st.sampled_from(CONTEXTS) | st.text(max_size=5)),
        "quality": draw(st.none() | st.floats(0, 1)),
    }
    for name in ("rr_ms", "context", "quality"):
        if event[name] is None and draw(st.booleans()):
            del event[name]
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))
    return json.dumps(event, separators=separators).encode()


@settings(max_examples=150, deadline=None)
@given(st.lists(heart_rates(), max_size=8))
def test_valid_heart_rates_are_read_alike_by_both_decoders(values: list[bytes]) -> None:
    columns = assert_same_verdicts(HEART_RATE, [WEARER_KEY] * len(values), list(values))
    assert len(columns.record) == len(values)
