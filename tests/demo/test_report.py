"""The report's arithmetic: what adds up is silent, what does not is a sentence."""

import dataclasses
import json
from pathlib import Path

from monitor.demo.episodes import Episode, Match
from monitor.demo.report import LiveSection, Report, percentile
from monitor.verifying.report import Report as Verified

CRISIS = Episode("w-1", "tachycardia_at_rest", 60_000, 1_800_000)
GOOD = Report(
    replayed=Verified(16),
    published={"vitals.heart-rate.v1": 90, "vitals.blood-pressure.v1": 10},
    ingested={"vitals.heart-rate.v1": 88, "vitals.blood-pressure.v1": 10},
    dead_letters={"future": 2},
    matches=[Match(CRISIS, "a")],
    published_until_ms=3_600_000,
    alerts=3,
    open_in_kafka={"a": 2},
    open_in_redis={"a": 2},
    scores=12,
    model_version="0123456789ab",
    device="cpu",
    live=LiveSection(latencies_ms=[10.0, 20.0, 30.0, 40.0], crises=4, envelopes_per_s=300.0),
    envelopes_per_s=500.0,
    peak_rss_mib=400.0,
    wall_s=60.0,
)
FIELDS = {
    "events_published",
    "events_ingested",
    "dead_letters",
    "episodes",
    "alerts_kafka",
    "alerts_redis_open",
    "scores",
    "model_version",
    "device",
    "latency_ms",
    "envelopes_per_s",
    "peak_rss_mib",
    "wall_s",
}


def test_a_good_run_has_every_promised_field_and_no_problem(tmp_path: Path) -> None:
    GOOD.write(tmp_path / "deep" / "report.json")

    document = json.loads((tmp_path / "deep" / "report.json").read_text())

    assert document.keys() >= FIELDS
    assert document["problems"] == []
    assert document["events_ingested"] + sum(document["dead_letters"].values()) == document["events_published"] == 100
    assert document["episodes"] == [
        {
            "wearer": "w-1",
            "kind": "tachycardia_at_rest",
            "onset": "1970-01-01T00:01:00.000Z",
            "end": "1970-01-01T00:30:00.000Z",
            "alert_id": "a",
        }
    ]
    assert document["latency_ms"] == {"p50": 20.0, "p95": 40.0, "p99": 40.0}


def test_a_lost_event_is_a_problem_and_so_is_one_too_many() -> None:
    for dead in ({}, {"future": 3}):
        (problem,) = dataclasses.replace(GOOD, dead_letters=dead).problems
        assert problem.startswith("100 events were published")


def test_a_missed_crisis_is_a_problem_that_names_no_wearer() -> None:
    (problem,) = dataclasses.replace(GOOD, matches=[Match(CRISIS, None)]).problems

    assert problem == "A tachycardia_at_rest that began 1970-01-01T00:01:00.000Z raised no alert."


def test_an_alert_open_on_one_side_only_or_in_another_version_is_a_disagreement() -> None:
    for redis in ({}, {"a": 1}, {"a": 2, "b": 1}):
        (problem,) = dataclasses.replace(GOOD, open_in_redis=redis).problems
        assert problem.startswith("Kafka and Redis disagree")


def test_a_live_crisis_without_alert_is_a_problem() -> None:
    live = LiveSection(latencies_ms=[10.0], crises=2, envelopes_per_s=300.0)

    assert dataclasses.replace(GOOD, live=live).problems == ["Live, 2 crises became 1 alerts."]


def test_without_a_live_section_latency_is_null_not_zero() -> None:
    assert dataclasses.replace(GOOD, live=None).document()["latency_ms"] is None
    assert percentile([], 99) is None
