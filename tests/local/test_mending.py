"""`python -m monitor up` starts again what ended, names the cause, and leaves alone what is well."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from kafka import KafkaAdminClient

from monitor.local import servers
from monitor.local.address import is_locked, running_environment
from monitor.local.cause import SERVER_SIGNS, why
from monitor.local.stack import Stack
from monitor.local.supervisor import Part, Supervisor
from tests.local.test_supervisor import SLEEPS, children, looked, until
from tests.patience import patience


class Up:
    """``python -m monitor up``, running."""

    def __init__(self, state: Path, *options: str, **variables: str) -> None:
        self.state, self.log = state, state.parent / "said"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "up", *options],
                env={**os.environ, "PULSEWARDEN_STATE_DIR": str(state), **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        until("it runs", lambda: "Running until" in self.said() or self.process.poll() is not None, 120)

    def said(self) -> str:
        return self.log.read_text()

    def server(self, word: str) -> int:
        """Return the process id of a server."""
        for leash in children(self.process.pid):
            for pid in children(leash):
                if word in Path(f"/proc/{pid}/cmdline").read_text():
                    return pid
        return 0

    def end(self) -> int:
        """Press Ctrl-C; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(patience(60))


NewUp = Callable[..., Up]


@pytest.fixture
def new_up(jars: Path, tmp_path: Path) -> Iterator[NewUp]:
    state = tmp_path / "state"
    state.mkdir()
    (state / "jars").symlink_to(jars)
    made: list[Up] = []

    def make(*options: str, **variables: str) -> Up:
        made.append(Up(state, *options, **variables))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.wait()
        print(one.said())


def last(stack: Stack, said: list[str]) -> str:
    """Let the stack look after its servers; return what it said last."""
    stack.look()
    return said[-1]


def ports(state: Path) -> tuple[int, int]:
    address = running_environment(state)
    kafka = address["PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS"]
    return int(kafka.rpartition(":")[2]), int(address["PULSEWARDEN_REDIS__URL"].split(":")[2][:-2])


@pytest.mark.stack
def test_a_server_that_dies_comes_back_on_its_port_with_what_it_held_and_the_other_one_stays(new_up: NewUp) -> None:
    up = new_up()
    kafka_port, redis_port = ports(up.state)
    admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{kafka_port}")
    admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    with redis.Redis(port=redis_port) as client:
        client.set("kept", "still here")
        client.execute_command("WAITAOF", 1, 0, 10_000)
    kafka, valkey = up.server("kafka.Kafka"), up.server("valkey")

    os.kill(valkey, signal.SIGKILL)
    until("that is said", lambda: "Valkey ended (killed by SIGKILL); it starts again in 1 s." in up.said())
    until("Valkey answers", lambda: servers.valkey_answers(redis_port))
    assert up.server("kafka.Kafka") == kafka
    with redis.Redis(port=redis_port, decode_responses=True) as client:
        assert client.get("kept") == "still here"

    valkey = up.server("valkey")
    os.kill(kafka, signal.SIGKILL)
    until("that is said", lambda: "Kafka ended (killed by SIGKILL); it starts again in 1 s." in up.said())
    until("Kafka listens", lambda: servers.listening(kafka_port), 90)
    assert up.server("valkey") == valkey
    admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{kafka_port}", bootstrap_timeout_ms=60_000)
    assert "kept" in admin.list_topics()
    admin.close()
    assert up.process.poll() is None
    assert up.end() == 0
    assert "Traceback" not in up.said()
    assert not is_locked(up.state)


@pytest.mark.stack
def test_ctrl_c_while_kafka_is_away_ends_everything_without_a_traceback(new_up: NewUp) -> None:
    up = new_up("--workers", "1", PULSEWARDEN_SCORING__ENABLED="false", PULSEWARDEN_STREAM__PARTITIONS="4")
    status = up.state / "status" / "worker-1.json"
    until("it owns all", lambda: status.exists() and len(json.loads(status.read_text())["assigned"]) == 4, 90)
    os.kill(up.server("kafka.Kafka"), signal.SIGKILL)
    until("that is said", lambda: "Kafka ended (killed by SIGKILL)" in up.said())
    assert up.end() == 0
    log = (up.state / "logs" / "worker-1.log").read_text()
    assert "Traceback" not in log + up.said()
    assert not is_locked(up.state)


def test_a_port_that_was_taken_meanwhile_is_named_until_it_is_free(tmp_path: Path) -> None:
    said: list[str] = []
    with Stack.start(tmp_path, kafka=False, say=said.append) as stack:
        port = stack.redis_port or 0
        (server,) = children(os.getpid())[-1:]
        os.kill(children(server)[0], signal.SIGKILL)
        until("its port is free", lambda: servers.is_free(port))
        with socket.create_server(("127.0.0.1", port)):
            until("its death is noticed", lambda: last(stack, said).startswith("Valkey ended (killed"))
            until("the port is named", lambda: "its port is taken" in last(stack, said))
        assert re.fullmatch(
            r"Valkey ended \(its port is taken by another process\); it starts again in [24] s\.", said[-1]
        )
        until("it is back", lambda: last(stack, said) and servers.valkey_answers(port))


