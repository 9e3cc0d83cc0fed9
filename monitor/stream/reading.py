"""Bounded reads of the log: exactly the records below a position that a cut names, never "until the end".

The end of a partition says what one broker knows at one moment; the position in a cut says what was read. Readers here
belong to no group and have no reset: where the log no longer holds what is asked for, they fail. Records of aborted
transactions do not exist for them.
"""

import asyncio
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.stream.records import Records

FETCH_BYTES = 512 * 1024
REQUEST_S = 10.0
STUCK_S = 20.0
STOP_AGAIN_S = 1.0

TopicPartitionName = tuple[str, int]
"""Topic as it is called in Kafka, partition."""


class ReadingStuck(Exception):
    """Records below a position did not come in time: a leader is away, or the log was cut off behind it.

    Attributes
    ----------
    of : what was not read.
    """

    def __init__(self, what: str, of: Collection[TopicPartitionName] = ()) -> None:
        super().__init__(what)
        self.of = frozenset(of)


class LogReader:
    """Reads on from given positions, again and again up to given positions.

    Parameters
    ----------
    bootstrap_servers : str
        host:port, comma separated.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            auto_offset_reset="none",
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=FETCH_BYTES,
            isolation_level="read_committed",
            request_timeout_ms=round(REQUEST_S * 1000),
        )
        self._ahead: dict[TopicPartition, list[Any]] = {}  # fetched beyond the last position asked for

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect.

        aiokafka's fetch task loses its cancellation if that comes while it waits for a task that it has cancelled
        itself, as right after an assignment: the consumer would stop for ever. A second one, after a moment, ends it.
        A fetch that waits to be tried again may also hand its own cancellation on, as if it were ours.
        """
        try:
            await asyncio.wait_for(self._consumer.stop(), STOP_AGAIN_S)
        except (TimeoutError, asyncio.CancelledError) as failure:
            await self._consumer._client.close()  # the stop did not come to that
            task = asyncio.current_task()
            if isinstance(failure, asyncio.CancelledError) and (task is None or task.cancelling()):
                raise

    async def starts(self, tps: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the first offset that the log still holds, per (topic, partition); call `begin` before reading on."""
        if not tps:
            return {}
        self._consumer.assign(
            [TopicPartition(*tp) for tp in tps]
        )  # or it asks for one topic's metadata after the other
        begins = await self._consumer.beginning_offsets([TopicPartition(*tp) for tp in tps])
        return {(tp.topic, tp.partition): offset for tp, offset in begins.items()}

    async def ends(self, tps: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the offset after the last record of each (topic, partition), as of now."""
        ends = await self._consumer.end_offsets([TopicPartition(*tp) for tp in tps])
        return {(tp.topic, tp.partition): offset for tp, offset in ends.items()}

    async def at_time(self, tps: Collection[tuple[str, int]], stamp_ms: int) -> dict[tuple[str, int], int]:
        """Return the offset of the first record that is not stamped before a time; where there is none, the end."""
        self._consumer.assign([TopicPartition(*tp) for tp in tps])
        found = await self._consumer.offsets_for_times({TopicPartition(*tp): stamp_ms for tp in tps})
        ends = await self.ends(tps)
        return {(tp.topic, tp.partition): ends[tp] if at is None else at.offset for tp, at in found.items()}

    def begin(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Read on from these positions, and forget what was read before."""
        tps = {TopicPartition(*tp): offset for tp, offset in positions.items()}
        self._consumer.assign(list(tps))
        self._ahead = {tp: [] for tp in tps}
        for tp, offset in tps.items():
            self._consumer.seek(tp, offset)

    async def upto(self, positions: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], Records]:
        """Read every record below these positions that was not yet returned.

        Raises
        ------
        ReadingStuck
            If nothing comes of one of them for 20 s.
        """
        ends = {TopicPartition(*tp): end for tp, end in positions.items()}
        got: dict[TopicPartition, list[Any]] = {tp: self._ahead[tp] for tp in ends}
        left = {tp: at for tp, end in ends.items() if (at := await self._consumer.position(tp)) < end}
        heard_s = dict.fromkeys(left, time.monotonic())
        while left:
            fetched = await self._consumer.getmany(*left, timeout_ms=200)
            for tp, records in fetched.items():
                got[tp] += records
            now_s, before = time.monotonic(), left
            left = {tp: at for tp in left if (at := await self._consumer.position(tp)) < ends[tp]}
            heard_s.update({tp: now_s for tp, at in left.items() if at > before[tp]})
            if stuck := sorted((tp.topic, tp.partition) for tp in left if now_s - heard_s[tp] > STUCK_S):
                raise ReadingStuck(f"nothing was read of {stuck} for {STUCK_S:.0f} s", stuck)
        out = {}
        for tp, end in ends.items():
            records = got[tp]
            n = next((i for i, record in enumerate(records) if record.offset >= end), len(records))
            self._ahead[tp] = records[n:]
            out[tp.topic, tp.partition] = Records.of(records[:n])
        return out
