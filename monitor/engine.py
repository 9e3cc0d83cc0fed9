"""The engine: a pure function of what Kafka holds. No clock, no I/O, no Faust.

`Engine.step` takes the cuts of all partitions that are due and the records that lie between them and the cuts before,
and returns their effects as values. The same records and cuts give the same outputs byte for byte, whatever the fetch
sizes, the placement of partitions, or which of them share a step.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.snapshot import Snapshot
from monitor import saving
from monitor.alerting.limits import Limits
from monitor.alerting.rule_book import RuleBook
from monitor.cuts import Cut, Position
from monitor.deciding.dispatch import Decisions
from monitor.deciding.standing import Decided, Standing
from monitor.errors import ReplayDiffers
from monitor.inputs import Batch
from monitor.outputs import Output, ScoreDue, Step
from monitor.saved import Saved
from monitor.wearers import rounds
from monitor.wearers.admission import Admission, Intake
from monitor.wearers.intake import INTAKE
from monitor.wearers.shelf import Shelf
from monitor.wearers.snapshot import snapshot
from monitor.wearers.state import State
from monitor.wearers.waiting import Waiting
from stream_schemas.columns import ControlColumns
from stream_schemas.dead_letter import dead_letter
from stream_schemas.decode import decode_batch
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.topics import ALERT_COMMANDS, CONTROL, DEAD_LETTER, RISK_SCORES, alerts_topic

MINUTE_MS = 60_000
OUTSIDE_THE_LOG_CLOCK = frozenset({ALERT_COMMANDS, RISK_SCORES, CONTROL})
_json = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Sending:
    """Outputs of a step while they are collected, each with what orders it: placement and input order must not."""

    refused: list[tuple[tuple[str, int], Output]] = field(default_factory=list)
    told: list[tuple[tuple[int, str, int], Output]] = field(default_factory=list)

    def by_partition(self) -> dict[int, list[Output]]:
        """Dead letters by origin, then alerts by stamp, wearer and rule; versions of one alert keep their order."""
        outputs: dict[int, list[Output]] = {}
        refused = [output for _, output in sorted(self.refused, key=lambda one: one[0])]
        told = [output for _, output in sorted(self.told, key=lambda one: one[0])]
        for output in refused + told:
            outputs.setdefault(output.partition, []).append(output)
        return outputs


class Engine:
    """All wearers of the partitions that are open here.

    Parameters
    ----------
    limits : of the rules. partitions : of every topic. teams : the first one is the default.
    score_every_min : how often a wearer with new data is due for a score.
    log_clock : the record times of vitals and context are the only clock (demo, replay, back-test). Commands, scores
        and switches are then written in another time, that of the people and processes around: they count as received
        just before the T of the cut that reads them.

    Not thread-safe: one owner steps it.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        partitions: int,
        teams: tuple[str, ...],
        score_every_min: int = 15,
        log_clock: bool = False,
    ) -> None:
        self.log_clock = log_clock
        self.partitions = partitions
        self.teams = teams
        self.state = State()
        self.standing = Standing(self.state, limits, teams, score_every_min * MINUTE_MS)
        self._decisions = Decisions(self.standing)
        self.admission = Admission(self.state, partitions, limits.future_min * MINUTE_MS)
        self._positions: dict[int, Position] = {}
        self._waiting = Waiting()
        self.rules = RuleBook(limits)
        self._shelf = Shelf(self.state.rows)

    def open(self, partition: int) -> None:
        """Begin a partition with an empty state."""
        self._positions[partition] = Position()

    def drop(self, partition: int) -> None:
        """Forget a partition and its wearers."""
        rows = self.state.of_partition(partition)
        self._waiting.drop(self.state.partition == partition)
        self.standing.departures.forget(rows)
        self.rules.drop(partition)
        self._positions.pop(partition, None)

    def save(self, partition: int) -> Saved:
        """Copy the state of a partition, as of its position; call between steps."""
        return saving.save(self.standing, self._shelf, self._waiting, self.rules, partition)

    def load(self, partition: int, saved: Saved, position: Position) -> None:
        """Go on from what was saved at a position; the partition must be open and empty.

        Raises
        ------
        SavedStateUnusable
            If it was saved by code that keeps something else; the partition is as it was.
        """
        self._waiting.add([saving.restore(self.standing, self.rules, partition, saved)])
        self._positions[partition] = position
        self._shelf.map(len(self.state.of_partition(partition)))

    def position(self, partition: int) -> Position:
        """Where an open partition stands."""
        return self._positions[partition]

    def step(self, cuts: Sequence[Cut], batches: Sequence[Batch]) -> Step:
        """Advance the cut partitions by one cut each.

        Parameters
        ----------
        cuts : at most one a partition, each the one that follows that partition's position.
        batches : the records between, at most one batch a topic; only of the cut partitions.

        Raises
        ------
        ReplayDiffers
            If a cut's sequence number or digest is not the next one.
        """
        T, at = np.zeros(self.partitions, np.int64), np.zeros(self.partitions, np.int64)
        before = np.zeros(self.partitions, np.int64)
        for cut in cuts:
            before[cut.partition] = self._positions[cut.partition].T
            self._follow(cut)
            T[cut.partition] = cut.T
            at[cut.partition] = cut.at
        sending = _Sending()
        ingested: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        below_T = 0
        for read in batches:
            batch = self._on_our_clock(read, T)
            below_T += int((batch.stamp_ms < before[batch.partition]).sum())
            intake = self._take_in(batch)
            self._waiting.add(intake.events)
            accepted = len(batch) - len(intake.refused)
            if accepted and batch.topic != ALERT_COMMANDS:  # a command's fate is known at its stamp
                ingested[batch.topic] += accepted
            for rejected in intake.refused:
                refused[rejected.reason.value] += 1
                self._refuse(sending, batch, rejected)
        decided = self._decide(T, sending)
        ingested[ALERT_COMMANDS] += decided.commands
        for command in decided.refused:
            refused[command.rejected.reason.value] += 1
        outputs = sending.by_partition()
        for partition, of_partition in outputs.items():
            self._digest(partition, of_partition)
        return Step(
            outputs=outputs,
            due=self._due(decided.score, T),
            journal=self.standing.rows.take(at),
            ingested=+ingested,
            dead_letters=refused,
            below_T=below_T,
            late=decided.late,
        )

    def snapshot(self, due: ScoreDue) -> Snapshot:
        """Gather what is known of the wearers that are due; valid until the next step."""
        return snapshot(self.state, due.row, due.as_of_ms)

    def _follow(self, cut: Cut) -> None:
        old = self._positions[cut.partition]
        if (cut.seq, cut.digest) != (old.seq + 1, old.digest) or cut.T < old.T:
            raise ReplayDiffers(
                f"Partition {cut.partition}: cut {cut.seq} at offset {cut.at} does not follow from the state before it"
                " (sequence or digest differs): the log was written by another version, or its topics were recreated."
                " Start with a new topic prefix, or delete the topics of this one."
            )
        self._positions[cut.partition] = Position(cut.at, cut.epoch, cut.seq, cut.T, cut.next, cut.stamp, old.digest)

    def _on_our_clock(self, batch: Batch, T: NDArray[np.int64]) -> Batch:
        if not self.log_clock or batch.topic not in OUTSIDE_THE_LOG_CLOCK:
            return batch
        return replace(batch, stamp_ms=np.maximum(T[batch.partition] - 1, 0))

    def _take_in(self, batch: Batch) -> Intake:
        columns, rejected = decode_batch(batch.topic, batch.key, batch.value)
        intake = Intake(refused=list(rejected))
        if isinstance(columns, ControlColumns):
            self._take_control(batch, columns, intake)
        else:
            INTAKE[batch.topic](self.admission, batch, columns, intake)
        return intake

    def _take_control(self, batch: Batch, columns: ControlColumns, intake: Intake) -> None:
        """Let switches of rules wait for their stamps; a switch of the model decides nothing here: scores do."""
        for record, control in zip(columns.record.tolist(), columns.control, strict=True):
            if control.kind == "rules":
                place = int(batch.partition[record]), int(batch.stamp_ms[record]), int(batch.offset[record])
                refused = self.rules.read(*place, control)
                if refused is not None:
                    intake.refused.append(Rejected(record, Reason.INVALID_FIELD, refused))

    def _decide(self, T: NDArray[np.int64], sending: _Sending) -> Decided:
        standing, decisions = self.standing, self._decisions
        standing.T_of_partition = T
        for limits, upto in self.rules.passes(T):
            standing.limits = limits
            ready = self._waiting.take(upto, self.state.partition)
            rounds.run(self.state, ready, upto, decisions.on_events, decisions.on_timer)
        standing.departures.tidy(self._waiting, T)
        for told in standing.board.take():
            partition = int(self.state.partition[told.row])
            standing.rows.alert(
                told.row, told.alert, start_ms=told.start_ms, raised_ms=told.raised_ms, stamp_ms=told.stamp_ms
            )
            output = Output(alerts_topic(told.alert.team), partition, told.alert.alert_id.encode(), _json(told.alert))
            sending.told.append(((told.stamp_ms, told.alert.wearer_id, int(told.rule)), output))
        decided = standing.take()
        for command in decided.refused:
            partition = int(self.state.partition[command.row])
            letter = dead_letter(
                command.rejected,
                topic=ALERT_COMMANDS,
                partition=partition,
                offset=command.offset,
                received_at_ms=command.stamp_ms,
                key=command.key,
                value=command.value,
            )
            sending.refused.append(
                ((ALERT_COMMANDS, command.offset), Output(DEAD_LETTER, partition, command.key, _json(letter)))
            )
        return decided

    @staticmethod
    def _refuse(sending: _Sending, batch: Batch, rejected: Rejected) -> None:
        i = rejected.index
        partition, key = int(batch.partition[i]), batch.key[i]
        letter = dead_letter(
            rejected,
            topic=batch.topic,
            partition=partition,
            offset=int(batch.offset[i]),
            received_at_ms=int(batch.stamp_ms[i]),
            key=key,
            value=batch.value[i],
        )
        sending.refused.append(
            ((batch.topic, int(batch.offset[i])), Output(DEAD_LETTER, partition, key, _json(letter)))
        )

    def _digest(self, partition: int, outputs: list[Output]) -> None:
        position = self._positions[partition]
        digest = position.digest
        for output in outputs:
            digest = crc32(output.value, digest)
        self._positions[partition] = replace(position, digest=digest)

    def _due(self, asked: list[NDArray[np.int64]], T: NDArray[np.int64]) -> ScoreDue | None:
        if not asked:
            return None
        row = np.unique(np.concatenate(asked))
        partition = self.state.partition[row]
        return ScoreDue(
            row=row,
            partition=partition,
            as_of_ms=T[partition],
            wearer_id=[self.state.wearer_of[r] for r in row.tolist()],
        )
