"""Redis from the alert topics anew, without a moment in which readers see less than there is.

Everything is built aside, under ``<prefix>rebuild:``, by the calls that a projector makes, and then put in the place of
the old in one call a team. A running projector goes on meanwhile and needs to know nothing: what it has applied beyond
the building is seen at the swap, which then waits for the builder to catch up, and afterwards Redis says again how far
it has come, which is all that a projector believes.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

from monitor.errors import ProjectionRefused
from monitor.settings import Settings
from monitor.sinks import stored
from monitor.sinks.alert_topics import AlertTopics, Part
from monitor.sinks.comparing import kept
from monitor.sinks.expected import Expected
from monitor.sinks.redis_projection import Client, RedisError, RedisProjection, key
from monitor.sinks.stored import Stored

ASIDE = "rebuild:"
"""Behind the settings' prefix: where everything is built."""
LOCK_S = 60
PATIENCE_S = 60.0
"""Longest wait for one answer: a swap of a million alerts keeps Redis for seconds."""
CATCH_UPS = 20
_KEEP_LOCK = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

Progress = Callable[[int, int], None]
"""Called with how many of how many records have been applied."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did for one team: alerts read, and what readers see that they did not see before."""

    team: str
    records: int
    open: int
    new: int
    changed: int
    gone: int
    kept: int


class Rebuilding:
    """One rebuild; a context manager that leaves nothing aside.

    Raises
    ------
    ProjectionRefused
        From every method: if another rebuild runs, or Redis has no room for a second copy.
    RedisError, BrokerUnreachable
        If one of them does not answer. Readers then still see what they saw.
    """

    def __init__(self, settings: Settings, topics: AlertTopics, client: Client) -> None:
        self._settings, self._topics = settings, topics
        self._prefix = settings.redis.key_prefix
        self._aside = self._prefix + ASIDE
        self._redis = client
        self._swap = self._redis.register_script(files("monitor.sinks").joinpath("swap.lua").read_text())
        self._keep = self._redis.register_script(_KEEP_LOCK)
        self._token = secrets.token_hex(8)
        self._projection = RedisProjection(settings.redis.url, self._aside)
        self._expected = {team: Expected() for team in settings.teams}
        self._records = dict.fromkeys(settings.teams, 0)

    def __enter__(self) -> Self:
        if not self._redis.set(self._aside + "lock", self._token, nx=True, ex=LOCK_S):
            raise ProjectionRefused(f"Another rebuild runs on this Redis, or one was killed: try again in {LOCK_S} s.")
        self._clear()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._holds():
                self._clear()
                self._redis.delete(self._aside + "lock")
        except RedisError:  # the next rebuild clears what is left
            return
        finally:
            self._projection.close()

    def build(self, ends: dict[Part, int], progress: Progress) -> None:
        """Apply all records below these ends aside."""
        total = sum(max(0, ends[part] - self._topics.starts[part]) for part in ends)
        for (team, partition), rows in self._topics.upto(ends):
            before = self._expected[team].offsets.get(partition)
            self._projection.apply(team, partition, before, rows)
            self._stay_alone()
            self._expected[team].take(partition, rows)
            self._records[team] += len(rows)
            progress(sum(self._records.values()), total)

    def swap(self, team: str) -> Rebuilt:
        """Put a team's new keys in the place of the old ones."""
        live = stored.read(self._redis, self._prefix, team)  # what comes later is in the topic and is built aside
        for _ in range(CATCH_UPS):
            said = stored.offsets(self._redis, self._prefix, team)
            ends = self._topics.ends()  # asked for later than what Redis said: an offset beyond is none of this topic
            self.build(ends, lambda _done, _total: None)
            self._stay_alone()
            done = self._put(team, live, said, {p: end for (of, p), end in ends.items() if of == team})
            if done is not None:
                return done
        raise ProjectionRefused(
            f"A projector applied alerts of team {team} faster than the rebuild could follow: run it again."
        )

    def _put(self, team: str, live: Stored, said: dict[int, int], ends: dict[int, int]) -> Rebuilt | None:
        expected = self._expected[team]
        starts = {partition: offset for (of, partition), offset in self._topics.starts.items() if of == team}
        old = kept(live, expected, starts, self._settings.stream.partitions)
        for alert_id in old:
            self._carry_over(team, alert_id, live)
        alerts = live.hashes.keys() | expected.alerts.keys()
        wearers = live.wearers.keys() | {newest.alert.wearer_id for newest in expected.alerts.values()}
        names = ["offsets", "alerts", "active", *(f"alert:{one}" for one in alerts)]
        names += [f"wearer:{one}" for one in wearers]
        keys = [key(prefix, team, name) for name in names for prefix in (self._prefix, self._aside)]
        limits: list[str | int] = []
        for partition, end in ends.items():
            limits += [partition, end, said[partition] if said.get(partition, 0) > end else ""]
        answer: Any = self._swap(keys=keys, args=[key(self._prefix, team, "notify"), len(alerts), *limits])
        if answer[0] == "behind":
            return None
        opened = sum(newest.open for newest in expected.alerts.values()) + len(old)
        new, changed, gone = answer[1:]
        return Rebuilt(team, self._records[team], opened, new, changed, gone, len(old))

    def _carry_over(self, team: str, alert_id: str, live: Stored) -> None:
        fields = live.hashes[alert_id]
        if fields is None:
            return
        name = f"alert:{alert_id}"
        pipe = self._redis.pipeline(transaction=False)
        pipe.hset(key(self._aside, team, name), mapping=fields)  # type: ignore[arg-type]
        pipe.zadd(key(self._aside, team, "active"), {alert_id: live.active[alert_id]})
        pipe.sadd(key(self._aside, team, f"wearer:{fields['wearer_id']}"), alert_id)
        pipe.execute()

    def _clear(self) -> None:
        """Remove what is aside: of this rebuild, or of one that was killed."""
        for team in self._settings.teams:
            names = ["offsets", "alerts", "active"]
            names += [f"{kind}:{one}" for kind in ("alert", "wearer") for one in self._aside_names(team, kind)]
            for start in range(0, len(names), 1_000):
                self._redis.unlink(*(key(self._aside, team, name) for name in names[start : start + 1_000]))

    def _aside_names(self, team: str, kind: str) -> Iterator[str]:
        return stored.names(self._redis, self._aside, team, kind)

    def _holds(self) -> bool:
        return bool(self._keep(keys=[self._aside + "lock"], args=[self._token, LOCK_S * 1000]))

    def _stay_alone(self) -> None:
        if not self._holds():
            raise ProjectionRefused(
                f"This rebuild stood still for more than {LOCK_S} s, or Redis was flushed under it: run it again."
            )
