"""The records of the inputs: read in windows, given out up to a position, forgotten when given out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from monitor.cuts import Position
from monitor.inputs import Batch
from monitor.stream.reading import LogReader
from monitor.stream.records import Records, running_stamps
from stream_schemas.topics import INPUTS

Input = tuple[int, int]
"""Partition, and number of the input in `INPUTS`."""


class Held:
    """What was read of the inputs of some partitions and not yet given out.

    Parameters
    ----------
    reader : LogReader
    prefix : str
        Of topic names.
    begins : partition -> the position behind which to begin; its `next` must be in the log.
    capped : per input of a partition, offset -> stamp of the records that count as stamped so.

    Attributes
    ----------
    reach : per input of a partition, the position after the last record given out.
    read : per input of a partition, the position after the last record read.
    """

    def __init__(
        self,
        reader: LogReader,
        prefix: str,
        begins: Mapping[int, Position],
        capped: Mapping[Input, Mapping[int, int]],
    ) -> None:
        self._reader, self._prefix, self._capped = reader, prefix, capped
        self.reach: dict[Input, int] = {}
        self._top: dict[Input, int] = {}
        for p, position in begins.items():
            stamps = position.stamp or (0,) * len(INPUTS)
            for i, (offset, stamp) in enumerate(zip(position.next or (), stamps, strict=True)):
                self.reach[p, i], self._top[p, i] = offset, stamp
        self.read = dict(self.reach)
        self._records = {one: Records.of(()) for one in self.reach}
        self._row = dict.fromkeys(self.reach, 0)
        self._stamp = dict(self._top)
        reader.begin({self._tp(one): offset for one, offset in self.reach.items()})

    async def fill(self, ends: Mapping[Input, int]) -> None:
        """Read on up to these positions."""
        wanted = {one: end for one, end in ends.items() if end > self.read[one]}
        if not wanted:
            return
        got = await self._reader.upto({self._tp(one): end for one, end in wanted.items()})
        for one, end in wanted.items():
            fresh = got[self._tp(one)]
            if len(fresh):
                stamps = running_stamps(self._as_capped(one, fresh), self._top[one], 0)
                self._top[one] = int(stamps[-1])
                left = self._records[one].rows(self._row[one], len(self._records[one]))
                self._records[one] = Records.joined([left, replace(fresh, stamp_ms=stamps)])
                self._row[one] = 0
            self.read[one] = end

    def take(self, one: Input, end: int) -> Records:
        """Give out the records below a position that was read; their stamps are the running maximum."""
        records, row = self._records[one], self._row[one]
        upto = row + int(np.searchsorted(records.offset[row:], end))
        taken = records.rows(row, upto)
        if len(taken):
            self._stamp[one] = int(taken.stamp_ms[-1])
        self._row[one], self.reach[one] = upto, end
        return taken

    def stamp(self, one: Input) -> int:
        """Return the highest stamp given out, 0 before the first record."""
        return self._stamp[one]

    def unread(self, one: Input) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return offsets and stamps of what was read and not given out."""
        records, row = self._records[one], self._row[one]
        return records.offset[row:], records.stamp_ms[row:]

    def _as_capped(self, one: Input, fresh: Records) -> NDArray[np.int64]:
        caps = self._capped.get(one)
        if not caps:
            return fresh.stamp_ms
        return np.array(
            [
                caps.get(offset, stamp)
                for offset, stamp in zip(fresh.offset.tolist(), fresh.stamp_ms.tolist(), strict=True)
            ],
            np.int64,
        )

    def _tp(self, one: Input) -> tuple[str, int]:
        return self._prefix + INPUTS[one[1]], one[0]


def batches(records: Mapping[int, Sequence[Records]]) -> list[Batch]:
    """Make the batches of a step: one an input, of all partitions, ordered by partition and offset."""
    made = []
    for i, topic in enumerate(INPUTS):
        parts = [(p, records[p][i]) for p in sorted(records) if len(records[p][i])]
        if parts:
            joined = Records.joined([part for _, part in parts])
            numbers = np.repeat(np.array([p for p, _ in parts], np.int32), [len(part) for _, part in parts])
            made.append(Batch(topic, numbers, joined.offset, joined.stamp_ms, joined.key, joined.value))
    return made
