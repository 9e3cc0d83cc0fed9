"""What the alert topics and dead-letter.v1 hold, as hashes: 33 bytes a record, however long the log is."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.stream.reading import LogReader
from stream_schemas.reasons import UNREADABLE
from stream_schemas.topics import DEAD_LETTER

RECORDS_AT_ONCE = 4_000


class _Named(msgspec.Struct):
    """What names an alert or a dead letter."""

    alert_id: str | None = None
    version: int | None = None
    wearer_id: str | None = None
    origin_topic: str | None = None
    origin_offset: int | None = None


_named = msgspec.json.Decoder(_Named).decode


@dataclass(frozen=True, slots=True)
class Name:
    """Which alert or dead letter a value is: two values of one name must be the same bytes."""

    what: str | None
    version: int | None
    wearer_id: str | None = None

    @classmethod
    def of(cls, topic: str, value: bytes | None) -> "Name":
        """Read a value; what is neither has no name."""
        try:
            named = _named(value or b"")
        except UNREADABLE:
            return cls(None, None)
        if topic == DEAD_LETTER:
            if named.origin_topic is None or named.origin_offset is None:
                return cls(None, None)
            return cls(f"{named.origin_topic}@{named.origin_offset}", None)
        return cls(named.alert_id, named.version, named.wearer_id)

    def mark(self, topic: str) -> int:
        """Return a hash; 0 for no name."""
        if self.what is None:
            return 0
        return _hash(f"{topic}|{self.what}|{self.version}".encode()) or 1


def bytes_mark(topic: str, key: bytes | None, value: bytes | None) -> int:
    """Return a hash of all that must be the same."""
    k, v = key or b"", value or b""
    head = f"{topic}|{-1 if key is None else len(k)}|{value is None}|".encode()
    return _hash(head + k + v)


def _hash(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True)
class Sent:
    """Records of the output topics of one partition, by the hash of their bytes, then by offset.

    Attributes
    ----------
    marks, names : (n,) uint64, of bytes and of names. topic : (n,) uint8. offset, stamp_ms : (n,) int64.
    """

    marks: NDArray[np.uint64]
    names: NDArray[np.uint64]
    topic: NDArray[np.uint8]
    offset: NDArray[np.int64]
    stamp_ms: NDArray[np.int64]

    def find(self, mark: int) -> slice:
        """Return the rows with these bytes."""
        wanted = np.uint64(mark)
        begin, end = np.searchsorted(self.marks, wanted, "left"), np.searchsorted(self.marks, wanted, "right")
        return slice(int(begin), int(end))


class _Columns:
    def __init__(self) -> None:
        self.marks, self.names = array("Q"), array("Q")
        self.topic, self.offset, self.stamp_ms = array("B"), array("q"), array("q")

    def sent(self) -> Sent:
        marks, offset = np.array(self.marks, np.uint64), np.array(self.offset, np.int64)
        order = np.lexsort((offset, marks))
        return Sent(
            marks[order],
            np.array(self.names, np.uint64)[order],
            np.array(self.topic, np.uint8)[order],
            offset[order],
            np.array(self.stamp_ms, np.int64)[order],
        )


async def collect(
    reader: LogReader,
    topics: tuple[str, ...],
    prefix: str,
    begins: Mapping[tuple[str, int], int],
    ends: Mapping[tuple[str, int], int],
) -> dict[int, Sent]:
    """Read the output topics from *begins* up to *ends*, both by unprefixed topic and partition."""
    columns = {p: _Columns() for _, p in begins}
    reader.begin({(prefix + topic, p): offset for (topic, p), offset in begins.items()})
    reached = dict(begins)
    while left := [tp for tp, offset in reached.items() if offset < ends[tp]]:
        share = max(20, RECORDS_AT_ONCE // len(left))
        wanted = {tp: min(reached[tp] + share, ends[tp]) for tp in left}
        read = await reader.upto({(prefix + topic, p): end for (topic, p), end in wanted.items()})
        for topic, p in left:
            records, into = read[prefix + topic, p], columns[p]
            for offset, stamp, key, value in zip(
                records.offset.tolist(), records.stamp_ms.tolist(), records.key, records.value, strict=True
            ):
                into.marks.append(bytes_mark(topic, key, value))
                into.names.append(Name.of(topic, value).mark(topic))
                into.topic.append(topics.index(topic))
                into.offset.append(offset)
                into.stamp_ms.append(stamp)
        reached.update(wanted)
    return {p: made.sent() for p, made in columns.items()}


async def fetch(reader: LogReader, prefix: str, topic: str, p: int, offset: int) -> tuple[bytes | None, bytes | None]:
    """Read key and value of one record; (None, None) if it is there no longer."""
    tp = (prefix + topic, p)
    reader.begin({tp: offset})
    records = (await reader.upto({tp: offset + 1}))[tp]
    return (records.key[0], records.value[0]) if len(records) else (None, None)
