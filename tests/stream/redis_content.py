"""Alerts as the projection reads them, and what Redis holds of them, key by key."""

import json
from typing import Any

import redis

from monitor.settings import Settings
from monitor.sinks.redis_commands import rebuild

ALERTS = "alerts.north.v1"
Client = redis.Redis


def alert(alert_id: str, version: int, workflow: str = "unacked", **other: Any) -> tuple[bytes, bytes]:
    """Return one version of an alert: the fields that the projection reads."""
    document = {
        "schema": "alert/1",
        "alert_id": alert_id,
        "version": version,
        "wearer_id": "w1",
        "team": "north",
        "priority": "medium",
        "condition": "present",
        "workflow": workflow,
        "raised_at": "2026-01-05T00:00:00Z",
    }
    document |= other
    return str(document["wearer_id"]).encode(), json.dumps(document).encode()


def story(first: int, many: int) -> list[tuple[bytes, bytes]]:
    """Return what happens to some alerts of a few wearers: some get worse, some are closed, some come twice."""
    records = []
    for n in range(first, first + many):
        wearer = {"wearer_id": f"w{n % 7}", "raised_at": f"2026-01-05T00:{n % 60:02d}:00Z"}
        records.append(alert(f"a{n}", 1, **wearer))
        if n % 2:
            records.append(alert(f"a{n}", 2, priority="high", **wearer))
        if n % 3 == 0:
            records.append(alert(f"a{n}", 3, "closed", condition="absent", **wearer))
        if n % 5 == 0:
            records.append(alert(f"a{n}", 1, **wearer))
    return [*records, (b"w1", b"no alert")]


def client_of(settings: Settings) -> Client:
    return redis.Redis.from_url(settings.redis.url, decode_responses=True, socket_timeout=5)


def key(settings: Settings, name: str) -> str:
    return f"{settings.redis.key_prefix}{{north}}:{name}"


def versions(settings: Settings, *alert_ids: str) -> list[int | None]:
    """Return the versions that Redis holds; empty while it does not answer."""
    try:
        with client_of(settings) as client:
            found: list[Any] = [client.hget(key(settings, f"alert:{one}"), "version") for one in alert_ids]
    except redis.RedisError:
        return []
    return [None if version is None else int(version) for version in found]


def content(settings: Settings) -> dict[str, Any]:
    """Return everything below the prefix: value, and when it expires; of the stream the entries, in no order."""
    found: dict[str, Any] = {}
    prefix = settings.redis.key_prefix
    with client_of(settings) as client:
        for raw in client.scan_iter(match=prefix.replace("[", "\\[") + "*", count=1000):
            name = str(raw)
            kind = client.type(name)
            value: Any
            if kind == "hash":
                value = client.hgetall(name)
            elif kind == "zset":
                value = client.zrange(name, 0, -1, withscores=True)
            elif kind == "set":
                value = client.smembers(name)
            elif kind == "stream":
                entries: list[Any] = client.xrange(name)
                value = {tuple(sorted(fields.items())) for _, fields in entries}
            else:
                value = client.get(name)
            found[name.removeprefix(prefix)] = (value, client.pexpiretime(name))
    return found


def built_anew(settings: Settings) -> dict[str, Any]:
    """Return what a rebuild makes of the topics under a prefix of its own."""
    other = settings.model_copy(
        update={
            "redis": settings.redis.model_copy(update={"key_prefix": f"again:{settings.redis.key_prefix}"}),
        }
    )
    assert rebuild(other) == 0
    made = content(other)
    with client_of(other) as client:
        client.delete(*(other.redis.key_prefix + name for name in made))
    return made


def as_if_built_anew(settings: Settings) -> bool:
    """Tell whether Redis is what a rebuild would make; False while it does not answer."""
    try:
        with client_of(settings) as client:
            applied: dict[Any, Any] = client.hgetall(key(settings, "offsets"))
        made = built_anew(settings)
        return bool(applied) and content(settings) == made
    except redis.RedisError:
        return False
