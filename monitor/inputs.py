"""What a step reads: raw records of one input topic, as columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
