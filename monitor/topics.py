"""The Kafka topics: create them, compare them with the table, list them.

The table is ``stream_schemas.topics``. All topics of one installation have the same number of partitions, and that
number is frozen: a wearer's records must meet in one partition, and another count would move wearers to other ones.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, NotControllerError, for_code

from monitor.errors import BrokerUnreachable, TopicsDiffer
from monitor.settings import Settings
from monitor.topic_config import Listed, Wanted, configuration, differing
from monitor.topic_differences import differences, remarks
from stream_schemas.topics import CUTS, topics_of

CONNECT_S = 3.0
REQUEST_MS = 15_000
TOPIC_ALREADY_EXISTS = 36
UNKNOWN_TOPIC = 3
NOBODY = -1


def wanted(settings: Settings) -> list[Wanted]:
    """Return every topic that *settings* call for: the table's, one alerts topic a team, prefixed."""
    return [
        Wanted(settings.kafka.topic_prefix + topic.name, topic, configuration(topic, settings))
        for topic in topics_of(settings.teams)
    ]


def create(settings: Settings, *, alter: bool = False) -> list[str]:
    """Create the topics that are missing and return their names, when every partition of all of them has a leader.

    Parameters
    ----------
    alter
        Also set the configuration of existing topics where it differs from the table; partitions never change.

    Raises
    ------
    BrokerUnreachable
        If no Kafka answers.
    TopicsDiffer
        If there are fewer brokers than copies, the broker refuses to create a topic, or a partition has no leader.
    """
    rows = wanted(settings)
    with connected(settings) as admin:
        present = set(_patiently(settings, admin.list_topics))
        missing = {
            row.name: {
                "num_partitions": settings.stream.partitions,
                "replication_factor": settings.kafka.replication_factor,
                "configs": row.config,
            }
            for row in rows
            if row.name not in present
        }
        made = []
        if missing:
            _require_brokers(admin, settings)
            answer = _patiently(settings, lambda: admin.create_topics(missing, raise_errors=False))
            for result in answer["topics"]:
                if result["error_code"] == 0:
                    made.append(result["name"])
                elif result["error_code"] != TOPIC_ALREADY_EXISTS:  # another process was faster
                    reason = result["error_message"] or for_code(result["error_code"]).__name__
                    raise TopicsDiffer(f"Kafka refused to create topic {result['name']}: {reason}")
        if alter:
            _alter(admin, settings)
        _await_leaders(admin, settings)
    return sorted(made)


def log_name(settings: Settings, topic: str = CUTS) -> str:
    """Return 8 hex digits that name a topic's log; one that is deleted and created again has another, its offsets too.

    Raises
    ------
    BrokerUnreachable
        If no Kafka answers.
    """
    name = settings.kafka.topic_prefix + topic
    with connected(settings) as admin:
        (described,) = _patiently(settings, lambda: admin.describe_topics([name]))
    topic_id = described["topic_id"]
    return f"{crc32(f'{name}/{topic_id}'.encode()):08x}"


def check(settings: Settings) -> list[str]:
    """Return one sentence for each way in which the topics differ from the table; empty if they do not."""
    return differences(listing(settings), wanted(settings), settings)


def notes(settings: Settings) -> list[str]:
    """Return one sentence for each thing about the topics that is no error, but worth knowing; for the doctor.

    Raises
    ------
    BrokerUnreachable
        If no Kafka answers.
    """
    return remarks(listing(settings), settings)


