"""Exceptions on demand, in a worker's process: at random moments, or whenever a marked record is met.

What raises at random does so a few times a process and only for a while, so that a run settles. What raises at a
marked record does so always, in every process, as a fault of the engine would.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka.errors import MessageSizeTooLargeError

KINDS: tuple[Callable[[str], Exception], ...] = (ValueError, KeyError, OSError, RuntimeError)
TIMES = 3
"""A process raises so often at most."""
MARK = b"-poison"
"""What an event id ends with that intake cannot bear."""
MARKED_DEVICE = "poison"
"""The device of a reading that can be taken in, but not decided."""


class Dice:
    """Decides when to raise.

    Parameters
    ----------
    probability : each time. until_s : wall clock after which nothing is raised any more.
    """

    def __init__(self, seed: int, probability: float, until_s: float) -> None:
        self._chance = random.Random(f"raise {seed} {os.getpid()}")  # a restart must not raise at the same moment again
        self._probability, self._until_s, self._left = probability, until_s, TIMES

    def fall(self) -> bool:
        """Tell whether it is time to raise."""
        if not self._left or time.time() > self._until_s or self._chance.random() >= self._probability:
            return False
        self._left -= 1
        return True

    def perhaps(self, where: str) -> None:
        """Raise, if it is time to."""
        if self.fall():
            self.throw(where)

    def throw(self, where: str) -> None:
        """Raise one kind of exception or another."""
        kind = self._chance.choice(KINDS)
        print(f"raises {kind} in {where}", file=sys.stderr, flush=True)
        raise kind(f"a fault run raises in {where}")


def in_rules(dice: Dice) -> None:
    """Raise after some wearers' minutes or readings have been decided, and before others'."""
    from monitor.deciding.dispatch import Decisions

    on_events, on_timer = Decisions.on_events, Decisions.on_timer

    def raising_events(self: Decisions, these: Any) -> Any:
        took = on_events(self, these)
        dice.perhaps("a rule of readings")
        return took

    def raising_timer(self: Decisions, *args: Any) -> None:
        on_timer(self, *args)
        dice.perhaps("a rule of minutes")

    Decisions.on_events = raising_events  # type: ignore[method-assign]
    Decisions.on_timer = raising_timer  # type: ignore[method-assign, assignment]


def in_intake(dice: Dice) -> None:
    """Raise after one topic's records have been taken in, and before the next one's."""

    def wrapped(take: Callable[..., None]) -> Callable[..., None]:
        def raising(*args: Any) -> None:
            take(*args)
            dice.perhaps("intake")

        return raising

    _wrap_intake(wrapped)


def in_sink(dice: Dice) -> None:
    """Raise when half of the outputs are handed over; or let one of them be refused for good."""
    from monitor.outputs import Output
    from monitor.sinks.kafka import KafkaSink

    send = KafkaSink.send

    async def raising(self: KafkaSink, outputs: Sequence[Output]) -> list[asyncio.Future[object]]:
        if not outputs or not dice.fall():
            return await send(self, outputs)
        acknowledgements = await send(self, outputs[: len(outputs) // 2])
        if len(outputs) % 2:
            dice.throw("a sink")
        print("an output is refused", file=sys.stderr, flush=True)
        refused: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        refused.set_exception(MessageSizeTooLargeError())
        return [*acknowledgements, refused]

    KafkaSink.send = raising  # type: ignore[method-assign]


def before_apply(dice: Dice) -> None:
    """Raise when a cut is acknowledged and nothing of it is applied."""
    from monitor.stream.core import Core

    apply = Core.apply

    def raising(self: Core, *args: Any, **options: Any) -> Any:
        dice.perhaps("the way from a cut to its step")
        return apply(self, *args, **options)

    Core.apply = raising  # type: ignore[method-assign]


PLACES: Mapping[str, Callable[[Dice], None]] = {
    "rule": in_rules,
    "intake": in_intake,
    "sink": in_sink,
    "apply": before_apply,
}
RARER = {"rule": 0.15, "intake": 0.3, "sink": 3.0, "apply": 0.5}
"""How much of the probability each place has where all may raise: some are passed far more often than others."""


def raise_at(point: str, seed: int, until_s: float) -> None:
    """Let a place, or `any`, raise with a probability each time it is passed: `rule:0.01`."""
    where, _, probability = point.partition(":")
    chosen = PLACES if where == "any" else {where: PLACES[where]}
    for name, patch in chosen.items():
        share = RARER[name] if where == "any" else 1.0
        patch(Dice(seed, float(probability) * share, until_s))


def poison() -> None:
    """Raise whenever a marked record is taken in, and whenever a reading of the marked device is decided."""
    from monitor.deciding.dispatch import Decisions

    def wrapped(take: Callable[..., None]) -> Callable[..., None]:
        def raising(admission: Any, batch: Any, columns: Any, intake: Any) -> None:
            take(admission, batch, columns, intake)
            if any(MARK in (batch.value[i] or b"") for i in columns.record.tolist()):
                raise RuntimeError("a marked record was taken in")

        return raising

    _wrap_intake(wrapped)
    on_events = Decisions.on_events

    def raising_events(self: Decisions, these: Any) -> Any:
        took = on_events(self, these)
        if any(getattr(what, "device_id", None) == MARKED_DEVICE for what in these.what.tolist()):
            raise RuntimeError("a reading of the marked device was decided")
        return took

    Decisions.on_events = raising_events  # type: ignore[method-assign]


def keep_half_a_step() -> None:
    """Keep what an exception left of a step, and go on as if the step had ended."""
    from monitor.outputs import Step
    from monitor.stream.core import Core

    apply = Core.apply

    def forgiving(self: Core, *args: Any, **options: Any) -> Step:
        try:
            return apply(self, *args, **options)
        except Exception as failure:  # noqa: BLE001  whatever it is: that is what is switched off
            print(f"half a step is kept after {failure!r}", file=sys.stderr, flush=True)
            return Step()

    Core.apply = forgiving  # type: ignore[method-assign]


def _wrap_intake(wrapped: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    from monitor.wearers.intake import INTAKE

    for topic, take in list(INTAKE.items()):
        INTAKE[topic] = wrapped(take)
