"""The projection of one alert after another, and what Redis may refuse."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.settings import Settings
from monitor.sinks.redis_projection import GRACE_MS, KEEP_MS, RedisProjection, Refused
from tests.stream.redis_content import alert, client_of, content, key, versions


def rows(
    settings: Settings, *values: bytes | None, after: int = 1, age_ms: int = 0
) -> list[tuple[int, int, bytes | None]]:
    """Return records with offsets from `after` on, stamped by the server's clock."""
    with client_of(settings) as client:
        seconds: Any = client.time()[0]
    return [(offset, seconds * 1000 - age_ms, value) for offset, value in enumerate(values, after)]


@pytest.fixture
def projection(live_settings: Settings) -> Iterator[RedisProjection]:
    made = RedisProjection(live_settings.redis.url, live_settings.redis.key_prefix)
    yield made
    made.close()


def test_an_older_or_repeated_version_never_replaces_a_newer_one(
    live_settings: Settings, projection: RedisProjection
) -> None:
    newest, old = alert("a", 5, priority="high")[1], alert("a", 4)[1]
    assert projection.apply("north", 0, None, rows(live_settings, newest, old, newest)).old == 2
    with client_of(live_settings) as client:
        stored = client.hgetall(key(live_settings, "alert:a"))
        assert stored == {
            "doc": newest.decode(),
            "version": "5",
            "condition": "present",
            "workflow": "unacked",
            "priority": "high",
            "wearer_id": "w1",
        }
        assert [entry["version"] for _, entry in client.xrange(key(live_settings, "alerts"))] == ["5"]
    assert projection.offsets("north") == {0: 3}


def test_open_alerts_stand_worst_first_then_oldest_and_closed_ones_leave_and_expire(
    live_settings: Settings, projection: RedisProjection
) -> None:
    values = [
        alert("young", 1)[1],
        alert("old", 1, raised_at="2026-01-04T00:00:00Z")[1],
        alert("high", 1, priority="high")[1],
        alert("gone", 1)[1],
        alert("gone", 2, workflow="closed")[1],
    ]
    projection.apply("north", 0, None, rows(live_settings, *values))
    with client_of(live_settings) as client:
        assert client.zrevrange(key(live_settings, "active"), 0, -1) == ["high", "old", "young"]
        assert client.smembers(key(live_settings, "wearer:w1")) == {"high", "old", "young"}
        assert 6.9 * 86_400 < client.ttl(key(live_settings, "alert:gone")) <= 7 * 86_400
        assert client.ttl(key(live_settings, "alert:old")) == -1
        projection.apply("north", 0, 5, rows(live_settings, alert("gone", 3)[1], after=6))
        assert client.ttl(key(live_settings, "alert:gone")) == -1
        assert client.zscore(key(live_settings, "active"), "gone") is not None


def test_the_channel_carries_id_and_version_only(live_settings: Settings, projection: RedisProjection) -> None:
    with client_of(live_settings) as client, client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(key(live_settings, "notify"))
        channel.get_message(timeout=1)
        projection.apply("north", 0, None, rows(live_settings, alert("a", 1)[1]))
        message = channel.get_message(timeout=5)
    assert json.loads(message["data"]) == {"id": "a", "version": 1}


def test_a_record_is_applied_only_behind_the_one_before_it(
    live_settings: Settings, projection: RedisProjection
) -> None:
    assert projection.apply("north", 0, 7, rows(live_settings, alert("a", 1)[1], after=8)).behind
    assert projection.offsets("north") == {}
    projection.apply("north", 0, None, rows(live_settings, alert("a", 1)[1], alert("b", 1)[1]))
    assert projection.apply("north", 0, 5, rows(live_settings, alert("c", 1)[1], after=6)).behind
    again = projection.apply("north", 0, 0, rows(live_settings, alert("a", 9)[1], alert("b", 9)[1], alert("c", 9)[1]))
    assert (again.skipped, again.applied) == (2, 1)
    assert versions(live_settings, "a", "b", "c") == [1, 1, 9]


NESTED = b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{}", b"[1]", b"\xff", alert("a b", 1)[1], alert("a", -1)[1], alert("a", 1, raised_at="x")[1], NESTED],
)
def test_what_is_no_alert_is_passed_over(
    live_settings: Settings, projection: RedisProjection, value: bytes | None
) -> None:
    assert projection.apply("north", 0, None, rows(live_settings, value, alert("fine", 1)[1])).applied == 1
    assert projection.offsets("north") == {0: 2}


@pytest.mark.parametrize("spoilt", ["active", "wearer:w1", "alerts", "alert:a", "offsets"])
@pytest.mark.parametrize("workflow", ["unacked", "closed"])
def test_a_script_that_fails_in_the_middle_is_made_whole_by_the_next_try(
    live_settings: Settings, projection: RedisProjection, spoilt: str, workflow: str
) -> None:
    records = rows(live_settings, alert("b", 1)[1], alert("a", 1, workflow)[1], alert("c", 1)[1])
    projection.apply("north", 0, None, records[:1])
    with client_of(live_settings) as client:
        name = key(live_settings, spoilt)
        before = content(live_settings).get(f"{{north}}:{spoilt}")
        if before is not None:
            client.rename(name, "aside")
        client.set(name, "something else")
        with pytest.raises(Refused):
            projection.apply("north", 0, 1, records[1:])
        client.delete(name)
        if before is not None:
            client.rename("aside", name)
    assert projection.offsets("north") == {0: 1}
    assert projection.apply("north", 0, 1, records[1:]).applied == 2
    mended = content(live_settings)
    with client_of(live_settings) as client:
        client.delete(*(live_settings.redis.key_prefix + name for name in mended))
    projection.apply("north", 0, None, records)
    assert mended == content(live_settings)


def test_a_closed_alert_goes_7_days_after_its_stamp_whoever_applies_it_when(
    live_settings: Settings, projection: RedisProjection
) -> None:
    day_ms = KEEP_MS // 7
    records = rows(live_settings, alert("a", 2, "closed")[1], age_ms=3 * day_ms)
    old = rows(live_settings, alert("b", 2, "closed")[1], alert("b", 1)[1], after=2, age_ms=20 * day_ms)
    projection.apply("north", 0, None, records + old)
    with client_of(live_settings) as client:
        assert client.pexpiretime(key(live_settings, "alert:a")) == records[0][1] + KEEP_MS
        assert 0.9 * GRACE_MS < client.pttl(key(live_settings, "alert:b")) <= GRACE_MS
        assert client.zcard(key(live_settings, "active")) == 0, "an old version must not open it again"
        entries: Any = client.xrange(key(live_settings, "alerts"))
        assert [fields["id"] for _, fields in entries] == ["a"]
