"""A log of one partition that a test writes by hand, cut by cut, as a worker would: so it can be wrong on purpose."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from kafka import KafkaAdminClient, KafkaProducer
from kafka.structs import TopicPartition

from monitor.cuts import Cut, Span, encode_claim, encode_cut
from monitor.inputs import Batch
from monitor.outputs import Output
from monitor.settings import Settings
from monitor.version import engine_version
from monitor.wearers.checkpoint import Checkpoint, Checkpoints
from stream_schemas.topics import INPUTS
from tests.patience import patience
from tests.stream.toy_engine import ToyEngine
from tests.stream.world import heart_rate

START_MS = 1_767_571_200_000
HEART_RATE = INPUTS.index("vitals.heart-rate.v1")
SCORES = INPUTS.index("risk.scores.v1")
ALERTS = "alerts.north.v1"


class Author:
    """Writes partition 0 of a log whose records tell the time."""

    def __init__(self, settings: Settings, engine: ToyEngine | None = None) -> None:
        self.settings, self.engine = settings, engine or ToyEngine(INPUTS)
        self.producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, linger_ms=0)
        self.epoch, self.at = -1, 0
        self.told: list[Output] = []
        self.wearers: dict[str, int] = {}
        self._all: list[tuple[int, int, int, bytes | None, bytes]] = []
        self._unread = list(self._all)

    def send(self, topic: str, value: bytes, key: bytes | None = None, stamp_ms: int | None = None) -> int:
        name = self.settings.kafka.topic_prefix + topic
        offset: int = (
            self.producer.send(name, value, key=key, partition=0, timestamp_ms=stamp_ms).get(patience(10)).offset
        )
        return offset

    def begin(self, starts: tuple[int, ...] = (0,) * len(INPUTS)) -> None:
        """Claim, begin with nothing known, and write cut 0."""
        self.epoch = self.send("cuts.v1", encode_claim("author"))
        self.engine.open(0)
        self._unread = [row for row in self._all if row[1] >= starts[row[0]]]
        self._cut(0, starts, (0,) * len(INPUTS), [])

    def records(self, wearer: str, n: int, stamp_ms: int) -> None:
        """Publish n records of a wearer, a second apart; the toy engine raises an alert at every tenth."""
        for k in range(n):
            self.wearers[wearer] = number = self.wearers.get(wearer, 0) + 1
            key, value = heart_rate(wearer, number)
            offset = self.send(INPUTS[HEART_RATE], value, key, stamp_ms + k * 1000)
            self._append((HEART_RATE, offset, stamp_ms + k * 1000, key, value))

    def publish(self, source: int, key: bytes, value: bytes, stamp_ms: int) -> None:
        """Publish a record of an input, by its number."""
        self._append((source, self.send(INPUTS[source], value, key, stamp_ms), stamp_ms, key, value))

    def scores(self, stamp_ms: int) -> None:
        offset = self.send(INPUTS[SCORES], b"{}", None, stamp_ms)
        self._append((SCORES, offset, stamp_ms, None, b"{}"))

    def _append(self, row: tuple[int, int, int, bytes | None, bytes]) -> None:
        self._all.append(row)
        self._unread.append(row)

    def cut(self, T: int, *, withheld: Collection[int] = ()) -> Cut:
        """Cut behind all that was published; leave some of the step's outputs, by their number, unsent."""
        position = self.engine.position(0)
        reach, stamps = list(position.next or ()), list(position.stamp)
        batches = []
        for i, topic in enumerate(INPUTS):
            rows = [row for row in self._unread if row[0] == i]
            if rows:
                stamp = np.maximum.accumulate(np.array([stamps[i], *(row[2] for row in rows)]))[1:]
                reach[i], stamps[i] = rows[-1][1] + 1, int(stamp[-1])
                offsets = np.array([row[1] for row in rows])
                keys: list[bytes | None] = [row[3] for row in rows]
                values: list[bytes | None] = [row[4] for row in rows]
                batches.append(Batch(topic, np.zeros(len(rows), np.int32), offsets, stamp, keys, values))
        self._unread.clear()
        return self._cut(T, tuple(reach), tuple(stamps), batches, withheld)

    def _cut(
        self,
        T: int,
        reach: tuple[int, ...],
        stamps: tuple[int, ...],
        batches: list[Batch],
        withheld: Collection[int] = (),
    ) -> Cut:
        position = self.engine.position(0)
        said = Span(engine_version(), INPUTS) if position.seq < 0 else None
        cut = Cut(0, 0, self.epoch, position.seq + 1, T, reach, stamps, position.digest, said)
        cut = replace(cut, at=self.send("cuts.v1", encode_cut(cut)))
        for i, out in enumerate(self.engine.step([cut], batches).outputs.get(0, ())):
            self.told.append(out)
            if i not in withheld:
                self.send(out.topic, out.value, out.key)
        return cut

    def checkpoint(self) -> None:
        place, partitions = self.settings.checkpoint_place, self.settings.stream.partitions
        at = self.engine.position(0)
        saved = Checkpoint(0, at, self.engine.save(0), b'{"read":{},"refused":[]}', at.inputs, at.version)
        Checkpoints(place, partitions=partitions).write(saved)

    def cut_off(self, topic: str, offset: int) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.settings.kafka.bootstrap_servers)
        admin.delete_records({TopicPartition(self.settings.kafka.topic_prefix + topic, 0): offset})
        admin.close()
