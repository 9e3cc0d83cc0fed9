"""Messages that hold the samples of many minutes: gathered by the device, and sent on when they are complete."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulators import envelopes
from simulators.people import People
from stream_schemas.heart_rate import CONTEXTS


class Part(NamedTuple):
    """What one minute adds to a message.

    `seconds` of the rates `bpm` after the minute's beginning, intervals between beats, and the code of the context;
    None = the device tells none.
    """

    seconds: Sequence[int]
    bpm: list[int]
    rr_ms: list[int] | None = None
    context: int | None = None


@dataclass(slots=True)
class _Message:
    begin_min: int
    told_ms: int  # start as the device's clock has it
    offsets: list[str] = field(default_factory=list)
    bpm: list[int] = field(default_factory=list)
    rr_ms: list[int] = field(default_factory=list)
    contexts: set[int | None] = field(default_factory=set)


class Gathering:
    """The open messages of all wearers: each begins with the first minute that has a sample.

    Windows begin at whole multiples of their length, so that a wearer's messages never overlap.
    """

    def __init__(self, people: People, names: list[str]) -> None:
        self._names = names
        self._wire_name = [people.wire_name(row) for row in range(len(people))]
        self._window_min = people.worn("message_min", np.int64).tolist()
        self._cadence_s = people.worn("cadence_s", np.int64).tolist()
        self._open: dict[int, _Message] = {}

    def add(self, row: int, minute: int, told_ms: int, part: Part) -> None:
        """Add what the wearer in this row has in the minute that begins at `told_ms` by the device's clock."""
        message = self._open.setdefault(row, _Message(minute, told_ms))
        before_ms = (minute - message.begin_min) * 60_000
        message.offsets += [str(before_ms + second * 1000) for second in part.seconds]
        message.bpm += part.bpm
        message.rr_ms += part.rr_ms or []
        message.contexts.add(part.context)

    def complete(self, minute: int, *, last: bool) -> Iterator[tuple[int, int, bytes]]:
        """Yield row, epoch second of the end (by the true clock, without the device's phase) and bytes.

        A message is complete with the last sample of its window, or with what there is if this is the `last` minute.
        """
        done = [row for row in self._open if last or self._is_last(row, minute)]
        for row in sorted(done):
            message, cadence_s, name = self._open.pop(row), self._cadence_s[row], self._names[row]
            possible = (minute + 1 - message.begin_min) * 60 // cadence_s
            context = _context(message.contexts)
            value = envelopes.heart_rate(
                name,
                f"{name}-h{message.begin_min}",
                message.told_ms,
                ",".join(message.offsets),
                message.bpm,
                rr_ms=message.rr_ms or None,
                context=context,
                quality=None if context is None else len(message.bpm) / possible,
                device=self._wire_name[row],
            )
            yield row, minute * 60 + (1 if cadence_s > 60 else 60), value

    def _is_last(self, row: int, minute: int) -> bool:
        step = max(self._cadence_s[row] // 60, 1)
        return bool((minute + step) % self._window_min[row] == 0)


def _context(codes: set[int | None]) -> str | None:
    """Return what a message says of its minutes: their context, if all have the same.

    >>> _context({4}), _context({1, 2}), _context({None})
    ('asleep', 'unknown', None)
    """
    if codes == {None}:
        return None
    return CONTEXTS[codes.pop() or 0] if len(codes) == 1 else CONTEXTS[0]
