"""Set B's wearers have its devices and live in its climate; set A's have what they had."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators import faults, journal, options, outfits, places, scenario, sensor, wearable
from simulators.delivery import deliver
from simulators.effects import effects
from simulators.set_b.climate import CITIES
from simulators.set_b.devices import DEVICES
from simulators.world import World, world
from stream_schemas import rfc3339, topics
from stream_schemas.codec import decode
from stream_schemas.decode import decode_batch
from stream_schemas.reasons import Rejected

START_MIN = options.start_min(options.LOG_START)
JULY_MIN = options.start_min("2026-07-06T00:00:00Z")
WIRE = {device.name: device for device in DEVICES}
STILL = {"duplicates": 0.0, "shuffle_s": 0.0, "late_share": 0.0, "delay_s": 0.0}

Event = dict[str, Any]


def drawn_b(wearers: int, minutes: int, name: str = "calm", start_min: int = START_MIN) -> World:
    chosen = scenario.load(name)
    transport = chosen.transport.model_copy(update=STILL)
    chosen = chosen.model_copy(update={"parameters": "b", "transport": transport})
    return world(chosen, 6, wearers, start_min, minutes)


@pytest.fixture(scope="module")
def fleet() -> tuple[World, dict[str, list[tuple[bytes, bytes, int]]]]:
    """Forty wearers of set B for four hours by day: what they send, by topic."""
    drawn = drawn_b(40, 240, start_min=START_MIN + 600)
    sent: dict[str, list[tuple[bytes, bytes, int]]] = defaultdict(list)
    for minute in deliver(drawn, ("north",)).minutes():
        for message in minute:
            sent[message.topic].append((message.key, message.value, message.arrival_ms))
    return drawn, sent


Fleet = tuple[World, dict[str, list[tuple[bytes, bytes, int]]]]


def rates(fleet: Fleet) -> dict[str, list[tuple[Event, int]]]:
    """Heart-rate events and their arrivals by the device that sent them."""
    found: dict[str, list[tuple[Event, int]]] = defaultdict(list)
    for _, value, at in fleet[1][topics.HEART_RATE]:
        event = json.loads(value)
        found[event["device_id"].removeprefix(event["wearer_id"] + "-")].append((event, at))
    return found


@pytest.mark.parametrize("name", ["a", "b"])
def test_the_same_seed_gives_the_same_bytes_in_each_set(name: str, tmp_path: Path) -> None:
    def written(file: str) -> bytes:
        out = tmp_path / file
        wearable.run(wearers=20, duration="45m", seed=3, scenario_name="rough", parameters=name, out=out, plain=True)
        return out.read_bytes()

    assert written("once") == written("again")


def test_every_message_of_set_b_is_accepted(fleet: Fleet) -> None:
    _, sent = fleet
    assert set(sent) >= {topics.HEART_RATE, topics.ACTIVITY, topics.WEATHER, topics.WEARER, topics.SLEEP}
    for topic, found in sent.items():
        if topic in topics.INPUTS:
            assert decode_batch(topic, [key for key, _, _ in found], [value for _, value, _ in found])[1] == []
        else:
            assert not any(isinstance(decode(topic, key, value), Rejected) for key, value, _ in found)


def test_devices_send_at_their_tabled_cadence_and_as_many_samples_at_once(fleet: Fleet) -> None:
    found = rates(fleet)
    assert set(found) == set(WIRE)
    for name, events in found.items():
        cadence_ms = WIRE[name].cadence_s * 1000
        assert max(len(event["bpm"]) for event, _ in events) == WIRE[name].samples_a_message
        steps = np.concatenate([np.diff(event["offset_ms"]) for event, _ in events])
        assert steps.min() == cadence_ms
        assert (steps % cadence_ms == 0).all()


def test_only_devices_that_can_tell_intervals_between_beats(fleet: Fleet) -> None:
    for name, events in rates(fleet).items():
        told = [event for event, _ in events if "rr_ms" in event]
        assert bool(told) == WIRE[name].has_rr
        for event in told:
            span_s = WIRE[name].cadence_s * WIRE[name].samples_a_message
            assert sum(event["rr_ms"]) <= 1.1e3 * span_s


def test_a_message_of_many_samples_comes_after_the_last_of_them_and_meets_no_other(fleet: Fleet) -> None:
    known: dict[str, set[int]] = defaultdict(set)
    for events in rates(fleet).values():
        for event, arrival_ms in events:
            at = [(rfc3339.epoch_ms(event["start"]) or 0) + offset for offset in event["offset_ms"]]
            assert at == sorted(at)
            assert max(at) < arrival_ms
            assert not known[event["wearer_id"]] & set(at)
            known[event["wearer_id"]] |= set(at)


def test_as_many_samples_are_sent_as_the_journal_counts(fleet: Fleet) -> None:
    drawn, _ = fleet
    block = drawn.block(0)
    counted = sensor.minutes(block.people, block.seen, drawn.seed, 0, drawn.first_min).hr_count
    first = drawn.start_min - drawn.first_min
    for device, name in enumerate(WIRE):
        rows = block.people.device == device
        sent = sum(len(event["bpm"]) for event, _ in rates(fleet)[name])
        assert sent == pytest.approx(counted[rows, first : first + drawn.minutes].sum(), rel=0.02)
        assert counted[rows].max() == max(60 // WIRE[name].cadence_s, 1)


def test_shares_of_devices_and_cities_are_those_of_set_b() -> None:
    folk = drawn_b(4096, 60).people
    for given, found in ((DEVICES, folk.device), (CITIES, folk.place)):
        shares = [one.share for one in given]
        np.testing.assert_allclose(np.bincount(found) / len(folk), shares, atol=0.03)
    assert [folk.zone(row) for row in range(9)] == [CITIES[place].timezone for place in folk.place[:9]]


def test_people_are_the_same_in_both_sets_but_for_device_and_place() -> None:
    chosen = scenario.load("mixed")
    a, b = (world(chosen.model_copy(update={"parameters": name}), 6, 64, START_MIN, 60).people for name in ("a", "b"))
    for name in ("age_years", "sex", "rest_bpm", "bedtime_h", "systolic_mmhg", "cuff", "gateway"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_devices_err_as_tabled() -> None:
    drawn = drawn_b(512, 2 * 1440)
    mean: dict[int, list[float]] = defaultdict(list)
    for block in drawn.blocks():
        still = (block.seen.lost < 1) & (block.movement.steps == 0)
        off_by = np.where(still, block.seen.bpm - block.bpm, np.nan)
        bias = effects(drawn.parameters, block.people, block.episodes, drawn.first_min, still.shape[1]).bias_bpm
        for row in range(len(block.people)):
            if still[row].any() and (bias is None or not bias[row].any()):
                mean[int(block.people.device[row])].append(float(np.nanmedian(off_by[row])))
        for device, tabled in enumerate(DEVICES):
            rows = (block.people.device == device)[:, None] & still
            far = np.abs(block.seen.bpm - block.bpm - block.people.bias_bpm[:, None]) > 13
            if rows.sum() > 1000 and tabled.artefact_share > 0.01:
                assert far[rows].mean() == pytest.approx(tabled.artefact_share, rel=0.4)
            noise = (block.seen.bpm - block.bpm - block.people.bias_bpm[:, None])[rows]
            if len(noise) > 1000:
                middle = np.diff(np.percentile(noise, [25, 75]))[0] / 1.35
                assert middle == pytest.approx(tabled.noise_minute_bpm, rel=0.2)
    for device, tabled in enumerate(DEVICES):
        assert np.mean(mean[device]) == pytest.approx(tabled.bias_bpm, abs=0.4)


def test_devices_lock_on_steps_as_tabled() -> None:
    drawn = drawn_b(256, 4 * 1440)
    blocks = list(drawn.blocks())
    for device, tabled in enumerate(DEVICES):
        locked: list[bool] = []
        for block in blocks:
            walking = (block.people.device == device)[:, None] & (block.movement.steps > 60)
            locked += (block.seen.bpm[walking] == block.movement.steps[walking]).tolist()
        assert np.mean(locked) == pytest.approx(tabled.cadence_lock_share, abs=0.006)


def test_what_wears_out_or_stands_still_does_so_as_tabled() -> None:
    assert np.mean(faults.FROZEN_MIN) == outfits.FROZEN_MEAN_MIN
    for worn, tabled in zip(outfits.B.devices, DEVICES, strict=True):
        assert worn.charge_share == pytest.approx(1 / tabled.battery_days)
        assert set(worn.charge_min) == {tabled.charging_minutes}
        assert worn.frozen_per_day * outfits.FROZEN_MEAN_MIN / 1440 == pytest.approx(tabled.frozen_share)


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_a_month_of_weather_lies_within_the_climate_of_set_b(city: Any) -> None:
    place = outfits.B.places[city.timezone]
    for month, start in ((0, "2026-01-01"), (4, "2026-05-01"), (6, "2026-07-01"), (10, "2026-11-01")):
        first_hour = options.start_min(f"{start}T00:00:00Z") // 60
        sky = [places.weather(city.timezone, place, seed, first_hour, 30 * 24, 0.0) for seed in range(12)]
        temperature = np.stack([one.temperature_c for one in sky]).reshape(12, 30, 24)
        assert temperature.mean() == pytest.approx(city.mean_c[month], abs=1.0)
        by_hour = temperature.mean((0, 1))
        assert np.ptp(by_hour) / 2 == pytest.approx(city.amplitude_c[month], abs=0.5)
        local = (by_hour.argmax() + places.utc_offset_min(city.timezone, first_hour * 60) / 60) % 24
        assert 14 <= local <= 16
        humidity = np.mean([one.humidity_pct for one in sky])
        assert humidity == pytest.approx(city.humidity_pct[month], abs=4.0)  # straight lines flatten a monsoon
        assert np.mean([one.pm25_ugm3 for one in sky]) == pytest.approx(city.pm25[month], rel=0.15)


def test_the_journal_has_the_weather_of_set_b(tmp_path: Path) -> None:
    drawn = drawn_b(64, 1440, start_min=JULY_MIN)
    assert journal.write(drawn, tmp_path, ("north",))["weather"] == 64 * 24
    madrid, delhi, singapore = (float(sky.temperature_c.mean()) for sky in drawn.weather)
    assert 18 < madrid < 33
    assert 25 < delhi < 39
    assert 22 < singapore < 34
