"""Byte equality: what the log gives, replayed in a process that took no part, against what the topics hold.

And I4: the same records under other cuts, drawn at random, give the same alerts but for `raised_at`.
"""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.cuts import Cut, RecordName, valid_cuts
from monitor.engine import Engine
from monitor.inputs import Batch, Removed
from monitor.outputs import Output
from monitor.settings import Settings
from stream_schemas.topics import INPUTS
from tests.faults.history import Told
from tests.faults.records import Alerts
from tests.stream.world import Row, read


@dataclass(frozen=True, slots=True)
class Agreement:
    """Expected outputs, and in how many ways the topics differ from them.

    Attributes
    ----------
    others : outputs that differ in more than `raised_at` under random cuts. below_T : records stamped below a T that
        was used; only while there are none must `others` be 0.
    """

    expected: int = 0
    missing: int = 0
    different: int = 0
    repeated: int = 0
    others: int = 0
    below_T: int = 0


def engine_of(settings: Settings) -> Engine:
    """Return an engine as a worker makes it."""
    return Engine(
        settings.limits,
        partitions=settings.stream.partitions,
        teams=settings.teams,
        score_every_min=settings.scoring.every_min,
        log_clock=settings.stream.clock == "log",
    )


def agreement(settings: Settings, found: Alerts, seed: int) -> Agreement:
    """Replay a log from its start and compare: every value that it gives at least once, and none other.

    Then again under random cuts, which the seed decides.
    """
    outputs: list[Output] = []
    others = below_T = 0
    chance = random.Random(f"cuts {seed}")
    for p, log in _logs(settings).items():
        own, other = _Replay(settings, p, log), _Replay(settings, p, log)
        for cut in log.cuts:
            own.step(cut)
        for cut in _random_cuts(chance, log, other):
            other.step(cut)
        outputs += own.outputs
        below_T += own.below_T
        others += len({*map(_but_raised_at, own.outputs)} ^ {*map(_but_raised_at, other.outputs)})
    return _compared(outputs, (*found.alerts, *found.dead), others, below_T)


def agreement_since(settings: Settings, alerts: Sequence[Told], claimed: Mapping[int, int]) -> Agreement:
    """Compare only alerts, of partitions that began anew: from their last cut 0.

    Parameters
    ----------
    alerts : those written since. claimed : partition -> broker stamp of the claim under which it began anew.
    """
    outputs: list[Output] = []
    for p, log in _logs(settings).items():
        replayed = _Replay(settings, p, log)
        for cut in log.cuts:
            replayed.step(cut)
        outputs += [out for out in replayed.outputs if out.topic.startswith("alerts.")]
    return _compared(outputs, [row for row in alerts if row.stamp_ms >= claimed[row.partition]])


def _compared(outputs: Iterable[Output], rows: Iterable[Told], others: int = 0, below_T: int = 0) -> Agreement:
    expected = {
        (out.topic, out.partition, out.value) for out in outputs if out.topic.startswith(("alerts.", "dead-letter"))
    }
    got = [(row.topic, row.partition, row.value) for row in rows]
    return Agreement(
        expected=len(expected),
        missing=len(expected - set(got)),
        different=len(set(got) - expected),
        repeated=len(got) - len(set(got)),
        others=others,
        below_T=below_T,
    )


@dataclass(frozen=True, slots=True)
class _Log:
    """What one partition holds: the records of each input, and its valid cuts from the last cut 0 on.

    Attributes
    ----------
    rows : as they count: a stamp beyond the cap of the cut that read it is that cap.
    removed : the records without which cuts were decided, as they lie in Kafka.
    """

    rows: Mapping[str, Sequence[Row]]
    cuts: Sequence[Cut]
    removed: Mapping[RecordName, Row]


def _logs(settings: Settings) -> dict[int, _Log]:
    inputs = {topic: read(settings, topic) for topic in INPUTS}
    cuts = read(settings, "cuts.v1")
    logs = {}
    for p in range(settings.stream.partitions):
        valid = list(valid_cuts(((row.offset, row.stamp_ms, row.value) for row in cuts if row.partition == p), p))
        zero = max((i for i, cut in enumerate(valid) if cut.seq == 0), default=0)
        rows = {topic: [row for row in inputs[topic] if row.partition == p] for topic in INPUTS}
        named = {name for cut in valid[zero:] for name in cut.without}
        removed = {(topic, row.offset): row for topic in INPUTS for row in rows[topic] if (topic, row.offset) in named}
        for i, topic in enumerate(INPUTS):
            rows[topic] = _capped(rows[topic], i, valid[zero:])
        logs[p] = _Log(rows, valid[zero:], removed)
    return logs


