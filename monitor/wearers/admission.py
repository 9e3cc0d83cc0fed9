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


LAST_STAMP_MS = 127_174_492_799_999
"""The end of the year 5999: minutes are kept in 32 bits, and a clock that shows more is wrong anyhow."""
FUTURE = Reason.FUTURE, "The event lies in the future."
BEYOND = Reason.FUTURE, "The received time lies beyond the year 5999: the clock of the broker or publisher is wrong."
TOO_OLD = Reason.TOO_OLD, "The event is older than its slots."
WRONG_PARTITION = (
    Reason.WRONG_PARTITION,
    "The partition is not murmur2(key): set partitioner=murmur2_random, or let Kafka's default choose.",
)
Why = tuple[Reason, str]


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may write: the partition rule, the time rule, and room for who is new."""

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
        stamp, partition = batch.stamp_ms[record], batch.partition[record]
        why: dict[int, Why] = {}
        if newest_ms is not None:
            if max_age_ms is not None:
                why = _where(newest_ms < stamp - max_age_ms, TOO_OLD)
            why |= _where(newest_ms > stamp + self.future_ms, FUTURE)
        why |= _where(stamp > LAST_STAMP_MS, BEYOND)
        known = self.state.row_of
        row = np.array([known.get(w, -1) for w in wearer_id], np.int64)
        for i in np.flatnonzero(row < 0).tolist():
            if i not in why:
                found = self._new_row(wearer_id[i], int(partition[i]))
                if isinstance(found, int):
                    row[i] = found
                else:
                    why[i] = found
        why = _where((row >= 0) & (self.state.partition[row] != partition), WRONG_PARTITION) | why
        intake.refused += [Rejected(int(record[i]), *of_one) for i, of_one in sorted(why.items())]
        keep = np.ones(len(record), bool)
        keep[list(why)] = False
        return keep, row[keep]

    def refuse_time(self, stamp_ms: int, at_ms: int) -> Why | None:
        """Say why a record cannot be of this time, if it cannot."""
        if stamp_ms > LAST_STAMP_MS:
            return BEYOND
        return FUTURE if at_ms > stamp_ms + self.future_ms else None

    def _new_row(self, wearer_id: str, partition: int) -> int | Why:
        """Give a wearer a row, if an earlier envelope of the batch did not; or say why there is none."""
        if wearer_id in self.state.row_of:
            return self.state.row_of[wearer_id]
        if murmur2_partition(wearer_id.encode(), self.partitions) != partition:
            return WRONG_PARTITION
        if self.state.is_full(partition):
            most = self.state.of_partition_at_most
            return Reason.NO_ROOM, (
                f"The partition holds {most} wearers and takes no new one: erase those who left by a null value in"
                " context.wearer.v1, or use topics with more partitions."
            )
        return self.state.add(wearer_id, partition)


def _where(refused: NDArray[np.bool_], why: Why) -> dict[int, Why]:
    return dict.fromkeys(np.flatnonzero(refused).tolist(), why)
