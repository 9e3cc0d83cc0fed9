"""What a step reads: raw records of one input topic, as columns; and records that it must do without."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Removed:
    """A record without which a step is decided, because applying it raises: it becomes a dead letter.

    Attributes
    ----------
    partition, topic, offset, received_at_ms : where it lies, and its stamp.
    key, value : as they lie in Kafka.
    """

    partition: int
    topic: str
    offset: int
    received_at_ms: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one input topic, of all partitions of a step, ordered by (partition, offset).

    Attributes
    ----------
    topic : unprefixed name, one of `stream_schemas.topics.INPUTS`.
    partition : (n,) int32.
    offset : (n,) int64.
    stamp_ms : (n,) int64, broker stamp (received time), as the running maximum of its topic partition.
    key, value : n items as they lie in Kafka; None is a null.
    """

    topic: str
    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    stamp_ms: NDArray[np.int64]
    key: list[bytes | None]
    value: list[bytes | None]

    def __len__(self) -> int:
        """Count the records."""
        return len(self.key)

    def record(self, i: int) -> Removed:
        """Return one record by itself."""
        where = int(self.partition[i]), self.topic, int(self.offset[i])
        return Removed(*where, int(self.stamp_ms[i]), self.key[i], self.value[i])
