"""Byte equality: what the log gives, replayed in a process that took no part, against what the topics hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.cuts import Cut, valid_cuts
from monitor.engine import Engine
from monitor.inputs import Batch
from monitor.outputs import Output
from monitor.settings import Settings
from stream_schemas.topics import INPUTS
from tests.faults.history import Told
from tests.faults.records import Alerts
from tests.stream.world import Row, read


@dataclass(frozen=True, slots=True)
class Agreement:
    """Expected outputs, and in how many ways the topics differ from them."""

    expected: int
    missing: int
    different: int
    repeated: int


def engine_of(settings: Settings) -> Engine:
    """Return an engine as a worker makes it."""
    return Engine(
        settings.limits,
        partitions=settings.stream.partitions,
        teams=settings.teams,
        score_every_min=settings.scoring.every_min,
        log_clock=settings.stream.clock == "log",
    )


def agreement(settings: Settings, found: Alerts) -> Agreement:
    """Replay a log from its start and compare: every value that it gives at least once, and none other."""
    return _compared(replay(settings), (*found.alerts, *found.dead))


def agreement_since(settings: Settings, alerts: Sequence[Told], claimed: Mapping[int, int]) -> Agreement:
    """The same for partitions that began anew: from their last cut 0, and only alerts.

    Parameters
    ----------
    alerts : those written since. claimed : partition -> broker stamp of the claim under which it began anew.
    """
    outputs = [out for out in replay(settings) if out.topic.startswith("alerts.")]
    return _compared(outputs, [row for row in alerts if row.stamp_ms >= claimed[row.partition]])


def _compared(outputs: Iterable[Output], rows: Iterable[Told]) -> Agreement:
    expected = {
        (out.topic, out.partition, out.value) for out in outputs if out.topic.startswith(("alerts.", "dead-letter"))
    }
    got = [(row.topic, row.partition, row.value) for row in rows]
    return Agreement(
        expected=len(expected),
        missing=len(expected - set(got)),
        different=len(set(got) - expected),
        repeated=len(got) - len(set(got)),
    )


def replay(settings: Settings) -> list[Output]:
    """Replay every partition from its last cut 0, one cut a step, in this process."""
    inputs = {topic: read(settings, topic) for topic in INPUTS}
    cuts = read(settings, "cuts.v1")
    outputs: list[Output] = []
    for p in range(settings.stream.partitions):
        valid = list(valid_cuts(((row.offset, row.stamp_ms, row.value) for row in cuts if row.partition == p), p))
        zero = max((i for i, cut in enumerate(valid) if cut.seq == 0), default=0)
        rows = {topic: [row for row in inputs[topic] if row.partition == p] for topic in INPUTS}
        outputs += _replay(engine_of(settings), p, valid[zero:], rows)
    return outputs


def _replay(engine: Engine, p: int, cuts: Sequence[Cut], rows: Mapping[str, Sequence[Row]]) -> list[Output]:
    engine.open(p)
    outputs: list[Output] = []
    reach: tuple[int, ...] = ()
    offsets = {topic: np.array([row.offset for row in rows[topic]], np.int64) for topic in INPUTS}
    for cut in cuts:
        before = engine.position(p).stamp or (0,) * len(INPUTS)
        batches = []
        for i, topic in enumerate(INPUTS):
            begin, end = np.searchsorted(offsets[topic], ((reach or cut.next)[i], cut.next[i])).tolist()
            if end > begin:
                part = rows[topic][begin:end]
                stamps = np.maximum.accumulate(np.array([before[i], *(row.stamp_ms for row in part)]))[1:]
                keys, values = [row.key for row in part], [row.value for row in part]
                numbers = np.full(len(part), p, np.int32)
                batches.append(Batch(topic, numbers, offsets[topic][begin:end], stamps, keys, values))
        outputs += engine.step([cut], batches).outputs.get(p, [])
        reach = cut.next
    return outputs