def _capped(rows: Sequence[Row], source: int, cuts: Sequence[Cut]) -> list[Row]:
    """Return the rows of an input as they count under these cuts, whose inputs are in the order of `INPUTS`."""
    ends = np.array([cut.next[source] for cut in cuts], np.int64)
    counted = []
    for row in rows:
        i = int(np.searchsorted(ends, row.offset, "right"))
        cap_ms = cuts[i].cap_ms if i < len(cuts) else 0
        counted.append(replace(row, stamp_ms=min(row.stamp_ms, cap_ms)) if cap_ms else row)
    return counted


class _Replay:
    """An engine that is led through the log of one partition, cut by cut."""

    def __init__(self, settings: Settings, p: int, log: _Log) -> None:
        self._engine, self._p, self._log = engine_of(settings), p, log
        self._engine.open(p)
        self._offsets = {topic: np.array([row.offset for row in log.rows[topic]], np.int64) for topic in INPUTS}
        self._reach: tuple[int, ...] = log.cuts[0].next
        self.outputs: list[Output] = []
        self.below_T = 0

    def step(self, cut: Cut) -> None:
        """Take one cut, and everything that lies before it."""
        position = self._engine.position(self._p)
        before = position.stamp or (0,) * len(INPUTS)
        batches = []
        for i, topic in enumerate(INPUTS):
            begin, end = np.searchsorted(self._offsets[topic], (self._reach[i], cut.next[i])).tolist()
            if end > begin:
                rows = self._log.rows[topic][begin:end]
                stamps = np.maximum.accumulate(np.array([before[i], *(row.stamp_ms for row in rows)]))[1:]
                some = [n for n, row in enumerate(rows) if (topic, row.offset) not in cut.without]
                keys, values = [rows[n].key for n in some], [rows[n].value for n in some]
                numbers = np.full(len(some), self._p, np.int32)
                batches.append(Batch(topic, numbers, self._offsets[topic][begin:end][some], stamps[some], keys, values))
        step = self._engine.step([cut], batches, [self._removed(*name) for name in cut.without])
        self.outputs += step.outputs.get(self._p, [])
        self.below_T += step.below_T
        self._reach = cut.next

    def _removed(self, topic: str, offset: int) -> Removed:
        row = self._log.removed[topic, offset]
        return Removed(self._p, topic, offset, row.stamp_ms, row.key, row.value)

    def cut(self, T: int, reach: tuple[int, ...], stamp: tuple[int, ...]) -> Cut:
        """Return a cut of our own that follows from where the engine stands."""
        position = self._engine.position(self._p)
        ends = dict(zip(INPUTS, reach, strict=True))
        begins = dict(zip(INPUTS, self._reach, strict=True))
        without = tuple(name for name in self._log.removed if begins[name[0]] <= name[1] < ends[name[0]])
        at, seq = position.at + 1, position.seq + 1
        return Cut(self._p, at, 0, seq, T, reach, stamp, position.digest, without=without)


def _random_cuts(chance: random.Random, log: _Log, other: _Replay) -> Iterator[Cut]:
    """Yield cut 0, and cuts at random times that read everything stamped below T and some records more."""
    zero, last = log.cuts[0], log.cuts[-1]
    yield replace(other.cut(0, zero.next, (0,) * len(INPUTS)), seq=0, span=zero.span)
    held = [
        [row for row in log.rows[topic] if zero.next[i] <= row.offset < last.next[i]] for i, topic in enumerate(INPUTS)
    ]
    tops = [np.maximum.accumulate(np.array([0, *(row.stamp_ms for row in rows)]))[1:] for rows in held]
    T = min((int(top[0]) for top in tops if len(top)), default=last.T)
    done = [0] * len(INPUTS)
    while T < last.T:
        T = min(last.T, T + 1 + int(chance.expovariate(1 / chance.choice((20, 400, 4_000)))))
        for i, top in enumerate(tops):
            ahead = chance.choice((0, 0, 1, chance.randrange(300)))
            done[i] = max(done[i], min(len(top), int(np.searchsorted(top, T)) + ahead))
        if T == last.T:
            done = [len(top) for top in tops]
        reach = [held[i][n - 1].offset + 1 if n else zero.next[i] for i, n in enumerate(done)]
        yield other.cut(T, tuple(reach), tuple(int(top[n - 1]) if n else 0 for top, n in zip(tops, done, strict=True)))


def _but_raised_at(out: Output) -> tuple[str, str]:
    document = json.loads(out.value)
    document.pop("raised_at", None)
    return out.topic, json.dumps(document, sort_keys=True)
