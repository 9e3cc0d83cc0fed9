"""The projector: alert topics to Redis, as a process and consumer group of its own.

Where it stands is what Redis says, not what Kafka says: the same call that writes an alert stores the offset. So Redis
may be killed, flushed or restored from yesterday's file, and the projector goes on from what is there.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from monitor.settings import Settings
from monitor.sinks.redis_projection import RedisError, RedisProjection, Refused, Row, reason
from monitor.stream.app import new_app, serve
from monitor.stream.reading import LogReader
from monitor.stream.records import Fetched, Records
from monitor.stream.transport import Consumer
from monitor.stream.watchdog import Glance, Watchdog, input_ends
from monitor.topics import require
from stream_schemas.topics import alerts_topic

FETCH_PACE_S = 0.005
INBOX_BYTES = 32 * 1024 * 1024
LOOK_S = 1.0
"""How often Redis is asked whether it still holds what was applied."""
RETRY_S = 0.5

log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Run a projector until SIGTERM or SIGINT.

    Raises
    ------
    TopicsDiffer
        If the topics are not as the table says.
    Stalled
        If nothing moves though there are alerts to apply: start it again.
    """
    require(settings)
    projector = Projector(settings)
    app = new_app("projector", settings, list(projector.teams), projector, FETCH_PACE_S)
    ends = partial(input_ends, settings.kafka.bootstrap_servers)
    watchdog = Watchdog(settings.stream.stalled_s, lambda: projector.look(app.joining()), ends)

    async def work() -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(projector.work())
                tasks.create_task(watchdog.run())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    serve(app, work)
    return 0


@dataclass(slots=True)
class _Place:
    """One topic partition: where Redis stands, and what was fetched beyond it."""

    tag: int
    applied: int | None
    reach: int
    inbox: deque[Fetched] = field(default_factory=deque)

    @property
    def done(self) -> int:
        """The offset below which nothing is left to apply."""
        return self.inbox[0].begin if self.inbox else self.reach


