"""The ground that runs stand on: a Kafka and a Valkey that may be killed, frozen and started again, and topics."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from monitor import topics
from monitor.local import kafka_jars, servers
from monitor.local.leash import Leashed
from monitor.settings import Settings, load
from tests.faults.cluster import Cluster, Made
from tests.patience import patience
from tests.stream.world import REPOSITORY, until

JARS = REPOSITORY / ".pulsewarden" / "jars"
PARTITIONS = 4
QUICK = {"partitions": PARTITIONS, "session_timeout_s": 6.0, "heartbeat_s": 1.0, "cut_timeout_s": 4.0}
LIMITS = {
    "no_data_grace_min": 1,
    "no_data_floor_min": 1,
    "bp_repeat_within_min": 1,
    "late_after_s": 4 * 3600.0,
    "late_settle_s": 3.0,
    "late_settle_most_s": 20.0,
}
"""So that silences, unanswered crises and late uploads are decided within a run; a story is told of the last hours."""


class Servers:
    """A broker and a Valkey of our own, on ports that stay."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder, self._jars = folder, kafka_jars.ensure(jars)
        self._kafka_port, self.redis_port = servers.free_ports(2)
        self._kafka: Leashed | None = None
        self._valkey: Leashed | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"{servers.LOOPBACK}:{self._kafka_port}"

    @property
    def redis_url(self) -> str:
        return f"redis://{servers.LOOPBACK}:{self.redis_port}/0"

    def start_kafka(self) -> None:
        """Start the broker on its log and wait until it answers."""
        (controller,) = servers.free_ports(1)
        ports = servers.KafkaPorts(self._kafka_port, controller)
        until("the port is free", lambda: servers.is_free(self._kafka_port))
        self._kafka = servers.start_kafka(self._folder, self._jars, ports, ())
        until("Kafka answers", lambda: servers.kafka_answers(self._kafka_port), 60)

    def start_valkey(self) -> None:
        """Start Valkey on its file and wait until it answers."""
        self._valkey = servers.start_valkey(self._folder, self.redis_port, ())
        until("Valkey answers", lambda: servers.valkey_answers(self.redis_port))

    def kill_kafka(self) -> None:
        """`kill -9` the broker."""
        assert self._kafka is not None
        self._kafka.kill()

    def kill_valkey(self) -> None:
        """`kill -9` Valkey."""
        assert self._valkey is not None
        self._valkey.kill()
        until("it is gone", lambda: servers.is_free(self.redis_port))

    def signal_kafka(self, number: int) -> None:
        """Send a signal to the broker's own process, which is the leash's child."""
        assert self._kafka is not None
        children = Path(f"/proc/{self._kafka.pid}/task/{self._kafka.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), number)

    def stop(self) -> None:
        for server in (self._valkey, self._kafka):
            if server is not None:
                if server is self._kafka and server.poll() is None:
                    with contextlib.suppress(OSError):
                        self.signal_kafka(signal.SIGCONT)
                server.ask_to_end()
        for server in (self._valkey, self._kafka):
            if server is not None:
                with contextlib.suppress(Exception):
                    server.stop()


class Ground:
    """Where Kafka and Valkey are; `servers` is None where they belong to somebody else and must not be touched."""

    def __init__(
        self, folder: Path, bootstrap_servers: str, redis_url: str, own: Servers | None = None, jars: Path = JARS
    ) -> None:
        self.folder, self._bootstrap, self._redis, self.servers = folder, bootstrap_servers, redis_url, own
        self.cluster: Cluster | None = None
        self._runs, self._jars = 0, jars
        self._three: Ground | None = None
        self._stack = contextlib.ExitStack()

    @classmethod
    @contextmanager
    def open(cls, folder: Path, jars: Path) -> Iterator["Ground"]:
        """Start servers of our own."""
        own = Servers(folder, jars)
        try:
            own.start_valkey()
            own.start_kafka()
            with cls(folder, own.bootstrap_servers, own.redis_url, own, jars) as ground:
                yield ground
        finally:
            own.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def three(self) -> "Ground":
        """Return the ground with three brokers, all alive and in order; they are started the first time."""
        if self._three is None:
            cluster = self._stack.enter_context(Cluster.open(self.folder, self._jars))
            self._three = Ground(self.folder, cluster.bootstrap_servers, self._redis)
            self._three.cluster = cluster
        elif self._three.cluster is not None:
            self._three.cluster.mend()
        return self._three

    def settings(self, name: str, place: "Place | None" = None, **values: Any) -> Settings:
        """Return settings with topics and a state folder of their own; the topics exist, where *place* puts them."""
        self._runs += 1
        prefix = f"{name}-{os.getpid()}-{self._runs}."
        state_dir = values.pop("state_dir", self.folder / "runs" / prefix.rstrip(".") / "state")
        made = load(
            kafka={"bootstrap_servers": self._bootstrap, "topic_prefix": prefix, **values.pop("kafka", {})},
            redis={"url": self._redis, "key_prefix": f"{prefix}:"},
            stream={**QUICK, **values.pop("stream", {})},
            limits={**LIMITS, **values.pop("limits", {})},
            scoring={"enabled": False, **values.pop("scoring", {})},
            checkpoint={"interval_s": 4.0, **values.pop("checkpoint", {})},
            state_dir=state_dir,
            **values,
        )
        if place is not None and self.cluster is not None:
            self.cluster.create(placed(made, place))
        topics.create(made)
        return made

    def forget(self, settings: Settings) -> None:
        """Delete the topics of a run."""
        with contextlib.suppress(KafkaError):
            admin = KafkaAdminClient(bootstrap_servers=self._bootstrap)
            try:
                mine = [name for name in admin.list_topics() if name.startswith(settings.kafka.topic_prefix)]
                admin.delete_topics(mine)
            finally:
                admin.close()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the copies of each partition are.

    Attributes
    ----------
    usually : per partition, the brokers that hold it, its leader first.
    but : the same for one partition of one unprefixed topic, or for all of a topic where the partition is None.
    configs : unprefixed topic -> what its configuration has beside the table.
    """

    usually: tuple[tuple[int, ...], ...]
    but: Mapping[tuple[str, int | None], tuple[int, ...]] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, topic: str, partition: int) -> tuple[int, ...]:
        """Return the brokers that hold a partition."""
        usual = self.but.get((topic, None), self.usually[partition])
        return self.but.get((topic, partition), usual)


def placed(settings: Settings, place: Place) -> dict[str, Made]:
    """Return every topic as a cluster makes it."""
    made: dict[str, Made] = {}
    for row in topics.wanted(settings):
        where = {p: place.of(row.topic.name, p) for p in range(settings.stream.partitions)}
        made[row.name] = where, {**row.config, **place.configs.get(row.topic.name, {})}
    return made


def patiently(do: Callable[[], Any], within_s: float = 30.0) -> Any:
    """Try again while Kafka does not answer."""
    deadline = time.monotonic() + patience(within_s)
    while True:
        try:
            return do()
        except KafkaError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
