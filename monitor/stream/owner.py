"""Ownership: claim a partition, bring it to where the log stands, keep it, and let it go.

The rules, each the answer to a test that broke (those of a step are in `monitor.stream.stepping`):

1. A claim is appended before anything is read; its offset is the epoch. Replay ends at the claim.
2. A batch with an old tag is dropped and comes again.
3. A rebalance takes everything for a moment. What stays keeps its state; what may leave is checkpointed first, those
   whose last checkpoint is oldest before the others, for as long as the group can wait.
4. Commits follow durable checkpoints, and only while the partition is owned under the same claim.
5. Partitions that can be taken over are taken over together; one that cannot keeps no other waiting.
6. A loss (records were deleted before they were read) drops the state.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from faust.types import TP

from monitor.alerting.limits import changed
from monitor.errors import PulsewardenError, TopicsDiffer
from monitor.outputs import ScoreDue
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.broker_clock import BrokerClocks
from monitor.stream.checkpointing import Checkpointer
from monitor.stream.claiming import Claimed, Claimer
from monitor.stream.core import Core, StepFailed
from monitor.stream.culprits import Hopeless
from monitor.stream.cut_log import FAILURES, CutLog, Overtaken
from monitor.stream.handover import Handover
from monitor.stream.holdings import Holdings
from monitor.stream.ledger import Ledger
from monitor.stream.memory import settle
from monitor.stream.partition import Gap, Partition
from monitor.stream.planning import CROWDED_BYTES, Planner
from monitor.stream.reading import ReadingStuck
from monitor.stream.records import Fetched
from monitor.stream.recovery import Replay, kind_of
from monitor.stream.settings_limits import SettingsLimits
from monitor.stream.stepping import Stepper
from monitor.stream.transport import Consumer
from monitor.stream.watchdog import Glance
from monitor.wearers.checkpoint import Checkpoints
from monitor.wearers.journal import Journal

INBOX_BYTES = 8 * 1024 * 1024
REVOKE_BUDGET_S = 2.0
CLAIMS_WITHIN_S = 0.5
"""Partitions whose claims are acknowledged so soon are taken over together."""
HOPELESS_S = 30.0
"""A partition whose step raises whatever is left out of it is tried again after so long."""

log = structlog.get_logger()


class Owner:
    """Owns the partitions that the group assigns to this worker; a reader of the transport.

    Parameters
    ----------
    settings : Settings
    core : Core
    sink : KafkaSink
    score : callable
        Takes the wearers that a step called due; must gather what it needs at once.
    checkpoints : Checkpoints
    journal : Journal
        The one that the core fills.
    version : str
        Of the engine.

    Attributes
    ----------
    assigned_partitions : what the group has assigned.
    checkpointer : takes checkpoints of what is owned.
    holdings : what is owned. stepper : steps it. clocks : of the brokers. planner : plans the steps.
    recoveries, recovery_s : how often partitions were taken over, and how long the last time took.
    """

    def __init__(
        self,
        settings: Settings,
        core: Core,
        sink: KafkaSink,
        score: Callable[[ScoreDue], None],
        checkpoints: Checkpoints,
        journal: Journal,
        version: str,
    ) -> None:
        self._core, self._sink = core, sink
        self._prefix, self._partitions = settings.kafka.topic_prefix, settings.stream.partitions
        self.clocks = BrokerClocks()
        self.planner = Planner(settings.stream, self._prefix, core, self.clocks)
        self._cut_log = CutLog(settings, sink, self.clocks, version)
        self.holdings = Holdings(core, settings.stream.heartbeat_s, self._forgotten)
        self.stepper = Stepper(settings, core, sink, self._cut_log, self.planner, self.holdings, score)
        self._ledger = Ledger()
        self.checkpointer = Checkpointer(
            core,
            checkpoints,
            journal,
            self._ledger,
            partitions=self._partitions,
            interval_s=settings.checkpoint.interval_s,
            owned=lambda: list(self.parts),
            between_steps=self.stepper.lock,
            busy=lambda p: p in self.parts and self.parts[p].busy > 0,
        )
        self.replay = Replay(
            core, settings.kafka.bootstrap_servers, self._prefix, score, checkpoints, self.checkpointer, version
        )
        limits = changed(settings.limits)
        handover = Handover(settings, core, self._cut_log, checkpoints, version=version, limits=limits)
        self._claimer = Claimer(
            settings, core, sink, self._cut_log, self.replay, handover, version=version, limits=limits
        )
        self._limits = SettingsLimits(settings, core.engine, sink, limits)
        self._source = {self._prefix + topic: i for i, topic in enumerate(core.inputs)}
        self._feed: Consumer | None = None
        self._suspended = True
        self._recoveries: dict[asyncio.Task[None], frozenset[int]] = {}
        self._refusal: PulsewardenError | None = None
        self._tags = self._generations = 0
        self.assigned_partitions: set[int] = set()
        self.recoveries, self.recovery_s = 0, 0.0

    @property
    def parts(self) -> dict[int, Partition]:
        """The partitions owned now."""
        return self.holdings.parts

    # ------------------------------------------------------------------------------------------------- the transport

    async def assigned(self, feed: Consumer) -> None:
        """Take over an assignment: keep what stays, forget what left, claim the rest soon."""
        self._feed = feed
        self._generations += 1
        async with self.stepper.lock:
            held = feed.assignment()
            self.assigned_partitions = self._whole(held)
            self._refusal = self._unequal(held)
            if self._refusal is not None:
                self.assigned_partitions = set()
            self.holdings.assigned(self.assigned_partitions)
            feed.use(self.clocks.known_ms)
            await feed.arrange(self._places(list(self.parts.values())))
            self._suspended = False

    def _whole(self, held: set[TP]) -> set[int]:
        """Return the partitions of which every input is assigned here.

        While workers of two versions are in the group, and one of them reads an input that the other does not know, the
        group gives that input's partitions to the one and some of the others' to the other.
        """
        inputs = range(len(self._core.inputs))
        return {tp.partition for tp in held if all(self._tp(i, tp.partition) in held for i in inputs)}

    def _unequal(self, held: set[TP]) -> TopicsDiffer | None:
        """Refuse inputs whose partitions do not meet here: a wearer's records would be in several places."""
        beyond = sorted({tp.topic for tp in held if tp.partition >= self._partitions})
        if beyond:
            return TopicsDiffer(
                f"Topic {beyond[0]} has more than the {self._partitions} partitions of its log, but the count is "
                "frozen and its wearers are spread otherwise now: start a new log with another "
                "PULSEWARDEN_KAFKA__TOPIC_PREFIX; more partitions are what `python -m monitor topics grow` is for."
            )
        if held and not self.assigned_partitions:
            p = min(tp.partition for tp in held)
            missing = min(tp for i in range(len(self._core.inputs)) if (tp := self._tp(i, p)) not in held)
            return TopicsDiffer(
                f"Topic {missing.topic} is not assigned together with the other inputs: if `python -m monitor topics "
                "list` shows equal partition counts, start the worker again, else start a new log with another "
                "PULSEWARDEN_KAFKA__TOPIC_PREFIX."
            )
        return None

    async def revoked(self) -> None:
        """Stop recovering and stepping, and checkpoint; a step that does not end in time has an unknown outcome."""
        self._suspended = True
        until = time.monotonic() + REVOKE_BUDGET_S
        await self._cancel_recoveries()
        await self._last_step(REVOKE_BUDGET_S)
        await self.checkpointer.hurry(until - time.monotonic())

    async def _last_step(self, within_s: float) -> None:
        """Wait for what is under way; of what does not end in time nobody knows what became of it."""
        try:
            async with asyncio.timeout(within_s):
                await self.stepper.idle()
        except TimeoutError:
            log.warning("a step was in flight for longer than there is time: its partitions are forgotten")
            for p, part in list(self.parts.items()):
                if part.busy or self.stepper.lock.locked():
                    self.holdings.forget(p)

    def receive(self, fetched: Fetched) -> None:
        """Put a fetch into the inbox of its partition, unless it was fetched before the last seek."""
        part = self.parts.get(fetched.partition)
        if part is None or fetched.tag != part.tag or self._suspended:
            return
        try:
            part.receive(self._source[fetched.topic], fetched)
        except Gap as gap:
            self.holdings.lose(part.number, str(gap))

    def full(self) -> bool:
        """Tell whether the inboxes hold as much as they may: more while what T waits for has not been fetched."""
        size_bytes = sum(part.size_bytes for part in self.parts.values())
        return size_bytes > (CROWDED_BYTES if self.planner.held else INBOX_BYTES)

    def committable(self) -> Mapping[TP, int]:
        """Return the positions of durable checkpoints of what is owned; while the group rebalances, nothing."""
        if self._suspended:
            return {}
        durable = self._ledger.committable((p, part.epoch) for p, part in self.parts.items())
        inputs = range(len(self._core.inputs))
        return {
            self._tp(i, p): at for p, positions in durable.items() for i, at in zip(inputs, positions, strict=False)
        }

    async def step(self) -> bool:
        """Step what is owned; see `Stepper.step`."""
        if self._suspended or self._feed is None:
            return False
        return await self.stepper.step(self._feed)

    # ----------------------------------------------------------------------------------------------------- recovery

    async def tend(self) -> None:
        """Claim what is assigned and not owned, if it is time; returns at once, recoveries run on.

        Raises
        ------
        PulsewardenError
            As a recovery met it, or TopicsDiffer where the inputs do not fit together.
        """
        if self._refusal is not None:
            raise self._refusal
        for task in [task for task in self._recoveries if task.done()]:
            del self._recoveries[task]
            task.result()
        if self._suspended or self._feed is None or self._feed.app.rebalancing:
            return
        under_way = [p for group in self._recoveries.values() for p in group]
        together, alone = self.holdings.due(self.assigned_partitions, under_way)
        for group in [together, *([p] for p in alone)]:
            if group:
                task = asyncio.create_task(self._recover(self._feed, group))
                self._recoveries[task] = frozenset(group)

    async def _cancel_recoveries(self) -> None:
        recoveries, self._recoveries = list(self._recoveries), {}
        for recovery in recoveries:
            recovery.cancel()
        if recoveries:
            await asyncio.wait(recoveries)

    async def _recover(self, feed: Consumer, partitions: list[int]) -> None:
        """Claim partitions, and take those over together whose claim is acknowledged soon, the others each alone."""
        claims = {p: asyncio.create_task(self._cut_log.claim(p)) for p in partitions}
        try:
            await asyncio.wait(claims.values(), timeout=CLAIMS_WITHIN_S)
            soon = [p for p, claim in claims.items() if claim.done()]
            groups = [soon, *([p] for p in partitions if p not in soon)]
            taken = [self._take_over(feed, {p: claims[p] for p in group}) for group in groups if group]
            for result in await asyncio.gather(*taken, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
        finally:
            for claim in claims.values():
                claim.cancel()

    async def _take_over(self, feed: Consumer, claims: Mapping[int, asyncio.Task[int]]) -> None:
        began, group = time.monotonic(), list(claims)
        epochs: dict[int, int] = {}
        try:
            for p, claim in claims.items():
                try:
                    epochs[p] = await claim
                except FAILURES as failure:
                    self._lose(p, f"its claim was not acknowledged: {failure!r}")
                    await self.stepper.renew_sink([failure])
            group = list(epochs)
            if not epochs:
                return
            claimed = await self._claimer.take_over(epochs)
            await self._limits.tell(claimed)
            parts = [self._partition(one) for one in claimed.values()]
        except StepFailed as failure:
            self.holdings.raised(group, kind_of(failure.error))
        except Hopeless as failure:
            self._lose(group[0], str(failure), after_s=HOPELESS_S)
        except (*FAILURES, OSError, Overtaken) as failure:
            stuck = {p for _, p in failure.of} if isinstance(failure, ReadingStuck) else set()
            for p in group:
                # With several of them it is not known whose log did not answer: each is tried alone then.
                self._lose(p, f"it could not be taken over: {failure!r}", alone=not stuck or p in stuck)
            await self.stepper.renew_sink([failure])
        except BaseException:
            for p in claims:
                self.holdings.forget(p)
            raise
        else:
            settle()
            await feed.place(self._places(parts))
            self.recoveries += 1
            self.recovery_s = time.monotonic() - began
            log.info("claimed", partitions=group, seconds=round(self.recovery_s, 3))

    def _lose(self, p: int, why: str, *, alone: bool = True, after_s: float | None = None) -> None:
        self.holdings.lose(p, why, alone=alone, after_s=after_s)

    def _partition(self, one: Claimed) -> Partition:
        position = self._core.position(one.partition)
        if position.next is None:
            raise Overtaken(f"partition {one.partition} has no first cut")
        self._tags += 1
        inputs = len(self._core.inputs)  # others may be named behind ours
        return Partition(
            one.partition,
            one.epoch,
            one.expected,
            self._tags,
            position.next[:inputs],
            position.stamp[:inputs],
            self.planner.timed,
        )

    def _places(self, parts: Sequence[Partition]) -> dict[TP, tuple[int, int]]:
        """Begin with empty inboxes and say where to read on: what was fetched before a seek is fetched again."""
        places = {}
        for part in parts:
            fresh = self._partition(Claimed(part.number, part.epoch, part.expected))
            self.holdings.hold(fresh)
            places.update({self._tp(i, part.number): (offset, fresh.tag) for i, offset in enumerate(fresh.reach)})
        return places

    def _forgotten(self, p: int) -> None:
        self.checkpointer.forget(p)

    async def stop(self, within_s: float = 0.0) -> tuple[int, int]:
        """Step no more, and let go of everything, after as many checkpoints as fit into the time.

        Returns
        -------
        (int, int)
            Partitions whose checkpoint stands where they do, and partitions that were assigned, claimed already or not.
        """
        until = time.monotonic() + within_s
        self._suspended = True
        await self._cancel_recoveries()
        assigned = len(self.assigned_partitions | set(self.parts))
        await self._last_step(within_s)
        standing = await self.checkpointer.all(until - time.monotonic())
        for p in list(self.parts):
            self.holdings.forget(p)
        return standing, assigned

    # ------------------------------------------------------------------------------------------------------- figures

    def look(self, joining: str | None) -> Glance:
        """Return what the watchdog wants to know; *joining* as `App.joining` says."""
        reached = {}
        for p in filter(self._core.has, self.parts):
            at = self._core.position(p).reached()
            reached[p] = {(self._prefix + topic, p): at[topic] for topic in self._core.inputs if topic in at}
        replayed = self.replay.progress if self._recoveries else 0
        return Glance(self._generations, joining, replayed, frozenset(self.assigned_partitions), reached)

    @property
    def losses(self) -> int:
        """Partitions that had to begin anew because the log no longer held what their state needed."""
        return self.replay.losses

    def lag_records(self) -> int:
        """Count what lies in the owned inputs, as of their last fetch, and was not cut."""
        feed = self._feed
        if feed is None:
            return 0
        reaches = [(self._tp(i, p), reach) for p, part in self.parts.items() for i, reach in enumerate(part.reach)]
        unfetched = sum(max(0, (feed.end_offset(tp) or reach) - reach) for tp, reach in reaches)
        return unfetched + sum(part.unread_records for part in self.parts.values())

    def _tp(self, source: int, p: int) -> TP:
        return TP(self._prefix + self._core.inputs[source], p)
