"""A log in memory for the engine: publish events with stamps, cut wherever a test likes, read what came out."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monitor.alerting.limits import Limits
from monitor.cuts import Cut
from monitor.engine import Engine
from monitor.inputs import Batch
from monitor.outputs import Step
from stream_schemas.partition import murmur2_partition
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import ACTIVITY, ALERT_COMMANDS, BLOOD_PRESSURE, HEART_RATE, INPUTS, WEARER, WEATHER

START = 1_767_571_200_000  # 2026-01-05T00:00:00Z
MINUTE = 60_000
PARTITIONS = 4
TEAMS = ("north", "south")


@dataclass(frozen=True, slots=True)
class Record:
    stamp_ms: int
    key: bytes | None
    value: bytes | None


@dataclass
class Feed:
    """All records of all topics and partitions, in the order of their stamps, and an engine that reads them."""

    engine: Engine
    records: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    read: dict[tuple[str, int], int] = field(default_factory=dict)
    offset_of_cut: int = 0
    out: list[dict[str, Any]] = field(default_factory=list)
    dead: list[dict[str, Any]] = field(default_factory=list)
    bytes_out: list[tuple[str, int, bytes | None, bytes]] = field(default_factory=list)
    ingested: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    scored: list[str] = field(default_factory=list)
    last: Step | None = None
    names: int = 0

    def publish(
        self,
        topic: str,
        event: dict[str, Any] | bytes | None,
        stamp: int,
        *,
        key: str | None = None,
        p: int | None = None,
    ) -> None:
        """Append one record; the key is the wearer's id unless told."""
        raw = event if isinstance(event, bytes) or event is None else json.dumps(event).encode()
        name = key if key is not None else (event["wearer_id"] if isinstance(event, dict) else None)
        partition = p if p is not None else murmur2_partition((name or "").encode(), PARTITIONS)
        record = Record(stamp, None if name is None else name.encode(), raw)
        self.records.setdefault((topic, partition), []).append(record)

    def cut(self, T: int, *, upto: int | None = None, partitions: Sequence[int] = range(PARTITIONS)) -> Step:
        """Read all records stamped before `upto` (default T) and step to T."""
        upto = T if upto is None else upto
        batches = []
        for topic in INPUTS:
            rows = []
            for p in partitions:
                log = self.records.get((topic, p), [])
                i = begin = self.read.get((topic, p), 0)
                high = max((r.stamp_ms for r in log[:begin]), default=0)
                while i < len(log) and log[i].stamp_ms < upto:
                    high = max(high, log[i].stamp_ms)
                    rows.append((p, i, high, log[i].key, log[i].value))
                    i += 1
                self.read[topic, p] = i
            if rows:
                p_, o, s, k, v = zip(*rows, strict=True)
                batches.append(Batch(topic, np.array(p_, np.int32), np.array(o), np.array(s), list(k), list(v)))
        cuts = []
        for p in partitions:
            at = self.engine.position(p)
            self.offset_of_cut += 1
            reach = tuple(self.read.get((t, p), 0) for t in INPUTS)
            cuts.append(Cut(p, self.offset_of_cut, 0, at.seq + 1, max(T, at.T), reach, (0,) * len(INPUTS), at.digest))
        step = self.engine.step(cuts, batches)
        self._collect(step)
        return step

    def run(self, until: int, every: int = MINUTE) -> None:
        """Cut every so often until a time."""
        begin = min((r.stamp_ms for log in self.records.values() for r in log), default=START)
        for T in range(max(begin, max(self.engine.position(p).T for p in range(PARTITIONS))), until + every, every):
            self.cut(min(T, until))

    def _collect(self, step: Step) -> None:
        self.last = step
        self.ingested += step.ingested
        self.refused += step.dead_letters
        if step.due is not None:
            self.scored += step.due.wearer_id
        for outputs in step.outputs.values():
            for o in outputs:
                self.bytes_out.append((o.topic, o.partition, o.key, o.value))
                (self.dead if o.topic == "dead-letter.v1" else self.out).append(json.loads(o.value))

    def alerts(self, rule: str) -> list[dict[str, Any]]:
        """All versions of alerts of a rule, in order."""
        return [a for a in self.out if a["rule"] == rule]

    def told(self, rule: str) -> list[tuple[str, str, str]]:
        """(priority, condition, workflow) of all versions of a rule."""
        return [(a["priority"], a["condition"], a["workflow"]) for a in self.alerts(rule)]

    def name(self) -> str:
        self.names += 1
        return f"e{self.names}"

    def heart_rate(
        self, wearer: str, start: int, bpm: Sequence[int], *, every_s: int = 1, stamp: int | None = None, **more: Any
    ) -> None:
        """Publish one envelope; it is received half a second after its last sample unless told."""
        offset = [i * every_s * 1000 for i in range(len(bpm))]
        event = {
            "schema": "heart-rate/1",
            "event_id": self.name(),
            "wearer_id": wearer,
            "device_id": "d",
            "start": rfc3339(start),
            "offset_ms": offset,
            "bpm": list(bpm),
            **more,
        }
        self.publish(HEART_RATE, event, start + offset[-1] + 1500 if stamp is None else stamp)

    def steps(self, wearer: str, start: int, steps: Sequence[int], *, stamp: int | None = None) -> None:
        event = {
            "schema": "activity/1",
            "event_id": self.name(),
            "wearer_id": wearer,
            "device_id": "d",
            "start": rfc3339(start),
            "steps": list(steps),
        }
        self.publish(ACTIVITY, event, start + len(steps) * MINUTE if stamp is None else stamp)

    def minutes(self, wearer: str, start: int, bpm: Sequence[int], *, steps: int | None = 0, **more: Any) -> None:
        """Publish whole minutes of 1-s samples with their steps."""
        for m, value in enumerate(bpm):
            self.heart_rate(wearer, start + m * MINUTE, [value] * 60, **more)
            if steps is not None:
                self.steps(wearer, start + m * MINUTE, [steps])

    def pressure(
        self,
        wearer: str,
        at: int,
        systolic: int,
        diastolic: int,
        *,
        stamp: int | None = None,
        method: str = "cuff_oscillometric",
        event_id: str | None = None,
    ) -> None:
        event = {
            "schema": "blood-pressure/1",
            "event_id": event_id or self.name(),
            "wearer_id": wearer,
            "device_id": "cuff",
            "start": rfc3339(at),
            "systolic_mmhg": systolic,
            "diastolic_mmhg": diastolic,
            "measurement_method": method,
        }
        self.publish(BLOOD_PRESSURE, event, at + 1000 if stamp is None else stamp)

    def weather(self, wearer: str, at: int, temperature: float, humidity: float) -> None:
        event = {
            "schema": "weather/1",
            "event_id": self.name(),
            "wearer_id": wearer,
            "start": rfc3339(at),
            "temperature_c": temperature,
            "humidity_pct": humidity,
        }
        self.publish(WEATHER, event, at + 1000)

    def profile(self, wearer: str, at: int, **more: Any) -> None:
        event = {
            "schema": "wearer/1",
            "event_id": self.name(),
            "wearer_id": wearer,
            "start": rfc3339(at),
            "team": "north",
            "time_zone": "UTC",
            "age_years": 50,
            "conditions": [],
            "medications": [],
            "consent": True,
            **more,
        }
        self.publish(WEARER, event, at)

    def command(self, alert: dict[str, Any], action: str, at: int, *, seen: int | None = None) -> None:
        event = {
            "schema": "alert-command/1",
            "command_id": self.name(),
            "wearer_id": alert["wearer_id"],
            "alert_id": alert["alert_id"],
            "seen_version": alert["version"] if seen is None else seen,
            "action": action,
            "actor": "nurse",
            "at": rfc3339(at),
        }
        self.publish(ALERT_COMMANDS, event, at)


def feed(limits: Limits | None = None, *, log_clock: bool = False) -> Feed:
    engine = Engine(limits or Limits(), partitions=PARTITIONS, teams=TEAMS, log_clock=log_clock)
    for p in range(PARTITIONS):
        engine.open(p)
    return Feed(engine)
