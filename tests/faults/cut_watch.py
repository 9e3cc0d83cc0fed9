"""Follows cuts.v1 while a run goes on: who owns what, how far it has come, and how long nothing moved.

Written apart from monitor.cuts, from the rule alone: a cut counts if and only if the last claim before it is its own.
A record without T amends the cut before it, and is none itself.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.settings import Settings
from stream_schemas.topics import CUTS, INPUTS

STILL_MS = 1_500
"""Without a valid cut for so long a partition does not move: idle ones are cut every half second."""


@dataclass
class Followed:
    """One partition of cuts.v1 as read so far."""

    epoch: int = -1
    claims: list[tuple[int, int, str]] = field(default_factory=list)  # stamp, offset, worker
    stamps: list[int] = field(default_factory=list)  # of the valid cuts
    advanced: list[int] = field(default_factory=list)  # stamps of those with which time went on
    last: dict[str, Any] = field(default_factory=dict)
    void: int = 0
    amended: int = 0


class CutWatch:
    """Reads cuts.v1 whenever it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: KafkaConsumer = KafkaConsumer(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            reconnect_backoff_max_ms=500,
            request_timeout_ms=20_000,
            session_timeout_ms=10_000,
        )
        self._consumer.assign([TopicPartition(settings.kafka.topic_prefix + CUTS, p) for p in self.partitions])
        self._consumer.seek_to_beginning()
        self.of: dict[int, Followed] = defaultdict(Followed)
        self.waits_for_T = True  # off where a clock that was ahead may hold T back for longer than a run takes

    @property
    def partitions(self) -> range:
        return range(self._settings.stream.partitions)

    def look(self) -> None:
        """Take in what was written since the last look; nothing while Kafka is away."""
        try:
            while polled := self._consumer.poll(timeout_ms=30, max_records=5_000):
                for tp, records in polled.items():
                    for record in records:
                        self._take(self.of[tp.partition], record.offset, record.timestamp, record.value)
        except KafkaError:
            return

    @staticmethod
    def _take(one: Followed, offset: int, stamp_ms: int, value: bytes) -> None:
        written = json.loads(value)
        if "claim" in written:
            one.epoch = offset
            one.claims.append((stamp_ms, offset, written["claim"]))
        elif "T" not in written:
            one.amended += written["e"] == one.epoch
        elif written["e"] == one.epoch:
            one.stamps.append(stamp_ms)
            if written["T"] > one.last.get("T", -1):
                one.advanced.append(stamp_ms)
            one.last = written
        else:
            one.void += 1

    def reached(self, ends: dict[tuple[str, int], int]) -> bool:
        """Tell whether every partition has read up to these ends and decided what was due by then."""
        self.look()
        settle_ms = 3_000 + round(1000 * self._settings.limits.late_settle_s)
        for p in self.partitions:
            last = self.of[p].last
            if not last or any(reach < ends[topic, p] for topic, reach in zip(INPUTS, last["n"], strict=True)):
                return False
            if self.waits_for_T and last["T"] < max(last["s"]) + (
                settle_ms if self._settings.stream.clock == "broker" else 0
            ):
                return False
        return True

    def T_ms(self) -> int:
        """Return the newest time of all partitions."""
        return max((one.last.get("T", 0) for one in self.of.values()), default=0)

    def moving(self, at_ms: int) -> bool:
        """Tell whether every partition had a valid cut shortly before a moment of the broker's clock."""
        for p in self.partitions:
            stamps = self.of[p].stamps
            i = bisect_left(stamps, at_ms + 1)
            if i == 0 or at_ms - stamps[i - 1] > STILL_MS:
                return False
        return True

    def recovery_s(self, fault_ms: int, until_ms: int, notice_ms: int = 9_000) -> float | None:
        """Return the seconds from a fault to when every partition stepped again, for good.

        0 if nothing stood still within `notice_ms`; None if it had not recovered by `until_ms`.
        """
        stood = None
        quiet_from = None
        for at in range(fault_ms, until_ms, 50):
            if not self.moving(at):
                stood, quiet_from = at, None
                continue
            if stood is None and at - fault_ms > notice_ms:
                return 0.0
            quiet_from = quiet_from or at
            if stood is not None and at - quiet_from >= 2 * STILL_MS:
                return max(0, quiet_from - fault_ms) / 1000
        return 0.0 if stood is None else None

    def still_s(self, partition: int, from_ms: int, until_ms: int) -> float:
        """Return the longest time within two moments in which a partition's time did not go on, in seconds."""
        within = [at for at in self.of[partition].advanced if from_ms < at < until_ms]
        return max(b - a for a, b in pairwise([from_ms, *within, until_ms])) / 1000

    def close(self) -> None:
        self._consumer.close()
