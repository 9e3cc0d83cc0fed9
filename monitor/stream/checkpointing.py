"""When checkpoints are taken: one partition at a time, spread over the interval, while the stream goes on.

A checkpoint is copied between two steps, when every output of the steps before is acknowledged; only that copy holds
the stream up. One thread writes: first the journal's rows up to the cut, then the checkpoint, and then the ledger lets
the commits follow. A place that fails is said and tried again; commits wait, the stream does not. Rows that the
journal's place does not take go to the local disk, and no checkpoint stands behind them until they are in the journal.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from monitor.errors import StoreUnreachable
from monitor.stream.beginnings import Beginning
from monitor.stream.core import Core
from monitor.stream.ledger import Ledger
from monitor.stream.one_thread import OneThread
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from monitor.wearers.journal import Journal, Rows, count

PLACE_FAILURES = (OSError, StoreUnreachable)
RETRY_S = 5.0
SPILL_ROWS = 10_000
"""So many rows of a partition are spilled before their time, while the journal's place fails."""
RELIEVE_S = 10.0
FRESH_S = 1.0
"""A checkpoint younger than this is not worth the time of a rebalance."""
_TICK_S = 0.05

log = structlog.get_logger()


@dataclass(slots=True)
class _Kept:
    """What is known of a partition under one claim.

    `since`: offset in cuts.v1 up to which this owner's rows are in the journal; `safe_s`: when the newest durable
    checkpoint was taken, or the partition begun (monotonic); `at`: the cut of that checkpoint, -1 without one;
    `spilled_s`: when its rows were spilled last; `failures`, `failing_since_s`: of its checkpoints in a row.
    """

    epoch: int
    since: int
    safe_s: float
    due_s: float
    at: int = -1
    spilled_s: float = float("-inf")
    failures: int = 0
    failing_since_s: float = 0.0


