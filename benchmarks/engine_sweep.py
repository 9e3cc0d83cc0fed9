"""The engine in process: decode, slots, rules and policy on sweeps of 400 envelopes; and the decoder alone."""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.figure import Figure, Target, rate
from benchmarks.fleet_load import MIX, Fleet, Sweep
from monitor.alerting.limits import Limits
from monitor.cuts import Cut
from monitor.engine import Engine
from monitor.inputs import Batch
from monitor.outputs import Step
from stream_schemas.decode import decode_batch
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import ACTIVITY, HEART_RATE, INPUTS, WEARER

PARTITIONS = 16
WARM_UP_MIN = 6
MINUTES_A_ROUND = 2


class EngineSweeps:
    """An engine with 10,000 wearers; each round drives it through two more of their minutes."""

    def __init__(self, fleet: Fleet | None = None, warm_up_min: int = WARM_UP_MIN) -> None:
        self.fleet = fleet or Fleet()
        self._partition = {name.encode(): murmur2_partition(name.encode(), PARTITIONS) for name in self.fleet.names}
        self._engine = Engine(Limits(), partitions=PARTITIONS, teams=("north", "south"))
        self._read = np.zeros((len(INPUTS), PARTITIONS), np.int64)
        self._minute = self._cuts = 0
        self.alerts = self.decided = 0
        self._taken: list[tuple[float, float]] = []
        self._decoded: list[tuple[float, float]] = []
        self._warm_up_min = warm_up_min

    def prepare(self) -> None:
        """Introduce everybody and let the engine reach its usual state."""
        for partition in range(PARTITIONS):
            self._engine.open(partition)
        self._step(self.fleet.start_ms, [self._batch(WEARER, self.fleet.start_ms - 1, list(self.fleet.profiles()))])
        while self._minute < self._warm_up_min:
            self.round(1)
        self._taken.clear()
        self._decoded.clear()

    def round(self, minutes: int = MINUTES_A_ROUND) -> None:
        """Measure some minutes of everybody: encoded before, taken in and decided on the clock, decoded once more."""
        sweeps = [sweep for minute in range(minutes) for sweep in self.fleet.minute(self._minute + minute)]
        self._minute += minutes
        ready = [(sweep.arrived_ms, self._batches(sweep)) for sweep in sweeps]
        envelopes = sum(len(sweep.heart_rate) for sweep in sweeps)
        began = time.process_time()
        for arrived_ms, batches in ready:
            self._step(arrived_ms + 1, batches)
        between = time.process_time()
        for _, batches in ready:
            decode_batch(HEART_RATE, batches[0].key, batches[0].value)
        ended = time.process_time()
        self._taken.append((envelopes, between - began))
        self._decoded.append((envelopes, ended - between))

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        size = self.fleet.wearers // self.fleet.sweeps
        many = f"{self.fleet.wearers:,} wearers, {size} heart-rate envelopes a sweep"
        return [
            rate(
                "engine",
                self._taken,
                "envelopes/s of one core",
                f"In process, decode + slots + due minutes + rules + policy through `Engine.step`: {many}, {MIX};"
                " the activity envelopes are worked but not counted; process CPU time.",
                Target("at least", 40_000),
            ),
            rate(
                "decode",
                self._decoded,
                "envelopes/s of one core",
                "`decode_batch` alone on the same heart-rate envelopes, in the same sweeps; process CPU time.",
                None,
            ),
        ]

    def _batches(self, sweep: Sweep) -> list[Batch]:
        batches = [self._batch(HEART_RATE, sweep.arrived_ms, sweep.heart_rate)]
        if sweep.activity:
            batches.append(self._batch(ACTIVITY, sweep.arrived_ms, sweep.activity))
        return batches

    def _batch(self, topic: str, stamp_ms: int, records: Sequence[tuple[bytes, bytes]]) -> Batch:
        """Make a batch as the worker does: ordered by partition and offset."""
        partition = np.array([self._partition[key] for key, _ in records], np.int32)
        order = np.argsort(partition, kind="stable")
        of_topic = self._read[INPUTS.index(topic)]
        count = np.bincount(partition, minlength=PARTITIONS)
        first = np.repeat(of_topic - (np.cumsum(count) - count), count)
        of_topic += count
        ordered = [records[i] for i in order.tolist()]
        keys: list[bytes | None] = [key for key, _ in ordered]
        values: list[bytes | None] = [value for _, value in ordered]
        stamps = np.full(len(records), stamp_ms, np.int64)
        return Batch(topic, partition[order], first + np.arange(len(records)), stamps, keys, values)

    def _step(self, T: int, batches: list[Batch]) -> Step:
        cuts = []
        for partition in range(PARTITIONS):
            at = self._engine.position(partition)
            self._cuts += 1
            cuts.append(Cut(partition, self._cuts, 0, at.seq + 1, T, (0,) * len(INPUTS), (0,) * len(INPUTS), at.digest))
        step = self._engine.step(cuts, batches)
        self.alerts += sum(len(outputs) for outputs in step.outputs.values())
        self.decided += len(step.journal.get("minutes", {}).get("minute", ()))
        if step.dead_letters:
            raise RuntimeError(f"The load is not valid: {dict(step.dead_letters)}.")
        return step
