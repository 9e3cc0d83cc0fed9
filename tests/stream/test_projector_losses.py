"""Whatever happens to projector or Redis, Redis ends as if it had been built anew from the topics."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from monitor.local.stack import Stack
from monitor.settings import Settings
from monitor.sinks.redis_commands import compare
from tests.conftest import NewSettings
from tests.patience import patience
from tests.stream.conftest import Processes
from tests.stream.redis_content import (
    ALERTS,
    alert,
    as_if_built_anew,
    client_of,
    key,
    story,
    versions,
)
from tests.stream.world import publish, until

SOUTH = "alerts.south.v1"


class OwnValkey:
    """A Valkey that may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stack = Stack.start(folder, kafka=False)

    def kill(self, settings: Settings) -> None:
        """Kill -9, and return when it is dead."""
        with client_of(settings) as client:
            os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        self.stack.stop()

    def start(self) -> None:
        self.stack = Stack.start(self._folder, kafka=False)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    made = OwnValkey(tmp_path / "valkey")
    yield made
    made.stack.stop()


@pytest.fixture
def settings(new_settings: NewSettings, valkey: OwnValkey) -> Settings:
    stream = {"session_timeout_s": 6.0, "heartbeat_s": 1.0, "static_membership": True}  # restarts need not wait
    return new_settings(redis={"url": valkey.stack.redis_url}, stream=stream)


def all_is_well(settings: Settings) -> None:
    """Wait until Redis is as a rebuild makes it, key by key, and as the slow comparison finds it."""
    until("Redis is as if built anew", lambda: as_if_built_anew(settings), 30)
    assert compare(settings)[:2] == (set(), 0)


def test_a_projector_killed_in_the_middle_is_followed_by_one_that_goes_on(
    settings: Settings, processes: Processes
) -> None:
    publish(settings, ALERTS, story(0, 600))
    first = processes.start(settings, "monitor", "projector")
    until("some are there", lambda: None not in (versions(settings, "a0") or [None]))
    first.send_signal(signal.SIGKILL)
    first.wait()
    publish(settings, ALERTS, story(600, 100))
    publish(settings, SOUTH, story(0, 50))
    second = processes.start(settings, "monitor", "projector")
    all_is_well(settings)
    second.terminate()
    assert second.wait(patience(5)) == 0


def test_valkey_killed_flushed_and_without_its_script_is_filled_again(
    settings: Settings, processes: Processes, valkey: OwnValkey
) -> None:
    processes.start(settings, "monitor", "projector")
    publish(settings, ALERTS, story(0, 400))
    until("some are there", lambda: None not in (versions(settings, "a0") or [None]))
    valkey.kill(settings)
    publish(settings, ALERTS, story(400, 100))
    until("the projector says so", lambda: "Redis does not answer" in processes.logs())
    valkey.start()
    assert valkey.stack.redis_url == settings.redis.url
    all_is_well(settings)
    assert "the projection goes on" in processes.logs()

    with client_of(settings) as client:
        client.script_flush()
        publish(settings, ALERTS, story(500, 100))
        all_is_well(settings)
        publish(settings, SOUTH, story(0, 500))
        client.flushall()
    all_is_well(settings)
    assert "they are read from Kafka again" in processes.logs()


def test_a_redis_that_refuses_is_tried_until_it_does_not_and_other_partitions_go_on(
    settings: Settings, processes: Processes
) -> None:
    publish(settings, ALERTS, story(0, 50))
    publish(settings, SOUTH, story(0, 50))
    processes.start(settings, "monitor", "projector")
    all_is_well(settings)
    with client_of(settings) as client:
        active = key(settings, "active")
        client.rename(active, "kept")
        client.set(active, "something else")
        publish(settings, ALERTS, [alert("x", 1)])
        until("the projector says so", lambda: "Redis refuses alerts" in processes.logs())
        publish(settings, SOUTH, story(50, 10))
        south = active.replace("north", "south")
        until("the other team goes on", lambda: client.zscore(south, "a58") is not None)
        assert "w1" not in processes.logs(), "no wearer in a log"
        client.delete(active)
        client.rename("kept", active)
        all_is_well(settings)

        client.config_set("maxmemory", 1)
        publish(settings, ALERTS, story(50, 50))
        until("Redis is full", lambda: processes.logs().count("Redis refuses alerts") == 2)
        assert "used memory > 'maxmemory'" in processes.logs()
        client.config_set("maxmemory", 0)
        all_is_well(settings)


def test_a_projector_does_not_wait_for_offsets_that_the_topic_never_had(
    settings: Settings, processes: Processes
) -> None:
    publish(settings, ALERTS, story(0, 50))
    with client_of(settings) as client:
        client.hset(key(settings, "offsets"), mapping={str(partition): 10_000 for partition in range(4)})
    processes.start(settings, "monitor", "projector")
    all_is_well(settings)
    assert "Redis says that it holds more than the alert topic does" in processes.logs()


def test_redis_errors_name_the_server_and_no_secret(new_settings: NewSettings) -> None:
    dead = new_settings(redis={"url": "redis://:secret@127.0.0.1:1/0"})
    with pytest.raises(Exception, match=r"Redis at 127\.0\.0\.1:1/0 does not answer") as raised:
        compare(dead)
    assert "secret" not in str(raised.value)
    assert isinstance(raised.value.__cause__, redis.RedisError)


def test_a_projector_that_is_given_nothing_ends_with_a_sentence(settings: Settings, processes: Processes) -> None:
    publish(settings, ALERTS, story(0, 50))
    deaf = processes.start(settings, "tests.stream.deaf_projector", PULSEWARDEN_STREAM__STALLED_S="3")
    assert deaf.wait(patience(40)) == 2
    assert re.search(r"Nothing has moved in partitions? [\d, ]+ for 3 s, though there is work", processes.logs())
