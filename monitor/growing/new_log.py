"""The topics of the new log: empty at first, and closed to workers until all is in them.

A topic whose records the broker stamps cannot be given old stamps. So inputs and labels are made to keep their writers'
stamps while they are filled; as every worker compares topics with the table, none starts before they are set back.
"""

import re
import time
from collections.abc import Collection

import structlog
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from monitor.errors import PulsewardenError, StoreUnreachable, TopicsDiffer
from monitor.growing.request import NotGrown, Request
from monitor.settings import Settings
from monitor.stream.reading import LogReader
from monitor.topics import check, connected, create, listing, wanted
from monitor.wearers.generation import parsed
from monitor.wearers.store import check as check_store
from monitor.wearers.store import open_store
from stream_schemas.topics import ALERTS, INPUTS, LABELS, REPORTS, alerts_topic

log = structlog.get_logger()

CARRIED = (*INPUTS, REPORTS, LABELS)
"""Topics whose records go over, with the stamps that they have."""
SET_WITHIN_S = 15.0
_STAMPS, _WRITERS = "message.timestamp.type", "CreateTime"
_AFTER, _ANY_MS = "message.timestamp.after.max.ms", str(2**63 - 1)


def require_old(old: Settings) -> None:
    """Refuse topics that are missing or of another count.

    Raises
    ------
    BrokerUnreachable, TopicsDiffer
        If there is no Kafka, or they are.
    """
    if any(row.partitions != old.stream.partitions for row in listing(old)):
        raise TopicsDiffer(check(old)[0])
    prefix = old.kafka.topic_prefix
    known = {f"{prefix}{alerts_topic(team)}" for team in old.teams}
    of_teams = re.compile(re.escape(f"{prefix}{ALERTS}").replace(re.escape("<team>"), "([a-z0-9-]{1,40})"))
    with connected(old) as admin:
        others = sorted(
            found[1] for name in admin.list_topics() if name not in known and (found := of_teams.fullmatch(name))
        )
    if others:
        raise NotGrown(
            f"The log has alerts of a team that PULSEWARDEN_TEAMS does not name ({others[0]}), which would be left "
            "behind: name every team, or delete that topic if nobody needs it."
        )


async def require_room(request: Request, reader: LogReader) -> None:
    """Refuse new topics that hold or held anything, or are of another count, and a place with checkpoints.

    Raises
    ------
    NotGrown
        If there is anything.
    StoreUnreachable
        If the place cannot be written and read.
    """
    new = request.new
    found = [row for row in listing(new) if row.partitions is not None]
    if odd := [row for row in found if row.partitions != new.stream.partitions]:
        raise NotGrown(
            f"Topic {odd[0].name} exists and has {odd[0].partitions} partitions, not {new.stream.partitions}: delete "
            "it if nobody needs it, or name another --prefix."
        )
    ends = await reader.ends([(row.name, p) for row in found for p in range(new.stream.partitions)])
    if used := sorted(name for (name, _), end in ends.items() if end):
        raise NotGrown(
            f"Topic {used[0]} exists and is not new, it holds or held records: delete the topics of that prefix if "
            "nobody needs them, or name another --prefix."
        )
    store = open_store(new.checkpoint_place)
    check_store(store)
    try:
        kept = any(parsed(name) for folder in store.folders() if folder.isdigit() for name in store.list(folder))
    except OSError as error:
        raise StoreUnreachable(
            f"{store.place} cannot be read ({error.strerror or error}): make it readable, or name another place."
        ) from error
    if kept:
        raise NotGrown(
            f"{store.place} holds checkpoints already: remove them if nobody needs them, or name another place with "
            "--checkpoints."
        )


def open_log(request: Request) -> None:
    """Create the topics that are missing, and let those that are carried over keep old stamps."""
    create(request.new, alter=True)
    _set({f"{request.new.kafka.topic_prefix}{topic}" for topic in CARRIED}, request.new)


def discard(request: Request) -> None:
    """Delete topics and checkpoints of a new log that was not finished; it held nothing when it began."""
    new = request.new
    try:
        there = [row.name for row in listing(new) if row.partitions is not None]
        with connected(new) as admin:
            admin.delete_topics(there)
        store = open_store(new.checkpoint_place)
        for folder in filter(str.isdigit, store.folders()):
            for name in store.list(folder):
                store.delete(f"{folder}/{name}")
    except (PulsewardenError, KafkaError, OSError) as failure:
        log.warning(
            "the unfinished new log is still there: delete its topics and checkpoints, or name another --prefix",
            prefix=new.kafka.topic_prefix,
            why=str(failure) or type(failure).__name__,
        )
    else:
        log.warning("the unfinished new log was deleted", prefix=new.kafka.topic_prefix)


def finish(request: Request) -> None:
    """Set the topics as the table wants them: from now on workers start."""
    carried = {f"{request.new.kafka.topic_prefix}{topic}" for topic in CARRIED}
    default = {_AFTER: ("DELETE", None)}
    with connected(request.new) as admin:
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, row.name, configs=default)
                for row in wanted(request.new)
                if row.name in carried and _AFTER not in row.config
            ]
        )
    create(request.new, alter=True)


def _set(names: Collection[str], new: Settings) -> None:
    deadline = time.monotonic() + SET_WITHIN_S
    with connected(new) as admin:
        configs = {_STAMPS: _WRITERS, _AFTER: _ANY_MS}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=configs) for name in names])
    while any(row.config[_STAMPS] != _WRITERS for row in listing(new) if row.name in names):
        if time.monotonic() > deadline:
            raise TopicsDiffer(f"Kafka does not take {_STAMPS} of the topics {new.kafka.topic_prefix}*: see its log.")
        time.sleep(0.1)
