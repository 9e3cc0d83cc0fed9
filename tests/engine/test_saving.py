"""A saved partition goes on as if it had never been put down."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from monitor.cuts import Position
from monitor.engine import Engine
from monitor.rule import Rule
from monitor.saved import Dropped, Saved, SavedStateUnusable
from monitor.wearers.checkpoint import Checkpoints
from tests.engine.feed import MINUTE, PARTITIONS, START, Feed, feed
from tests.engine.test_determinism import DAY_START, a_busy_hour

DAY = 1440 * MINUTE


def rich(f: Feed) -> None:
    """Records of every kind, some late, some waiting when the state is saved."""
    a_busy_hour(f, 11, jitter_ms=1400, duplicates=0.2)
    for w in range(12):
        wearer = f"w{w}"
        f.profile(wearer, DAY_START, time_zone=("Asia/Kolkata", "Europe/Paris")[w % 2], team=("north", "south")[w % 2])
        f.weather(wearer, DAY_START + 20 * MINUTE, 41, 40)
        f.minutes(wearer, DAY_START - 300 * MINUTE, [90] * 40)
    for log in f.records.values():
        log.sort(key=lambda r: r.stamp_ms)


def of_partition(f: Feed, p: int) -> list[tuple[str, int, bytes | None, bytes]]:
    return [b for b in f.bytes_out if b[1] == p]


@pytest.mark.parametrize("minutes", [1, 25, 41, 60])
def test_an_engine_that_loads_what_another_saved_goes_on_with_the_same_bytes(minutes: int) -> None:
    whole, first = feed(), feed()
    for f in (whole, first):
        rich(f)
    for T in range(DAY_START - 300 * MINUTE, DAY_START + minutes * MINUTE, MINUTE):
        for f in (whole, first):
            f.cut(T, upto=T + 30_000)
    after = {p: len(of_partition(whole, p)) for p in range(PARTITIONS)}

    other = feed()
    other.records, other.read, other.offset_of_cut = first.records, first.read, first.offset_of_cut
    for p in reversed(range(PARTITIONS)):
        saved = first.engine.save(p)
        first.engine.drop(p)
        other.engine.load(p, saved, whole.engine.position(p))
    for T in range(DAY_START + minutes * MINUTE, DAY_START + 100 * MINUTE, MINUTE):
        for f in (whole, other):
            f.cut(T, upto=T + 30_000)

    for p in range(PARTITIONS):
        assert of_partition(whole, p)[after[p] :] == of_partition(other, p)
        assert whole.engine.position(p).digest == other.engine.position(p).digest
    assert sum(len(of_partition(other, p)) for p in range(PARTITIONS)) > 0
    assert len(first.engine.state) == 0


def a_saved() -> tuple[Engine, Saved]:
    f = feed()
    f.minutes("w1", DAY_START, [125] * 20)
    f.run(DAY_START + 20 * MINUTE)
    p = int(f.engine.state.partition[f.engine.state.row_of["w1"]])
    return f.engine, f.engine.save(p)


def test_a_known_field_of_another_shape_or_type_makes_a_saved_state_unusable() -> None:
    engine, saved = a_saved()
    before = len(engine.state)
    shape = Saved({**saved.arrays, "wearer.gap_ms": np.zeros((1, 9), np.int32)}, saved.document)
    dtype = Saved({**saved.arrays, "wearer.gap_ms": np.zeros((1, 5), np.int64)}, saved.document)

    for unusable in (shape, dtype, Saved(saved.arrays, b"\xc1"), Saved({}, saved.document)):
        with pytest.raises(SavedStateUnusable):
            engine.load(0, unusable, engine.position(0))
    assert len(engine.state) == before


def test_a_field_that_is_not_known_is_left_out_and_named_unless_it_holds_nothing() -> None:
    _, saved = a_saved()
    more = {"wearer.mood": np.ones((1, 2)), "wearer.calm": np.zeros(1), "night.owl": np.ones(3)}

    dropped = (engine := feed().engine).load(1, Saved({**saved.arrays, **more}, saved.document), Position())

    assert dropped == Dropped(fields=("night.owl", "wearer.mood"))
    assert engine.state.alert_open[engine.state.row_of["w1"], Rule.HR_HIGH_REST] == 1


def test_what_is_taken_over_whole_says_that_nothing_was_left_out() -> None:
    _, saved = a_saved()
    assert not feed().engine.load(1, saved, Position())


def test_a_field_that_an_older_version_did_not_keep_begins_with_nothing() -> None:
    _, saved = a_saved()
    older = {name: array for name, array in saved.arrays.items() if name != "wearer.acted_ms"}
    engine = feed().engine

    engine.load(1, Saved(older, saved.document), engine.position(1))

    assert engine.state.acted_ms[engine.state.row_of["w1"]] == 0
    assert msgspec.msgpack.decode(saved.document)["wearers"] == ["w1"]


def test_a_partition_without_wearers_can_be_saved_and_loaded_where_rows_are_free() -> None:
    engine, _ = a_saved()
    p = int(engine.state.partition[0])
    empty = next(q for q in range(PARTITIONS) if q != p)
    saved = engine.save(empty)
    engine.drop(p)

    engine.load(empty, saved, engine.position(empty))

    assert len(engine.state) == 0
    assert engine.state.free == [0]


def test_wearers_that_left_are_forgotten_after_35_days_unless_they_are_registered_or_have_an_open_alert() -> None:
    f = feed()
    f.pressure("visitor", START, 120, 80)
    f.profile("registered", START)
    f.pressure("patient", START, 200, 125)
    f.run(START + 34 * DAY, every=DAY)
    assert set(f.engine.state.row_of) == {"visitor", "registered", "patient"}

    f.run(START + 36 * DAY, every=DAY)

    assert set(f.engine.state.row_of) == {"registered", "patient"}
    f.pressure("new", START + 36 * DAY, 120, 80)
    f.run(START + 37 * DAY, every=DAY)
    assert f.engine.state.used == 3  # the row is used again


def test_an_erased_wearer_leaves_after_15_days_and_one_who_comes_back_stays() -> None:
    f = feed()
    for wearer in ("gone", "back"):
        f.profile(wearer, START)
        f.minutes(wearer, START, [125] * 20)
        f.publish("context.wearer.v1", None, START + 30 * MINUTE, key=wearer)
    f.pressure("back", START + DAY, 120, 80)

    f.run(START + 14 * DAY, every=60 * MINUTE)
    assert set(f.engine.state.row_of) == {"gone", "back"}
    assert f.alerts("HR_HIGH_REST")[-1]["workflow"] == "closed"
    f.run(START + 16 * DAY, every=60 * MINUTE)

    assert set(f.engine.state.row_of) == {"back"}


def test_what_the_engine_of_checkpoint_format_1_saved_goes_on() -> None:
    """A real file of that engine: seven rules, times in ms, an open alert, a night, two weather reports."""
    place = Checkpoints(Path(__file__).parent / "saved_by_format_1", partitions=PARTITIONS)
    f, p = feed(), 3
    checkpoint = place.newest(p, 10**12)
    assert checkpoint is not None
    for other in range(PARTITIONS):
        f.cut(checkpoint.position.T, partitions=[other] if other != p else [])

    f.engine.load(p, checkpoint.engine, checkpoint.position)

    state = f.engine.state
    row = state.row_of["w1"]
    assert (state.days_mask[row], state.day[row]) == (1 << 20_457 % 28, 20_458)
    assert state.sleep_start[row].max() == 29_459_520
    assert state.weather_minute[row].max() == 1_767_607_501_234 // MINUTE
    assert state.alert_open[row].tolist() == [1, 0, 1] + [0] * 13
    at = checkpoint.position.T
    f.minutes("w1", at, [70] * 20)
    for T in range(at, at + 30 * MINUTE, MINUTE):
        f.cut(T)
    (gone,) = f.alerts("HR_HIGH_REST")
    assert (gone["alert_id"], gone["version"], gone["condition"]) == ("363c87c1ea2015bd1792cc4d", 2, "absent")
