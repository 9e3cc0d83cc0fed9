"""How each topic is to be configured on a broker, and whether what is found there will do.

The table says what follows from the topic; what follows from the number of copies is decided here. With
`acks=all` a record counts as written when every copy that is in sync has it, so `min.insync.replicas` says how many
disks hold it at least:

- three copies or more: 2. One broker may be away, and what is acknowledged still survives the loss of another disk.
- two copies: 1. With 2 every restart of a broker would stop all alerts; with 1 they go on, on one disk for that time.
  A copy that fell behind is never made the leader (`unclean.leader.election.enable=false`), so that nothing
  acknowledged is lost unless the one disk is.
- one copy: 1. Nothing else is possible, and `notes` says what it means.
"""

from dataclasses import dataclass

from monitor.settings import Settings
from stream_schemas.topics import INPUTS, Topic

FOREVER = 2**63 - 1
AT_LEAST = ("retention.ms", "retention.bytes", "max.message.bytes", "min.compaction.lag.ms", "delete.retention.ms")
IN_SYNC = "min.insync.replicas"
SAFE_COPIES = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it should be: its full name and configuration."""

    name: str
    topic: Topic
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A topic as it is; ``partitions`` is None, ``config`` empty and ``copies`` 0 if it does not exist.

    Attributes
    ----------
    copies : replicas of the partition that has the fewest.
    """

    name: str
    topic: Topic
    partitions: int | None
    config: dict[str, str]
    copies: int = 0


def configuration(topic: Topic, settings: Settings) -> dict[str, str]:
    """Return what a topic must have; on a log clock the inputs' writers say what time it is, and none expires."""
    config = topic.config() | {IN_SYNC: str(least_in_sync(settings.kafka.replication_factor))}
    if settings.stream.clock == "log" and topic.name in INPUTS:
        config["message.timestamp.type"] = "CreateTime"
        config["message.timestamp.after.max.ms"] = str(FOREVER)
        config["retention.ms"] = "-1"
    return config


def least_in_sync(copies: int) -> int:
    """Return how many copies must have a record before it counts as written."""
    return 2 if copies >= SAFE_COPIES else 1


def differing(row: Wanted, have: Listed) -> dict[str, str]:
    """Return what of a topic's configuration has to be set, and to what; empty where what is there will do."""
    if not have.config:
        return {}
    # More than there are copies can never be in sync: nothing could be written any more.
    config = row.config | {IN_SYNC: str(min(int(row.config[IN_SYNC]), least_in_sync(have.copies)))}
    return {key: value for key, value in config.items() if not _suits(key, have.config.get(key), value, have.copies)}


def _suits(key: str, found: str | None, value: str, copies: int) -> bool:
    """Tell whether *found* will do; more room, a longer memory or more copies in sync than asked for are fine."""
    if found is None:
        return False
    if key == IN_SYNC:
        return int(value) <= int(found) <= copies
    if key not in AT_LEAST:
        return found == value
    have, need = (FOREVER if int(text) == -1 else int(text) for text in (found, value))
    return have >= need
