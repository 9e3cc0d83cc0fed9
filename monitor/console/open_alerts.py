"""Open alerts out of Redis, as the projector keeps them there.

Layout, with the settings' key prefix and the team as the cluster's hash tag: ``<prefix>{team}:active`` is a sorted set
of open alert ids, ``<prefix>{team}:alert:<id>`` a hash whose field ``doc`` is the alert's latest version as JSON,
``<prefix>{team}:notify`` a channel that is told the id after each change, ``<prefix>{team}:offsets`` a hash of how far
the team's topic has been applied. `monitor.sinks.redis_projection` writes all of them.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import redis

from monitor.console.frame import AlertLine, OpenAlerts, worst_first
from monitor.errors import RedisUnreachable
from monitor.settings import Settings

MOST_READ = 2_000
"""Alerts a team whose documents one look reads; the rest are only counted."""


def connect(settings: Settings, *, timeout_s: float = 2.0) -> "redis.Redis":
    """Return a client that gives up on a silent server after *timeout_s* seconds; it connects at the first call."""
    return redis.Redis.from_url(
        settings.redis.url,
        decode_responses=True,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=None,
    )


@contextmanager
def _named(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        address = settings.redis.url.rpartition("@")[2].removeprefix("redis://")
        raise RedisUnreachable(
            f"Redis at {address} does not answer: start one with `python -m monitor up`, or set PULSEWARDEN_REDIS__URL."
        ) from error


def read_open(client: "redis.Redis", settings: Settings) -> OpenAlerts:
    """Read the open alerts of all teams, worst first.

    Raises
    ------
    RedisUnreachable
        If no Redis answers.
    """
    lines: list[AlertLine] = []
    total = 0
    with _named(settings):
        for team in settings.teams:
            ids: list[Any] = client.zrevrange(_key(settings, team, "active"), 0, -1)
            total += len(ids)
            pipe = client.pipeline(transaction=False)
            for alert_id in ids[:MOST_READ]:
                pipe.hget(_key(settings, team, f"alert:{alert_id}"), "doc")
            lines += [line for document in pipe.execute() if (line := alert_line(document)) is not None]
    return OpenAlerts(worst_first(lines), total)


def open_versions(client: "redis.Redis", settings: Settings) -> dict[str, int]:
    """Return the version of every open alert id; what Redis and Kafka have to agree on.

    Raises
    ------
    RedisUnreachable
        If no Redis answers.
    """
    versions: dict[str, int] = {}
    with _named(settings):
        for team in settings.teams:
            ids: list[Any] = client.zrevrange(_key(settings, team, "active"), 0, -1)
            pipe = client.pipeline(transaction=False)
            for alert_id in ids:
                pipe.hget(_key(settings, team, f"alert:{alert_id}"), "version")
            versions |= {alert_id: int(version or 0) for alert_id, version in zip(ids, pipe.execute(), strict=True)}
    return versions


def applied_offsets(client: "redis.Redis", settings: Settings) -> dict[tuple[str, int], int]:
    """Return what the projector says it has applied: the offset after the last record, by team and partition.

    Raises
    ------
    RedisUnreachable
        If no Redis answers.
    """
    applied: dict[tuple[str, int], int] = {}
    with _named(settings):
        for team in settings.teams:
            stored: dict[Any, Any] = client.hgetall(_key(settings, team, "offsets"))
            applied |= {(team, int(partition)): int(offset) for partition, offset in stored.items()}
    return applied


class AlertWake:
    """Tells of each alert as soon as it is readable in Redis, by the projector's channel; no polling."""

    def __init__(self, client: "redis.Redis", settings: Settings) -> None:
        self._client, self._settings = client, settings
        self._teams = {_key(settings, team, "notify"): team for team in settings.teams}
        self._channel: Any = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._channel.subscribe(*self._teams)

    def next(self, timeout_s: float) -> AlertLine | None:
        """Wait for the next change and read the alert; None if none came in time."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            message: Mapping[str, Any] | None = self._channel.get_message(timeout=min(left, 1.0))
            if message is None:
                continue
            alert_id = json.loads(message["data"])["id"]
            key = _key(self._settings, self._teams[message["channel"]], f"alert:{alert_id}")
            document: Any = self._client.hget(key, "doc")
            line = alert_line(document)
            if line is not None:
                return line
        return None

    def close(self) -> None:
        """Leave the channels."""
        self._channel.close()


def alert_line(document: str | None) -> AlertLine | None:
    """Return the line of an alert's JSON; None if the alert has gone in the meantime."""
    if document is None:
        return None
    alert: dict[str, Any] = json.loads(document)
    trigger: dict[str, Any] = alert.get("trigger") or {}
    return AlertLine(
        alert_id=alert["alert_id"],
        version=alert["version"],
        wearer_id=alert["wearer_id"],
        team=alert["team"],
        kind=alert["kind"],
        rule=alert["rule"],
        priority=alert["priority"],
        condition=alert["condition"],
        workflow=alert["workflow"],
        event_time_ms=_epoch_ms(alert["event_time"]),
        raised_at_ms=_epoch_ms(alert["raised_at"]),
        metric=trigger.get("metric") or "",
        value=trigger.get("value"),
        limit=trigger.get("limit"),
        op=trigger.get("op") or "",
        unit=trigger.get("unit") or "",
        text=alert.get("text") or "",
        unverified=bool(alert.get("unverified")),
        late=bool(alert.get("late")),
        escalation_level=alert.get("escalation_level") or 0,
    )


def _key(settings: Settings, team: str, name: str) -> str:
    return f"{settings.redis.key_prefix}{{{team}}}:{name}"


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
