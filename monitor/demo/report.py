"""The demo's report: figures that other tools read, and the sentences that say what is wrong with them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.demo.episodes import Episode, Match, missed_crises
from monitor.verifying.report import Report as Verified
from monitor.verifying.wording import sentences


@dataclass(frozen=True, slots=True)
class LiveSection:
    """What the section at real speed saw: milliseconds from broker stamp to readable in Redis, one per crisis."""

    latencies_ms: Sequence[float]
    crises: int
    envelopes_per_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one demo counted.

    Attributes
    ----------
    published, ingested : mapping of str to int
        Events by topic, over the topics that the simulator publishes and the core reads.
    open_in_kafka, open_in_redis : mapping of str to int
        Version by id of the open alerts.
    replayed : monitor.verifying.Report
        The log replayed by a process that took no part, against the alerts.
    published_until_ms : int
        Simulated time, epoch milliseconds, up to which everything was published.
    """

    published: Mapping[str, int]
    ingested: Mapping[str, int]
    dead_letters: Mapping[str, int]
    matches: Sequence[Match]
    published_until_ms: int
    alerts: int
    open_in_kafka: Mapping[str, int]
    open_in_redis: Mapping[str, int]
    replayed: Verified
    scores: int
    model_version: str | None
    device: str | None
    live: LiveSection | None
    envelopes_per_s: float
    peak_rss_mib: float | None
    wall_s: float

    @property
    def problems(self) -> list[str]:
        """Return what went wrong, a sentence each; empty means that the demo holds what it promises."""
        return [*self._lost(), *self._missed(), *self._disagreements(), *self._differing(), *self._late()]

    def document(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            "events_published": sum(self.published.values()),
            "events_ingested": sum(self.ingested.values()),
            "dead_letters": dict(self.dead_letters),
            "episodes": [_episode_document(match) for match in self.matches],
            "alerts_kafka": self.alerts,
            "alerts_redis_open": len(self.open_in_redis),
            "scores": self.scores,
            "model_version": self.model_version,
            "device": self.device,
            "latency_ms": None if self.live is None else latency(self.live.latencies_ms),
            "envelopes_per_s": round(self.envelopes_per_s, 1),
            "peak_rss_mib": self.peak_rss_mib,
            "wall_s": round(self.wall_s, 1),
            "events_published_by_topic": dict(self.published),
            "events_ingested_by_topic": dict(self.ingested),
            "alerts_kafka_open": len(self.open_in_kafka),
            "published_until": _rfc3339(self.published_until_ms),
            "live": None
            if self.live is None
            else {
                "crises": self.live.crises,
                "alerts": len(self.live.latencies_ms),
                "envelopes_per_s": round(self.live.envelopes_per_s, 1),
            },
            "verified": {"identical": self.replayed.identical, "other_cuts": self.replayed.other_cuts.different}
            if self.replayed.other_cuts is not None
            else {"identical": self.replayed.identical},
            "problems": self.problems,
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(path.suffix + ".new")
        fresh.write_text(json.dumps(self.document(), indent=2) + "\n")
        fresh.replace(path)

    def _lost(self) -> list[str]:
        published, ingested = sum(self.published.values()), sum(self.ingested.values())
        dead = sum(self.dead_letters.values())
        if ingested + dead == published:
            return []
        return [f"{published} events were published, but {ingested} ingested and {dead} refused."]

    def _missed(self) -> list[str]:
        missed = missed_crises(self.matches, self.published_until_ms)
        return [f"A {episode.kind} that began {_rfc3339(episode.onset_ms)} raised no alert." for episode in missed]

    def _disagreements(self) -> list[str]:
        kafka, redis = set(self.open_in_kafka.items()), set(self.open_in_redis.items())
        if kafka == redis:
            return []
        only = f"{len(kafka - redis)} only in Kafka, {len(redis - kafka)} only in Redis"
        return [f"Kafka and Redis disagree about open alerts: {only}."]

    def _differing(self) -> list[str]:
        if self.replayed.status == 0:
            return []
        return ["A replay of the log does not give the same alerts.", *list(sentences(self.replayed))]

    def _late(self) -> list[str]:
        if self.live is None or len(self.live.latencies_ms) == self.live.crises:
            return []
        return [f"Live, {self.live.crises} crises became {len(self.live.latencies_ms)} alerts."]


def latency(values_ms: Sequence[float]) -> dict[str, float | None]:
    """Return the median, 95th and 99th percentile; None each where nothing was measured.

    >>> latency([10.0, 20.0, 30.0, 40.0])
    {'p50': 20.0, 'p95': 40.0, 'p99': 40.0}
    """
    return {f"p{share}": percentile(values_ms, share) for share in (50, 95, 99)}


def percentile(values: Sequence[float], share: int) -> float | None:
    """Return the smallest value that at least *share* percent of the values do not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)], 1)


def _episode_document(match: Match) -> dict[str, Any]:
    episode: Episode = match.episode
    return {
        "wearer": episode.wearer,
        "kind": episode.kind,
        "onset": _rfc3339(episode.onset_ms),
        "end": _rfc3339(episode.end_ms),
        "alert_id": match.alert_id,
    }


def _rfc3339(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