class Checkpointer:
    """Takes checkpoints of the partitions that are owned, and keeps the ledger.

    Parameters
    ----------
    core : Core
    checkpoints : Checkpoints
    journal : Journal
    ledger : Ledger
    partitions : int
        Of every topic.
    interval_s : float
        Between two checkpoints of a partition.
    owned : callable
        Returns the partitions owned now.
    between_steps : asyncio.Lock
        Held by whoever steps.
    busy : callable
        Tells of a partition whether an output of it is not acknowledged yet: it is not copied then, but a tick later.

    Attributes
    ----------
    written, failed : checkpoints.
    journal : Journal
    """

    def __init__(
        self,
        core: Core,
        checkpoints: Checkpoints,
        journal: Journal,
        ledger: Ledger,
        *,
        partitions: int,
        interval_s: float,
        owned: Callable[[], Iterable[int]],
        between_steps: asyncio.Lock,
        busy: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._core, self._checkpoints, self.journal, self._ledger = core, checkpoints, journal, ledger
        self._partitions, self._interval_s = partitions, interval_s
        self._owned, self._between_steps, self._busy = owned, between_steps, busy
        self._kept: dict[int, _Kept] = {}
        self._thread = OneThread()
        self._one = asyncio.Lock()
        self._relieved_s = 0.0
        self._took_s = 0.0
        self.written = self.failed = 0

    # ------------------------------------------------------------------------------------------------ what is owned

    def begin(self, partition: int, epoch: int, beginning: Beginning) -> None:
        """Know where a claimed partition begins, before its first step."""
        now = time.monotonic()
        self._kept[partition] = _Kept(epoch, beginning.since, now, self._next_turn(partition, now))
        self._relieved_s = now
        if beginning.durable is not None:
            self._kept[partition].at = beginning.since
            self._ledger.enter(partition, epoch, beginning.durable)

    def forget(self, partition: int) -> None:
        """Drop what belongs to a claim that is over."""
        self._kept.pop(partition, None)
        self._ledger.forget(partition)
        self.journal.forget(partition)

    def oldest_s(self) -> float:
        """Return the age of the oldest among the newest durable checkpoints; without one, the time since the claim."""
        now = time.monotonic()
        return max((now - kept.safe_s for p in self._owned() if (kept := self._kept.get(p))), default=0.0)

    @property
    def failures_in_a_row(self) -> int:
        """Checkpoints of a partition that failed one after the other, of the partition that has most."""
        return max((kept.failures for kept in self._kept.values()), default=0)

    def failing_since_s(self) -> float:
        """Return how long checkpoints of a partition have failed, of the one that fails longest; 0 if none does."""
        since = [kept.failing_since_s for kept in self._kept.values() if kept.failures]
        return time.monotonic() - min(since) if since else 0.0

    # ------------------------------------------------------------------------------------------------- the schedule

    async def run(self) -> None:
        """Take checkpoints when it is time, until cancelled; one that is under way then goes on by itself."""
        while True:
            now = time.monotonic()
            due = [p for p in self._owned() if p in self._kept and self._kept[p].due_s <= now and not self._busy(p)]
            if due:
                await asyncio.shield(asyncio.ensure_future(self._keep(min(due, key=lambda p: self._kept[p].due_s))))
            await asyncio.sleep(_TICK_S)

    async def hurry(self, within_s: float) -> None:
        """Take as many checkpoints as fit into the time, those first whose last one is oldest; no step must run."""
        until = time.monotonic() + within_s
        for p in sorted(self._owned(), key=lambda p: self._kept[p].safe_s if p in self._kept else 0.0):
            left = until - time.monotonic()
            kept = self._kept.get(p)
            if kept is None or self._busy(p) or (kept.at >= 0 and time.monotonic() - kept.safe_s < FRESH_S):
                continue
            if left <= self._took_s:
                return
            await asyncio.wait([asyncio.ensure_future(self._keep(p))], timeout=left)

    async def all(self, within_s: float) -> int:
        """Take the checkpoint of every partition, for as long as there is time; no step must run.

        What fails is tried again. Returns how many stand where their partition does.
        """
        until = time.monotonic() + within_s
        left, tried, standing = {p for p in self._owned() if p in self._kept}, set[int](), 0
        while (rest := until - time.monotonic()) > 0 and (left := left & self._kept.keys()):
            now = time.monotonic()
            ready = [p for p in left if not self._busy(p) and (p not in tried or self._kept[p].due_s <= now)]
            if not ready:
                await asyncio.sleep(min(_TICK_S, rest))
                continue
            p = min(ready, key=lambda p: self._kept[p].safe_s)
            tried.add(p)
            await asyncio.wait([asyncio.ensure_future(self._keep(p))], timeout=rest)
            if self._stands(p):
                standing += 1
                left.discard(p)
        return standing

    def _stands(self, p: int) -> bool:
        kept = self._kept.get(p)
        return kept is not None and self._core.has(p) and self._core.position(p).at == kept.at

    def _next_turn(self, partition: int, now: float) -> float:
        """Return the partition's next turn: the turns of all partitions are spread over the interval."""
        phase = self._interval_s * partition / self._partitions
        return now + self._interval_s - (now - phase) % self._interval_s

    # ------------------------------------------------------------------------------------------------------ writing

    async def _keep(self, p: int) -> None:
        async with self._one:
            async with self._between_steps:
                kept = self._kept.get(p)
                if kept is None or p not in self._owned() or self._busy(p):
                    return
                began = time.monotonic()
                kept.due_s = self._next_turn(p, began)
                if self._core.position(p).at == kept.at:
                    kept.safe_s = began
                    return
                checkpoint = self._core.save(p)
            try:
                await self._write_rows(p, kept, checkpoint.position.at)
                await self._write(checkpoint, kept, began)
            except PLACE_FAILURES as failure:
                self.failed += 1
                kept.failing_since_s = kept.failing_since_s if kept.failures else began
                kept.failures += 1
                kept.due_s = time.monotonic() + min(RETRY_S, self._interval_s)
                log.error("a checkpoint was not written and will be tried again", partition=p, why=str(failure))

    async def _write(self, checkpoint: Checkpoint, kept: _Kept, began: float) -> None:
        p, position = checkpoint.partition, checkpoint.position
        await self._thread.run(lambda: self._checkpoints.write(checkpoint))
        self.written += 1
        kept.failures = 0
        self._took_s = time.monotonic() - began
        if self._kept.get(p) is kept and position.next is not None:
            kept.safe_s, kept.at = began, position.at
            self._ledger.enter(p, kept.epoch, position.next)

    async def _write_rows(self, p: int, kept: _Kept, at: int) -> None:
        """Write the journal's rows of the cuts after the last ones up to this one; what was spilled goes first."""
        if at <= kept.since and not self.journal.owes(p):
            return
        rows, begin = self.journal.take(p), kept.since
        try:
            await self._thread.run(lambda: self.journal.write(p, kept.epoch, begin, at, rows))
        except BaseException as failure:
            spilled = isinstance(failure, PLACE_FAILURES) and await self._spill(p, kept, at, rows)
            if self._kept.get(p) is kept and not spilled:
                self.journal.give_back(p, rows)
            raise
        kept.since = at

    async def _spill(self, p: int, kept: _Kept, at: int, rows: Rows) -> bool:
        """Hold rows on the local disk, not oftener than checkpoints are taken unless they are many."""
        now, begin = time.monotonic(), kept.since
        if at <= begin or (now - kept.spilled_s < self._interval_s and count(rows) < SPILL_ROWS):
            return False
        if not await self._thread.run(lambda: self.journal.spill(p, kept.epoch, begin, at, rows)):
            return False
        kept.spilled_s, kept.since = now, at
        return True

    async def relieve(self) -> None:
        """Write the rows that a long replay has gathered, now and then, so that they do not fill the memory."""
        if time.monotonic() - self._relieved_s < RELIEVE_S:
            return
        owned = set(self._owned())
        for p, kept in list(self._kept.items()):
            if p in owned or not self._core.has(p):
                continue
            try:
                async with self._one:
                    await self._write_rows(p, kept, self._core.position(p).at)
            except PLACE_FAILURES as failure:
                log.error("the journal was not written and will be tried again", partition=p, why=str(failure))
        self._relieved_s = time.monotonic()
