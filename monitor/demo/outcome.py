"""What a demo counted, as a report and as a few lines for the person who ran it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.console.frame import WorkerStatus
from monitor.console.wording import count, duration
from monitor.demo import episodes
from monitor.demo.report import LiveSection, Report, latency
from monitor.demo.screen import Screen
from monitor.verifying.report import Report as Verified


@dataclass(frozen=True, slots=True)
class Counted:
    """What the simulated part counted."""

    published: Mapping[str, int]
    ingested: Mapping[str, int]
    matches: list[episodes.Match]
    published_until_ms: int
    alerts: int
    open_in_kafka: Mapping[str, int]
    open_in_redis: Mapping[str, int]
    replayed: Verified
    workers: list[WorkerStatus]
    envelopes_per_s: float


def ingested(workers: Sequence[WorkerStatus], published: Mapping[str, int]) -> dict[str, int]:
    """Return events read by topic, over the topics that were published."""
    return {topic: sum(worker.ingested.get(topic, 0) for worker in workers) for topic in published}


def counted_records(workers: Sequence[WorkerStatus], published: Mapping[str, int]) -> int:
    """Return how many of the published records are in a bucket: ingested or refused."""
    refused = sum(number for worker in workers for number in worker.dead_letters.values())
    return sum(ingested(workers, published).values()) + refused


def report_of(counted: Counted, section: LiveSection | None, peak_rss_mib: float | None, wall_s: float) -> Report:
    """Put together what the simulated part and the live section counted."""
    dead_letters: dict[str, int] = {}
    for worker in counted.workers:
        for reason, number in worker.dead_letters.items():
            dead_letters[reason] = dead_letters.get(reason, 0) + number
    first = counted.workers[0] if counted.workers else None
    return Report(
        published=counted.published,
        ingested=counted.ingested,
        dead_letters=dead_letters,
        matches=counted.matches,
        published_until_ms=counted.published_until_ms,
        alerts=counted.alerts,
        open_in_kafka=counted.open_in_kafka,
        open_in_redis=counted.open_in_redis,
        replayed=counted.replayed,
        scores=sum(worker.scores for worker in counted.workers),
        model_version=first.model_version if first else None,
        device=first.device if first else None,
        live=section,
        envelopes_per_s=counted.envelopes_per_s,
        peak_rss_mib=peak_rss_mib,
        wall_s=wall_s,
    )


def tell(screen: Screen, result: Report, path: Path | None) -> None:
    """Say how it went, in a few lines."""
    document = result.document()
    screen.tell(
        f"{count(document['events_published'])} events published, {count(document['events_ingested'])} ingested, "
        f"{count(sum(result.dead_letters.values()))} refused in {duration(result.wall_s)}."
    )
    screen.tell(f"{count(result.alerts)} alerts in Kafka, {count(len(result.open_in_redis))} open in Redis.")
    ended = [match for match in result.matches if match.episode.end_ms <= result.published_until_ms]
    crises = [match for match in ended if match.episode.kind in episodes.CRISES]
    others = [match for match in ended if match.episode.kind in episodes.RULE_OF_KIND and match not in crises]
    screen.tell(
        f"Of the episodes that ended in time, {_alerted(crises)} of {len(crises)} crises and {_alerted(others)} of "
        f"{len(others)} others with a rule have their alert; {count(result.scores)} scores."
    )
    if result.live is not None:
        figures = latency(result.live.latencies_ms)
        words = ", ".join(f"{name} {count(value)} ms" for name, value in figures.items())
        screen.tell(f"Live, from broker stamp to readable in Redis: {words} ({len(result.live.latencies_ms)} crises).")
    replayed, again = result.replayed, result.replayed.other_cuts
    screen.tell(
        f"Replayed: {count(replayed.records)} records in {count(replayed.replayed_cuts)} cuts"
        + (f" and again in {count(again.cuts)} others" if again is not None else "")
        + f" give {'the same' if replayed.status == 0 else 'OTHER'} alerts."
    )
    for problem in result.problems:
        screen.tell(f"WRONG: {problem}")
    if path is not None:
        screen.tell(f"Report: {path}")
    screen.tell(
        "Nothing lost, no crisis missed, Redis and Kafka agree; same log, same alerts."
        if not result.problems
        else "The demo failed."
    )


def _alerted(matches: Sequence[episodes.Match]) -> int:
    return sum(match.alert_id is not None for match in matches)
