"""Which log is to become which: the settings of both, and why one cannot become the other."""

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from monitor.errors import PulsewardenError
from monitor.settings import CheckpointSettings, KafkaSettings, Settings, StreamSettings
from monitor.wearers.store import said

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class NotGrown(PulsewardenError):
    """The log cannot be carried over, or not now."""


class NewLogShared(NotGrown):
    """Somebody else writes to the new log: it is not ours to delete."""


@dataclass(frozen=True, slots=True)
class Request:
    """One log, and the one that it is carried over to.

    Attributes
    ----------
    old, new : the settings of the workers of each; they differ in topic prefix, partitions and place of checkpoints.
    """

    old: Settings
    new: Settings

    def partitions_behind(self, partition: int) -> range:
        """Return the new partitions that an old one becomes.

        murmur2 is taken modulo the number of partitions, and the new number is a multiple of the old one: every wearer
        of a new partition was in the same old one.
        """
        return range(partition, self.new.stream.partitions, self.old.stream.partitions)


def request(settings: Settings, *, to: int, prefix: str, place: str | None = None) -> Request:
    """Say what is to be done.

    Parameters
    ----------
    settings : Settings
        Those of the log that there is.
    to : int
        Partitions of the new one.
    prefix : str
        Topic prefix of the new one.
    place : str, optional
        For its checkpoints; by default the old place's name with the prefix behind it.

    Raises
    ------
    NotGrown
        If the new log cannot be had like this.
    """
    old = settings.stream.partitions
    if to <= old or to % old:
        raise NotGrown(
            f"--to {to} is no larger multiple of the {old} partitions that the log has: name {2 * old} or {3 * old}, "
            "for example, so that each new partition takes its wearers from one old one."
        )
    if prefix == settings.kafka.topic_prefix:
        raise NotGrown(f"--prefix {prefix} is the prefix of the log that there is: name another one.")
    try:
        kafka = KafkaSettings(**{**settings.kafka.model_dump(), "topic_prefix": prefix})
        stream = StreamSettings(**{**settings.stream.model_dump(), "partitions": to})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if first["loc"][0] == "topic_prefix":
            raise NotGrown(
                f"--prefix {prefix} is no beginning of a topic's name: use letters, digits, dots, - and _, at most 64."
            ) from error
        raise NotGrown(f"The new log's {first['loc'][0]} cannot be like this ({first['msg']}): correct it.") from error
    beside = place or _beside(settings.checkpoint_place, prefix)
    if beside == settings.checkpoint_place:
        raise NotGrown(f"--checkpoints {said(beside)} is the place of the log that there is: name another one.")
    checkpoint = CheckpointSettings(**{**settings.checkpoint.model_dump(), "place": beside})
    return Request(settings, settings.model_copy(update={"kafka": kafka, "stream": stream, "checkpoint": checkpoint}))


def _beside(place: str, prefix: str) -> str:
    """Name a place beside the old one: checkpoints of two numbers of partitions must not lie together.

    >>> _beside("state/checkpoints", "big.")
    'state/checkpoints-big'
    >>> _beside("s3://bucket/pulse?scheme=http", "big.")
    's3://bucket/pulse-big?scheme=http'
    """
    name = prefix.strip(".-_") or "unprefixed"
    if not _URL.match(place):
        return str(Path(place).with_name(f"{Path(place).name}-{name}"))
    path, mark, options = place.partition("?")
    return f"{path.rstrip('/')}-{name}{mark}{options}"
