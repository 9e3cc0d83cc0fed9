"""Switches of rules add up in the order of the log, however it is cut, and a saved partition keeps them."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from pydantic import ValidationError

from monitor.alerting.limits import Limits, as_accepted_then
from monitor.alerting.rule_book import RuleBook, read_rules
from monitor.engine import Engine
from monitor.errors import SettingsInvalid
from monitor.saved import Saved
from monitor.settings import load
from stream_schemas.control import Control
from tests.engine.feed import MINUTE, PARTITIONS, Feed, feed
from tests.engine.test_determinism import DAY_START, LENGTH, OTHER_RULES, a_busy_hour, but_for_raised_at, switch_rules

AT = "2026-01-05T07:30:00Z"
LOWER = "hr_low_awake_bpm = 35\nhr_low_urgent_bpm = 28"


def control(content: str, **more: Any) -> Control:
    return Control(kind="rules", content=content, at=AT, **more)


def in_force(engine: Engine) -> list[Limits]:
    return [engine.rules.newest(p) for p in range(PARTITIONS)]


def three_switches(f: Feed, last: bool) -> None:
    switch_rules(f, OTHER_RULES, DAY_START + 15 * MINUTE, replace=False)
    switch_rules(f, LOWER, DAY_START + 15 * MINUTE, range(2), replace=False)
    switch_rules(f, "bp_severe_systolic_mmhg = 190", DAY_START + 32 * MINUTE, replace=last)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_switches_add_up_in_the_order_of_the_log_however_it_is_cut(seed: int, last: bool) -> None:
    one, other = feed(), feed()
    for f in (one, other):
        a_busy_hour(f, seed, jitter_ms=1400)
        three_switches(f, last)
    end = DAY_START + (LENGTH + 20) * MINUTE
    one.run(end, every=MINUTE)

    rng = np.random.default_rng(seed)
    T = DAY_START
    while end > T:
        T = min(end, T + int(rng.choice([1000, 25_000, 4_000_000]) * rng.random()) + 1)
        other.cut(T, upto=T + int(rng.integers(0, 2_000_000)))

    assert but_for_raised_at(one) == but_for_raised_at(other)
    assert in_force(one.engine) == in_force(other.engine)
    severe = {"bp_severe_systolic_mmhg": 190}
    fast = {"hr_high_rest_bpm": 150, "hr_high_rest_urgent_bpm": 160, "bp_severe_clear_systolic_mmhg": 165}
    slow = {"hr_low_awake_bpm": 35, "hr_low_urgent_bpm": 28}
    wanted = Limits(**severe) if last else Limits(**severe, **fast)
    wanted_with_slow = Limits(**severe) if last else Limits(**severe, **fast, **slow)
    assert in_force(one.engine) == [wanted_with_slow] * 2 + [wanted] * (PARTITIONS - 2)


def test_a_switch_of_an_earlier_version_replaces_as_it_did_when_it_was_written() -> None:
    before = Limits(no_data_cadences=7)

    assert read_rules(control("risk_consecutive = 3"), before) == Limits(risk_consecutive=3)
    assert read_rules(control("risk_consecutive = 3", replace=False), before) == Limits(
        risk_consecutive=3, no_data_cadences=7
    )
    assert read_rules(control("risk_consecutive = 3", origin="settings"), before) == Limits(
        risk_consecutive=3, no_data_cadences=7
    )


def test_a_partition_knows_what_the_settings_said_last_and_keeps_it_when_it_is_saved() -> None:
    f = feed()
    switch_rules(f, "heat_index_c = 40", DAY_START, range(1), origin="settings")
    switch_rules(f, LOWER, DAY_START, range(1), replace=False)
    f.minutes("w1", DAY_START, [70] * 20)
    f.run(DAY_START + 10 * MINUTE)

    assert f.engine.rules.of_settings(0) == {"heat_index_c": 40.0}
    assert f.engine.rules.of_settings(1) is None
    other = feed().engine
    other.drop(0)
    other.open(0)
    other.load(0, f.engine.save(0), f.engine.position(0))

    assert other.rules.of_settings(0) == {"heat_index_c": 40.0}
    assert other.rules.newest(0) == Limits(heat_index_c=40, hr_low_awake_bpm=35, hr_low_urgent_bpm=28)
    other.drop(0)
    assert other.rules.of_settings(0) is None


def test_a_checkpoint_with_limits_that_were_accepted_then_is_taken_as_it_is() -> None:
    f = feed()
    f.run(DAY_START + MINUTE)
    saved = f.engine.save(0)
    document = msgspec.msgpack.decode(saved.document)
    old = json.loads(Limits().model_dump_json()) | {"hr_high_rest_bpm": 100, "bp_low_systolic_mmhg": 400}
    del old["sub_health_on"]
    document["switches"] = [[0, -1, json.dumps(old)]]
    del document["of_settings"]
    engine = feed().engine
    engine.drop(0)
    engine.open(0)

    engine.load(0, Saved(saved.arrays, msgspec.msgpack.encode(document)), f.engine.position(0))

    taken = engine.rules.newest(0)
    assert (taken.hr_high_rest_bpm, taken.bp_low_systolic_mmhg, taken.sub_health_on) == (100, 400, True)
    assert hash(taken) == hash(as_accepted_then(json.dumps(old)))
    assert engine.rules.of_settings(0) is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HR_HIGH_REST_BPM", "110", "hr_high_rest_clear_bpm = 115 must be below hr_high_rest_bpm = 110"),
        ("HR_HIGH_REST_BPM", "140", "hr_high_rest_urgent_bpm = 131 must be at least hr_high_rest_bpm = 140"),
        ("HR_LOW_ASLEEP_BPM", "45", "hr_low_asleep_clear_bpm = 35 must be above hr_low_asleep_bpm = 45"),
        ("BP_LOW_SYSTOLIC_MMHG", "400", "bp_low_systolic_mmhg: Input should be less than or equal to 120"),
        ("HEAT_INDEX_C", "inf", "heat_index_c: Input should be a finite number"),
        ("HR_HIGH", "130", "hr_high is no limit; did you mean hr_high_rest_bpm?"),
    ],
)
def test_absurd_limits_are_refused_by_name_in_the_settings(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PULSEWARDEN_LIMITS__{name}", value)
    with pytest.raises(SettingsInvalid) as refused:
        load()
    assert sentence in str(refused.value)


def test_every_number_has_a_lower_and_an_upper_bound() -> None:
    unbounded = []
    for name, field in Limits.model_fields.items():
        bounds = {type(one).__name__ for one in field.metadata}
        if field.annotation is not bool and not (bounds & {"Ge", "Gt"} and bounds & {"Le", "Lt"}):
            unbounded.append(name)
    assert unbounded == []


def test_limits_cannot_be_made_absurd_by_a_merge() -> None:
    book = RuleBook(Limits())
    assert book.read(0, 1, 1, control("hr_high_rest_clear_bpm = 110", replace=False)) is None
    assert book.read(0, 2, 2, control("hr_high_rest_bpm = 112", replace=False)) is None
    refused = book.read(0, 3, 3, control("hr_high_rest_clear_bpm = 113", replace=False))
    assert refused is not None
    assert refused.startswith("hr_high_rest_clear_bpm = 113 must be below hr_high_rest_bpm = 112")
    assert book.newest(0).hr_high_rest_clear_bpm == 110
    with pytest.raises(ValidationError):
        Limits(hr_high_rest_bpm=112)
