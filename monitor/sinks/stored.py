"""One team's keys in Redis, found by name and read as they lie there."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import redis

from monitor.sinks.redis_projection import key

_SCANNED = 1_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What Redis holds of a team.

    Attributes
    ----------
    hashes : alert id -> fields; None for a key that is no hash.
    expire_at_ms : alert id -> when it goes, epoch milliseconds; -1: never.
    active : open alert id -> score.
    wearers : wearer id -> ids of open alerts; None for a key that is no set.
    offsets : partition -> offset after the last record applied.
    """

    hashes: dict[str, dict[str, str] | None]
    expire_at_ms: dict[str, int]
    active: dict[str, float]
    wearers: dict[str, set[str] | None]
    offsets: dict[int, int]


def read(client: redis.Redis, prefix: str, team: str) -> Stored:
    """Read a team's keys; each of them at a moment of its own."""
    ids = list(names(client, prefix, team, "alert"))
    wearers = list(names(client, prefix, team, "wearer"))
    alert_keys = [key(prefix, team, f"alert:{one}") for one in ids]
    hashes = _all(client, alert_keys, lambda pipe, one: pipe.hgetall(one))
    expires = _all(client, alert_keys, lambda pipe, one: pipe.pexpiretime(one))
    wearer_keys = [key(prefix, team, f"wearer:{one}") for one in wearers]
    sets = _all(client, wearer_keys, lambda pipe, one: pipe.smembers(one))
    (active,) = _all(client, [key(prefix, team, "active")], lambda pipe, one: pipe.zrange(one, 0, -1, withscores=True))
    return Stored(
        hashes={one: _is(dict, fields) for one, fields in zip(ids, hashes, strict=True) if fields != {}},
        expire_at_ms=dict(zip(ids, expires, strict=True)),
        active={} if isinstance(active, Exception) else {one: float(score) for one, score in active},
        wearers={one: _is(set, members) for one, members in zip(wearers, sets, strict=True) if members != set()},
        offsets=offsets(client, prefix, team),
    )


def offsets(client: redis.Redis, prefix: str, team: str) -> dict[int, int]:
    """Return, per partition, the offset after the last record applied; nothing if the key is no hash."""
    (found,) = _all(client, [key(prefix, team, "offsets")], lambda pipe, one: pipe.hgetall(one))
    return {} if isinstance(found, Exception) else {int(partition): int(offset) for partition, offset in found.items()}


def names(client: redis.Redis, prefix: str, team: str, kind: str) -> Iterator[str]:
    """Yield the names behind ``<prefix>{team}:<kind>:``, each once."""
    begin = key(prefix, team, f"{kind}:")
    seen: set[str] = set()
    for found in client.scan_iter(match=re.sub(r"([\\*?\[\]^-])", r"\\\1", begin) + "*", count=_SCANNED):
        name = str(found)[len(begin) :]
        if name not in seen:
            seen.add(name)
            yield name


def _all(client: redis.Redis, keys: list[str], ask: Callable[[Any, str], object]) -> list[Any]:
    """Ask about keys, many at once; an answer may be an error of that one key, as that of a key of another type is."""
    answers: list[Any] = []
    for start in range(0, len(keys), _SCANNED):
        pipe = client.pipeline(transaction=False)
        for one in keys[start : start + _SCANNED]:
            ask(pipe, one)
        answers += pipe.execute(raise_on_error=False)
    return answers


def _is(kind: type, answer: Any) -> Any:
    return answer if isinstance(answer, kind) else None