def show(settings: Settings) -> None:
    """Print :func:`listing` as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("topic", "event", "partitions", "kept", "time stamp", "written by", "read by"):
        table.add_column(heading, justify="right" if heading == "partitions" else "left", overflow="fold")
    for row in listing(settings):
        table.add_row(
            row.name,
            row.topic.schema,
            "missing" if row.partitions is None else str(row.partitions),
            _kept(row.config),
            row.config.get("message.timestamp.type", ""),
            row.topic.writers,
            row.topic.readers,
        )
    Console(highlight=False).print(table)


def _kept(config: dict[str, str]) -> str:
    if not config:
        return ""
    if config["cleanup.policy"] == "compact":
        return "newest per key"
    retention_ms = int(config["retention.ms"])
    return "for ever" if retention_ms == -1 else f"{retention_ms / 86_400_000:g} d"


def require(settings: Settings) -> None:
    """Refuse to go on unless the topics are as the table says.

    Raises
    ------
    TopicsDiffer
        With the first sentence of :func:`check`.
    """
    sentences = check(settings)
    if sentences:
        raise TopicsDiffer(sentences[0])


def listing(settings: Settings) -> list[Listed]:
    """Return every topic of :func:`wanted` as it is on the broker."""
    rows = wanted(settings)
    with connected(settings) as admin:
        described = _patiently(settings, lambda: admin.describe_topics([row.name for row in rows]))
        partitions = {row["name"]: row["partitions"] for row in described if row["error_code"] != UNKNOWN_TOPIC}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
        answer = _patiently(
            settings, lambda: admin.describe_configs(resources, config_filter="all") if resources else {}
        )
    configs = answer.get("topic", {})
    return [
        Listed(
            row.name,
            row.topic,
            len(partitions[row.name]),
            {key: configs[row.name][key]["value"] for key in row.config},
            min((len(one["replica_nodes"]) for one in partitions[row.name]), default=0),
        )
        if row.name in partitions
        else Listed(row.name, row.topic, None, {})
        for row in rows
    ]


@contextmanager
def connected(settings: Settings) -> Iterator[KafkaAdminClient]:
    """Yield an admin client.

    Raises
    ------
    BrokerUnreachable
        If nothing listens at any of the bootstrap servers, or what listens is no Kafka.
    """
    servers = settings.kafka.bootstrap_servers
    help_text = "start one with `python -m monitor up`, or set PULSEWARDEN_KAFKA__BOOTSTRAP_SERVERS."
    if not any(_listens(server) for server in servers.split(",")):
        raise BrokerUnreachable(f"No Kafka answers at {servers}: {help_text}")
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=servers.split(","), request_timeout_ms=REQUEST_MS, bootstrap_timeout_ms=REQUEST_MS
        )
    except KafkaError as error:
        raise BrokerUnreachable(f"What listens at {servers} does not answer as Kafka ({error}): {help_text}") from error
    try:
        yield admin
    finally:
        admin.close()


def _patiently(settings: Settings, ask: Callable[[], Any]) -> Any:
    """Ask again while the broker that was chosen is one that has gone: the cluster still names it for some seconds."""
    deadline = time.monotonic() + REQUEST_MS / 1000
    while True:
        try:
            return ask()
        except (KafkaConnectionError, KafkaTimeoutError, NotControllerError) as error:
            if time.monotonic() > deadline:
                raise BrokerUnreachable(
                    f"Kafka at {settings.kafka.bootstrap_servers} does not answer what was asked ({error}): look at "
                    "its brokers."
                ) from error
            time.sleep(0.2)


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S):
            return True
    except (OSError, ValueError, OverflowError):
        return False


def _require_brokers(admin: KafkaAdminClient, settings: Settings) -> None:
    brokers = len(_patiently(settings, admin.describe_cluster)["brokers"])
    factor = settings.kafka.replication_factor
    if brokers < factor:
        raise TopicsDiffer(
            f"The settings say {factor} copies of each topic, but Kafka has {brokers} broker{'s' * (brokers != 1)}: "
            f"start more, or set PULSEWARDEN_KAFKA__REPLICATION_FACTOR={brokers}."
        )


def _await_leaders(admin: KafkaAdminClient, settings: Settings) -> None:
    """Wait until every partition can be written and read: a topic exists before its partitions have leaders."""
    names = [row.name for row in wanted(settings)]
    deadline = time.monotonic() + REQUEST_MS / 1000
    while without := _patiently(settings, lambda: _without_leader(admin, names)):
        if time.monotonic() > deadline:
            raise TopicsDiffer(
                f"{len(without)} partitions have no leader, one of them is {without[0]}: start the brokers that hold "
                "their copies, or see the logs of those."
            )
        time.sleep(0.05)


def _without_leader(admin: KafkaAdminClient, names: list[str]) -> list[str]:
    found = []
    for topic in admin.describe_topics(names):
        if topic["error_code"] or not topic["partitions"]:
            found.append(f"0 of {topic['name']}")
        found += [
            f"{part['partition_index']} of {topic['name']}"
            for part in topic["partitions"]
            if part["leader_id"] == NOBODY or part["error_code"]
        ]
    return found


def _alter(admin: KafkaAdminClient, settings: Settings) -> None:
    """Set what differs, and wait until the broker shows it: it answers before it has applied the change."""
    deadline = time.monotonic() + REQUEST_MS / 1000
    while resources := _differing(settings):
        if time.monotonic() > deadline:
            raise TopicsDiffer(f"Kafka does not take the configuration of topic {resources[0].name}: see its log.")
        _patiently(settings, lambda: admin.alter_configs(resources))
        time.sleep(0.1)


def _differing(settings: Settings) -> list[ConfigResource]:
    have = {row.name: row for row in listing(settings)}
    return [
        ConfigResource(ConfigResourceType.TOPIC, row.name, configs=configs)
        for row in wanted(settings)
        if (configs := differing(row, have[row.name]))
    ]
