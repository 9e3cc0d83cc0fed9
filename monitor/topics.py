"""The Kafka topics: create them, compare them with the table, list them.

The table is ``stream_schemas.topics``. All topics of one installation have the same number of partitions, and that
number is frozen: a wearer's records must meet in one partition, and another count would move wearers to other ones.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zlib import crc32

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, for_code

from monitor.errors import BrokerUnreachable, TopicsDiffer
from monitor.settings import Settings
from stream_schemas.topics import CUTS, INPUTS, Topic, topics_of

CONNECT_S = 3.0
REQUEST_MS = 15_000
FOREVER = 2**63 - 1
TOPIC_ALREADY_EXISTS = 36
UNKNOWN_TOPIC = 3
AT_LEAST = ("retention.ms", "max.message.bytes", "min.compaction.lag.ms", "delete.retention.ms")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it should be: its full name and configuration."""

    name: str
    topic: Topic
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A topic as it is; ``partitions`` is None and ``config`` empty if it does not exist."""

    name: str
    topic: Topic
    partitions: int | None
    config: dict[str, str]


def wanted(settings: Settings) -> list[Wanted]:
    """Return every topic that *settings* call for: the table's, one alerts topic a team, prefixed."""
    return [
        Wanted(settings.kafka.topic_prefix + topic.name, topic, _config(topic, settings))
        for topic in topics_of(settings.teams)
    ]


def create(settings: Settings, *, alter: bool = False) -> list[str]:
    """Create the topics that are missing and return their names.

    Parameters
    ----------
    alter
        Also set the configuration of existing topics where it differs from the table; partitions never change.

    Raises
    ------
    BrokerUnreachable
        If no Kafka answers.
    TopicsDiffer
        If the broker refuses to create a topic.
    """
    rows = wanted(settings)
    with connected(settings) as admin:
        present = set(admin.list_topics())
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
            answer = admin.create_topics(missing, raise_errors=False, wait_for_metadata=True)
            for result in answer["topics"]:
                if result["error_code"] == 0:
                    made.append(result["name"])
                elif result["error_code"] != TOPIC_ALREADY_EXISTS:  # another process was faster
                    reason = result["error_message"] or for_code(result["error_code"]).__name__
                    raise TopicsDiffer(f"Kafka refused to create topic {result['name']}: {reason}")
        if alter:
            _alter(admin, settings)
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
        (described,) = admin.describe_topics([name])
    topic_id = described["topic_id"]
    return f"{crc32(f'{name}/{topic_id}'.encode()):08x}"


def check(settings: Settings) -> list[str]:
    """Return one sentence for each way in which the topics differ from the table; empty if they do not."""
    sentences = []
    count = settings.stream.partitions
    found = listing(settings)
    missing = [row.name for row in found if row.partitions is None]
    counts = sorted({row.partitions for row in found if row.partitions is not None})
    if missing:
        names = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        sentences.append(f"Missing topics: {names}: run `python -m monitor topics create`.")
    if len(counts) > 1:
        odd = ", ".join(f"{row.name} {row.partitions}" for row in found if row.partitions not in {None, count})
        sentences.append(
            f"The topics have different partition counts ({odd}, others {count}): they must be equal; start a new log "
            "with another PULSEWARDEN_KAFKA__TOPIC_PREFIX, or delete the odd ones if they are empty and create them."
        )
    elif counts and counts != [count]:
        sentences.append(
            f"The topics have {counts[0]} partitions, but the settings say {count}: the count of a log is frozen; set "
            f"PULSEWARDEN_STREAM__PARTITIONS={counts[0]}, or start a new log with another "
            "PULSEWARDEN_KAFKA__TOPIC_PREFIX."
        )
    by_name = {row.name: row for row in found}
    for row in wanted(settings):
        have = by_name[row.name].config
        for key, value in row.config.items():
            if have and not _suits(key, have.get(key), value):
                sentences.append(
                    f"Topic {row.name} has {key}={have.get(key)}, but the table says {value}: set it with `python -m "
                    "monitor topics create --alter`, or choose another PULSEWARDEN_KAFKA__TOPIC_PREFIX."
                )
    return sentences


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
        described = admin.describe_topics([row.name for row in rows])
        partitions = {row["name"]: len(row["partitions"]) for row in described if row["error_code"] != UNKNOWN_TOPIC}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
        answer = admin.describe_configs(resources, config_filter="all") if resources else {}
    configs = answer.get("topic", {})
    return [
        Listed(
            row.name,
            row.topic,
            partitions.get(row.name),
            {key: configs[row.name][key]["value"] for key in row.config} if row.name in partitions else {},
        )
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


def _listens(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S):
            return True
    except (OSError, ValueError, OverflowError):
        return False


def _config(topic: Topic, settings: Settings) -> dict[str, str]:
    """Return the table's configuration; on a log clock the inputs' writers say what time it is, and none expires."""
    config = topic.config()
    if settings.stream.clock == "log" and topic.name in INPUTS:
        config["message.timestamp.type"] = "CreateTime"
        config["message.timestamp.after.max.ms"] = str(FOREVER)
        config["retention.ms"] = "-1"
    return config


def _suits(key: str, found: str | None, value: str) -> bool:
    """Tell whether *found* will do; more room or a longer memory than the table asks for is fine."""
    if found is None or key not in AT_LEAST:
        return found == value
    have, need = (FOREVER if int(text) == -1 else int(text) for text in (found, value))
    return have >= need


def _alter(admin: KafkaAdminClient, settings: Settings) -> None:
    """Set what differs, and wait until the broker shows it: it answers before it has applied the change."""
    deadline = time.monotonic() + REQUEST_MS / 1000
    while resources := _differing(settings):
        if time.monotonic() > deadline:
            raise TopicsDiffer(f"Kafka does not take the configuration of topic {resources[0].name}: see its log.")
        admin.alter_configs(resources)
        time.sleep(0.1)


def _differing(settings: Settings) -> list[ConfigResource]:
    have = {row.name: row.config for row in listing(settings)}
    resources = []
    for row in wanted(settings):
        found = have[row.name]
        differing = {
            key: value for key, value in row.config.items() if found and not _suits(key, found.get(key), value)
        }
        if differing:
            resources.append(ConfigResource(ConfigResourceType.TOPIC, row.name, configs=differing))
    return resources
