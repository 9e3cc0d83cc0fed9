"""Redis is a projection of the alert topics, whatever happens to it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from monitor.local.stack import Stack
from monitor.settings import Settings
from monitor.sinks.redis_projection import RedisProjection
from tests.conftest import NewSettings
from tests.stream.conftest import Processes
from tests.stream.world import publish, until

ALERTS = "alerts.north.v1"


def alert(alert_id: str, version: int, workflow: str = "unacked", **other: Any) -> tuple[bytes, bytes]:
    """Return one version of an alert: the fields that the projection reads."""
    document = {
        "schema": "alert/1",
        "alert_id": alert_id,
        "version": version,
        "wearer_id": "w1",
        "team": "north",
        "priority": "medium",
        "condition": "present",
        "workflow": workflow,
        "raised_at": "2026-01-05T00:00:00Z",
    }
    return b"w1", json.dumps({**document, **other}).encode()


def client_of(settings: Settings) -> "redis.Redis[str]":  # type: ignore[type-arg]
    return redis.Redis.from_url(settings.redis.url, decode_responses=True, socket_timeout=5)


def key(settings: Settings, name: str) -> str:
    return f"{settings.redis.key_prefix}{{north}}:{name}"


def versions(settings: Settings, *alert_ids: str) -> list[int | None]:
    """Return the versions that Redis holds; empty while it does not answer."""
    try:
        with client_of(settings) as client:
            found = [client.hget(key(settings, f"alert:{one}"), "version") for one in alert_ids]
    except redis.RedisError:
        return []
    return [None if version is None else int(version) for version in found]


@pytest.fixture
def projection(live_settings: Settings) -> Iterator[RedisProjection]:
    made = RedisProjection(live_settings.redis.url, live_settings.redis.key_prefix)
    yield made
    made.close()


def test_an_older_or_repeated_version_never_replaces_a_newer_one(
    live_settings: Settings, projection: RedisProjection
) -> None:
    newest, old = alert("a", 5, priority="high")[1], alert("a", 4)[1]
    assert projection.apply("north", 0, None, [(1, newest), (2, old), (3, newest)]).old == 2
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
    rows = [
        alert("young", 1)[1],
        alert("old", 1, raised_at="2026-01-04T00:00:00Z")[1],
        alert("high", 1, priority="high")[1],
        alert("gone", 1)[1],
        alert("gone", 2, workflow="closed")[1],
    ]
    projection.apply("north", 0, None, list(enumerate(rows, 1)))
    with client_of(live_settings) as client:
        assert client.zrevrange(key(live_settings, "active"), 0, -1) == ["high", "old", "young"]
        assert client.smembers(key(live_settings, "wearer:w1")) == {"high", "old", "young"}
        assert 6.9 * 86_400 < client.ttl(key(live_settings, "alert:gone")) <= 7 * 86_400
        assert client.ttl(key(live_settings, "alert:old")) == -1
        projection.apply("north", 0, 5, [(6, alert("gone", 3)[1])])
        assert client.ttl(key(live_settings, "alert:gone")) == -1
        assert client.zscore(key(live_settings, "active"), "gone") is not None


def test_the_channel_carries_id_and_version_only(live_settings: Settings, projection: RedisProjection) -> None:
    with client_of(live_settings) as client, client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(key(live_settings, "notify"))
        channel.get_message(timeout=1)
        projection.apply("north", 0, None, [(1, alert("a", 1)[1])])
        message = channel.get_message(timeout=5)
    assert json.loads(message["data"]) == {"id": "a", "version": 1}


def test_a_record_is_applied_only_behind_the_one_before_it(
    live_settings: Settings, projection: RedisProjection
) -> None:
    assert projection.apply("north", 0, 7, [(8, alert("a", 1)[1])]).behind
    assert projection.offsets("north") == {}
    projection.apply("north", 0, None, [(1, alert("a", 1)[1]), (2, alert("b", 1)[1])])
    assert projection.apply("north", 0, 5, [(6, alert("c", 1)[1])]).behind
    again = projection.apply("north", 0, 0, [(1, alert("a", 9)[1]), (2, alert("b", 9)[1]), (3, alert("c", 9)[1])])
    assert (again.skipped, again.applied) == (2, 1)
    assert versions(live_settings, "a", "b", "c") == [1, 1, 9]


@pytest.mark.parametrize(
    "value", [None, b"", b"{}", b"[1]", b"\xff", alert("a b", 1)[1], alert("a", -1)[1], alert("a", 1, raised_at="x")[1]]
)
def test_what_is_no_alert_is_passed_over(
    live_settings: Settings, projection: RedisProjection, value: bytes | None
) -> None:
    assert projection.apply("north", 0, None, [(1, value), (2, alert("fine", 1)[1])]).applied == 1
    assert projection.offsets("north") == {0: 2}


def test_a_projector_goes_on_where_redis_stands_and_begins_again_after_a_flush(
    new_settings: NewSettings, processes: Processes
) -> None:
    settings = new_settings(stream={"session_timeout_s": 6.0, "heartbeat_s": 1.0})
    publish(settings, ALERTS, [alert(f"a{i}", 1) for i in range(700)])
    first = processes.start(settings, "monitor", "projector")
    until("all are there", lambda: versions(settings, "a0", "a699") == [1, 1])
    first.send_signal(signal.SIGKILL)
    first.wait()
    publish(settings, ALERTS, [alert("a0", 2), alert("b", 1)])
    second = processes.start(settings, "monitor", "projector")
    until("the rest is there", lambda: versions(settings, "a0", "b") == [2, 1])
    with client_of(settings) as client:
        assert client.xlen(key(settings, "alerts")) == 702
        assert client.zcard(key(settings, "active")) == 701
        for name in client.scan_iter(match=key(settings, "*").replace("{", "\\{")):
            client.delete(name)
    until("all are there again", lambda: versions(settings, "a0", "a699", "b") == [2, 1, 1])
    with client_of(settings) as client:
        assert client.zcard(key(settings, "active")) == 701
    second.terminate()
    assert second.wait(5) == 0


def test_redis_killed_and_back_loses_nothing(
    new_settings: NewSettings, processes: Processes, tmp_path: Path, jars: Path
) -> None:
    folder = tmp_path / "valkey"
    own = Stack.start(folder, kafka=False, jars=jars)
    try:
        settings = new_settings(redis={"url": own.redis_url})
        processes.start(settings, "monitor", "projector")
        publish(settings, ALERTS, [alert("a", 1)])
        until("it is there", lambda: versions(settings, "a") == [1])
        own.stop()
        publish(settings, ALERTS, [alert("a", 2), alert("b", 1)])
        until("the projector says so", lambda: "Redis does not answer" in processes.logs())
        own = Stack.start(folder, kafka=False, jars=jars)
        assert own.redis_url == settings.redis.url
        until("both are there", lambda: versions(settings, "a", "b") == [2, 1])
        assert "the projection goes on" in processes.logs()
    finally:
        own.stop()
