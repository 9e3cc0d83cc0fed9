"""Ownership: claim a partition, bring it to where the log stands, keep it, and let it go.

The rules, each the answer to a test that broke (those of a step are in `monitor.stream.stepping`):

1. A claim is appended before anything is read; its offset is the epoch. Replay ends at the claim.
2. A batch with an old tag is dropped and comes again.
3. A rebalance takes everything for a moment. What stays keeps its state; what may leave is checkpointed first, those
   whose last checkpoint is oldest before the others, for as long as the group can wait.
4. Commits follow durable checkpoints, and only while the partition is owned under the same claim.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import structlog
from faust.types import TP

from monitor.errors import PulsewardenError, TopicsDiffer
from monitor.outputs import ScoreDue
from monitor.settings import Settings
from monitor.sinks.kafka import KafkaSink
from monitor.stream.checkpointing import Checkpointer
from monitor.stream.claiming import Claimer
from monitor.stream.core import Core
from monitor.stream.cut_log import FAILURES, Overtaken
from monitor.stream.ledger import Ledger
from monitor.stream.memory import settle
from monitor.stream.partition import Gap, Partition
from monitor.stream.planning import CROWDED_BYTES
from monitor.stream.records import Fetched
from monitor.stream.recovery import Replay
from monitor.stream.stepping import Stepping
from monitor.stream.transport import Consumer
from monitor.stream.watchdog import Glance
from monitor.wearers.checkpoint import Checkpoints
from monitor.wearers.journal import Journal

INBOX_BYTES = 8 * 1024 * 1024
REVOKE_BUDGET_S = 2.0

log = structlog.get_logger()


class Owner(Stepping):
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

    Attributes
    ----------
    parts : the partitions owned now.
    assigned_partitions : what the group has assigned.
    checkpointer : takes checkpoints of what is owned.
    void_cuts : cuts that landed behind another claim.
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
    ) -> None:
        super().__init__(settings, core, sink, score)
        self._partitions = settings.stream.partitions
        self._ledger = Ledger()
        self.checkpointer = Checkpointer(
            core,
            checkpoints,
            journal,
            self._ledger,
            partitions=settings.stream.partitions,
            interval_s=settings.checkpoint.interval_s,
            owned=lambda: list(self.parts),
            between_steps=self._lock,
        )
        self._replay = Replay(core, self._bootstrap, self._prefix, score, checkpoints, self.checkpointer)
        self._claimer = Claimer(settings, core, sink, self._cut_log, self._replay)
        self._source = {self._prefix + topic: i for i, topic in enumerate(core.inputs)}
        self._recovery: asyncio.Task[None] | None = None
        self._refusal: PulsewardenError | None = None
        self._tags = self._generations = 0
        self.assigned_partitions: set[int] = set()
        self.recoveries, self.recovery_s = 0, 0.0

    # ------------------------------------------------------------------------------------------------- the transport

    async def assigned(self, feed: Consumer) -> None:
        """Take over an assignment: keep what stays, forget what left, claim the rest soon."""
        self._feed = feed
        self._generations += 1
        async with self._lock:
            held = feed.assignment()
            self.assigned_partitions = {tp.partition for tp in held}
            self._refusal = self._unequal(held)
            if self._refusal is not None:
                self.assigned_partitions = set()
            for p in set(self.parts) - self.assigned_partitions:
                self._forget(p)
            self._claim_at_s = {}
            await feed.arrange(self._places(list(self.parts.values())))
            self._suspended = False

    def _unequal(self, held: set[TP]) -> TopicsDiffer | None:
        """Refuse inputs whose partitions do not meet here: a wearer's records would be in several places."""
        prefix = "start a new log with another PULSEWARDEN_KAFKA__TOPIC_PREFIX."
        beyond = sorted({tp.topic for tp in held if tp.partition >= self._partitions})
        if beyond:
            return TopicsDiffer(
                f"Topic {beyond[0]} has more than the {self._partitions} partitions of its log, but the count is "
                f"frozen and its wearers are spread otherwise now: {prefix}"
            )
        missing = {self._tp(i, tp.partition) for tp in held for i in range(len(self._core.inputs))} - held
        if missing:
            return TopicsDiffer(
                f"Topic {min(missing).topic} is not assigned together with the other inputs: if `python -m monitor "
                f"topics list` shows equal partition counts, start the worker again, else {prefix}"
            )
        return None

    async def revoked(self) -> None:
        """Stop recovering and stepping, and checkpoint; a step that does not end in time has an unknown outcome."""
        self._suspended = True
        until = time.monotonic() + REVOKE_BUDGET_S
        await self._cancel_recovery()
        await self._last_step(REVOKE_BUDGET_S)
        await self.checkpointer.hurry(until - time.monotonic())

    async def _last_step(self, within_s: float) -> None:
        """Wait for the step that is under way; if it does not end in time, nobody knows what became of it."""
        try:
            async with asyncio.timeout(within_s), self._lock:
                pass
        except TimeoutError:
            log.warning("a step was in flight for longer than there is time: its partitions are forgotten")
            for p in list(self.parts):
                self._forget(p)

    def receive(self, fetched: Fetched) -> None:
        """Put a fetch into the inbox of its partition, unless it was fetched before the last seek."""
        part = self.parts.get(fetched.partition)
        if part is None or fetched.tag != part.tag or self._suspended:
            return
        try:
            part.receive(self._source[fetched.topic], fetched)
        except Gap as gap:
            self._lose(part, str(gap))

    def full(self) -> bool:
        """Tell whether the inboxes hold as much as they may: more while what T waits for has not been fetched."""
        size_bytes = sum(part.size_bytes for part in self.parts.values())
        return size_bytes > (CROWDED_BYTES if self._planner.held else INBOX_BYTES)

    def committable(self) -> Mapping[TP, int]:
        """Return the positions of durable checkpoints of what is owned; while the group rebalances, nothing."""
        if self._suspended:
            return {}
        durable = self._ledger.committable((p, part.epoch) for p, part in self.parts.items())
        return {self._tp(i, p): at for p, positions in durable.items() for i, at in enumerate(positions)}

    # ----------------------------------------------------------------------------------------------------- recovery

    async def tend(self) -> None:
        """Claim what is assigned and not owned, if it is time; returns at once, the recovery runs on.

        Raises
        ------
        PulsewardenError
            As a recovery met it, or TopicsDiffer where the inputs do not fit together.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._recovery is not None:
            if not self._recovery.done():
                return
            recovery, self._recovery = self._recovery, None
            recovery.result()
        now = time.monotonic()
        wanted = sorted(p for p in self.assigned_partitions - set(self.parts) if now >= self._claim_at_s.get(p, 0.0))
        if wanted and not self._suspended and self._feed is not None and not self._feed.app.rebalancing:
            self._recovery = asyncio.create_task(self._recover(self._feed, wanted))

    async def _cancel_recovery(self) -> None:
        recovery, self._recovery = self._recovery, None
        if recovery is not None:
            recovery.cancel()
            await asyncio.wait([recovery])

    async def _recover(self, feed: Consumer, partitions: list[int]) -> None:
        began = time.monotonic()
        try:
            claimed = await self._claimer.take_over(partitions)
            parts = [self._partition(p, epoch, expected) for p, (epoch, expected) in claimed.items()]
        except (*FAILURES, OSError, Overtaken) as failure:
            log.warning("claiming failed and will be tried again", partitions=partitions, why=repr(failure))
            self._abandon(partitions)
            await self._renew_sink(failure)
        except BaseException:
            self._abandon(partitions)
            raise
        else:
            settle()
            await feed.place(self._places(parts))
            self.recoveries += 1
            self.recovery_s = time.monotonic() - began
            log.info("claimed", partitions=partitions, seconds=round(self.recovery_s, 3))

    def _partition(self, p: int, epoch: int, expected: int) -> Partition:
        position = self._core.position(p)
        if position.next is None:
            raise Overtaken(f"partition {p} has no first cut")
        self._tags += 1
        return Partition(p, epoch, expected, self._tags, position.next, position.stamp, self._planner.timed)

    def _places(self, parts: Sequence[Partition]) -> dict[TP, tuple[int, int]]:
        """Begin with empty inboxes and say where to read on: what was fetched before a seek is fetched again."""
        places = {}
        for part in parts:
            fresh = self._partition(part.number, part.epoch, part.expected)
            fresh.cut_at_s = part.cut_at_s
            self.parts[part.number] = fresh
            places.update({self._tp(i, part.number): (offset, fresh.tag) for i, offset in enumerate(fresh.reach)})
        return places

    def _abandon(self, partitions: Sequence[int]) -> None:
        for p in partitions:
            self._forget(p)
            self._claim_at_s[p] = time.monotonic() + self._zombie_s

    def _forget(self, p: int) -> None:
        super()._forget(p)
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
        await self._cancel_recovery()
        assigned = len(self.assigned_partitions | set(self.parts))
        await self._last_step(within_s)
        standing = await self.checkpointer.all(until - time.monotonic())
        for p in list(self.parts):
            self._forget(p)
        return standing, assigned

    # ------------------------------------------------------------------------------------------------------- figures

    def look(self, joining: str | None) -> Glance:
        """Return what the watchdog wants to know; *joining* as `App.joining` says."""
        reached = {}
        for p in self.parts:
            at = self._core.position(p).next or ()
            reached[p] = {
                (self._prefix + topic, p): offset for topic, offset in zip(self._core.inputs, at, strict=True)
            }
        replayed = self._replay.progress if self._recovery is not None else 0
        return Glance(self._generations, joining, replayed, frozenset(self.assigned_partitions), reached)

    @property
    def losses(self) -> int:
        """Partitions that had to begin anew because the log no longer held what their state needed."""
        return self._replay.losses

    def lag_records(self) -> int:
        """Count what lies in the owned inputs, as of their last fetch, and was not cut."""
        feed = self._feed
        if feed is None:
            return 0
        reaches = [(self._tp(i, p), reach) for p, part in self.parts.items() for i, reach in enumerate(part.reach)]
        unfetched = sum(max(0, (feed.end_offset(tp) or reach) - reach) for tp, reach in reaches)
        return unfetched + sum(part.unread_records for part in self.parts.values())
