"""Times agree with Python's own reading; partitions agree with kafka-python's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_murmur2

from stream_schemas import rfc3339
from stream_schemas.partition import murmur2, murmur2_partition

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001


@given(TIMES)
def test_a_time_is_read_as_python_reads_it(at: datetime) -> None:
    assert rfc3339.epoch_ms(at.isoformat()) == (at - EPOCH) // MILLISECOND


@given(st.integers(0, rfc3339.LAST_MS))
def test_a_time_that_is_written_is_read_back(at_ms: int) -> None:
    assert rfc3339.epoch_ms(rfc3339.text(at_ms)) == at_ms


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_none(text: str) -> None:
    rfc3339.epoch_ms(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01T00:00:00+00:01", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:60:00Z", None),
        ("2026-01-01T00:00:00", None),
        ("2026-01-01T00:00:00z", None),
        ("2026-01-01T00:00:00Z ", None),
    ],
)
def test_edges_of_time(text: str, ms: int | None) -> None:
    assert rfc3339.epoch_ms(text) == ms


@given(st.binary(max_size=70))
def test_the_hash_is_kafka_pythons(key: bytes) -> None:
    assert murmur2(key) == kafka_murmur2(key) & 0xFFFFFFFF


def test_a_partition_is_where_java_puts_it() -> None:
    # Vectors of Kafka's own UtilsTest.testMurmur2.
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF
    assert murmur2(b"a-little-bit-long-string") == -985981536 & 0xFFFFFFFF
    assert murmur2_partition(b"foobar", 16) == (-790332482 & 0x7FFFFFFF) % 16
