"""Three brokers that are a cluster, each on a leash of its own: killed, frozen, put ahead of time, cut off, by number.

Each is broker and controller in one, as small as it goes (128 MiB of heap). Two of three must be alive for anything to
be elected. Every broker has a second listener, which is advertised at a proxy of the run: who begins there goes
through the proxies, and to nobody else does it matter what they do.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from monitor.errors import ServerFailed
from monitor.local import kafka_jars, servers
from monitor.local.leash import Leashed, spawn
from tests.faults.proxy import Proxies
from tests.stream.world import until

T = TypeVar("T")
Made: TypeAlias = tuple[Mapping[int, Sequence[int]], Mapping[str, str]]

BROKERS = (1, 2, 3)
HOST = servers.LOOPBACK
LAG_MS = 5_000
"""A follower that has been behind for so long is out of sync: so long may an acknowledgement take."""
GROUPS = "__consumer_offsets"
PREFERRED = 0
COORDINATOR = 2
"""The broker that leads the group's topics: a run knows whether it breaks that one."""
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
FAKED = {
    "LD_PRELOAD": str(FAKETIME),
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else every timed wait of the JVM returns at once
}
NO_FAKETIME = f"{FAKETIME} is not there: install the Debian package libfaketime"

PROPERTIES = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=CLIENTS://{host}:{client},PROXIED://{host}:{behind},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENTS://{host}:{client},PROXIED://{host}:{proxy}
listener.security.protocol.map=CLIENTS:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENTS
log.dirs={folder}/data
auto.create.topics.enable=false
auto.leader.rebalance.enable=false
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
offsets.topic.num.partitions=4
offsets.topic.replication.factor=3
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
replica.lag.time.max.ms={lag_ms}
broker.session.timeout.ms=6000
"""


class Cluster:
    """The brokers 1, 2 and 3, on ports that stay."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder, self._jars = folder, kafka_jars.ensure(jars)
        ports = servers.free_ports(9)
        self._client, self._behind, self._controller = (
            dict(zip(BROKERS, ports[i : i + 3], strict=True)) for i in (0, 3, 6)
        )
        self.proxies = Proxies({n: self._behind[n] for n in BROKERS})
        self._running: dict[int, Leashed] = {}

    @classmethod
    @contextmanager
    def open(cls, folder: Path, jars: Path) -> Iterator["Cluster"]:
        """Start all three."""
        one = cls(folder, jars)
        try:
            one.format()
            for number in BROKERS:
                one.launch(number)
            one._await_all()
            one._place_groups()
            yield one
        finally:
            one.stop()

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"{HOST}:{port}" for port in self._client.values())

    @property
    def proxied_servers(self) -> str:
        """Where to begin in order to reach every broker through its proxy."""
        return ",".join(f"{HOST}:{port}" for port in self.proxies.ports.values())

    # ------------------------------------------------------------------------------------------------------- starting

    def format(self) -> None:
        """Write what each broker needs to know, and make its folder, all at once."""
        voters = ",".join(f"{n}@{HOST}:{port}" for n, port in self._controller.items())
        cluster = servers.new_cluster_id()
        formatting = []
        for n in BROKERS:
            folder = self._folder / f"broker-{n}"
            folder.mkdir(parents=True)
            properties = folder / "kafka.properties"
            properties.write_text(
                PROPERTIES.format(
                    number=n,
                    voters=voters,
                    host=HOST,
                    client=self._client[n],
                    behind=self._behind[n],
                    controller=self._controller[n],
                    proxy=self.proxies.ports[n],
                    folder=folder,
                    lag_ms=LAG_MS,
                )
            )
            command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
            formatting.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        for process in formatting:
            said, _ = process.communicate(timeout=120)
            if process.returncode:
                raise ServerFailed(f"A broker's folder could not be formatted: {said.strip()[-300:]}")

    def launch(self, number: int, ahead: str = "") -> None:
        """Start one broker; returns at once.

        Parameters
        ----------
        ahead : how its clock differs, such as `+10m`; only with libfaketime.
        """
        folder = self._folder / f"broker-{number}"
        until("its port is free", lambda: servers.is_free(self._client[number]))
        # Through env, so that the leash keeps its clock: its own timed waits fail under libfaketime.
        clock = ["env", *(f"{name}={value}" for name, value in (FAKED | {"FAKETIME": ahead}).items())] if ahead else []
        command = [*clock, *self._java(), "kafka.Kafka", str(folder / "kafka.properties")]
        self._running[number] = spawn(f"broker {number}", command, folder / "kafka.log")

    def start(self, number: int, ahead: str = "") -> None:
        """Start one broker and wait until the cluster has it."""
        self.launch(number, ahead)
        until(f"broker {number} is back", lambda: self.answers(number), 120)

    def _java(self) -> list[str]:
        small = {"-Xmx512m": "-Xmx128m", "-XX:+UseSerialGC": "-XX:+UseSerialGC"}
        command = [small.get(part, part) for part in servers.java(self._jars)]
        return [*command[:1], "-XX:TieredStopAtLevel=1", *command[1:]]

    def _place_groups(self) -> None:
        """Make the groups' topic ourselves, led by the one broker that a run knows of."""
        others = [n for n in BROKERS if n != COORDINATOR]
        self.create(
            {
                GROUPS: (
                    {p: [COORDINATOR, *others] for p in range(4)},
                    {"cleanup.policy": "compact", "min.insync.replicas": "1", "compression.type": "producer"},
                )
            }
        )

    # ------------------------------------------------------------------------------------------------ what is broken

    def kill(self, number: int) -> None:
        """`kill -9` one broker."""
        self._running[number].kill()

    def freeze(self, number: int) -> None:
        """Stop one broker where it stands."""
        self._signal(number, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let a frozen broker go on."""
        self._signal(number, signal.SIGCONT)

    def end(self, number: int) -> None:
        """Ask one broker to end in order; it hands its leaderships over first."""
        self._running[number].stop()

    def _signal(self, number: int, what: int) -> None:
        leash = self._running[number].pid
        for child in Path(f"/proc/{leash}/task/{leash}/children").read_text().split():
            os.kill(int(child), what)

    def mend(self) -> None:
        """Bring every broker back, with the right clock, and let the proxies pass everything."""
        self.proxies.pass_all()
        for number in BROKERS:
            if self._running[number].poll() is None:
                self.thaw(number)
            else:
                self.launch(number)
        self._await_all()
        groups = [(GROUPS, p) for p in range(4)]
        until("the groups' topic has its copies", lambda: all(len(self.isr(*one)) == 3 for one in groups), 60)
        self.lead_as_placed(GROUPS)

    def _await_all(self) -> None:
        for number in BROKERS:
            until("a broker answers", lambda: self.answers(number), 120)  # noqa: B023
        until("three brokers are there", lambda: self.alive() == list(BROKERS), 60)

    def stop(self) -> None:
        for leash in self._running.values():
            if leash.poll() is None:
                leash.kill()
        self.proxies.close()

    # -------------------------------------------------------------------------------------------------------- looking

    def ask(self, do: Callable[[KafkaAdminClient], T], within_s: float = 30.0) -> T:
        """Ask the cluster; again while the broker that was asked is the one that is gone."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                with closing(self._admin()) as admin:
                    return do(admin)
            except (KafkaError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _admin(self) -> KafkaAdminClient:
        return KafkaAdminClient(
            bootstrap_servers=self.bootstrap_servers.split(","), request_timeout_ms=2_000, bootstrap_timeout_ms=3_000
        )

    def alive(self) -> list[int]:
        """Return the brokers that the cluster says it has; nothing while it does not answer."""
        try:
            return self.ask(lambda admin: sorted(one["broker_id"] for one in admin.describe_cluster()["brokers"]), 0)
        except (KafkaError, OSError):
            return []

    def create(self, topics: Mapping[str, Made]) -> None:
        """Create topics: per name, the brokers that hold each partition, its leader first, and the configuration."""
        wanted = {
            name: {"assignments": {p: list(on) for p, on in where.items()}, "configs": dict(configs)}
            for name, (where, configs) in topics.items()
        }
        self.ask(lambda admin: admin.create_topics(wanted, wait_for_metadata=True), 0)

    def partitions(self, names: Sequence[str]) -> dict[tuple[str, int], dict[str, Any]]:
        """Return what the cluster says of every partition of some topics."""
        described = self.ask(lambda admin: admin.describe_topics(list(names)))
        return {(t["name"], part["partition_index"]): dict(part) for t in described for part in t["partitions"]}

    def leader_of(self, topic: str, partition: int) -> int:
        """Return the number of the leader; -1 while there is none."""
        return int(self.partitions([topic])[topic, partition]["leader_id"])

    def isr(self, topic: str, partition: int) -> list[int]:
        """Return the brokers whose copies are in sync."""
        return sorted(self.partitions([topic])[topic, partition]["isr_nodes"])

    def names(self, prefix: str) -> list[str]:
        """Return the topics that begin so."""
        return [name for name in self.ask(lambda admin: admin.list_topics()) if name.startswith(prefix)]

    def leaders(self, prefix: str) -> dict[tuple[str, int], int]:
        """Return the leader of every partition of the topics that begin so."""
        return {tp: int(part["leader_id"]) for tp, part in self.partitions(self.names(prefix)).items()}

    def lead_as_placed(self, prefix: str) -> None:
        """Give the leadership of these topics back to the first of each partition's copies, and wait for it."""
        names = self.names(prefix)
        self.ask(lambda admin: admin.elect_leaders(PREFERRED, names, raise_errors=False))
        until(
            "all leaders are as placed",
            lambda: all(part["leader_id"] == part["replica_nodes"][0] for part in self.partitions(names).values()),
        )

    def answers(self, number: int) -> bool:
        """Tell whether one broker answers."""
        return servers.kafka_answers(self._client[number])

    def logs(self) -> str:
        """Return the last lines of every broker's log."""
        parts = []
        for number, leash in sorted(self._running.items()):
            with contextlib.suppress(OSError):
                parts.append(f"broker {number}:\n{leash.tail(12)}")
        return "\n".join(parts)
