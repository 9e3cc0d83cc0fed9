"""Micro-batches: take what is due now, wait at most a moment for more, publish one record a partition and T."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from models.snapshot import Snapshot
from monitor.outputs import Output, ScoreDue
from monitor.scoring.device import Answer, Device
from stream_schemas.codec import encode
from stream_schemas.score import RiskScores
from stream_schemas.topics import RISK_SCORES

WAITING_ROWS = 4096
"""About 50 MiB of snapshots; beyond it the oldest are given up, for newer ones of the same wearers follow."""
RECORD_ROWS = 1000
"""So many wearers of ten heads keep a record below the largest value that is read."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Group:
    """Wearers of one partition that are due at the same T."""

    partition: int
    as_of_ms: int
    wearer_id: tuple[str, ...]
    snapshot: Snapshot


class Batcher:
    """Scores what a step called due, and publishes the scores, which come back as an input.

    Parameters
    ----------
    device : Device
    batch : int
        Wearers in one forward pass.
    wait_ms : int
        Longest wait for a batch to fill.
    publish : coroutine function
        Sends outputs and awaits them.
    """

    def __init__(
        self, device: Device, *, batch: int, wait_ms: int, publish: Callable[[Sequence[Output]], Awaitable[None]]
    ) -> None:
        self._device, self._batch, self._wait_s, self._publish = device, batch, wait_ms / 1000, publish
        self._waiting: deque[Group] = deque()
        self._rows = 0
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.scored = self.given_up = 0

    def offer(self, due: ScoreDue, snapshot: Snapshot) -> None:
        """Queue wearers; row i of the snapshot is `due.wearer_id[i]`."""
        for group in groups(due, snapshot):
            self._waiting.append(group)
            self._rows += len(group.wearer_id)
        while self._rows > WAITING_ROWS:
            oldest = self._waiting.popleft()
            self._rows -= len(oldest.wearer_id)
            self.given_up += len(oldest.wearer_id)
        if self._rows > WAITING_ROWS // 2:
            self._room.clear()
        self._more.set()

    async def room(self) -> None:
        """Wait until the queue is less than half full: who replays a log can wait, so that no score is given up."""
        await self._room.wait()

    async def run(self) -> None:
        """Score until cancelled; what is offered while the first model loads waits for it."""
        await self._device.tried.wait()
        while True:
            await self._more.wait()
            if self._device.hopeless:
                self._give_up()
                continue
            if self._rows < self._batch:
                await asyncio.sleep(self._wait_s)
            taken = self._take()
            if not taken:
                self._more.clear()
                continue
            try:
                answer = await self._device.score(Snapshot.joined([group.snapshot for group in taken]))
            except (RuntimeError, ValueError) as failure:
                self.given_up += sum(len(group.wearer_id) for group in taken)
                log.error("scoring failed", why=repr(failure))
                await asyncio.sleep(1.0)
                continue
            await self._publish(list(_records(taken, answer)))
            self.scored += sum(len(group.wearer_id) for group in taken)

    def _give_up(self) -> None:
        while taken := self._take():
            self.given_up += sum(len(group.wearer_id) for group in taken)
        self._more.clear()

    def _take(self) -> list[Group]:
        taken: list[Group] = []
        rows = 0
        while self._waiting and rows < self._batch:
            group = self._waiting.popleft()
            taken.append(group)
            rows += len(group.wearer_id)
        self._rows -= rows
        if self._rows <= WAITING_ROWS // 2:
            self._room.set()
        return taken


def groups(due: ScoreDue, snapshot: Snapshot) -> list[Group]:
    """Split wearers by partition and T, in that order, none larger than one record may be."""
    order = np.lexsort((np.arange(len(due.wearer_id)), due.as_of_ms, due.partition))
    keys = np.stack([due.partition[order].astype(np.int64), due.as_of_ms[order]], axis=1)
    bounds = np.flatnonzero(np.any(keys[1:] != keys[:-1], axis=1)) + 1
    made = []
    for rows in np.split(order, bounds):
        for start in range(0, len(rows), RECORD_ROWS):
            some = rows[start : start + RECORD_ROWS]
            made.append(
                Group(
                    int(due.partition[some[0]]),
                    int(due.as_of_ms[some[0]]),
                    tuple(due.wearer_id[i] for i in some),
                    snapshot.rows(some),
                )
            )
    return made


def _records(taken: Sequence[Group], answer: Answer) -> list[Output]:
    records, start = [], 0
    for group in taken:
        rows = slice(start, start + len(group.wearer_id))
        start = rows.stop
        scores = answer.scores
        event = RiskScores(
            scored_at_ms=group.as_of_ms,
            model_version=answer.version,
            heads=list(answer.heads),
            limit=list(answer.limits),
            wearer_id=list(group.wearer_id),
            probability=[_nullable(column) for column in scores.probability[rows].T],
            coverage=np.round(scores.coverage[rows].astype(np.float64), 6).tolist(),
            missing=scores.missing[rows].tolist(),
            modalities=list(answer.modalities),
        )
        records.append(Output(RISK_SCORES, group.partition, None, encode(event)))
    return records


def _nullable(column: NDArray[np.float32]) -> list[float | None]:
    """NaN, not assessable, is null on the wire."""
    values: list[float] = np.round(column.astype(np.float64), 6).tolist()
    return [value if value == value else None for value in values]
