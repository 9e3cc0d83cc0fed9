"""Every message validates, the same seed gives the same bytes, and the samples agree with the journal."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulators import journal, options, wearable
from simulators.delivery import Message, deliver
from simulators.fleet import heart_rate_envelopes
from simulators.scenario import Scenario
from simulators.world import world
from stream_schemas import rfc3339, topics
from stream_schemas.codec import decode
from stream_schemas.decode import decode_batch
from stream_schemas.reasons import Rejected

START_MIN = options.start_min(options.LOG_START)
TEAMS = ("north", "south")


def messages(demo: Scenario, **transport: float) -> list[Message]:
    changed = demo.model_copy(update={"transport": demo.transport.model_copy(update=transport)})
    drawn = world(changed, 5, 80, START_MIN, 45)
    return [message for minute in deliver(drawn, TEAMS).minutes() for message in minute]


@pytest.mark.parametrize("scenario", ["demo", "mixed", "calm", "ward", "heat", "life", "conditions"])
def test_every_message_of_every_scenario_validates(scenario: str, tmp_path: Path) -> None:
    out = tmp_path / "lines.jsonl"
    counts = wearable.run(wearers=40, duration="2h", scenario_name=scenario, seed=9, out=out, plain=True)
    by_topic: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
    for line in out.read_text().splitlines():
        message = json.loads(line)
        by_topic[message["topic"]].append((message["key"].encode(), json.dumps(message["value"]).encode()))
    assert {topic: len(found) for topic, found in by_topic.items()} == counts
    assert set(counts) >= {topics.HEART_RATE, topics.ACTIVITY, topics.WEATHER, topics.WEARER, topics.SLEEP}
    for topic, found in by_topic.items():
        if topic in topics.INPUTS:
            _, rejected = decode_batch(topic, [key for key, _ in found], [value for _, value in found])
            assert rejected == []
        else:
            assert not any(isinstance(decode(topic, key, value), Rejected) for key, value in found)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    def text(name: str, seed: int) -> bytes:
        wearable.run(wearers=20, duration="20m", seed=seed, scenario_name="demo", out=tmp_path / name, plain=True)
        return (tmp_path / name).read_bytes()

    assert text("a", 3) == text("b", 3)
    assert text("c", 4) != text("a", 3)


def test_profiles_come_first_and_arrivals_never_go_back(demo: Scenario) -> None:
    found = messages(demo)
    assert {message.topic for message in found[:80]} == {topics.WEARER}
    stamps = [message.arrival_ms for message in found]
    assert stamps == sorted(stamps)


def test_no_event_arrives_before_it_happened(demo: Scenario) -> None:
    for message in messages(demo):
        event = json.loads(message.value)
        if message.topic == topics.HEART_RATE:
            last = rfc3339.epoch_ms(event["start"]) or 0
            assert message.arrival_ms >= last + event["offset_ms"][-1]
        elif message.topic == topics.ACTIVITY:
            assert message.arrival_ms >= (rfc3339.epoch_ms(event["start"]) or 0) + 60_000 * len(event["steps"])


def test_transport_duplicates_and_reorders_only_when_told_to(demo: Scenario) -> None:
    clean = messages(demo, duplicates=0.0, shuffle_s=0.0, late_share=0.0, delay_s=0.0)
    assert max(Counter((m.topic, m.value) for m in clean).values()) == 1
    doubled = messages(demo, duplicates=0.3, shuffle_s=0.0, late_share=0.0, delay_s=0.0)
    assert max(Counter((m.topic, m.value) for m in doubled).values()) == 2
    shuffled = messages(demo, duplicates=0.0, shuffle_s=90.0, late_share=0.0, delay_s=0.0)
    starts = [json.loads(m.value)["start"] for m in shuffled if m.topic == topics.HEART_RATE]
    assert starts != sorted(starts)


def test_a_silent_gateway_holds_everything_back_until_it_is_over(demo: Scenario) -> None:
    drawn = world(demo, 5, 80, START_MIN, 60)
    sender = deliver(drawn, TEAMS)
    found = [message for minute in sender.minutes() for message in minute]
    outages = [row for row in sender.truths if row.kind == "gateway_silent"]
    assert len(outages) == 20
    sent = {topics.HEART_RATE, topics.ACTIVITY, topics.WEATHER, topics.BLOOD_PRESSURE, topics.SLEEP}
    for outage in outages:
        arrivals = [m.arrival_ms for m in found if m.key == outage.wearer.encode() and m.topic in sent]
        assert not any(outage.onset_min * 60_000 <= at < outage.end_min * 60_000 for at in arrivals)


def test_the_demo_has_every_crisis_within_its_first_hour_and_time_to_see_it(demo: Scenario) -> None:
    sender = deliver(world(demo, 7, 300, START_MIN, 60), TEAMS)
    kinds = Counter(row.kind for row in sender.truths if row.onset_min >= START_MIN)
    for kind in ("tachycardia_at_rest", "hypertensive_crisis", "bradycardia", "heat_strain", "atrial_fibrillation"):
        assert kinds[kind] >= 2
    assert kinds["watch_off"] >= 3
    crisis = [row for row in sender.truths if row.kind in ("tachycardia_at_rest", "hypertensive_crisis")]
    assert all(row.onset_min <= START_MIN + 60 - 28 for row in crisis)


def test_journal_minutes_are_those_of_the_samples(demo: Scenario, tmp_path: Path) -> None:
    calm = demo.model_copy(update={"transport": demo.transport.model_copy(update={"late_share": 0.0})})
    drawn = world(calm, 5, 64, START_MIN, 60)
    journal.write(drawn, tmp_path, TEAMS)
    table = pq.read_table(next((tmp_path / "minutes").glob("*.parquet"))).to_pylist()
    written = {(row["wearer_id"], row["minute"]): row for row in table}
    at: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for minute in deliver(drawn, TEAMS).minutes():
        for message in minute:
            if message.topic == topics.HEART_RATE:
                event = json.loads(message.value)
                start = rfc3339.epoch_ms(event["start"]) or 0
                for offset, bpm in zip(event["offset_ms"], event["bpm"], strict=True):
                    at[event["wearer_id"], (start + offset) // 60_000][start + offset] = bpm
    gaps, lows, counts = [], [], []
    for (wearer, epoch_minute), samples in at.items():
        if len(samples) > 55 and (wearer, epoch_minute) in written:
            row = written[wearer, epoch_minute]
            values = np.array(list(samples.values()))
            gaps.append(float(row["hr_median"]) - float(np.median(values)))
            lows.append(float(row["hr_min"]) - float(values[np.abs(values - np.median(values)) < 25].min()))
            counts.append(int(row["hr_count"]) - len(values))
    assert len(gaps) > 1000
    assert np.mean(np.abs(gaps)) < 0.8
    assert abs(np.mean(lows)) < 1.0
    assert abs(np.mean(counts)) < 2


def test_fleet_envelopes_are_valid_repeatable_and_of_the_usual_size() -> None:
    first, again = (list(heart_rate_envelopes(200, 2)) for _ in range(2))
    assert first == again
    columns, rejected = decode_batch(topics.HEART_RATE, [key for key, _ in first], [value for _, value in first])
    assert rejected == []
    assert len(set(columns.wearer_id)) == 200  # type: ignore[union-attr]
    assert 650 < np.mean([len(value) for _, value in first]) < 780
