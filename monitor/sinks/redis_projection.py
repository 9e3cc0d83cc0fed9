"""Alerts as Redis holds them: a projection of the alert topics that knows how far it has come.

Keys, each with the settings' prefix and the team as cluster hash tag, so that one call may touch them all:

| key | type | what |
|---|---|---|
| `<prefix>{team}:alert:<id>` | hash | doc (the alert's JSON), version, condition, workflow, priority, wearer_id |
| `<prefix>{team}:active` | zset | open alert ids; score = rank * 1e13 + (1e13 - raised_ms): worst first, then oldest |
| `<prefix>{team}:wearer:<wearer_id>` | set | ids of the wearer's open alerts |
| `<prefix>{team}:alerts` | stream | id, version, condition, workflow, priority of each new version; 7 days |
| `<prefix>{team}:notify` | channel | `{"id":...,"version":...}`, no health data |
| `<prefix>{team}:offsets` | hash | partition -> offset after the last record applied |

A closed alert leaves `active` and the wearer's set, and its hash expires after 7 days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any

import msgspec
import redis

RedisError = redis.RedisError

KEEP_MS = 7 * 86_400_000
SOCKET_TIMEOUT_S = 5.0
PIPELINED = 500
RANKS = {"high": 3, "medium": 2, "low": 1, "technical": 0}
_SCALE = 10_000_000_000_000

_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Alert(msgspec.Struct):
    """What of alert/1 the keys are made of; the document is kept as it is."""

    alert_id: _Id
    version: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    wearer_id: _Id
    condition: str
    workflow: str
    priority: str
    raised_at: str


_read = msgspec.json.Decoder(_Alert).decode


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of some records.

    Attributes
    ----------
    applied : versions that Redis now holds.
    old : versions that were there, or older than what is.
    skipped : records that are no alert, or were applied before.
    behind : Redis lacks records before these, and none from there on were applied: read again from the stored offset.
    """

    applied: int = 0
    old: int = 0
    skipped: int = 0
    behind: bool = False


class RedisProjection:
    """Writes the projection. Synchronous: an async pipeline costs three times as much.

    Parameters
    ----------
    url : str
    key_prefix : str
    """

    def __init__(self, url: str, key_prefix: str) -> None:
        # No retries of the client's own: it would repeat for seconds what the projector knows better to begin again.
        self._redis: redis.Redis = redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=2.0, retry=None
        )
        self._prefix = key_prefix
        self._script = self._redis.register_script(files("monitor.sinks").joinpath("projection.lua").read_text())

    def offsets(self, team: str) -> dict[int, int]:
        """Return, per partition of the team's topic, the offset after the last record applied; absent: none was."""
        stored: Any = self._redis.hgetall(self._key(team, "offsets"))
        return {int(partition): int(offset) for partition, offset in stored.items()}

    def apply(
        self, team: str, partition: int, before: int | None, records: Sequence[tuple[int, bytes | None]]
    ) -> Applied:
        """Apply records of one partition of a team's topic, in their order.

        Parameters
        ----------
        before : the offset that Redis should have stored; None if nothing was applied yet.
        records : (offset after the record, its value).

        Raises
        ------
        RedisError
            If Redis does not answer or refuses; what was applied until then stays, and applying again is harmless.
        """
        result = Applied()
        for start in range(0, len(records), PIPELINED):
            pipe = self._redis.pipeline(transaction=False)
            for after, value in records[start : start + PIPELINED]:
                keys, args = self._call(team, partition, before, after, value)
                self._script(keys=keys, args=args, client=pipe)
                before = after
            answers = pipe.execute()
            result = Applied(
                result.applied + answers.count("applied"),
                result.old + answers.count("old"),
                result.skipped + answers.count("skipped"),
                "behind" in answers,
            )
            if result.behind:
                break
        return result

    def close(self) -> None:
        """Disconnect."""
        self._redis.close()

    def _call(
        self, team: str, partition: int, before: int | None, after: int, value: bytes | None
    ) -> tuple[list[str], list[str | int | bytes]]:
        place: list[str | int | bytes] = [partition, "" if before is None else before, after]
        place += [self._key(team, "notify"), KEEP_MS]
        alert = _alert(value)
        wearer, alert_id = (alert.wearer_id, alert.alert_id) if alert is not None else ("", "")
        keys = [
            self._key(team, f"alert:{alert_id}"),
            self._key(team, "active"),
            self._key(team, f"wearer:{wearer}"),
            self._key(team, "alerts"),
            self._key(team, "offsets"),
        ]
        if alert is None or value is None:
            return keys, place
        score = _score(alert)
        return keys, [
            *place,
            alert_id,
            alert.version,
            value,
            alert.condition,
            alert.workflow,
            alert.priority,
            wearer,
            score,
        ]

    def _key(self, team: str, name: str) -> str:
        return f"{self._prefix}{{{team}}}:{name}"


def _alert(value: bytes | None) -> _Alert | None:
    """Return the alert, or None for what is none: only our own workers write there, but the topic is open to others."""
    if value is None:
        return None
    try:
        alert = _read(value)
        _raised_ms(alert)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None
    return alert


def _raised_ms(alert: _Alert) -> int:
    return round(datetime.fromisoformat(alert.raised_at).timestamp() * 1000)


def _score(alert: _Alert) -> int:
    return RANKS.get(alert.priority, 0) * _SCALE + (_SCALE - _raised_ms(alert))
