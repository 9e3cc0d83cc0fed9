"""The limits in force in every partition of a log, since when and by whom, read from control.v1."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from monitor.alerting.limits import Limits
from monitor.alerting.rule_book import read_rules
from monitor.settings import Settings
from monitor.sinks.log_tail import Found, read_tail
from stream_schemas.codec import decode_value, encode, topic_of
from stream_schemas.control import Control
from stream_schemas.event import Event
from stream_schemas.rfc3339 import text as rfc3339
from stream_schemas.topics import CONTROL

_read = msgspec.json.Decoder(Control).decode


@dataclass(frozen=True, slots=True)
class Since:
    """Who gave a limit the value that it has, and when the broker wrote that down."""

    stamp_ms: int
    origin: str

    def __str__(self) -> str:
        """Say it in words."""
        who = "the workers' settings" if self.origin == "settings" else "an operator"
        return f"since {rfc3339(self.stamp_ms)} by {who}"


@dataclass(frozen=True, slots=True)
class InForce:
    """The limits of one partition after all switches in its log.

    Attributes
    ----------
    limits : Limits
    since : mapping of str to Since
        For each limit that a switch changed, the last one that did.
    """

    limits: Limits
    since: Mapping[str, Since]


def rules_in_force(settings: Settings) -> dict[int, InForce]:
    """Return the limits of every partition; those that no switch has changed are the settings'.

    Raises
    ------
    BrokerUnreachable
        If no Kafka answers.
    TopicsDiffer
        If there is no control.v1.
    """
    return {partition: after(settings.limits, records) for partition, records in read_tail(settings, CONTROL).items()}


def after(base: Limits, records: Iterable[Found]) -> InForce:
    """Return the limits after the switches among these records; those that a worker refuses change nothing."""
    in_force = base
    since: dict[str, Since] = {}
    for record in records:
        event = None if record.value is None else decode_value(topic_of(CONTROL), record.value)
        if not isinstance(event, Event):
            continue
        control = _read(encode(event))
        limits = read_rules(control, in_force) if control.kind == "rules" else in_force
        if isinstance(limits, Limits):
            since.update(dict.fromkeys(changed(in_force, limits), Since(record.stamp_ms, control.origin)))
            in_force = limits
    return InForce(in_force, since)


def changed(before: Limits, limits: Limits) -> list[str]:
    """Return the names of the limits that are not what they were."""
    old = before.model_dump()
    return [name for name, value in limits.model_dump().items() if value != old[name]]


def differing(found: Mapping[int, InForce]) -> list[str]:
    """Return a sentence for each limit that is not the same in all partitions."""
    sentences = []
    for name in Limits.model_fields:
        partitions: dict[object, list[str]] = {}
        for partition, one in found.items():
            partitions.setdefault(getattr(one.limits, name), []).append(str(partition))
        if len(partitions) > 1:
            parts = "; ".join(f"{written(value)} in {', '.join(those)}" for value, those in partitions.items())
            sentences.append(f"{name} differs between partitions: {parts}.")
    return sentences


def written(value: object) -> str:
    """Return a limit as a rule file writes it.

    >>> written(True), written(120), written(39.4)
    ('true', '120', '39.4')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def lines(settings: Settings) -> tuple[list[str], bool]:
    """Return what `rules show` prints, a rule file with remarks, and whether all partitions agree.

    Raises
    ------
    BrokerUnreachable, TopicsDiffer
        See `rules_in_force`.
    """
    found = rules_in_force(settings)
    first, packaged = next(iter(found.values())), Limits()
    odd = differing(found)
    shown = [f"# {sentence}" for sentence in odd]
    for name, value in first.limits.model_dump().items():
        remarks = []
        if value != getattr(packaged, name):
            remarks.append(f"packaged: {written(getattr(packaged, name))}")
        if name in first.since:
            remarks.append(str(first.since[name]))
        elif remarks:
            remarks.append("of the settings here")
        shown.append(f"{name} = {written(value)}" + (f"  # {'; '.join(remarks)}" if remarks else ""))
    return shown, not odd


def packaged_lines() -> list[str]:
    """Return the packaged limits as a rule file, each with its source."""
    return [f"{name} = {written(field.default)}  # {field.description}" for name, field in Limits.model_fields.items()]
