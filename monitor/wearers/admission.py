"""Who may write: the partition rule, the time rule, and what became of a batch."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.inputs import Batch
from monitor.wearers.events import Events
from monitor.wearers.state import State
from stream_schemas.partition import murmur2_partition
from stream_schemas.reasons import Reason, Rejected


@dataclass(slots=True)
class Intake:
    """What became of one batch."""

    events: list[Events] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may write: the partition rule and the time rule."""

    state: State
    partitions: int
    future_ms: int

    def admit(
        self,
        batch: Batch,
        record: NDArray[np.int64],
        wearer_id: list[str],
        newest_ms: NDArray[np.int64] | None,
        max_age_ms: int | None,
        intake: Intake,
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Find or make the row of each envelope.

        Returns
        -------
        (n,) which are admitted, and the rows of those that are. The others are in `intake.refused`.
        """
        stamp = batch.stamp_ms[record]
        partition = batch.partition[record]
        keep = np.ones(len(record), bool)
        if newest_ms is not None:
            ahead = newest_ms > stamp + self.future_ms
            old = newest_ms < stamp - max_age_ms if max_age_ms is not None else np.zeros(len(record), bool)
            for i in np.flatnonzero(ahead):
                intake.refused.append(Rejected(int(record[i]), Reason.FUTURE, "The event lies in the future."))
            for i in np.flatnonzero(old):
                intake.refused.append(Rejected(int(record[i]), Reason.TOO_OLD, "The event is older than its slots."))
            keep &= ~(ahead | old)
        known = self.state.row_of
        row = np.array([known.get(w, -1) for w in wearer_id], np.int64)
        for i in np.flatnonzero((row < 0) & keep):
            if wearer_id[i] in known:  # made by an earlier envelope of this batch
                row[i] = known[wearer_id[i]]
            elif murmur2_partition(wearer_id[i].encode(), self.partitions) == partition[i]:
                row[i] = self.state.add(wearer_id[i], int(partition[i]))
        wrong = keep & ((row < 0) | (self.state.partition[row] != partition))
        for i in np.flatnonzero(wrong):
            detail = "The partition is not murmur2(key): set partitioner=murmur2_random, or let Kafka's default choose."
            intake.refused.append(Rejected(int(record[i]), Reason.WRONG_PARTITION, detail))
        keep &= ~wrong
        return keep, row[keep]
