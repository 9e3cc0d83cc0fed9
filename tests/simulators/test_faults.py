"""Devices and transport fail as the scenario says, the truth tells when, and no label does."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulators import journal, options, scenario, truth
from simulators.delivery import Delivery, Message, deliver
from simulators.devices import DEVICES
from simulators.faults import Fault
from simulators.kinds import ACUTE
from simulators.scenario import Scenario
from simulators.sensor import minutes
from simulators.world import World, world
from stream_schemas import rfc3339, topics
from stream_schemas.decode import decode_batch

START_MIN = options.start_min(options.LOG_START)


def failing(**faults: object) -> Scenario:
    calm = scenario.load("calm")
    still = calm.transport.model_copy(update={"duplicates": 0.0, "shuffle_s": 0.0, "late_share": 0.0, "delay_s": 0.0})
    broken = calm.faults.model_copy(update={"devices": 0.0, **faults})
    return calm.model_copy(update={"transport": still, "faults": broken})


def told(drawn: World) -> tuple[Delivery, list[Message]]:
    sender = deliver(drawn, ("north",))
    return sender, [message for minute in sender.minutes() for message in minute]


def test_a_watch_has_the_cadence_of_its_profile() -> None:
    everyone = scenario.load("calm")
    for device in DEVICES:
        weights = {other.name: float(other is device) for other in DEVICES}
        chosen = everyone.model_copy(update={"devices": everyone.devices.model_copy(update=weights)})
        drawn = world(chosen, 4, 10, START_MIN, 60)
        block = drawn.block(0)
        counted = minutes(block.people, block.seen, 4, 0, drawn.first_min).hr_count
        assert counted.max() == max(60 // device.cadence_s, 1)
        _, found = told(drawn)
        sizes = [len(json.loads(m.value)["bpm"]) for m in found if m.topic == topics.HEART_RATE]
        assert max(sizes) == device.samples_per_message
        values = [(m.key, m.value) for m in found if m.topic == topics.HEART_RATE]
        assert decode_batch(topics.HEART_RATE, [k for k, _ in values], [v for _, v in values])[1] == []


def test_batteries_that_last_are_charged_seldom() -> None:
    share = {device.name: device.charge_share for device in DEVICES}
    assert share["second"] > share["minute"]


def test_a_frozen_value_stands_still_while_steps_go_on() -> None:
    drawn = world(failing(devices=300.0), 3, 64, START_MIN, 1440)
    block = drawn.block(0)
    frozen = drawn.faults.kinds(Fault.FROZEN_VALUE)
    assert len(frozen) > 20
    for row in range(len(frozen)):
        columns = slice(int(frozen.onset_min[row]) - drawn.first_min, int(frozen.end_min[row]) - drawn.first_min)
        assert len(np.unique(block.seen.bpm[int(frozen.wearer[row]), columns])) <= 2  # two faults may meet at an edge
    assert block.seen.steps[0].max() > 0


def test_nothing_is_counted_while_a_battery_is_flat() -> None:
    drawn = world(failing(devices=200.0), 3, 64, START_MIN, 1440)
    block, flat = drawn.block(0), drawn.faults.kinds(Fault.BATTERY_FLAT)
    acute = {int(w) for w in block.episodes.wearer}
    assert len(flat) > 20
    for row in range(len(flat)):
        if int(flat.wearer[row]) not in acute:
            begin = int(flat.onset_min[row]) - drawn.first_min
            assert (block.seen.steps[int(flat.wearer[row]), begin : begin + 200] == 255).all()


def test_the_wrong_wearer_shows_another_ones_minutes() -> None:
    healthy = world(failing(), 3, 64, START_MIN, 1440).block(0)
    drawn = world(failing(wrong_wearers=0.5), 3, 64, START_MIN, 1440)
    block, swapped = drawn.block(0), drawn.faults.kinds(Fault.WRONG_WEARER)
    assert len(swapped) > 10
    for row in range(len(swapped)):
        at = int(swapped.onset_min[row]) - drawn.first_min + 1
        assert block.seen.bpm[int(swapped.wearer[row]), at] == healthy.seen.bpm[int(swapped.size[row]), at]
        assert swapped.size[row] != swapped.wearer[row]


def test_a_phone_out_of_reach_sends_everything_later_in_one_burst() -> None:
    drawn = world(failing(late_bursts=6.0, late_burst_min=(20.0, 40.0)), 3, 30, START_MIN, 120)
    sender, found = told(drawn)
    bursts = drawn.faults.kinds(Fault.LATE_BURST)
    assert len(bursts) > 5
    for row in range(len(bursts)):
        key = drawn.wearer_id(int(bursts.wearer[row])).encode()
        onset_ms, end_ms = int(bursts.onset_min[row]) * 60_000, int(bursts.end_min[row]) * 60_000
        mine = [m.arrival_ms for m in found if m.key == key and m.topic not in (topics.WEARER, topics.LABELS)]
        assert not [at for at in mine if onset_ms <= at < end_ms]
    assert sender.counts["held_back"] > 50


def test_a_skewed_clock_tells_other_times_for_the_same_arrivals() -> None:
    skewed = failing(clock_skews=8.0, clock_skew_min=(20.0, 60.0))
    _, plain = told(world(failing(), 3, 20, START_MIN, 90))
    drawn = world(skewed, 3, 20, START_MIN, 90)
    _, found = told(drawn)
    assert [(m.arrival_ms, m.topic) for m in plain] == [(m.arrival_ms, m.topic) for m in found]
    off: dict[bytes, set[int]] = defaultdict(set)
    for before, after in zip(plain, found, strict=True):
        if before.topic in (topics.HEART_RATE, topics.ACTIVITY):
            one, other = (rfc3339.epoch_ms(json.loads(m.value)["start"]) or 0 for m in (before, after))
            off[before.key].add((other - one) // 60_000)
    skews = drawn.faults.kinds(Fault.CLOCK_SKEW)
    for row in range(len(skews)):
        if skews.end_min[row] - skews.onset_min[row] > 5 and skews.onset_min[row] < START_MIN + 80:
            assert int(skews.size[row]) in off[drawn.wearer_id(int(skews.wearer[row])).encode()]


def test_a_slip_of_units_is_refused_or_wrong_and_never_in_the_journal(tmp_path: Path) -> None:
    slipping = failing(unit_slips=10.0, unit_slip_min=(200.0, 400.0))
    crowd = slipping.people.model_copy(update={"cuff_share": 1.0, "hypertension_share": 1.0})
    slow = slipping.devices.model_copy(update={"second": 0.0, "second_rr": 0.0, "minute": 0.0})
    drawn = world(slipping.model_copy(update={"people": crowd, "devices": slow}), 3, 60, START_MIN, 600)
    _, found = told(drawn)
    pressure = [json.loads(m.value)["systolic_mmhg"] for m in found if m.topic == topics.BLOOD_PRESSURE]
    assert {value < 40 for value in pressure} == {True, False}
    journal.write(drawn, tmp_path, ["north"])
    assert min(pq.read_table(tmp_path / "bp")["systolic"].to_pylist()) > 60


def test_faults_are_told_in_the_truth_and_in_no_label() -> None:
    drawn = world(scenario.load("rough"), 3, 64, START_MIN, 240)
    rows = truth.of_faults(drawn)
    assert len({row.kind for row in rows}) >= 5
    sender, found = told(drawn)
    told_kinds = {json.loads(m.value)["outcome"] for m in found if m.topic == topics.LABELS}
    assert not told_kinds & {fault.name.lower() for fault in Fault}
    assert Counter(truth.family(row.kind) for row in rows) == {"fault": len(rows)}
    assert min(sender.counts[name] for name in ("duplicates", "late", "held_back")) > 0


@pytest.mark.parametrize("name", ["mixed", "rough"])
def test_no_acute_episode_hides_behind_a_stuck_or_strange_watch(name: str) -> None:
    drawn = world(scenario.load(name), 3, 200, START_MIN, 3 * 1440)
    e, f = drawn.episodes, drawn.faults
    for row in np.flatnonzero(np.isin(f.kind, (Fault.FROZEN_VALUE, Fault.WRONG_WEARER))):
        mine = (e.wearer == f.wearer[row]) & np.isin(e.kind, ACUTE)
        assert not (mine & (e.onset_min < f.end_min[row]) & (e.end_min > f.onset_min[row])).any()


def test_apnoea_swings_within_the_minutes_of_fast_watches() -> None:
    asked = scenario.load("conditions")
    more = asked.model_copy(
        update={"episodes": {"sleep_apnoea": asked.episodes["sleep_apnoea"].model_copy(update={"per_day": 0.02})}}
    )
    drawn = world(more, 3, 64, START_MIN, 2 * 1440)
    block = drawn.block(0)
    assert block.seen.swing_bpm is not None
    seen = minutes(block.people, block.seen, 3, 0, drawn.first_min)
    fast = (block.people.worn("cadence_s") == 1)[:, None] & (seen.hr_count > 0)
    spread = seen.hr_max.astype(float) - seen.hr_min
    swinging = fast & (block.seen.swing_bpm > 5)
    quiet = fast & (block.stage > 1) & (block.seen.swing_bpm == 0)
    assert np.median(spread[swinging]) > np.median(spread[quiet]) + 8
