"""Which partition a key belongs to: murmur2, as kafka-python and Java choose by default.

librdkafka's default differs; it agrees with ``partitioner=murmur2_random``.
"""

from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_U32 = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def murmur2_partition(key: bytes, partitions: int) -> int:
    """Return the partition, 0 to `partitions` - 1, that a record with this key must be in."""
    return (murmur2(key) & _POSITIVE) % partitions


@lru_cache(maxsize=1 << 17)
def murmur2(key: bytes) -> int:
    """Return Kafka's 32-bit murmur2 hash of a key, unsigned."""
    length = len(key)
    h = _SEED ^ length
    whole = length & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(key[start : start + 4], "little") * _M & _U32
        k ^= k >> 24
        h = h * _M & _U32 ^ k * _M & _U32
    if length > whole:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _M & _U32
    h ^= h >> 13
    h = h * _M & _U32
    return h ^ h >> 15
