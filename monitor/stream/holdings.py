"""The partitions that this worker owns, and those that it has lost and may claim again, each with the reason."""

import time
from collections.abc import Callable, Iterable

import structlog

from monitor.stream.core import Core
from monitor.stream.partition import Partition

ZOMBIE_HEARTBEATS = 1.5
"""The time in which a zombie learns that it is one: so long after a loss a partition is claimed again."""
CAREFUL_S = 60.0
"""So long after a step that raised, the steps of its partition are taken alone, each with a copy of the state."""

log = structlog.get_logger()


class Holdings:
    """What is owned.

    Parameters
    ----------
    core : Core
        Has the states.
    heartbeat_s : float
        Of the group.
    forgotten : callable
        Takes a partition whose state was dropped.

    Attributes
    ----------
    parts : the partitions owned now.
    why : why a partition that was lost, or could not be taken over, is not owned.
    """

    def __init__(self, core: Core, heartbeat_s: float, forgotten: Callable[[int], None]) -> None:
        self._core, self._zombie_s, self._forgotten = core, ZOMBIE_HEARTBEATS * heartbeat_s, forgotten
        self.parts: dict[int, Partition] = {}
        self.why: dict[int, str] = {}
        self._claim_at_s: dict[int, float] = {}
        self._alone: set[int] = set()
        self._careful_s: dict[int, float] = {}

    def hold(self, part: Partition) -> None:
        """Own a partition, in place of what was owned of it."""
        if (old := self.parts.get(part.number)) is not None:
            old.lost = True
            part.cut_at_s = old.cut_at_s
        self.parts[part.number] = part
        self.why.pop(part.number, None)
        self._alone.discard(part.number)

    def forget(self, p: int) -> None:
        """Drop the state of a partition."""
        part = self.parts.pop(p, None)
        if part is not None:
            part.lost = True
        self._core.drop(p)
        self._forgotten(p)

    def lose(self, p: int, why: str, *, alone: bool = False, after_s: float | None = None) -> None:
        """Drop the state of a partition, to claim it again.

        Parameters
        ----------
        alone : it is to be taken over alone: what keeps it from it must keep no other.
        after_s : how long to wait before; None: until a zombie has learnt that it is one.
        """
        log.warning("a partition is forgotten and will be claimed again", partition=p, why=why)
        self.forget(p)
        self.why[p] = why
        self._claim_at_s[p] = time.monotonic() + (self._zombie_s if after_s is None else after_s)
        if alone:
            self._alone.add(p)

    def raised(self, partitions: Iterable[int], kind: str) -> None:
        """Lose the partitions of a step that raised."""
        for p in partitions:
            self.lose(p, f"a step raised {kind}", alone=True, after_s=0.0)

    def careful(self, p: int, *, now: bool = False) -> bool:
        """Tell whether the steps of a partition are taken with care; with *now*, from now on for a while."""
        if now:
            self._careful_s[p] = time.monotonic() + CAREFUL_S
        return self._careful_s.get(p, 0.0) > time.monotonic()

    def due(self, assigned: Iterable[int], under_way: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return the partitions to claim now: those that may be taken over together, and those alone."""
        now, busy = time.monotonic(), {*self.parts, *under_way}
        wanted = sorted(p for p in assigned if p not in busy and now >= self._claim_at_s.get(p, 0.0))
        return [p for p in wanted if p not in self._alone], [p for p in wanted if p in self._alone]

    def assigned(self, held: set[int]) -> None:
        """Forget what the group has given to others, and wait for nothing any more."""
        for p in set(self.parts) - held:
            self.forget(p)
        self._claim_at_s, self._alone = {}, set()
        self.why = {p: why for p, why in self.why.items() if p in held}
