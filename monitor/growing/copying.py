"""Records into the new partitions, under the stamps that they have, in their order; and which offset each has there.

What has a key goes where murmur2 puts the key. What has none, or lies in a partition that is not its key's, goes where
the new log refuses it for the same reason. Records that speak of a whole partition go to every one that it becomes.
"""

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiokafka import AIOKafkaProducer
from numpy.typing import NDArray

from monitor.growing.request import NewLogShared, NotGrown, Request
from monitor.stream.reading import LogReader
from monitor.stream.records import Records
from stream_schemas.partition import murmur2_partition
from stream_schemas.topics import BY_NAME

RECORDS_AT_ONCE = 2_000
_STAMPED_BY_BROKER = 1

Part = tuple[str, int]
"""Unprefixed topic, partition."""


class Copier:
    """Copies from the old log to the new one; nobody else writes there.

    Parameters
    ----------
    request : Request
    reader : LogReader
        Of the old log.
    producer : AIOKafkaProducer
        Idempotent, so that no record comes twice and all keep their order.

    Attributes
    ----------
    reached : per part of the old log, the offset up to which it was copied.
    """

    def __init__(self, request: Request, reader: LogReader, producer: AIOKafkaProducer) -> None:
        self._request, self._reader, self._producer = request, reader, producer
        self._origin: dict[Part, array[int]] = {}
        self.reached: dict[Part, int] = {}

    async def copy(self, begins: Mapping[Part, int], ends: Mapping[Part, int]) -> int:
        """Copy what lies between, and return how many records were read."""
        prefix, copied = self._request.old.kafka.topic_prefix, 0
        self._reader.begin({(prefix + topic, p): at for (topic, p), at in begins.items()})
        at = dict(begins)
        self.reached.update(begins)
        while left := [part for part in at if at[part] < ends[part]]:
            share = max(1, RECORDS_AT_ONCE // len(left))
            wanted = {part: min(at[part] + share, ends[part]) for part in left}
            read = await self._reader.upto({(prefix + topic, p): end for (topic, p), end in wanted.items()})
            for topic, p in left:
                copied += await self._write(topic, p, read[prefix + topic, p])
            at.update(wanted)
            self.reached.update(wanted)
        return copied

    def offsets(self, topic: str, partition: int, old: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where in a new partition the records lie that had these offsets in the old one.

        Raises
        ------
        NotGrown
            If one was not copied: the old log does not hold it any more.
        """
        origin = self._of(topic, partition)
        found = np.searchsorted(origin, old)
        if (found >= len(origin)).any() or (origin[found] != old).any():
            raise NotGrown(
                f"Topic {topic} of the log does not hold a record any more that still waits for its time: start a "
                "worker, drain it when its inputs do not lag, then grow."
            )
        return found.astype(np.int64)

    def before(self, topic: str, partition: int, offset: int) -> int:
        """Return how many records of a new partition lay below an offset of the old one."""
        return int(np.searchsorted(self._of(topic, partition), offset))

    def _of(self, topic: str, partition: int) -> NDArray[np.int64]:
        return np.array(self._origin.get((topic, partition), ()), np.int64)

    async def _write(self, topic: str, p: int, records: Records) -> int:
        name, sent = self._request.new.kafka.topic_prefix + topic, list[tuple[int, asyncio.Future[Any]]]()
        rows = zip(records.offset.tolist(), records.stamp_ms.tolist(), records.key, records.value, strict=True)
        for offset, stamp, key, value in rows:
            for q in self._targets(topic, p, key):
                posted = await self._producer.send(name, value, key=key, partition=q, timestamp_ms=stamp)
                origin = self._origin.setdefault((topic, q), array("q"))
                sent.append((len(origin), posted))
                origin.append(offset)
        for expected, posted in sent:
            written = await posted
            if written.offset != expected:
                raise NewLogShared(
                    f"Somebody else writes to topic {name}: end that, delete the topics of the new log, then grow."
                )
            if written.timestamp_type == _STAMPED_BY_BROKER:
                raise NotGrown(f"Kafka does not keep the stamps of topic {name}: see its log, then grow again.")
        return len(records)

    def _targets(self, topic: str, p: int, key: bytes | None) -> Sequence[int]:
        behind = self._request.partitions_behind(p)
        if BY_NAME[topic].key == "none":
            return behind
        q = p if key is None else murmur2_partition(key, self._request.new.stream.partitions)
        return (q,) if q in behind else (p,)
