"""The engine fed in this process: messages in, alerts and journal rows out; no broker, no worker, no model.

The log is the only clock, and cuts are made on it as a worker makes them: every record stamped below T has been read.
Where the cuts lie changes no alert but its `raised_at` (`monitor.verifying` holds the engine to that), so a long
recording may be cut coarsely.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.alerting.limits import Limits
from monitor.cuts import Cut
from monitor.engine import Engine
from monitor.inputs import Batch
from monitor.outputs import Columns, Output, Step
from stream_schemas.alert import Alert
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import DEAD_LETTER, INPUTS

Message = tuple[str, bytes | None, bytes | None, int]
"""Unprefixed topic, key, value, and stamp in epoch ms."""

MINUTE_MS, DAY_MS = 60_000, 86_400_000
TEAMS = ("north", "south")
TABLES = ("minutes", "days", "bp", "sleep", "weather", "profiles", "alerts")
_partition = lru_cache(maxsize=1 << 17)(murmur2_partition)
_alert = msgspec.json.Decoder(Alert).decode


class OutOfOrder(ValueError):
    """A message is older than those before it: a log in order of time never holds it."""


@dataclass(slots=True)
class Ran:
    """What came of it.

    Attributes
    ----------
    alerts : every version of every alert, in the order in which they were told.
    journal : table name -> columns, numpy arrays or lists of equal length; a table nobody wrote to is absent.
    days_of : wearer -> UTC days (epoch) on which a record of theirs in a vitals topic was stamped.
    records, refused : records by topic; dead letters by reason.
    below_T : records stamped below a T in use; 0 where messages come in the order of their stamps.
    cuts : steps made.
    """

    alerts: list[Alert] = field(default_factory=list)
    journal: dict[str, dict[str, Any]] = field(default_factory=dict)
    days_of: dict[str, set[int]] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    below_T: int = 0
    cuts: int = 0

    @property
    def wearer_days(self) -> int:
        """Count the wearer-days of which anything was read."""
        return sum(map(len, self.days_of.values()))

    def raised(self) -> list[Alert]:
        """Return the first version of every episode: what a care team sees come up."""
        return list({(alert.wearer_id, alert.alert_id): alert for alert in reversed(self.alerts)}.values())[::-1]


def run(
    messages: Iterable[Message],
    limits: Limits | None = None,
    *,
    every_ms: int = MINUTE_MS,
    until_ms: int | None = None,
    partitions: int = 1,
    teams: tuple[str, ...] = TEAMS,
    tables: Sequence[str] = TABLES,
    watch: Callable[[Engine, Step], None] | None = None,
) -> Ran:
    """Feed messages to an engine of its own.

    Parameters
    ----------
    messages : (topic, key, value, stamp_ms), in the order of their stamps; an iterator is read as it goes.
    limits : of the rules; the packaged ones unless told.
    every_ms : a cut each time that so much of the log's time has passed.
    until_ms : the last T. Without it the time ends with the last message, as it does for a worker on the log clock:
        silence after it is not noticed.
    partitions, teams : of the engine.
    tables : of the journal that are kept; "minutes" is a row a minute.
    watch : called after every step, before the next; `engine.snapshot(step.due)` is valid in it.

    Returns
    -------
    Ran

    Raises
    ------
    OutOfOrder
        If a message is stamped before the one before it.
    """
    engine = Engine(limits or Limits(), partitions=partitions, teams=teams, log_clock=True)
    for partition in range(partitions):
        engine.open(partition)
    ran, log = Ran(), Log(engine, partitions)
    parts: dict[str, list[Columns]] = {}
    for T, chunk in _chunks(messages, every_ms, until_ms):
        _count(ran, chunk)
        step = log.step(T, chunk)
        ran.cuts += 1
        ran.below_T += step.below_T
        ran.refused += step.dead_letters
        for outputs in step.outputs.values():
            ran.alerts += map(_told, (one for one in outputs if one.topic != DEAD_LETTER))
        for table, columns in step.journal.items():
            if table in tables:
                parts.setdefault(table, []).append(columns)
        if watch is not None:
            watch(engine, step)
    ran.journal = {table: _joined(of_table) for table, of_table in parts.items()}
    return ran


def _told(output: Output) -> Alert:
    return _alert(output.value)


def _chunks(messages: Iterable[Message], every_ms: int, until_ms: int | None) -> Iterator[tuple[int, list[Message]]]:
    """Yield each T with the messages stamped below it; a time in which nothing was written makes no cuts."""
    T, last, chunk = 0, 0, list[Message]()
    for message in messages:
        stamp = message[3]
        if stamp < last:
            raise OutOfOrder(
                f"A message of {message[0]} is stamped {last - stamp} ms before the one before it: sort them."
            )
        if stamp >= T:
            if chunk:
                yield T, chunk
            T, chunk = (stamp // every_ms + 1) * every_ms, []
        last = stamp
        chunk.append(message)
    T = last + 1 if until_ms is None else max(until_ms, last + 1)
    if chunk or until_ms is not None:
        yield T, chunk


def _count(ran: Ran, chunk: Sequence[Message]) -> None:
    ran.records.update(message[0] for message in chunk)
    for topic, key, _, stamp in chunk:
        if key is not None and topic.startswith("vitals."):
            ran.days_of.setdefault(key.decode(errors="replace"), set()).add(stamp // DAY_MS)


class Log:
    """Cuts and batches as a worker makes them: offsets by topic and partition, all partitions in each step."""

    def __init__(self, engine: Engine, partitions: int) -> None:
        self._engine, self._partitions = engine, partitions
        self._next = np.zeros((len(INPUTS), partitions), np.int64)
        self._stamp = np.zeros((len(INPUTS), partitions), np.int64)
        self._at = 0

    def step(self, T: int, chunk: Sequence[Message]) -> Step:
        """Let the engine read some messages, in the order of their stamps, and go on to T."""
        batches = [batch for topic in range(len(INPUTS)) if (batch := self._batch(topic, chunk)) is not None]
        cuts = []
        for p in range(self._partitions):
            before = self._engine.position(p)
            reach, stamps = tuple(self._next[:, p].tolist()), tuple(self._stamp[:, p].tolist())
            cuts.append(Cut(p, self._at, 0, before.seq + 1, T, reach, stamps, before.digest))
            self._at += 1
        return self._engine.step(cuts, batches)

    def _batch(self, topic: int, chunk: Sequence[Message]) -> Batch | None:
        mine = [message for message in chunk if message[0] == INPUTS[topic]]
        if not mine:
            return None
        partition = np.array([_partition(m[1] or b"", self._partitions) for m in mine], np.int32)
        order = np.argsort(partition, kind="stable")
        partition, stamp = partition[order], np.array([m[3] for m in mine], np.int64)[order]
        count = np.bincount(partition, minlength=self._partitions)
        first = np.cumsum(count) - count
        offset = self._next[topic][partition] + np.arange(len(mine)) - first[partition]
        self._next[topic] += count
        np.maximum.at(self._stamp[topic], partition, stamp)
        ordered = [mine[i] for i in order.tolist()]
        return Batch(INPUTS[topic], partition, offset, stamp, [m[1] for m in ordered], [m[2] for m in ordered])


def _joined(parts: Sequence[Columns]) -> dict[str, Any]:
    return {name: _column([part[name] for part in parts]) for name in parts[0]}


def _column(parts: Sequence[Any]) -> NDArray[Any] | list[Any]:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return [value for part in parts for value in part]
