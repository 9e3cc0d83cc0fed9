"""Which records make a step raise: found by trying the step with fewer of them, from a copy of the state before it.

A record may raise when it is read, or later, when the time has passed its stamp and it acts; both are looked at. The
smallest beginning of them that raises ends with a culprit; it is taken out, and so on, until the step passes. Where it
raises even without any record, a wearer's state does it: those wearers are found in the same way and forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from monitor.cuts import Cut, RecordName
from monitor.inputs import Removed
from monitor.stream.core import Core, Inputs, StepFailed
from monitor.wearers.checkpoint import Checkpoint

MOST_TRIES = 300
"""After so many tries whatever is left of the beginning that raises is taken out as one: the stream must go on."""

_One = TypeVar("_One")

log = structlog.get_logger()


class Hopeless(Exception):
    """A step raises without any record and without any wearer."""


class Culprits:
    """Tries one cut of one partition.

    Parameters
    ----------
    core : Core
    before : the partition's state before the cut.
    cut : Cut
    records : what lies between the cut before and this one.

    Attributes
    ----------
    tries : how often the step was tried.
    """

    def __init__(self, core: Core, before: Checkpoint, cut: Cut, records: Inputs) -> None:
        self._core, self._before, self._cut, self._records = core, before, cut, records
        self.tries = 0

    async def find(self) -> Cut:
        """Return the cut with the records, and the wearers, without which it passes; the partition is as before it.

        Raises
        ------
        Hopeless
            If it passes without nothing.
        """
        wearers: list[str] = []
        everything = self._candidates()
        if not await self._passes(everything, wearers):
            wearers = await self._found(
                self._wearers(),
                lambda chosen: self._passes(everything, chosen),
                "the state of wearers makes a step raise",
            )
        records = await self._found(
            everything, lambda chosen: self._passes(chosen, wearers), "records make a step raise"
        )
        self._restore()
        return replace(self._cut, without=tuple(records), without_wearers=tuple(wearers))

    async def _found(
        self, candidates: Sequence[_One], passes: Callable[[Sequence[_One]], Awaitable[bool]], what: str
    ) -> list[_One]:
        """Return the smallest set that this way finds, without which it passes; *passes* takes what is left out."""
        found: list[_One] = []
        left = list(candidates)
        while not await passes(found):
            if not left:
                raise Hopeless(
                    f"partition {self._cut.partition}: cut {self._cut.seq} raises whatever is left out of it"
                )
            low, high = 0, len(left)  # passes with the first `low`, raises with the first `high`
            while high - low > 1 and self.tries < MOST_TRIES:
                middle = (low + high) // 2
                if await passes([*found, *left[middle:]]):
                    low = middle
                else:
                    high = middle
            culprits = left[low:high] if self.tries < MOST_TRIES else left
            found += culprits
            left = left[:low] + left[high:] if self.tries < MOST_TRIES else []
        if found:
            log.error(
                f"{what}: it is decided without them", partition=self._cut.partition, cut=self._cut.seq, n=len(found)
            )
        return found

    def _candidates(self) -> list[RecordName]:
        """Return what is read or acts in the step, in the order of stamps as far as that is known."""
        self._restore()
        acting = self._core.engine.acting(self._cut.partition, self._cut.T)
        read = [
            (int(stamp), topic, int(offset))
            for topic, part in self._records.items()
            for offset, stamp in zip(part.offset, part.stamp_ms, strict=True)
        ]
        return list(dict.fromkeys([*acting, *((topic, offset) for _, topic, offset in sorted(read))]))

    def _wearers(self) -> list[str]:
        self._restore()
        return self._core.engine.wearers(self._cut.partition)

    async def _passes(self, records: Sequence[RecordName], wearers: Sequence[str]) -> bool:
        self.tries += 1
        await asyncio.sleep(0)
        self._restore()
        p = self._cut.partition
        cut = replace(self._cut, without=tuple(records), without_wearers=tuple(wearers))
        removed = [Removed(p, topic, offset, 0, None, None) for topic, offset in records]
        try:
            with self._core.trying():
                self._core.apply([cut], {p: self._records}, removed)
        except StepFailed:
            return False
        return True

    def _restore(self) -> None:
        self._core.load(self._before)
