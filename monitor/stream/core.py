"""The engine with its books: every step, live or replayed, goes through `Core.apply`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import msgspec
import numpy as np
import structlog

from models.snapshot import Snapshot
from monitor.cuts import Cut, Position, RecordName
from monitor.errors import PulsewardenError
from monitor.inputs import Batch, Removed
from monitor.outputs import Columns, Output, ScoreDue, Step
from monitor.saved import Dropped, Saved, SavedStateUnusable
from monitor.scoring.switches import Switch, newest
from monitor.stream.records import NOTHING, Records, running_stamps
from monitor.wearers.checkpoint import Checkpoint
from stream_schemas.alert import Alert
from stream_schemas.topics import CONTROL, DEAD_LETTER

log = structlog.get_logger()

Inputs = Mapping[str, Records]
"""Records of one partition by unprefixed topic; a topic without any may be left out."""


class StepFailed(Exception):
    """A step raised; its partitions have no state any more.

    Attributes
    ----------
    partitions : those of the step. error : what was raised.
    """

    def __init__(self, partitions: Sequence[int], error: Exception) -> None:
        super().__init__(f"a step of partitions {', '.join(map(str, partitions))} raised {type(error).__name__}")
        self.partitions, self.error = tuple(partitions), error


class Engine(Protocol):
    """What the stream needs of an engine; `monitor.engine.Engine` is the real one."""

    def open(self, partition: int) -> None:
        """Make an empty state."""

    def drop(self, partition: int) -> None:
        """Forget a state."""

    def position(self, partition: int) -> Position:
        """Return where a state stands."""

    def abandon(self, partitions: Iterable[int]) -> None:
        """Forget the states of a step that raised, and whatever else it left."""

    def step(self, cuts: Sequence[Cut], batches: Sequence[Batch], removed: Sequence[Removed] = ()) -> Step:
        """Apply one cut of each of some partitions."""

    def acting(self, partition: int, T: int) -> list[RecordName]:
        """Return the records that wait and act in a step up to T."""

    def wearers(self, partition: int) -> list[str]:
        """Return whose state is held."""

    def open_alerts(self, partition: int) -> dict[str, int]:
        """Return alert id -> version of what is open."""

    def limits_behind(self, partition: int, limits: Mapping[str, Any]) -> dict[str, Any]:
        """Return the limits that settings give another value than the partition has heard of."""

    def hand_over(
        self,
        cut: Cut,
        told: Iterable[Alert],
        known: Mapping[str, int],
        letters: Sequence[Output],
        limits: Mapping[str, Any],
    ) -> Step:
        """Begin a span at a state that another version has made, or has helped to make."""

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
    left_out : per input, steps in which T went on without it.
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
        self.left_out: Counter[str] = Counter()

    def open(self, partition: int) -> None:
        """Begin a partition with nothing known."""
        self.drop(partition)
        self.engine.open(partition)
        self.read[partition], self.refused[partition] = Counter(), Counter()

    def drop(self, partition: int) -> None:
        """Forget a partition, if it is open."""
        if partition in self.read:
            self.engine.drop(partition)
            self._close(partition)

    def _close(self, partition: int) -> None:
        self.read.pop(partition, None)
        self.refused.pop(partition, None)
        self._switch.pop(partition, None)

    def save(self, partition: int) -> Checkpoint:
        """Copy what is known of a partition; call it between steps, when every output so far is acknowledged."""
        refused = [(topic, reason, n) for (topic, reason), n in sorted(self.refused[partition].items())]
        _, switch = self._switch.get(partition, (None, None))
        books = msgspec.json.encode(_Books(dict(self.read[partition]), refused, switch))
        at = self.position(partition)
        return Checkpoint(partition, at, self.engine.save(partition), books, at.inputs, at.version)

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
        try:
            books = _books(checkpoint.books)
            position = checkpoint.position
            if checkpoint.inputs:  # how a file of any format names them
                position = replace(position, inputs=checkpoint.inputs, version=checkpoint.version)
            dropped = self.engine.load(p, checkpoint.engine, position)
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

    def has(self, partition: int) -> bool:
        """Tell whether a partition has a state; an owned one has none while it is sought what makes its step raise."""
        return partition in self.read

    def position(self, partition: int) -> Position:
        """Return where the state of an open partition stands."""
        return self.engine.position(partition)

    def apply(self, cuts: Sequence[Cut], records: Mapping[int, Inputs], removed: Sequence[Removed] = ()) -> Step:
        """Run one step.

        Parameters
        ----------
        cuts : one valid cut of each partition of the step.
        records : per partition, the records between the cut before and this one, as they lie in Kafka.
        removed : the records that the cuts name in `without`; those that are among *records* are left out there.

        Raises
        ------
        StepFailed
            If anything in it raises: its partitions are dropped then, with all that the step had left.
        """
        with self._or_nothing([cut.partition for cut in cuts]):
            order = sorted(cuts, key=lambda cut: cut.partition)
            step = self.engine.step(cuts, self._batches(order, records), removed)
            self._count(step, order, records)
        return step

    def hand_over(
        self,
        cut: Cut,
        told: Iterable[Alert],
        known: Mapping[str, int],
        letters: Sequence[Output],
        limits: Mapping[str, Any],
    ) -> Step:
        """Begin a span of a partition; see `monitor.engine.Engine.hand_over`.

        Raises
        ------
        StepFailed
            As `apply`.
        """
        with self._or_nothing([cut.partition]):
            step = self.engine.hand_over(cut, told, known, letters, limits)
            self._count(step, [cut], {})
        return step

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Let no row and no switch leave, and count nothing, while a step is only tried."""
        journal, control, counts = (
            self._journal,
            self._control,
            (self.cuts, self.applied_records, self.below_T, self.late),
        )
        self._journal, self._control = _ignore, _ignore
        try:
            yield
        finally:
            self._journal, self._control = journal, control
            self.cuts, self.applied_records, self.below_T, self.late = counts

    @contextmanager
    def _or_nothing(self, partitions: Sequence[int]) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.engine.abandon(partitions)
            for p in partitions:
                self._close(p)
            if isinstance(error, Exception) and not isinstance(error, MemoryError | PulsewardenError):
                raise StepFailed(partitions, error) from error
            raise

    def _count(self, step: Step, cuts: Sequence[Cut], records: Mapping[int, Inputs]) -> None:
        self.cuts += len(cuts)
        self.below_T += step.below_T
        self.late += step.late
        for cut in cuts:
            read = {topic: len(r) for topic, r in records.get(cut.partition, {}).items() if len(r)}
            self.applied_records += sum(read.values())
            self.read[cut.partition].update(read)
            self.refused[cut.partition].update(_refused(step.outputs.get(cut.partition, ())))
            self.left_out.update(cut.left_out)
        if step.journal:
            self._journal(step.journal)
        self._look_for_control(cuts, records)

    def _batches(self, order: Sequence[Cut], records: Mapping[int, Inputs]) -> list[Batch]:
        batches = []
        for topic in self.inputs:
            parts = [(cut, part) for cut in order if len(part := records[cut.partition].get(topic, NOTHING))]
            if parts:
                batches.append(self._batch(topic, parts))
        return batches

    def _batch(self, topic: str, parts: Sequence[tuple[Cut, Records]]) -> Batch:
        stamps, kept = [], []
        for cut, part in parts:
            before = self.position(cut.partition).stamps().get(topic, 0)
            stamp = running_stamps(part.stamp_ms, before, cut.cap_ms)
            out = [offset for name, offset in cut.without if name == topic]
            if out:
                some = ~np.isin(part.offset, out)
                part, stamp = part.chosen(some), stamp[some]
            stamps.append(stamp)
            kept.append(part)
        joined = Records.joined(kept)
        numbers = np.repeat(np.array([cut.partition for cut, _ in parts], np.int32), [len(part) for part in kept])
        return Batch(topic, numbers, joined.offset, np.concatenate(stamps), joined.key, joined.value)

    def _look_for_control(self, cuts: Sequence[Cut], records: Mapping[int, Inputs]) -> None:
        for cut in sorted(cuts, key=lambda cut: cut.partition):
            read = records.get(cut.partition, {}).get(CONTROL, NOTHING)
            rows = zip(read.offset.tolist(), read.value, strict=True)
            told = [value for at, value in rows if value is not None and (CONTROL, at) not in cut.without]
            self._tell(cut.partition, told)

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
                if topic in self.inputs:
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


def _ignore(_: object) -> None:
    return


def _refused(outputs: Sequence[Output]) -> Counter[tuple[str, str]]:
    letters = (_dead_letter(out.value) for out in outputs if out.topic == DEAD_LETTER)
    return Counter((letter.origin_topic, letter.reason) for letter in letters)