class Projector:
    """Reads alerts and applies them; a reader of the transport.

    Attributes
    ----------
    teams : prefixed topic name -> team.
    """

    def __init__(self, settings: Settings) -> None:
        self.teams = {settings.kafka.topic_prefix + alerts_topic(team): team for team in settings.teams}
        self._bootstrap = settings.kafka.bootstrap_servers
        self._projection = RedisProjection(settings.redis.url, settings.redis.key_prefix)
        self._feed: Consumer | None = None
        self._assigned: set[TP] = set()
        self._assignments = 0
        self._places: dict[TP, _Place] = {}
        self._tags = 0
        self._bytes = 0
        self._news = asyncio.Event()
        self._silent = False

    # --------------------------------------------------------------------------------------- what the transport calls

    async def assigned(self, feed: Consumer) -> None:
        """Hold everything until Redis has said where to begin."""
        self._feed, self._assigned = feed, feed.assignment()
        self._assignments += 1
        self._forget(set(self._places))
        await feed.arrange({})
        self._news.set()

    async def revoked(self) -> None:
        """Take nothing more; what is being applied is fenced by its offsets."""
        self._assigned = set()
        self._forget(set(self._places))

    def receive(self, fetched: Fetched) -> None:
        """Queue a fetch, unless it was fetched before the last seek."""
        place = self._places.get(TP(fetched.topic, fetched.partition))
        if place is None or place.tag != fetched.tag or place.reach != fetched.begin:
            return
        place.inbox.append(fetched)
        place.reach = fetched.end
        self._bytes += fetched.records.size_bytes()
        self._news.set()

    def full(self) -> bool:
        """Tell whether enough is queued: while Redis is down nothing more is fetched."""
        return self._bytes > INBOX_BYTES

    def committable(self) -> Mapping[TP, int]:
        """Tell Kafka what Redis holds, for those who watch the group's lag; nothing here ever reads it."""
        return {tp: place.applied for tp, place in self._places.items() if place.applied is not None}

    def look(self, joining: str | None) -> Glance:
        """Return what a watchdog has to know; while Redis is silent, nothing stands still here."""
        places: dict[int, list[TP]] = {}
        for tp in self._assigned if not self._silent else ():
            places.setdefault(tp.partition, []).append(tp)
        reached = {
            partition: {(tp.topic, partition): self._places[tp].done for tp in tps}
            for partition, tps in places.items()
            if all(tp in self._places for tp in tps)
        }
        return Glance(self._assignments, joining, 0, set(places), reached)

    # ------------------------------------------------------------------------------------------------------- the work

    async def work(self) -> None:
        """Apply what comes until cancelled."""
        looked = time.monotonic()
        try:
            while True:
                try:
                    await self._place_what_is_new()
                    if time.monotonic() - looked > LOOK_S:
                        await self._look_for_losses()
                        looked = time.monotonic()
                    await self._apply_all()
                    self._say_again()
                except Refused as failure:
                    await self._wait("Redis refuses alerts; they are tried again and none is lost", reason(failure))
                except RedisError as failure:
                    await self._wait("Redis does not answer; alerts wait in Kafka and none is lost", repr(failure))
                except (KafkaError, TimeoutError) as failure:
                    await self._wait("Kafka does not answer; the projector tries again", repr(failure))
                await self._until_news()
        finally:
            self._projection.close()

    async def _until_news(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), LOOK_S)
        except TimeoutError:
            return
        self._news.clear()

    async def _wait(self, sentence: str, why: str) -> None:
        if not self._silent:
            log.warning(sentence, why=why)
        self._silent = True
        await asyncio.sleep(RETRY_S)
        self._news.set()

    def _say_again(self) -> None:
        if self._silent:
            log.info("the projection goes on")
        self._silent = False

    async def _place_what_is_new(self) -> None:
        wanted = self._assigned - set(self._places)
        feed = self._feed
        if not wanted or feed is None:
            return
        stored = {tp: await self._stored(tp) for tp in wanted}
        async with LogReader(self._bootstrap) as reader:
            starts = await reader.starts([(tp.topic, tp.partition) for tp in wanted])
            ends = await reader.ends([(tp.topic, tp.partition) for tp in wanted])
        if not wanted <= self._assigned:
            return
        for tp in wanted:
            if (stored[tp] or 0) > ends[tp.topic, tp.partition]:
                await self._disbelieve(tp)
                stored[tp] = None
        seeks = {}
        for tp in wanted:
            self._tags += 1
            begin = max(stored[tp] or 0, starts[tp.topic, tp.partition])
            self._places[tp] = _Place(self._tags, stored[tp], begin)
            seeks[tp] = (begin, self._tags)
        await feed.place(seeks)
        log.info("reading alerts", partitions=len(wanted), anew=sum(offset is None for offset in stored.values()))

    async def _disbelieve(self, tp: TP) -> None:
        """Redis has come further than the topic goes: the topic was made anew, or Redis is of another Kafka."""
        log.warning(
            "Redis says that it holds more than the alert topic does: the topic is read from its start; run "
            "`python -m monitor redis rebuild` to remove alerts that it does not hold",
            topic=tp.topic,
            partition=tp.partition,
        )
        await asyncio.to_thread(self._projection.forget, self.teams[tp.topic], tp.partition)

    async def _stored(self, tp: TP) -> int | None:
        offsets = await asyncio.to_thread(self._projection.offsets, self.teams[tp.topic])
        return offsets.get(tp.partition)

    async def _look_for_losses(self) -> None:
        """Redis may have been flushed, or have come back with less than it had said: begin again from what it holds."""
        for topic, team in self.teams.items():
            stored = await asyncio.to_thread(self._projection.offsets, team)
            lost = {
                tp
                for tp, place in self._places.items()
                if tp.topic == topic and place.applied is not None and stored.get(tp.partition, -1) < place.applied
            }
            if lost:
                self._begin_again(lost)

    async def _apply_all(self) -> None:
        """Apply what was fetched; what Redis refuses of one partition keeps no other from it."""
        refusal: Refused | None = None
        for tp in list(self._places):
            try:
                await self._apply(tp)
            except Refused as failure:
                refusal = failure
        if refusal is not None:
            raise refusal

    async def _apply(self, tp: TP) -> None:
        place = self._places.get(tp)
        if place is None or not place.inbox:
            return
        fetched = list(place.inbox)
        records = [row for f in fetched for row in _rows(f.records)]
        done = await asyncio.to_thread(
            self._projection.apply, self.teams[tp.topic], tp.partition, place.applied, records
        )
        if self._places.get(tp) is not place:
            return
        if done.behind:
            self._begin_again({tp})
            return
        for f in fetched:
            place.inbox.popleft()
            self._bytes -= f.records.size_bytes()
        if records:
            place.applied = records[-1][0]
        if done.skipped:
            log.debug("records were skipped", topic=tp.topic, skipped=done.skipped)

    def _begin_again(self, tps: set[TP]) -> None:
        log.warning("Redis lacks alerts that had been applied: they are read from Kafka again", partitions=len(tps))
        self._forget(tps)
        self._news.set()

    def _forget(self, tps: set[TP]) -> None:
        for tp in tps:
            place = self._places.pop(tp, None)
            if place is not None:
                self._bytes -= sum(f.records.size_bytes() for f in place.inbox)


def _rows(records: Records) -> list[Row]:
    return list(zip((records.offset + 1).tolist(), records.stamp_ms.tolist(), records.value, strict=True))
