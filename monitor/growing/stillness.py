"""Nobody may work on the old log while it is carried over: what came later would be in the one and not in the other."""

import asyncio
import time
from collections.abc import Mapping

from monitor.group_members import members
from monitor.growing.request import NotGrown
from monitor.settings import Settings
from monitor.stream.reading import LogReader
from monitor.verifying.spans import Looked
from stream_schemas.topics import CUTS, INPUTS

_MORE_S = 2.0
_POLL_S = 0.5
_QUIET_S = 1.5
AGAIN = "then grow again"


def require_nobody(old: Settings) -> None:
    """Refuse while workers are in the group; one that has died stays in it until its session ends: wait for that.

    Raises
    ------
    NotGrown
        If one is still there then.
    BrokerUnreachable
        If no Kafka answers.
    """
    deadline = time.monotonic() + old.stream.session_timeout_s + _MORE_S
    while found := sorted(f"{one.name} on {one.host}" for one in members(old)):
        if time.monotonic() > deadline:
            raise NotGrown(
                f"Workers are at work on the log ({', '.join(found[:3])}): end them with `python -m monitor drain` on "
                "each machine, and stop publishers, then grow."
            )
        time.sleep(_POLL_S)


async def require_quiet(reader: LogReader, old: Settings) -> None:
    """Refuse if records come into the log just now, before anything is made.

    Raises
    ------
    NotGrown
        If they do.
    """
    tps = [(old.kafka.topic_prefix + topic, p) for topic in INPUTS for p in range(old.stream.partitions)]
    before = await reader.ends(tps)
    await asyncio.sleep(_QUIET_S)
    after = await reader.ends(tps)
    if moving := sorted({topic for topic, p in tps if after[topic, p] != before[topic, p]}):
        raise NotGrown(f"Records still come into {moving[0]}: stop who publishes to the old log, {AGAIN}.")


async def require_still(
    reader: LogReader, old: Settings, looked: Mapping[int, Looked], reached: Mapping[tuple[str, int], int]
) -> None:
    """Refuse if anything was cut or published since it was read.

    Raises
    ------
    NotGrown
        If something was.
    """
    prefix = old.kafka.topic_prefix
    cuts = {(prefix + CUTS, p): one.end for p, one in looked.items()}
    read = {(prefix + topic, p): at for (topic, p), at in reached.items()}
    ends = await reader.ends([*cuts, *read])
    if moved := sorted(p for (topic, p), at in cuts.items() if ends[topic, p] != at):
        raise NotGrown(
            f"A worker has claimed or cut partition {moved[0]} of the log meanwhile: end it with `python -m monitor "
            f"drain`, {AGAIN}."
        )
    if late := sorted(topic for (topic, p), at in read.items() if ends[topic, p] > at):
        raise NotGrown(f"Records still come into {late[0]}: stop who publishes to the old log, {AGAIN}.")
