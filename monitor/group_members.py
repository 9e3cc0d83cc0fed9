"""Who is in the workers' group in Kafka: the one place where workers of all machines meet."""

import socket
import time
from collections.abc import Collection
from dataclasses import dataclass

from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, KafkaError, NotCoordinatorError

from monitor.errors import BrokerUnreachable, WorkerNameTaken
from monitor.settings import Settings
from monitor.topics import connected

CORE_GROUP = "core"
NO_COORDINATOR = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
_MORE_S = 2.0
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Member:
    """One member: the name it gave itself, and from where it is connected."""

    name: str
    host: str


def members(settings: Settings) -> list[Member]:
    """Return the members of the workers' group.

    Raises
    ------
    BrokerUnreachable
        If no Kafka answers.
    """
    group = settings.kafka.topic_prefix + CORE_GROUP
    with connected(settings) as admin:
        try:
            described = admin.describe_groups([group])[group]
        except NO_COORDINATOR:  # on a new cluster until its first group; nobody can be in a group without one
            return []
        except KafkaError as error:
            raise BrokerUnreachable(f"Kafka does not describe the group {group} ({error}): see its log.") from error
    return [
        Member(str(one["client_id"]), str(one["client_host"]).lstrip("/")) for one in described.get("members") or []
    ]


def require_sole(settings: Settings, here: Collection[str] | None = None) -> None:
    """Refuse to join the group under a name that a worker on another machine has.

    One that has died stays a member until its session ends, so that is waited for. Of static members Kafka itself
    keeps the newest only. On this machine `monitor.local.worker_name` sees to it, and waits for nobody.

    Parameters
    ----------
    settings : Settings
    here : collection of str, optional
        This machine's addresses, as Kafka sees them; by default those from which it reaches the brokers.

    Raises
    ------
    WorkerNameTaken
        If it is still there when a dead one would be gone.
    BrokerUnreachable
        If no Kafka answers.
    """
    if settings.stream.static_membership:
        return
    mine = own_addresses(settings) if here is None else here
    name = settings.stream.worker_id
    deadline = time.monotonic() + settings.stream.session_timeout_s + _MORE_S
    while elsewhere := sorted({one.host for one in members(settings) if one.name == name and one.host not in mine}):
        if time.monotonic() > deadline:
            raise WorkerNameTaken(
                f"A worker named {name} already runs on {', '.join(elsewhere)}: give this one another name with "
                "PULSEWARDEN_STREAM__WORKER_ID, or end that one."
            )
        time.sleep(_POLL_S)


def own_addresses(settings: Settings) -> set[str]:
    """Return the addresses from which this machine reaches the brokers."""
    found = set()
    for server in settings.kafka.bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=3) as connection:
                found.add(str(connection.getsockname()[0]))
        except (OSError, ValueError):
            continue
    return found
