"""`python -m monitor redis rebuild` and `check`: I7, beside readers, a projector at work, and the keys of others."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition

from monitor.errors import ProjectionRefused
from monitor.settings import Settings
from monitor.sinks.alert_topics import AlertTopics
from monitor.sinks.rebuilding import ASIDE, Rebuilding
from monitor.sinks.redis_commands import compare, rebuild
from monitor.sinks.redis_projection import RedisProjection, Row, answering
from tests.patience import patience
from tests.stream.redis_content import ALERTS, alert, built_anew, client_of, content, key, story
from tests.stream.world import REPOSITORY, environment, publish, read


def rows_of(settings: Settings, topic: str = ALERTS) -> dict[int, list[Row]]:
    """Return what a projector would apply, by partition."""
    rows: dict[int, list[Row]] = {}
    for row in read(settings, topic):
        rows.setdefault(row.partition, []).append((row.offset + 1, row.stamp_ms, row.value))
    return rows


def apply(settings: Settings, rows: dict[int, list[Row]], many: int | None = None) -> None:
    """Do what a projector does."""
    projection = RedisProjection(settings.redis.url, settings.redis.key_prefix)
    for partition, some in rows.items():
        before = projection.offsets("north").get(partition)
        projection.apply("north", partition, before, some[:many])
    projection.close()


def command(settings: Settings, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", "redis", name],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", **environment(settings)},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(60),
    )


@pytest.fixture
def strangers(live_settings: Settings) -> Iterator[list[str]]:
    """Keys of others, some of them named nearly as ours."""
    prefix = live_settings.redis.key_prefix
    names = [f"{prefix}{{north}}x:active", f"{prefix}{{west}}:active", f"{prefix}{{north}}:alerted", f"x{prefix}a"]
    names += [f"{prefix}rebuild:{{west}}:alert:a", f"{prefix}{{north}}"]
    with client_of(live_settings) as client:
        for name in names:
            client.set(name, name)
        yield names
        assert [client.get(name) for name in names] == names, "keys of others were touched"
        client.delete(*names)


def test_I7_a_rebuild_mends_whatever_was_spoilt_and_touches_nothing_else(
    live_settings: Settings, strangers: list[str]
) -> None:
    publish(live_settings, ALERTS, story(0, 40))
    apply(live_settings, rows_of(live_settings))
    good = content(live_settings)
    assert compare(live_settings)[0] == set()
    with client_of(live_settings) as client:
        client.delete(key(live_settings, "alert:a1"))
        client.hset(key(live_settings, "alert:a2"), "doc", "{}")
        client.hset(key(live_settings, "alert:a4"), "version", 99)
        client.set(key(live_settings, "alert:a5"), "no hash")
        client.zrem(key(live_settings, "active"), "a7")
        client.zadd(key(live_settings, "active"), {"a8": 1, "nobody": 2})
        client.set(key(live_settings, "wearer:w1"), "no set")
        client.persist(key(live_settings, "alert:a3"))
        client.expire(key(live_settings, "alert:a11"), 60)
        client.hset(key(live_settings, "alert:nobody"), mapping={"version": 1, "workflow": "unacked"})
    checked = command(live_settings, "check")
    assert checked.returncode == 1, checked.stderr
    for line in (
        "north alert a1: Redis lacks it, the topic has version 2",
        "north alert a2: version 1 has another content in Redis",
        "north alert a4: Redis has version 99, the topic has version 1",
        "north alert a5: its key is no hash",
        "north alert a7: it is open, and `active` lacks it",
        "north alert a8: it stands at another place in `active`",
        "north alert nobody: `active` has it, but it is not open",
        "north alert nobody: Redis holds it, the topic does not",
        "north the set of a wearer: its key is no set",
        "north alert a3: it is closed, and Redis forgets it at another time than 7 days later",
        "north alert a11: Redis forgets it although it is open",
        "`python -m monitor redis rebuild` mends them",
    ):
        assert line in checked.stdout
    assert "w1" not in checked.stdout

    rebuilt = command(live_settings, "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout.splitlines()[0] == (
        "north: 83 records read, 26 alerts are open; 2 were missing in Redis, 2 were other versions, "
        "1 are not in the topic and are gone."
    )
    mended = content(live_settings)
    entries = mended.pop("{north}:alerts")[0]
    assert entries == good.pop("{north}:alerts")[0], "the versions that changed were announced again, no others"
    assert mended == good
    again = command(live_settings, "check")
    assert (again.returncode, again.stdout) == (0, "Redis holds what the topics say: 40 alerts compared.\n")


def test_an_empty_redis_is_filled_and_what_lies_behind_is_named(live_settings: Settings) -> None:
    publish(live_settings, ALERTS, story(0, 30))
    found = compare(live_settings)[0]
    assert {one.what.split(" ", 1)[1] for one in found} == {"records are not applied"}
    assert rebuild(live_settings) == 0
    built = content(live_settings)
    assert built == built_anew(live_settings)
    apply(live_settings, rows_of(live_settings))
    assert built == content(live_settings), "a projector that applies everything once more changes nothing"


def test_readers_see_every_open_alert_all_the_time_and_a_projector_goes_on_meanwhile(live_settings: Settings) -> None:
    publish(live_settings, ALERTS, [alert(f"a{n}", 1, wearer_id=f"w{n}") for n in range(600)])
    apply(live_settings, rows_of(live_settings))
    publish(live_settings, ALERTS, [alert(f"a{n}", 2, wearer_id=f"w{n}") for n in range(600)])
    rows = rows_of(live_settings)
    enough = threading.Event()
    seen: list[int] = []

    def look() -> None:
        with client_of(live_settings) as client:
            while not enough.is_set():
                ids: list[Any] = client.zrevrange(key(live_settings, "active"), 0, -1)
                pipe = client.pipeline(transaction=False)
                for one in ids[:50]:
                    pipe.hget(key(live_settings, f"alert:{one}"), "doc")
                seen.append(len(ids) if None not in pipe.execute() else 0)

    def project() -> None:
        projection = RedisProjection(live_settings.redis.url, live_settings.redis.key_prefix)
        for partition, some in rows.items():
            before = projection.offsets("north").get(partition)
            for row in some:
                projection.apply("north", partition, before, [row])
                before = row[0]
        projection.close()

    threads = [threading.Thread(target=look), threading.Thread(target=project)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        rebuild(live_settings)
    threads[1].join()
    enough.set()
    threads[0].join()
    assert set(seen) == {600}
    made, anew = content(live_settings), built_anew(live_settings)
    assert made.pop("{north}:alerts")[0] == anew.pop("{north}:alerts")[0]
    assert made == anew


def test_a_projector_that_came_further_than_the_topic_is_not_waited_for(live_settings: Settings) -> None:
    publish(live_settings, ALERTS, story(0, 20))
    apply(live_settings, rows_of(live_settings))
    with client_of(live_settings) as client:
        client.hset(key(live_settings, "offsets"), mapping=dict.fromkeys("0123", 10_000))
    found = compare(live_settings)[0]
    assert any("Redis says that it applied up to 10000, but the topic ends at" in one.what for one in found)
    rebuild(live_settings)
    assert compare(live_settings)[0] == set()


def test_open_alerts_that_retention_took_from_the_topic_are_kept(live_settings: Settings) -> None:
    publish(live_settings, ALERTS, story(0, 20))
    apply(live_settings, rows_of(live_settings))
    before = content(live_settings)
    ends: dict[int, int] = {p: some[-1][0] for p, some in rows_of(live_settings).items()}
    admin = KafkaAdminClient(bootstrap_servers=live_settings.kafka.bootstrap_servers)
    topic = live_settings.kafka.topic_prefix + ALERTS
    admin.delete_records({TopicPartition(topic, p): end for p, end in ends.items()})
    admin.close()
    publish(live_settings, ALERTS, [alert("new", 1)])
    apply(live_settings, rows_of(live_settings))
    found, old, _ = compare(live_settings)
    opened = [name for name in before["{north}:active"][0] if name[0] != "new"]
    assert old == len(opened)
    assert {one.what for one in found} == {"Redis holds it, the topic does not"}, "closed ones only"
    rebuild(live_settings)
    with client_of(live_settings) as client:
        assert set(client.zrange(key(live_settings, "active"), 0, -1)) == {"new", *(name for name, _ in opened)}
    assert compare(live_settings)[:2] == (set(), len(opened))


def test_a_second_rebuild_is_refused_and_one_that_was_killed_leaves_nothing(live_settings: Settings) -> None:
    publish(live_settings, ALERTS, story(0, 20))
    with AlertTopics(live_settings) as topics, answering(live_settings) as client:
        killed = Rebuilding(live_settings, topics, client).__enter__()
        killed.build(topics.ends(), lambda _done, _total: None)
        with pytest.raises(ProjectionRefused, match="Another rebuild runs"):
            rebuild(live_settings)
        assert any(name.startswith(ASIDE) for name in content(live_settings))
        client.delete(live_settings.redis.key_prefix + ASIDE + "lock")
        with pytest.raises(ProjectionRefused, match="run it again"):
            killed.swap("north")
    rebuild(live_settings)
    assert not any(name.startswith(ASIDE) for name in content(live_settings))
    assert compare(live_settings)[0] == set()