FILLS = """
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1], linger_ms=0)
while True:
    producer.send("full", bytes(500_000))
"""


@pytest.mark.stack
def test_a_full_disk_ends_kafka_alone_and_room_brings_it_back(jars: Path, tmp_path: Path) -> None:
    disk, said = tmp_path / "disk", [""]
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        with Stack.start(disk, jars=jars, say=said.append) as stack:
            admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
            admin.create_topics({"full": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
            admin.close()
            (disk / "filler").write_bytes(bytes(16 << 20))
            with subprocess.Popen(
                [sys.executable, "-c", FILLS, stack.bootstrap_servers], stderr=subprocess.DEVNULL
            ) as fills:
                until("it is named", lambda: last(stack, said).startswith("Kafka ended (the disk is full)"), 120)
                fills.kill()
            assert servers.valkey_answers(stack.redis_port or 0)
            (disk / "filler").unlink()
            until("it is back", lambda: last(stack, said) and servers.listening(stack.kafka_port or 0), 120)
    finally:
        print("\n".join(said))
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("x\njava.io.IOException: No space left on device\nShutdown broker", "the disk is full"),
        ("bind: Address already in use\nFailed", "its port is taken by another process"),
        ("java.lang.OutOfMemoryError: Java heap space", "out of memory"),
        ("one\ntwo.\n\n", "status 1: two"),
        ("", "status 1: it said nothing"),
    ],
)
def test_a_cause_is_named_by_what_the_log_says(text: str, cause: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    before = "java.io.IOException: No space left on device, last time\n"
    log.write_text(before + text)
    assert why(log, len(before), 1, SERVER_SIGNS) == cause


def test_a_kill_for_want_of_memory_is_named(tmp_path: Path) -> None:
    assert why(tmp_path / "none", 0, -9, killed_for_memory=True) == "killed by SIGKILL: the machine is out of memory"
    assert why(tmp_path / "none", 0, -15, killed_for_memory=True) == "killed by SIGTERM"


def test_a_drained_worker_is_started_again_when_the_file_is_gone(tmp_path: Path) -> None:
    said: list[str] = []
    drained = tmp_path / "drained"
    drains = f"import pathlib; pathlib.Path({str(drained)!r}).touch(); print('hello', flush=True)"
    parts = [
        Part("worker-1", [sys.executable, "-c", drains], unwanted=drained),
        Part("b", [sys.executable, "-c", SLEEPS]),
    ]
    with Supervisor(parts, tmp_path, said.append, first_s=0.01) as supervisor:
        until("it ended", lambda: looked(supervisor) and said)
        for _ in range(30):
            supervisor.look()
        assert said == [f"worker-1 ended as it was told to; it starts again when {drained} is gone."]
        assert [one.name for one in supervisor.running()] == ["b"]
        drained.unlink()
        until(
            "it ran again", lambda: looked(supervisor) and (tmp_path / "worker-1.log").read_text().count("hello") == 2
        )


def test_a_worker_that_is_drained_before_up_starts_is_told_and_not_started(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "drained").touch()
    part = Part("worker-1", [sys.executable, "-c", SLEEPS], unwanted=tmp_path / "drained")
    with Supervisor([part], tmp_path, said.append) as supervisor:
        supervisor.look()
        assert supervisor.running() == []
    assert said == [f"worker-1 is not started while {tmp_path / 'drained'} is there."]


def test_what_cannot_be_started_is_tried_again_and_ends_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    logs = tmp_path / "logs"
    logs.write_text("a file where the logs should lie")
    with Supervisor([Part("a", [sys.executable, "-c", SLEEPS])], logs, said.append, first_s=0.01) as supervisor:
        assert said
        assert said[0].startswith("a cannot be started (")
        assert said[0].endswith("; it is tried again in 0.01 s.")
        logs.unlink()
        until("it runs", lambda: looked(supervisor) and supervisor.running())


def test_more_copies_than_up_has_brokers_are_refused_before_anything_starts(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "monitor", "up", "--workers", "1"],
        env={
            **os.environ,
            "PULSEWARDEN_STATE_DIR": str(tmp_path / "state"),
            "PULSEWARDEN_KAFKA__REPLICATION_FACTOR": "3",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(120),
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("pulsewarden: PULSEWARDEN_KAFKA__REPLICATION_FACTOR is 3, but `up` runs one broker")
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "state").exists()
