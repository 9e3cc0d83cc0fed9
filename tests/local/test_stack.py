"""The embedded Kafka and Valkey as a user meets them: up, down, again, twice, and after kill -9."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from monitor.errors import PortTaken, StackError, StackRunning
from monitor.local import servers
from monitor.local.address import is_locked, running_environment
from monitor.local.servers import new_cluster_id
from monitor.local.stack import Stack
from monitor.settings import load
from tests.patience import patience


@pytest.fixture
def up(jars: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """``python -m monitor up`` on a folder of its own, running; killed in the end."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "jars").symlink_to(jars)
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "up"],
        env={**os.environ, "PULSEWARDEN_STATE_DIR": str(tmp_path / "state")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


def said_until(process: subprocess.Popen[str], last: str) -> str:
    """Read the process's output up to a line that starts with *last*."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(last):
            break
    return "".join(lines)


def wait_until_free(state: Path, within_s: float) -> None:
    """Wait until no server holds the state folder."""
    began = time.monotonic()
    while is_locked(state):
        assert time.monotonic() < began + patience(within_s), "servers outlived their owner"
        time.sleep(0.05)


@pytest.mark.stack
def test_up_prints_addresses_that_answer_and_ctrl_c_stops_everything(up: subprocess.Popen[str], tmp_path: Path) -> None:
    said = said_until(up, "Running until")
    variables = dict(re.findall(r"export (PULSEWARDEN_\w+)=(\S+)", said))
    assert variables["PULSEWARDEN_STATE_DIR"] == str(tmp_path / "state")
    admin = KafkaAdminClient(bootstrap_servers=variables["PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS"])
    assert len(admin.describe_cluster()["brokers"]) == 1
    admin.close()
    with redis.Redis.from_url(variables["PULSEWARDEN_REDIS__URL"]) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}

    settings = load(state_dir=tmp_path / "state")
    assert settings.kafka.bootstrap_servers == variables["PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS"]
    assert settings.redis.url == variables["PULSEWARDEN_REDIS__URL"]

    again = subprocess.run(
        [sys.executable, "-m", "monitor", "up"],
        env={**os.environ, "PULSEWARDEN_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(60),
    )
    assert again.returncode == 2
    assert "A stack already runs on" in again.stderr
    assert "Traceback" not in again.stderr

    up.send_signal(signal.SIGINT)
    assert up.wait(patience(30)) == 0
    assert not is_locked(tmp_path / "state")
    assert not (tmp_path / "state" / "stack.json").exists()
    assert load(state_dir=tmp_path / "state").kafka.bootstrap_servers == "127.0.0.1:9092"


@pytest.mark.stack
def test_kill_9_of_the_owner_ends_both_servers_and_a_restart_keeps_topics_and_keys(
    up: subprocess.Popen[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    said_until(up, "Running until")
    address = running_environment(state)
    server = address["PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS"]
    admin = KafkaAdminClient(bootstrap_servers=server)
    admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    producer = KafkaProducer(bootstrap_servers=server, acks="all")
    producer.send("kept", b"still here").get(patience(20))
    producer.close()
    with redis.Redis.from_url(address["PULSEWARDEN_REDIS__URL"]) as client:
        client.set("kept", "still here")
        client.execute_command("WAITAOF", 1, 0, 10_000)
    kafka_port, redis_port = int(server.rpartition(":")[2]), int(address["PULSEWARDEN_REDIS__URL"].split(":")[2][:-2])

    up.kill()
    up.wait(patience(10))
    wait_until_free(state, within_s=15)
    assert not servers.listening(kafka_port)
    assert not servers.listening(redis_port)
    assert running_environment(state) == {}, "a killed owner's stack.json is not believed"

    with Stack.start(state) as again:
        assert (again.kafka_port, again.redis_port) == (kafka_port, redis_port)
        consumer = KafkaConsumer(
            "kept",
            bootstrap_servers=again.bootstrap_servers,
            auto_offset_reset="earliest",
            group_id=None,
            consumer_timeout_ms=20_000,
        )
        assert next(consumer).value == b"still here"
        consumer.close()
        with redis.Redis.from_url(again.redis_url, decode_responses=True) as client:
            assert client.get("kept") == "still here"


def test_a_second_stack_on_the_same_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with Stack.start(tmp_path, kafka=False) as first:
        with pytest.raises(StackRunning, match=rf"A stack already runs on {tmp_path} \(process {os.getpid()}\)"):
            Stack.start(tmp_path, kafka=False)
        assert servers.valkey_answers(int(first.redis_port or 0))


def test_a_fixed_port_is_used_and_a_taken_one_is_named(tmp_path: Path) -> None:
    (port,) = servers.free_ports(1)
    with Stack.start(tmp_path / "a", kafka=False, redis_port=port) as stack:
        assert stack.redis_url == f"redis://127.0.0.1:{port}/0"
        with pytest.raises(PortTaken, match=f"Port {port} for Valkey is in use"):
            Stack.start(tmp_path / "b", kafka=False, redis_port=port)
    assert not is_locked(tmp_path / "b"), "a failed start lets go of the folder"


def test_a_restart_takes_another_port_when_the_last_one_is_taken(tmp_path: Path) -> None:
    with Stack.start(tmp_path, kafka=False) as first:
        port = int(first.redis_port or 0)
    with socket.create_server(("127.0.0.1", port)), Stack.start(tmp_path, kafka=False) as second:
        assert second.redis_port != port
        document = json.loads((tmp_path / "stack.json").read_text())
        assert document["environment"]["PULSEWARDEN_REDIS__URL"] == second.redis_url


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("this is no manifest\n")
    with pytest.raises(
        StackError, match=r"Valkey ended while starting \(status 1: .+\): \S+/valkey.log says more"
    ) as ended:
        Stack.start(tmp_path, kafka=False)
    assert "\n" not in str(ended.value)


def test_a_taken_port_is_told_before_anything_is_fetched_or_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} for Kafka is in use"):
            Stack.start(tmp_path, kafka_port=port, jars=tmp_path / "no-jars")
    assert not (tmp_path / "no-jars").exists()
    assert not (tmp_path / "valkey.log").exists()


def test_a_cluster_id_is_never_taken_for_an_option() -> None:
    assert not any(new_cluster_id().startswith("-") for _ in range(2_000))
