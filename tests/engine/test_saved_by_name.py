"""Rules, kinds of events and limits are saved by name: other ones, in another order, cost only what is not known."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.rule import Rule
from monitor.saved import Dropped, Saved, SavedStateUnusable
from tests.engine.a_saved_world import PARTITION, SLOW, until_saved, until_the_end
from tests.engine.feed import PARTITIONS, Feed, feed

Document = dict[str, Any]
Arrays = dict[str, Any]
Change = Callable[[Document, Arrays], None]


@pytest.fixture(scope="module")
def lived() -> Feed:
    f = feed()
    until_saved(f)
    return f


def changed(f: Feed, change: Change) -> Saved:
    """What another version might have saved of the same moment."""
    saved = f.engine.save(PARTITION)
    document = msgspec.msgpack.decode(saved.document)
    arrays = {name: array.copy() for name, array in saved.arrays.items()}
    change(document, arrays)
    return Saved(arrays, msgspec.msgpack.encode(document))


def alerts_after(f: Feed, saved: Saved) -> tuple[Dropped, list[bytes], Feed]:
    """Load it, go on to the end, and return what was told."""
    other = feed()
    other.records, other.read, other.offset_of_cut = f.records, dict(f.read), f.offset_of_cut
    for p in range(PARTITIONS):
        if p != PARTITION:
            other.engine.load(p, f.engine.save(p), f.engine.position(p))
    dropped = other.engine.load(PARTITION, saved, f.engine.position(PARTITION))
    until_the_end(other)
    return dropped, [value for _, _, _, value in other.bytes_out], other


def in_another_order(document: Document, arrays: Arrays) -> None:
    """Rules and kinds have other codes."""
    rules = list(range(len(document["rules"])))[::-1]
    document["rules"] = [document["rules"][k] for k in rules]
    for name in [name for name in arrays if name.startswith("wearer.alert_")]:
        arrays[name] = np.ascontiguousarray(arrays[name][:, rules])
    document["kinds"] = ["UNHEARD_OF", *document["kinds"][::-1]]
    arrays["waiting.kind"] = len(document["kinds"]) - 1 - arrays["waiting.kind"]


def test_an_order_of_rules_and_kinds_that_is_not_ours_changes_no_alert(lived: Feed) -> None:
    _, expected, _ = alerts_after(lived, lived.engine.save(PARTITION))
    dropped, told, _ = alerts_after(lived, changed(lived, in_another_order))
    assert not dropped
    assert len(told) > 5
    assert told == expected


def without_late_rules(document: Document, arrays: Arrays) -> None:
    """An older version that had neither the last rules nor NO_DATA."""
    kept = [k for k, name in enumerate(document["rules"][:12]) if name != "NO_DATA"]
    document["rules"] = [document["rules"][k] for k in kept]
    document["episodes"] = [one for one in document["episodes"] if one[1] != "NO_DATA"]
    for name in [name for name in arrays if name.startswith("wearer.alert_")]:
        arrays[name] = np.ascontiguousarray(arrays[name][:, kept])


def test_a_rule_that_the_saved_state_does_not_know_begins_with_nothing(lived: Feed) -> None:
    dropped, _, other = alerts_after(lived, changed(lived, without_late_rules))
    assert not dropped
    state = other.engine.state
    assert state.alert_open[state.row_of[SLOW], Rule.BP_SEVERE] == 1
    assert not state.alert_ended[:3, Rule.NO_DATA].any()


def of_a_newer_version(document: Document, arrays: Arrays) -> None:
    """A version that had BP_SEVERE under another name, as its first rule, and readings of another kind."""
    order = [2, *(k for k in range(len(document["rules"])) if k != 2)]
    document["rules"] = ["BP_STORM", *(document["rules"][k] for k in order[1:])]
    for name in [name for name in arrays if name.startswith("wearer.alert_")]:
        arrays[name] = np.ascontiguousarray(arrays[name][:, order])
    storm = {"BP_SEVERE": "BP_STORM"}
    document["episodes"] = [
        (place, storm.get(rule, rule), {"of": rule}) if rule in storm else (place, rule, episode)
        for place, rule, episode in document["episodes"]
    ]
    document["kinds"] = [{"READING": "CUFF"}.get(name, name) for name in document["kinds"]]
    document["carried"] = [({"READING": "CUFF"}.get(name, name), one) for name, one in document["carried"]]
    document["switches"] = [
        (ms, at, json.dumps({**json.loads(text), "storm_mmhg": 99})) for ms, at, text in document["switches"]
    ]
    document["moon"] = "full"


def test_rules_kinds_and_limits_that_are_not_known_are_left_out_and_counted_and_the_others_go_on(lived: Feed) -> None:
    _, expected, _ = alerts_after(lived, lived.engine.save(PARTITION))
    dropped, told, _ = alerts_after(lived, changed(lived, of_a_newer_version))
    assert dropped == Dropped(rules={"BP_STORM": 1}, kinds={"CUFF": 1}, limits=("storm_mmhg",))

    def of_others(values: list[bytes]) -> list[bytes]:
        return [value for value in values if json.loads(value).get("rule") not in ("BP_SEVERE", None)]

    assert len(of_others(told)) > 4
    assert of_others(told) == of_others(expected)


@pytest.mark.parametrize("change", [
    lambda document, _: document.update(kinds=document["kinds"][:2]),
    lambda document, _: document.update(switches=[(0, 0, "[]")]),
    lambda document, _: document.update(episodes=[(0, "BP_LOW", {"alert_id": "x"})]),
    lambda document, _: document.update(rules=document["rules"][:5]),
    lambda document, _: document.pop("rules"),
])  # fmt: skip
def test_a_state_that_contradicts_itself_is_unusable_and_changes_nothing(lived: Feed, change: Change) -> None:
    engine = feed().engine
    with pytest.raises(SavedStateUnusable):
        engine.load(PARTITION, changed(lived, change), lived.engine.position(PARTITION))
    assert len(engine.state) == 0
