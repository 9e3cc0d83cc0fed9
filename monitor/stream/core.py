"""The engine with its books: every step, live or replayed, goes through `Core.apply`."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import msgspec
import numpy as np
import structlog

from models.snapshot import Snapshot
from monitor.cuts import Cut, Position
from monitor.inputs import Batch
from monitor.outputs import Columns, Output, ScoreDue, Step
from monitor.saved import Dropped, Saved, SavedStateUnusable
from monitor.scoring.switches import Switch, newest
from monitor.stream.records import Records
from monitor.wearers.checkpoint import Checkpoint
from stream_schemas.topics import CONTROL, DEAD_LETTER

log = structlog.get_logger()


class Engine(Protocol):
    """What the stream needs of an engine; `monitor.engine.Engine` is the real one."""

    def open(self, partition: int) -> None:
        """Make an empty state."""

    def drop(self, partition: int) -> None:
        """Forget a state."""

    def position(self, partition: int) -> Position:
        """Return where a state stands."""

    def step(self, cuts: Sequence[Cut], batches: Sequence[Batch]) -> Step:
        """Apply one cut of each of some partitions."""

    def save(self, partition: int) -> Saved:
        """Copy a state, between two steps."""

    def load(self, partition: int, saved: Saved, position: Position) -> Dropped:
        """Fill an open, empty state and return what was left out; raise SavedStateUnusable if it does not fit."""

    def snapshot(self, due: ScoreDue) -> Snapshot:
        """Gather what is known of the wearers that the last step called due."""


class _DeadLetter(msgspec.Struct):
    reason: str
    origin_topic: str


class _Books(msgspec.Struct):
    """What the core counts of a partition, and the newest model switch that it has read there."""

    read: dict[str, int]
    refused: list[tuple[str, str, int]]
    switch: bytes | None = None


_dead_letter = msgspec.json.Decoder(_DeadLetter).decode
_books = msgspec.json.Decoder(_Books).decode


class Core:
    """An engine, and the counts of what it has been given and has given back.

    Parameters
    ----------
    engine : Engine
    inputs : sequence of str
        Unprefixed topic names, in the order of the cuts.
    journal : callable
        Takes the rows that a step decided.
    control : callable
        Takes the values of control.v1 that a step read.

    Attributes
    ----------
    read : per open partition, records read by topic.
    refused : per open partition, dead letters by (topic, reason). Both are functions of the log, so that they agree
        whichever worker counts; `below_T`, `late` and `cuts` are of this process.
    """

    def __init__(
        self,
        engine: Engine,
        inputs: Sequence[str],
        *,
        journal: Callable[[Mapping[str, Columns]], None],
        control: Callable[[list[bytes]], None],
    ) -> None:
        self.engine, self.inputs = engine, tuple(inputs)
        self._journal, self._control = journal, control
        self.read: dict[int, Counter[str]] = {}
        self.refused: dict[int, Counter[tuple[str, str]]] = {}
        self._switch: dict[int, tuple[Switch, bytes]] = {}
        self.cuts = self.applied_records = self.below_T = self.late = 0

    def open(self, partition: int) -> None:
        """Begin a partition with nothing known."""
        self.drop(partition)
        self.engine.open(partition)
        self.read[partition], self.refused[partition] = Counter(), Counter()

    def drop(self, partition: int) -> None:
        """Forget a partition, if it is open."""
        if partition in self.read:
            self.engine.drop(partition)
            del self.read[partition], self.refused[partition]
            self._switch.pop(partition, None)

    def save(self, partition: int) -> Checkpoint:
        """Copy what is known of a partition; call it between steps, when every output so far is acknowledged."""
        refused = [(topic, reason, n) for (topic, reason), n in sorted(self.refused[partition].items())]
        _, switch = self._switch.get(partition, (None, None))
        books = msgspec.json.encode(_Books(dict(self.read[partition]), refused, switch))
        return Checkpoint(partition, self.position(partition), self.engine.save(partition), books, self.inputs)

    def load(self, checkpoint: Checkpoint) -> Dropped:
        """Begin a partition where a checkpoint stands; return what this version does not know and left out.

        Raises
        ------
        SavedStateUnusable
            If it does not fit this engine, or its position speaks of other inputs; the partition is then open and
            empty.
        """
        p = checkpoint.partition
        self.open(p)
        if checkpoint.inputs != self.inputs:
            raise SavedStateUnusable(
                f"A checkpoint of partition {p} is of other inputs: {', '.join(checkpoint.inputs)}."
            )
        try:
            books = _books(checkpoint.books)
            dropped = self.engine.load(p, checkpoint.engine, checkpoint.position)
        except (SavedStateUnusable, msgspec.DecodeError) as error:
            self.open(p)
            if isinstance(error, SavedStateUnusable):
                raise
            raise SavedStateUnusable(f"The counts in a checkpoint of partition {p} are unreadable: {error}.") from error
        self.read[p].update(books.read)
        self.refused[p].update({(topic, reason): n for topic, reason, n in books.refused})
        if books.switch is not None:
            self._tell(p, [books.switch])
        if dropped:
            log.warning(
                "a checkpoint holds what this version does not know: it is left out",
                partition=p,
                fields=dropped.fields,
                rules=dropped.rules,
                events=dropped.kinds,
                limits=dropped.limits,
            )
        return dropped

    def position(self, partition: int) -> Position:
        """Return where the state of an open partition stands."""
        return self.engine.position(partition)

    def apply(self, cuts: Sequence[Cut], records: Mapping[int, Sequence[Records]]) -> Step:
        """Run one step.

        Parameters
        ----------
        cuts : one valid cut of each partition of the step.
        records : per partition and input, the records between the cut before and this one.
        """
        order = sorted(cut.partition for cut in cuts)
        before = {p: self.position(p).stamp for p in order}
        step = self.engine.step(cuts, self._batches(order, records, before))
        self.cuts += len(cuts)
        self.applied_records += sum(len(r) for p in order for r in records[p])
        self.below_T += step.below_T
        self.late += step.late
        for p in order:
            self.read[p].update({topic: len(r) for topic, r in zip(self.inputs, records[p], strict=True) if len(r)})
            self.refused[p].update(_refused(step.outputs.get(p, ())))
        if step.journal:
            self._journal(step.journal)
        self._look_for_control(order, records)
        return step

    def _batches(
        self, order: Sequence[int], records: Mapping[int, Sequence[Records]], before: Mapping[int, tuple[int, ...]]
    ) -> list[Batch]:
        if not any(len(r) for p in order for r in records[p]):
            return []
        batches = []
        for i, topic in enumerate(self.inputs):
            parts = [(p, records[p][i]) for p in order if len(records[p][i])]
            if not parts:
                continue
            joined = Records.joined([part for _, part in parts])
            stamps = [np.maximum.accumulate(np.maximum(r.stamp_ms, _at(before[p], i))) for p, r in parts]
            numbers = np.repeat(np.array([p for p, _ in parts], np.int32), [len(r) for _, r in parts])
            batches.append(Batch(topic, numbers, joined.offset, np.concatenate(stamps), joined.key, joined.value))
        return batches

    def _look_for_control(self, order: Sequence[int], records: Mapping[int, Sequence[Records]]) -> None:
        if CONTROL in self.inputs:
            source = self.inputs.index(CONTROL)
            for p in order:
                self._tell(p, [value for value in records[p][source].value if value is not None])

    def _tell(self, partition: int, values: list[bytes]) -> None:
        """Hand switches on, and remember the newest: a successor does not read the topic from its start."""
        for value in values:
            known, _ = self._switch.get(partition, (None, b""))
            switch = newest([value], known)
            if switch is not None and switch is not known:
                self._switch[partition] = (switch, value)
        if values:
            self._control(values)

    def ingested(self) -> Counter[str]:
        """Count the accepted records of all open partitions by topic."""
        counts: Counter[str] = sum(self.read.values(), Counter())
        for refused in self.refused.values():
            for (topic, _), n in refused.items():
                counts[topic] -= n
        return counts

    def dead_letters(self) -> Counter[str]:
        """Count the refused records of all open partitions by reason."""
        counts: Counter[str] = Counter()
        for refused in self.refused.values():
            for (_, reason), n in refused.items():
                counts[reason] += n
        return counts


def due_in(due: ScoreDue | None, partitions: set[int]) -> ScoreDue | None:
    """Return what of *due* belongs to these partitions, or None."""
    if due is None:
        return None
    chosen = np.flatnonzero(np.isin(due.partition, np.fromiter(partitions, np.int32, len(partitions))))
    if not len(chosen):
        return None
    return replace(
        due,
        row=due.row[chosen],
        partition=due.partition[chosen],
        as_of_ms=due.as_of_ms[chosen],
        wearer_id=[due.wearer_id[i] for i in chosen],
    )


def _at(stamps: tuple[int, ...], i: int) -> int:
    return stamps[i] if stamps else 0


def _refused(outputs: Sequence[Output]) -> Counter[tuple[str, str]]:
    letters = (_dead_letter(out.value) for out in outputs if out.topic == DEAD_LETTER)
    return Counter((letter.origin_topic, letter.reason) for letter in letters)
