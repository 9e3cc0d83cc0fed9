"""`python -m monitor rules switch FILE`: other limits from now on, for every worker, as part of the log."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.alerting.limits import Limits
from monitor.alerting.rule_book import read_rules
from monitor.clock import SystemClock
from monitor.errors import PulsewardenError
from monitor.rules_in_force import InForce, changed, rules_in_force, written
from monitor.settings import Settings
from monitor.sinks.control import publish
from monitor.topics import require
from stream_schemas.control import Control
from stream_schemas.rfc3339 import text as rfc3339


class RulesWrong(PulsewardenError):
    """A rule file that no worker would accept."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch does.

    Attributes
    ----------
    changes : sequence of str
        One line for each limit that changes, from what to what; empty if the file changes nothing.
    partitions : int
        How many were told; 0 if the file changes nothing.
    """

    changes: list[str]
    partitions: int


def switch(settings: Settings, file: Path, *, replace: bool = False) -> Switched:
    """Publish a rule file, unless it changes nothing in any partition.

    Parameters
    ----------
    settings : Settings
    file : Path
        TOML, a line for each limit to change.
    replace : bool
        Whether limits that the file does not name go back to the packaged ones.

    Raises
    ------
    RulesWrong
        If the file cannot be read, or is not what `monitor.alerting.rule_book.read_rules` takes.
    TopicsDiffer
        If the topics are not as the table says.
    BrokerUnreachable
        If Kafka does not answer, or has not taken the switch for all partitions.
    """
    try:
        content = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise RulesWrong(f"The rule file {file} cannot be read ({error}): name a TOML file.") from error
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    now = rfc3339(SystemClock().now_ms())
    control = Control(kind="rules", content=content, sha256=sha256, replace=replace, at=now)
    _accepted(file, control, Limits(), "")
    require(settings)
    found = rules_in_force(settings)
    after = {p: _accepted(file, control, one.limits, f" in partition {p}") for p, one in found.items()}
    changes = _changes(found, after)
    return Switched(changes, publish(settings, control) if changes else 0)


def _accepted(file: Path, control: Control, base: Limits, where: str) -> Limits:
    limits = read_rules(control, base)
    if isinstance(limits, str):
        mend = "" if limits.endswith("?") else ";"
        raise RulesWrong(
            f"The rule file {file} is wrong{where}: {limits.rstrip('.')}{mend} `python -m monitor rules show` lists "
            "all limits."
        )
    return limits


def _changes(found: Mapping[int, InForce], after: Mapping[int, Limits]) -> list[str]:
    """Say which limits change from what to what; where only some partitions change so, say which."""
    packaged = Limits()
    where: dict[str, list[int]] = {}
    for partition, limits in after.items():
        before = found[partition].limits
        for name in changed(before, limits):
            old, new = written(getattr(before, name)), written(getattr(limits, name))
            line = f"{name}: {old} -> {new} (packaged: {written(getattr(packaged, name))})"
            where.setdefault(line, []).append(partition)
    return [
        line if len(partitions) == len(found) else f"{line} in partitions {', '.join(map(str, partitions))}"
        for line, partitions in where.items()
    ]
