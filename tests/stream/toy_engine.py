"""A test double of the engine only: same interface, same determinism, trivial content.

It counts heart-rate records per wearer. A record that is not a JSON object with a wearer_id is a dead letter; every
`ALERT_EVERY`-th record of a wearer raises an alert at its stamp, decided when T has passed it.
"""

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from models.snapshot import Snapshot
from monitor.cuts import Cut, Position
from monitor.errors import ReplayDiffers
from monitor.inputs import Batch, Removed
from monitor.outputs import Output, ScoreDue, Step
from monitor.saved import Dropped, Saved, SavedStateUnusable

ALERT_EVERY = 10
SCORE_EVERY = 50


@dataclass
class State:
    position: Position = field(default_factory=Position)
    seen: Counter[str] = field(default_factory=Counter)
    waiting: list[tuple[int, int, str, int]] = field(default_factory=list)


class ToyEngine:
    def __init__(self, inputs: Sequence[str], team: str = "north", score: bool = False) -> None:
        self.inputs, self.team, self.score = list(inputs), team, score
        self.states: dict[int, State] = {}

    def open(self, partition: int) -> None:
        self.states[partition] = State()

    def drop(self, partition: int) -> None:
        del self.states[partition]

    def abandon(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self.states.pop(partition, None)

    def acting(self, partition: int, T: int) -> list[tuple[str, int]]:
        waiting = sorted(self.states[partition].waiting)
        return [("vitals.heart-rate.v1", offset) for stamp, offset, _, _ in waiting if stamp < T]

    def wearers(self, partition: int) -> list[str]:
        return sorted(self.states[partition].seen)

    def open_alerts(self, partition: int) -> dict[str, int]:
        return {}

    def limits_behind(self, partition: int, limits: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def hand_over(
        self,
        cut: Cut,
        told: Iterable[object],
        known: Mapping[str, int],
        letters: Sequence[Output],
        limits: Mapping[str, Any],
    ) -> Step:
        state = self.states[cut.partition]
        digest = 0
        for out in letters:
            digest = zlib.crc32(out.value, digest)
        state.position = replace(state.position.behind(cut), digest=digest)
        return Step(outputs={cut.partition: list(letters)} if letters else {})

    def position(self, partition: int) -> Position:
        return self.states[partition].position

    def save(self, partition: int) -> Saved:
        state = self.states[partition]
        wearers = sorted(state.seen)
        counts = np.array([state.seen[wearer] for wearer in wearers], np.int64)
        return Saved({"seen": counts}, json.dumps({"wearers": wearers, "waiting": state.waiting}).encode())

    def load(self, partition: int, saved: Saved, position: Position) -> Dropped:
        try:
            document = json.loads(saved.document)
            counts = saved.arrays["seen"].tolist()
            seen = Counter(dict(zip(document["wearers"], counts, strict=True)))
            waiting = [(int(ms), int(offset), wearer, int(n)) for ms, offset, wearer, n in document["waiting"]]
        except (ValueError, KeyError, TypeError) as error:
            raise SavedStateUnusable(f"not of the toy engine: {error!r}") from error
        self.states[partition] = State(position, seen, waiting)
        return Dropped()

    def snapshot(self, due: ScoreDue) -> Snapshot:
        made = Snapshot.empty(len(due.wearer_id))
        made.as_of_minute[:] = due.as_of_ms // 60_000
        made.hr_median[:, -120:], made.hr_min[:, -120:], made.hr_max[:, -120:], made.hr_count[:, -120:] = 70, 65, 75, 60
        made.cadence_s[:] = 1.0
        made.age_years[:] = 50.0
        return made

    def step(self, cuts: Sequence[Cut], batches: Sequence[Batch], removed: Sequence[Removed] = ()) -> Step:
        step = Step()
        due: list[tuple[int, int, str]] = []
        below_T = 0
        for cut in cuts:
            state = self.states[cut.partition]
            at = state.position
            if cut.seq != at.seq + 1:
                raise ReplayDiffers(f"partition {cut.partition}: the replay differs from the log at cut {cut.at}.")
            outputs: list[Output] = []
            stamps = list(at.stamp or (0,) * len(self.inputs))
            for one in removed:
                if one.partition == cut.partition:
                    state.waiting = [waits for waits in state.waiting if waits[1] != one.offset]
                    heapq.heapify(state.waiting)
                    outputs.append(self._letter("engine_error", one.topic, one.partition, one.offset, one.key))
                    step.dead_letters["engine_error"] += 1
            for batch in batches:
                for i in np.flatnonzero(batch.partition == cut.partition).tolist():
                    source = self.inputs.index(batch.topic)
                    stamp = int(batch.stamp_ms[i])
                    assert stamp >= stamps[source], "stamps are the running maximum"
                    stamps[source] = stamp
                    below_T += stamp < at.T
                    self._take(state, cut.partition, batch, i, outputs, due, step)
            if tuple(stamps) != cut.stamp and not cut.without:
                raise ReplayDiffers(f"partition {cut.partition}: other stamps at cut {cut.at}.")
            while state.waiting and state.waiting[0][0] < cut.T:
                stamp, offset, wearer, n = heapq.heappop(state.waiting)
                outputs.append(self._alert(cut, stamp, offset, wearer, n))
            digest = cut.digest
            for out in outputs:
                digest = zlib.crc32(out.value, digest)
            state.position = replace(at.behind(cut), digest=digest)
            if outputs:
                step.outputs[cut.partition] = outputs
        if not due:
            return replace(step, below_T=below_T)
        return Step(
            outputs=step.outputs,
            due=ScoreDue(
                np.arange(len(due)),
                np.array([p for p, _, _ in due], np.int32),
                np.array([T for _, T, _ in due], np.int64),
                [wearer for _, _, wearer in due],
            ),
            journal=step.journal,
            ingested=step.ingested,
            dead_letters=step.dead_letters,
            below_T=below_T,
        )

    def _take(self, state, partition, batch, i, outputs, due, step) -> None:  # type: ignore[no-untyped-def]
        value = batch.value[i]
        try:
            event = json.loads(value or b"")
            wearer = event["wearer_id"] if batch.topic.startswith("vitals.") else ""
        except (ValueError, KeyError, TypeError):
            outputs.append(self._letter("malformed_json", batch.topic, partition, int(batch.offset[i]), batch.key[i]))
            step.dead_letters["malformed_json"] += 1
            return
        step.ingested[batch.topic] += 1
        if not wearer:
            return
        state.seen[wearer] += 1
        if state.seen[wearer] % ALERT_EVERY == 0:
            heapq.heappush(state.waiting, (int(batch.stamp_ms[i]), int(batch.offset[i]), wearer, state.seen[wearer]))
        if self.score and state.seen[wearer] % SCORE_EVERY == 0:
            due.append((partition, int(batch.stamp_ms[i]) + 1, wearer))

    @staticmethod
    def _letter(reason: str, topic: str, partition: int, offset: int, key: bytes | None) -> Output:
        letter = {"reason": reason, "origin_topic": topic, "origin_partition": partition, "origin_offset": offset}
        return Output("dead-letter.v1", partition, key, json.dumps(letter).encode())

    def _alert(self, cut: Cut, stamp: int, offset: int, wearer: str, n: int) -> Output:
        alert = {
            "schema": "alert/1",
            "alert_id": f"{wearer}-{n // (ALERT_EVERY * 2)}",
            "version": 1 + n // ALERT_EVERY % 2,
            "wearer_id": wearer,
            "team": self.team,
            "rule": "TOY",
            "kind": "technical",
            "priority": "medium",
            "condition": "present",
            "workflow": "unacked",
            "raised_at": datetime.fromtimestamp(cut.T / 1000, UTC).isoformat(),
            "decided_by": [stamp, offset],
        }
        return Output(f"alerts.{self.team}.v1", cut.partition, alert["alert_id"].encode(), json.dumps(alert).encode())  # type: ignore[attr-defined]


class PoisonedEngine(ToyEngine):
    """Raises where it meets a record with `poison`: "read" when it is read, "act" when its alert is decided."""

    def _take(self, state, partition, batch, i, outputs, due, step) -> None:  # type: ignore[no-untyped-def]
        value = batch.value[i] or b""
        if b'"poison": "read"' in value:
            raise KeyError("poison")
        super()._take(state, partition, batch, i, outputs, due, step)
        if b'"poison": "act"' in value:
            heapq.heappush(state.waiting, (int(batch.stamp_ms[i]), int(batch.offset[i]), "poison", 0))

    def _alert(self, cut: Cut, stamp: int, offset: int, wearer: str, n: int) -> Output:
        if wearer == "poison":
            raise OSError("poison")
        return super()._alert(cut, stamp, offset, wearer, n)
