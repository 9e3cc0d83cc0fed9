"""Redis from the alert topics anew, without a moment in which readers see less than there is.

Everything is built aside, under ``<prefix>rebuild:``, by the calls that a projector makes, and then copied over what
readers see, some hundred alerts a call; the last call brings `active`, the offsets, and removes what the topic does not
hold. A running projector goes on meanwhile and needs to know nothing: each call changes nothing if it has applied more
than was built, and waits until the builder has caught up; afterwards Redis says again how far it has come, which is all
that a projector believes.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
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
SWAPPED = 250
"""Alerts in one call: it holds Redis for some 10 ms."""
LOCK_S = 60
PATIENCE_S = 30.0
CATCH_UPS = 20
_KEEP_LOCK = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

Names = tuple[list[str], list[str]]
"""Of alerts' hashes and of wearers' sets."""
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
        self._fresh: dict[str, set[str]] = {team: set() for team in settings.teams}
        self._records = dict.fromkeys(settings.teams, 0)
        self._ends: dict[Part, int] = {}

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
            self._fresh[team] |= self._expected[team].take(partition, rows)
            self._stay_alone()
            self._records[team] += len(rows)
            progress(sum(self._records.values()), total)
        self._ends = ends

    def swap(self, team: str) -> Rebuilt:
        """Put a team's new keys in the place of the old ones."""
        live = stored.read(self._redis, self._prefix, team)  # what comes later is in the topic and is built aside
        expected, fresh = self._expected[team], self._fresh[team]
        starts = {partition: offset for (of, partition), offset in self._topics.starts.items() if of == team}
        old = kept(live, expected, starts, self._settings.stream.partitions)
        for alert_id in old:
            self._carry_over(team, alert_id, live)
        stays = self._redis.type(key(self._prefix, team, "alerts")) == "stream"
        fresh.clear()
        done: Counter[str] = Counter()
        ids = list(expected.alerts)
        for start in range(0, len(ids), SWAPPED):
            done += self._put(team, stays, partial(_names, expected, ids[start : start + SWAPPED]))
        alone = [f"alert:{one}" for one in live.hashes.keys() - expected.alerts.keys() - old]
        wearers = {newest.alert.wearer_id for newest in expected.alerts.values()}
        alone_wearers = [f"wearer:{one}" for one in live.wearers.keys() - wearers]

        def last() -> Names:
            alerts, sets = _names(expected, fresh)
            return [*alone, *alerts], [*alone_wearers, *sets]

        done += self._put(team, stays, last, "active", "offsets", *([] if stays else ["alerts"]))
        opened = sum(newest.open for newest in expected.alerts.values()) + len(old)
        return Rebuilt(team, self._records[team], opened, done["new"], done["changed"], done["gone"], len(old))

    def _put(self, team: str, stays: bool, which: Callable[[], Names], *moved: str) -> Counter[str]:
        """Copy alerts and wearers' sets, and move keys, in one call that finds Redis no further than what was built."""
        for _ in range(CATCH_UPS):
            said = stored.offsets(self._redis, self._prefix, team)
            if any(offset > self._ends.get((team, p), 0) for p, offset in said.items()):
                self.build(self._topics.ends(), lambda _done, _total: None)
            alerts, wearers = which()
            names = [*alerts, *wearers, *moved]
            keys = [key(self._prefix, team, name) for name in ("offsets", "alerts")]
            keys += [key(prefix, team, name) for name in names for prefix in (self._prefix, self._aside)]
            limits: list[str | int] = []
            for (of, partition), end in self._ends.items():
                if of == team:
                    # The end was asked for later than what Redis said: an offset beyond it is none of this topic.
                    limits += [partition, end, said[partition] if said.get(partition, 0) > end else ""]
            self._stay_alone()
            told: list[str | int] = [
                key(self._prefix, team, "notify"),
                len(alerts),
                len(wearers),
                "stream" if stays else "",
            ]
            answer: Any = self._swap(keys=keys, args=[*told, *limits])
            if answer[0] == "swapped":
                return Counter(dict(zip(("new", "changed", "gone"), answer[1:], strict=True)))
        raise ProjectionRefused(
            f"A projector applied alerts of team {team} faster than the rebuild could follow: run it again."
        )

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


def _names(expected: Expected, ids: Collection[str]) -> Names:
    wearers = {expected.alerts[one].alert.wearer_id for one in ids}
    return [f"alert:{one}" for one in ids], [f"wearer:{one}" for one in wearers]
