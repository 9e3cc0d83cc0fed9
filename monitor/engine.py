"""The engine: a pure function of what Kafka holds. No clock, no I/O, no Faust.

`Engine.step` takes the cuts of all partitions that are due and the records that lie between them and the cuts before,
and returns their effects as values. The same records and cuts give the same outputs byte for byte, whatever the fetch
sizes, the placement of partitions, or which of them share a step.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.snapshot import Snapshot
from monitor import saving
from monitor.alerting.limits import Limits
from monitor.alerting.rule_book import RuleBook
from monitor.cuts import Cut, Position
from monitor.deciding.dispatch import Decisions
from monitor.deciding.handover import agree
from monitor.deciding.sending import Sending
from monitor.deciding.standing import Decided, Standing
from monitor.errors import ReplayDiffers
from monitor.inputs import Batch, Removed
from monitor.outputs import Output, ScoreDue, Step
from monitor.saved import Dropped, Saved
from monitor.wearers import rounds
from monitor.wearers.admission import Admission, Intake
from monitor.wearers.events import Kind
from monitor.wearers.intake import INTAKE, KIND_OF
from monitor.wearers.shelf import Shelf
from monitor.wearers.snapshot import snapshot
from monitor.wearers.state import State
from monitor.wearers.waiting import Waiting
from stream_schemas.alert import Alert
from stream_schemas.columns import ControlColumns
from stream_schemas.decode import decode_batch
from stream_schemas.reasons import Reason, Rejected
from stream_schemas.topics import ALERT_COMMANDS, CONTROL, CUTS, RISK_SCORES

MINUTE_MS = 60_000
OUTSIDE_THE_LOG_CLOCK = frozenset({ALERT_COMMANDS, RISK_SCORES, CONTROL})


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
        self._shelf = Shelf(self.state.of_partition_at_most)

    def open(self, partition: int) -> None:
        """Begin a partition with an empty state."""
        self._positions[partition] = Position()

    def drop(self, partition: int) -> None:
        """Forget a partition and its wearers."""
        rows = self.state.of_partition(partition)
        self._waiting.drop(self.state.partition[: self.state.used] == partition)
        self.standing.departures.forget(rows)
        self.rules.drop(partition)
        self._positions.pop(partition, None)

    def abandon(self, partitions: Iterable[int]) -> None:
        """Forget the partitions of a step that raised, and all that it had collected: half a step is nobody's state."""
        self.standing.discard()
        for partition in partitions:
            self.standing.board.forget(self.state.of_partition(partition))
            self.drop(partition)

    def save(self, partition: int) -> Saved:
        """Copy the state of a partition, as of its position; call between steps."""
        return saving.save(self.standing, self._shelf, self._waiting, self.rules, partition)

    def load(self, partition: int, saved: Saved, position: Position) -> Dropped:
        """Go on from what was saved at a position; the partition must be open and empty. Return what was left out.

        Raises
        ------
        SavedStateUnusable
            If it was saved by code that keeps something else; the partition is as it was.
        """
        restored = saving.restore(self.standing, self.rules, partition, saved)
        self._waiting.add([restored.waiting])
        self._positions[partition] = position
        self._shelf.map(len(self.state.of_partition(partition)))
        return restored.dropped

    def position(self, partition: int) -> Position:
        """Where an open partition stands."""
        return self._positions[partition]

    def acting(self, partition: int, T: int) -> list[tuple[str, int]]:
        """Return topic and offset of the records that wait and act in a step up to T, in the order in which they do."""
        here = self.state.partition[: self.state.used] == partition
        waiting = self._waiting.of_rows(here)
        order = np.lexsort((waiting.offset, waiting.kind, waiting.stamp_ms))
        topic_of = {kind: topic for topic, kind in KIND_OF.items()}
        names = [
            (topic_of[Kind(kind)], offset)
            for kind, offset, stamp in zip(
                waiting.kind[order].tolist(),
                waiting.offset[order].tolist(),
                waiting.stamp_ms[order].tolist(),
                strict=True,
            )
            if stamp < T
        ]
        return list(dict.fromkeys(names))  # many wearers share one record of scores

    def wearers(self, partition: int) -> list[str]:
        """Return the ids of a partition's wearers."""
        return [self.state.wearer_of[row] for row in self.state.of_partition(partition).tolist()]

    def forget(self, partition: int, wearer_ids: Iterable[str]) -> None:
        """Forget wearers of a partition and what waits of them, telling nobody."""
        known = [row for one in wearer_ids if (row := self.state.row_of.get(one)) is not None]
        rows = np.array([row for row in known if self.state.partition[row] == partition], np.int64)
        if len(rows):
            self._waiting.drop(np.isin(np.arange(self.state.used), rows))
            self.standing.departures.forget(rows)

    def rename(self, partition: int, offsets_of: Callable[[str, NDArray[np.int64]], NDArray[np.int64]]) -> None:
        """Give the records that wait other offsets: those that they have in another log, by topic and offset here."""
        topic_of = {int(kind): topic for topic, kind in KIND_OF.items()}
        here = self.state.partition[: self.state.used] == partition
        self._waiting.rename(here, lambda kind, offset: offsets_of(topic_of[kind], offset))

    def step(self, cuts: Sequence[Cut], batches: Sequence[Batch], removed: Sequence[Removed] = ()) -> Step:
        """Advance the cut partitions by one cut each. If it raises, call `abandon` for all of them.

        Parameters
        ----------
        cuts : at most one a partition, each the one that follows that partition's position.
        batches : the records between, at most one batch a topic; only of the cut partitions.
        removed : records that are in no batch, or wait since an earlier step, and must not act: they are dead letters.

        Raises
        ------
        ReplayDiffers
            If a cut's number or T does not follow; nothing has changed then. Whether its digest does is for the caller
            to compare with the position's.
        """
        T, at = np.zeros(self.partitions, np.int64), np.zeros(self.partitions, np.int64)
        before = np.zeros(self.partitions, np.int64)
        for cut in cuts:
            self._refuse_other(cut)
        for cut in cuts:
            before[cut.partition] = self._positions[cut.partition].T
            self._follow(cut)
            T[cut.partition] = cut.T
            at[cut.partition] = cut.at
        sending = Sending()
        ingested: Counter[str] = Counter()
        refused: Counter[str] = Counter()
        below_T = 0
        for one in removed:
            refused[Reason.ENGINE_ERROR.value] += 1
            self._remove(sending, one)
        for cut in cuts:
            for wearer_id in cut.without_wearers:
                refused[Reason.ENGINE_ERROR.value] += 1
                self._forget_wearer(sending, cut, wearer_id)
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
                sending.refuse(batch.record(rejected.index), rejected)
        decided = self._decide(T, sending)
        ingested[ALERT_COMMANDS] += decided.commands
        for command in decided.refused:
            refused[command.rejected.reason.value] += 1
        outputs = sending.by_partition()
        for partition, of_partition in outputs.items():
            self._digest(partition, of_partition)
        due, journal = self._due(decided.score, T), self.standing.rows.take(at)
        self.standing.departures.tidy(self._waiting, T)  # last: a row that leaves has told all it had to tell
        return Step(
            outputs=outputs,
            due=due,
            journal=journal,
            ingested=+ingested,
            dead_letters=refused,
            below_T=below_T,
            late=decided.late,
        )

    def open_alerts(self, partition: int) -> dict[str, int]:
        """Return alert id -> version of what a partition has open."""
        here = self.state.partition
        return {
            one.alert_id: one.version
            for (row, _), one in self.standing.board.episodes.items()
            if here[row] == partition
        }

    def limits_behind(self, partition: int, limits: Mapping[str, Any]) -> dict[str, Any]:
        """Return the limits that settings give another value than the partition has heard of."""
        return self.rules.behind(partition, limits)

    def hand_over(
        self,
        cut: Cut,
        told: Iterable[Alert],
        known: Mapping[str, int],
        letters: Sequence[Output],
        limits: Mapping[str, Any],
    ) -> Step:
        """Begin a span at a state that other code, or other code as well, has made.

        Parameters
        ----------
        cut : the first of the span; it reads nothing.
        told, known : what `monitor.deciding.handover.agree` needs.
        letters : dead letters that may not have been sent.
        limits : those of the settings that differ from the packaged ones: in force where the state names none.
        """
        p = cut.partition
        self._refuse_other(cut)
        self._follow(cut)
        self.rules.go_on(p, limits)
        agree(self.standing.board, p, told, known)
        sending = Sending()
        self._tell(sending)
        outputs = [*letters, *sending.by_partition().get(p, [])]
        self._digest(p, outputs)
        at = np.zeros(self.partitions, np.int64)
        at[p] = cut.at
        return Step(outputs={p: outputs} if outputs else {}, journal=self.standing.rows.take(at))

    def snapshot(self, due: ScoreDue) -> Snapshot:
        """Gather what is known of the wearers that are due; valid until the next step."""
        return snapshot(self.state, due.row, due.as_of_ms)

    def _refuse_other(self, cut: Cut) -> None:
        old = self._positions[cut.partition]
        if cut.seq != old.seq + 1 or cut.T < old.T:
            raise ReplayDiffers(
                f"Partition {cut.partition}: cut {cut.seq} at offset {cut.at} does not follow cut {old.seq} (number or "
                "time): cuts.v1 has lost records."
            )

    def _follow(self, cut: Cut) -> None:
        self._positions[cut.partition] = self._positions[cut.partition].behind(cut)
        if cut.span is not None and cut.span.limits is not None:
            self.rules.begin(cut.partition, cut.span.limits)

    def _remove(self, sending: Sending, one: Removed) -> None:
        """Take a record out of what waits, if it waits, and refuse it."""
        if (kind := KIND_OF.get(one.topic)) is not None:
            self._waiting.remove(self.state.partition[: self.state.used] == one.partition, kind, one.offset)
        rejected = Rejected(0, Reason.ENGINE_ERROR, "Applying the record raised an error: it was left out.")
        sending.refuse(one, rejected)

    def _forget_wearer(self, sending: Sending, cut: Cut, wearer_id: str) -> None:
        """Forget a wearer whose state raises whatever is read; the letter names the cut as its origin."""
        self.forget(cut.partition, [wearer_id])
        origin = Removed(cut.partition, CUTS, cut.at, cut.T, wearer_id.encode(), None)
        rejected = Rejected(
            0, Reason.ENGINE_ERROR, "Deciding about the wearer raised an error: its state was forgotten."
        )
        sending.refuse(origin, rejected)

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

    def _decide(self, T: NDArray[np.int64], sending: Sending) -> Decided:
        standing, decisions = self.standing, self._decisions
        standing.T_of_partition = T
        for limits, upto in self.rules.passes(T):
            standing.limits = limits
            ready = self._waiting.take(upto, self.state.partition)
            rounds.run(self.state, ready, upto, decisions.on_events, decisions.on_timer)
        self._tell(sending)
        decided = standing.take()
        for command in decided.refused:
            partition = int(self.state.partition[command.row])
            origin = Removed(partition, ALERT_COMMANDS, command.offset, command.stamp_ms, command.key, command.value)
            sending.refuse(origin, command.rejected)
        return decided

    def _tell(self, sending: Sending) -> None:
        for told in self.standing.board.take():
            self.standing.rows.alert(
                told.row, told.alert, start_ms=told.start_ms, raised_ms=told.raised_ms, stamp_ms=told.stamp_ms
            )
            sending.tell(told, int(self.state.partition[told.row]))

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
