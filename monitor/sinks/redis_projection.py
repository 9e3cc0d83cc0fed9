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

A closed alert leaves `active` and the wearer's set, and its hash expires 7 days after the stamp of the record that
closed it, so that everything but the stream's order is a function of the topic: whoever applies it, and whenever.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any

import msgspec
import redis

from monitor.errors import ProjectionRefused, RedisUnreachable
from monitor.settings import Settings
from stream_schemas.reasons import UNREADABLE

Client = redis.Redis
RedisError = redis.RedisError
Refused = redis.ResponseError
"""Redis answers, and refuses: its memory is full, or a key of ours is of another type."""

Row = tuple[int, int, bytes | None]
"""A record of an alert topic: the offset after it, its stamp in epoch milliseconds, its value."""

KEEP_MS = 7 * 86_400_000
GRACE_MS = 3_600_000
"""What was closed long ago is kept at least so long behind its application: repeated old versions meet it."""
SOCKET_TIMEOUT_S = 5.0
PIPELINED = 500
RANKS = {"high": 3, "medium": 2, "low": 1, "technical": 0}
_SCALE = 10_000_000_000_000

_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Alert(msgspec.Struct):
    """What of alert/1 the keys are made of; the document is kept as it is."""

    alert_id: _Id
    version: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
    wearer_id: _Id
    condition: str
    workflow: str
    priority: str
    raised_at: str


_read = msgspec.json.Decoder(Alert).decode


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
        self._redis = connect(url)
        self._prefix = key_prefix
        self._script = self._redis.register_script(files("monitor.sinks").joinpath("projection.lua").read_text())

    def offsets(self, team: str) -> dict[int, int]:
        """Return, per partition of the team's topic, the offset after the last record applied; absent: none was."""
        stored: Any = self._redis.hgetall(self._key(team, "offsets"))
        return {int(partition): int(offset) for partition, offset in stored.items()}

    def forget(self, team: str, partition: int) -> None:
        """Forget how far a partition was applied; what it gave stays, and is not replaced by older versions."""
        self._redis.hdel(self._key(team, "offsets"), str(partition))

    def apply(self, team: str, partition: int, before: int | None, records: Sequence[Row]) -> Applied:
        """Apply records of one partition of a team's topic, in their order.

        Parameters
        ----------
        before : the offset that Redis should have stored; None if nothing was applied yet.
        records : (offset after the record, its stamp, its value).

        Raises
        ------
        RedisError
            If Redis does not answer or refuses; what was applied until then stays, and applying again is harmless.
        """
        result = Applied()
        for start in range(0, len(records), PIPELINED):
            pipe = self._redis.pipeline(transaction=False)
            for row in records[start : start + PIPELINED]:
                keys, args = self._call(team, partition, before, row)
                self._script(keys=keys, args=args, client=pipe)
                before = row[0]
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
        self, team: str, partition: int, before: int | None, row: Row
    ) -> tuple[list[str], list[str | int | bytes]]:
        after, stamp_ms, value = row
        args: list[str | int | bytes] = [partition, "" if before is None else before, after]
        args += [self._key(team, "notify"), KEEP_MS, GRACE_MS, stamp_ms]
        alert = read_alert(value)
        if alert is None or value is None:
            return self._keys(team, "", ""), args
        args += [alert.alert_id, alert.version, value, alert.condition, alert.workflow, alert.priority]
        return self._keys(team, alert.alert_id, alert.wearer_id), [*args, alert.wearer_id, score(alert)]

    def _keys(self, team: str, alert_id: str, wearer_id: str) -> list[str]:
        names = (f"alert:{alert_id}", "active", f"wearer:{wearer_id}", "alerts", "offsets")
        return [self._key(team, name) for name in names]

    def _key(self, team: str, name: str) -> str:
        return key(self._prefix, team, name)


def key(prefix: str, team: str, name: str) -> str:
    """Return the key of a name of a team."""
    return f"{prefix}{{{team}}}:{name}"


def connect(url: str, timeout_s: float = SOCKET_TIMEOUT_S) -> redis.Redis:
    """Return a client; it connects at the first call.

    It repeats nothing by itself: it would do so for seconds what the caller knows better to begin again.
    """
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=timeout_s, socket_connect_timeout=2.0, retry=None
    )


@contextmanager
def answering(settings: Settings, timeout_s: float = SOCKET_TIMEOUT_S) -> Iterator[redis.Redis]:
    """Yield a client and name what goes wrong with it.

    Raises
    ------
    RedisUnreachable
        If no Redis answers.
    ProjectionRefused
        If it refuses.
    """
    client = connect(settings.redis.url, timeout_s)
    try:
        yield client
    except redis.ResponseError as error:
        raise ProjectionRefused(
            f"Redis refuses ({reason(error)}): mend that there and run it again; what readers see was not changed."
        ) from error
    except redis.RedisError as error:
        address = settings.redis.url.rpartition("@")[2].removeprefix("redis://")
        raise RedisUnreachable(
            f"Redis at {address} does not answer: start one with `python -m monitor up`, or set PULSEWARDEN_REDIS__URL."
        ) from error
    finally:
        client.close()


def reason(failure: Refused) -> str:
    """Return what Redis said, without the command, which holds the alert."""
    return str(failure).rpartition("caused error: ")[2]


def read_alert(value: bytes | None) -> Alert | None:
    """Return the alert, or None for what is none: only our own workers write there, but the topic is open to others."""
    if value is None:
        return None
    try:
        alert = _read(value)
        _raised_ms(alert)
    except (*UNREADABLE, ValueError):
        return None
    return alert


def score(alert: Alert) -> int:
    """Return the place of an open alert among the open ones: the higher, the worse or older."""
    return RANKS.get(alert.priority, 0) * _SCALE + (_SCALE - _raised_ms(alert))


def _raised_ms(alert: Alert) -> int:
    return round(datetime.fromisoformat(alert.raised_at).timestamp() * 1000)
