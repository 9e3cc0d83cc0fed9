"""Other cuts of the same records, drawn at random: what was read when is a choice of the moment and decides nothing.

A legal cut: T never goes back; in every input all that is stamped below T (as the running maximum) has been read;
a step spans at most as much of the log as a worker's (`LONGEST_STEP_MS`). What lies beyond T may be read too, of each
input more or less. The last cut is the recorded one's: its T, its positions.

Commands, scores and switches answer what was decided before, so they are never read ahead. On a log clock they count
as received just before the T of the cut that reads them: there that T belongs to the record, so every re-cut reads
them at the T at which they were read.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.cuts import Cut, Span
from monitor.inputs import Removed
from monitor.settings import Settings
from monitor.stream.core import Engine
from monitor.stream.partition import LONGEST_STEP_MS
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from monitor.verifying.following import Anchor, Followed, Tell, start
from monitor.verifying.held import Held, batches
from monitor.verifying.wearers import OUTSIDE
from stream_schemas.topics import INPUTS

AHEAD_MS = 600_000
OFFSETS_AT_ONCE = 2_000
MOST_RECORDS = 2_000
DATA = tuple(i for i in range(len(INPUTS)) if i not in OUTSIDE)


@dataclass(frozen=True, slots=True)
class _Step:
    T: int
    next: tuple[int, ...]
    said: Span | None = None


class _Cutter:
    """Draws the cuts of one partition."""

    def __init__(self, followed: Followed, held: Held, chance: random.Random, *, log_clock: bool) -> None:
        self._held, self._chance, self._log_clock = held, chance, log_clock
        self.p = followed.span.partition
        self._end_T, self._end = followed.T, followed.next
        self._T = followed.span.begin.T
        self._anchors = list(reversed(followed.anchors))
        self._ended = False
        begin = followed.span.begin.next or ()
        records = sum(self._end) - sum(begin)
        self._most = min(MOST_RECORDS, max(10, records // 50))

    @property
    def ended(self) -> bool:
        """Whether the last cut was drawn."""
        return self._ended

    async def draw(self) -> _Step:
        """Draw the next cut, and read what it takes."""
        for i in range(len(INPUTS)):
            await self._cover(i, self._T, at_least=self._most)
        anchor = self._anchors[-1] if self._anchors else None
        if anchor is not None and anchor.T == self._T:
            return await self._step(self._T, self._anchors.pop())
        T = self._later()
        if anchor is not None and anchor.T <= T:
            return await self._step(anchor.T, self._anchors.pop() if anchor.advanced else None)
        return await self._step(T, None)

    def _later(self) -> int:
        """Draw T: behind some more records, or somewhere before."""
        stamps = np.concatenate([self._held.unread((self.p, i))[1] for i in DATA + self._outside()])
        stamps = np.sort(stamps)
        if not len(stamps):
            rest = self._end_T - self._T if self._T else 0
            return self._end_T - self._chance.choice((0, int(rest * self._chance.random())))
        n = int(self._most ** self._chance.random())
        T = int(stamps[min(n, len(stamps)) - 1]) + self._chance.choice((0, 1, 1))
        if self._T and self._chance.random() < 0.4:
            return self._T
        if self._T and self._chance.random() < 0.5:  # time passes where nothing comes, too
            T = self._T + int(self._chance.random() * max(0, T - self._T))
        latest = max(self._T, int(stamps[0])) + LONGEST_STEP_MS
        return max(self._T, min(T, latest, self._end_T))

    def _outside(self) -> tuple[int, ...]:
        return () if self._log_clock else OUTSIDE

    async def _step(self, T: int, anchor: Anchor | None) -> _Step:
        self._T = T
        following = []
        for i in range(len(INPUTS)):
            one = self.p, i
            if self._log_clock and i in OUTSIDE:
                following.append(self._held.reach[one] if anchor is None else anchor.next[OUTSIDE.index(i)])
                continue
            await self._cover(i, T)
            offsets, stamps = self._held.unread(one)
            n = int(np.searchsorted(stamps, T, "left"))
            if i not in OUTSIDE:
                n = self._ahead(n, stamps, T)
            following.append(int(offsets[n - 1]) + 1 if n else self._held.reach[one])
        if self._end_T <= T and not self._anchors:
            self._ended = True
            following = list(self._end)
        await self._held.fill({(self.p, i): end for i, end in enumerate(following)})
        return _Step(T, tuple(following))

    def _ahead(self, n: int, stamps: NDArray[np.int64], T: int) -> int:
        """Return how many records to read where *n* must be: often no more, or some, or all of some time."""
        most = int(np.searchsorted(stamps, T + AHEAD_MS, "left"))
        match self._chance.randrange(12):
            case 0 | 1 | 2 | 3:
                return min(most, n + self._chance.randrange(self._most))
            case 4:
                return int(np.searchsorted(stamps, T + self._chance.randrange(1_500), "left"))
            case 5:
                return int(np.searchsorted(stamps, T + self._chance.randrange(AHEAD_MS), "left"))
            case _:
                return n

    async def _cover(self, i: int, T: int, at_least: int = 0) -> None:
        """Read an input on until all that is stamped below T has been read, and so many records wait."""
        one = self.p, i
        while self._held.read[one] < self._end[i]:
            _, stamps = self._held.unread(one)
            if len(stamps) >= max(1, at_least) and int(stamps[-1]) >= T:
                return
            await self._held.fill({one: min(self._held.read[one] + OFFSETS_AT_ONCE, self._end[i])})


class Recutting:
    """Cuts spans of different partitions at random, steps random groups of them, and tells what that gives.

    Parameters
    ----------
    settings : Settings
    engine : Engine
        Empty.
    input_log : LogReader
    tell : Tell
    progress : callable
        Takes the number of records that were read.

    Attributes
    ----------
    cuts : that were drawn.
    """

    def __init__(
        self, settings: Settings, engine: Engine, input_log: LogReader, tell: Tell, progress: Callable[[int], None]
    ) -> None:
        self._prefix, self._log_clock = settings.kafka.topic_prefix, settings.stream.clock == "log"
        self._engine, self._input_log, self._tell, self._progress = engine, input_log, tell, progress
        self._removed: dict[tuple[int, str, int], Removed] = {}
        self.cuts = 0

    async def run(self, followed: Mapping[int, Followed], seed: str) -> None:
        """Cut what was followed."""
        chance = random.Random(seed)  # noqa: S311
        begins = {p: one.span.begin for p, one in followed.items()}
        capped = {(p, i): caps for p, one in followed.items() for i, caps in one.capped.items()}
        held = Held(self._input_log, self._prefix, begins, capped)
        self._removed = {(r.partition, r.topic, r.offset): r for one in followed.values() for r in one.removed}
        cutters = []
        for p, one in followed.items():
            start(self._engine, one.span)
            if one.span.saved is None:
                self._apply([(p, _Step(0, one.span.begin.next or (), one.span.said))], held)  # cut 0
            if one.T > one.span.begin.T or one.next != one.span.begin.next:
                own = random.Random(f"{seed}/{p}")  # noqa: S311
                cutters.append(_Cutter(one, held, own, log_clock=self._log_clock))
        while cutters:
            share = chance.choice((0.2, 0.5, 1.0))
            group = [cutter for cutter in cutters if chance.random() < share]
            self._apply([(cutter.p, await cutter.draw()) for cutter in group], held)
            cutters = [cutter for cutter in cutters if not cutter.ended]

    def _apply(self, steps: list[tuple[int, _Step]], held: Held) -> None:
        if not steps:
            return
        cuts, records = [], {}
        removed: list[Removed] = []
        for p, step in steps:
            records[p] = [held.take((p, i), offset) for i, offset in enumerate(step.next)]
            if self._removed:
                records[p] = [
                    self._without(p, topic, part, removed) for topic, part in zip(INPUTS, records[p], strict=True)
                ]
            stamps = tuple(held.stamp((p, i)) for i in range(len(INPUTS)))
            at = self._engine.position(p)
            cuts.append(Cut(p, at.at + 1, at.epoch, at.seq + 1, step.T, step.next, stamps, at.digest, step.said))
        done = self._engine.step(cuts, batches(records), removed)
        self.cuts += len(cuts)
        self._progress(sum(len(part) for parts in records.values() for part in parts))
        for cut in cuts:
            self._tell(cut, done.outputs.get(cut.partition, ()))

    def _without(self, p: int, topic: str, part: Records, removed: list[Removed]) -> Records:
        """Leave out what the recorded cuts leave out, when it is read."""
        found = [self._removed.get((p, topic, offset)) for offset in part.offset.tolist()]
        removed += [one for one in found if one is not None]
        return part.chosen(np.array([one is None for one in found], bool)) if any(found) else part
