"""The watchdog: a worker that stands still though there is work ends, so that its supervisor starts it again.

Faust and aiokafka have stalls that nothing inside them mends: a fetch loop that never resumes after a rebalance, a
group that is never joined after a broker was killed. What they have in common is seen from outside: records wait, and
nothing moves. A broker that does not answer, an idle stream, a long replay, a worker that has no partition because
others have them all, and a process that was frozen for a while do not stand still in this sense.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

import structlog

from monitor.errors import PulsewardenError
from monitor.stream.cut_log import FAILURES
from monitor.stream.reading import LogReader

PROBE_WITHIN_S = 5.0
_LONGEST_TICK_S = 5.0

TopicPartition = tuple[str, int]

log = structlog.get_logger()


class Stalled(PulsewardenError):
    """The worker stands still; only a fresh process helps."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What is to be seen of a worker at one moment.

    Attributes
    ----------
    generation : counts assignments.
    joining : why the group has not given this worker its share; None when it has, be it none at all.
    replayed : what a recovery has done so far; 0 when none runs.
    assigned : the partitions assigned.
    reached : per owned partition, the position in each of its inputs up to which everything is cut.
    """

    generation: int
    joining: str | None
    replayed: int
    assigned: Collection[int]
    reached: Mapping[int, Mapping[TopicPartition, int]]


class Watchdog:
    """Looks at a worker, a few times in the time after which it counts as stalled.

    Parameters
    ----------
    stalled_s : float
    look : callable
    ends : callable
        Asks the broker where the given inputs end; raises one of `FAILURES` if it does not answer. After that the
        worker has at least half the time to find its feet.
    now : callable
        Monotonic time, s.
    """

    def __init__(
        self,
        stalled_s: float,
        look: Callable[[], Glance],
        ends: Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stalled_s, self._look, self._ends, self._now = stalled_s, look, ends, now
        self._outside_s = 0.0
        self._still_s: dict[int, float] = {}
        self._best: dict[int, int] = {}
        self._owned: set[int] = set()
        self._replayed = 0
        self._generation = -1

    async def run(self) -> None:
        """Watch until cancelled.

        Raises
        ------
        Stalled
            When nothing has moved for too long.
        """
        tick_s = min(_LONGEST_TICK_S, self._stalled_s / 12)
        while True:
            began = self._now()
            await asyncio.sleep(tick_s)
            # A process that was frozen, or an engine that had much to do, has not been waiting for so long.
            await self.judge(min(self._now() - began, 2 * tick_s))

    async def judge(self, passed_s: float) -> None:
        """Look once, *passed_s* after the last time."""
        seen = self._look()
        self._outside_s = self._outside_s + passed_s if seen.joining is not None else 0.0
        self._count(seen, passed_s)
        suspects = [p for p, still_s in self._still_s.items() if still_s >= self._stalled_s / 2]
        if not suspects and self._outside_s < self._stalled_s:
            return
        wanted = [tp for p in suspects for tp in seen.reached.get(p, ())]
        try:
            async with asyncio.timeout(PROBE_WITHIN_S):
                ends = await self._ends(wanted)
        except FAILURES as failure:
            log.warning("the broker does not answer: the worker waits for it", why=repr(failure))
            self._outside_s, self._still_s = 0.0, {}
            return
        for p in suspects:
            reached = seen.reached.get(p)
            if reached is not None and all(ends[tp] <= at for tp, at in reached.items()):
                self._still_s[p] = 0.0  # it is idle
        self._bark(seen)

    def _count(self, seen: Glance, passed_s: float) -> None:
        owned = set(seen.reached)
        if seen.generation != self._generation:
            self._generation, self._owned, self._best, self._replayed = seen.generation, owned, {}, 0
        elif owned - self._owned:
            self._replayed = 0  # a recovery has ended: the next one begins at nothing
        self._owned = owned
        recovers = seen.replayed > self._replayed  # one that fails and begins anew does not get on
        self._replayed = max(self._replayed, seen.replayed)
        for p in seen.assigned:
            reach = sum(seen.reached[p].values()) if p in owned else -1
            moved = reach > self._best.get(p, -1) if p in owned else recovers
            self._best[p] = max(reach, self._best.get(p, -1))
            self._still_s[p] = 0.0 if moved else self._still_s.get(p, 0.0) + passed_s
        for p in set(self._still_s) - set(seen.assigned):
            del self._still_s[p]

    def _bark(self, seen: Glance) -> None:
        if self._outside_s >= self._stalled_s:
            raise Stalled(
                f"This worker has had no partitions for {self._stalled_s:g} s, because {seen.joining}, though the "
                "broker answers: start it again; nothing is lost."
            )
        still = sorted(p for p, still_s in self._still_s.items() if still_s >= self._stalled_s)
        if still:
            what = "partition " + str(still[0]) if len(still) == 1 else "partitions " + ", ".join(map(str, still))
            raise Stalled(
                f"Nothing has moved in {what} for {self._stalled_s:g} s, though there is work and the broker answers: "
                "start the worker again; nothing is lost."
            )


async def input_ends(bootstrap_servers: str, tps: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Ask the broker where topic partitions end; without any, only whether it answers."""
    async with LogReader(bootstrap_servers) as reader:
        if not tps:
            return {}
        await reader.starts(tps)  # it gets the metadata of all topics at once
        return await reader.ends(tps)
