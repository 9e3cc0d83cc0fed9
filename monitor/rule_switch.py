"""`python -m monitor rules switch FILE`: other limits from now on, for every worker, as part of the log."""

import hashlib
from pathlib import Path

from monitor.alerting.limits import Limits
from monitor.alerting.rule_book import read_rules
from monitor.clock import SystemClock
from monitor.errors import PulsewardenError
from monitor.settings import Settings
from monitor.sinks.control import publish
from monitor.topics import require
from stream_schemas.control import Control
from stream_schemas.rfc3339 import text as rfc3339


class RulesWrong(PulsewardenError):
    """A rule file that no worker would accept."""


def switch(settings: Settings, file: Path) -> tuple[Limits, int]:
    """Publish a rule file; return the limits that it means and how many partitions were told.

    Raises
    ------
    RulesWrong
        If the file cannot be read, or is not what `monitor.alerting.rule_book.read_rules` takes.
    TopicsDiffer
        If the topics are not as the table says.
    """
    try:
        content = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise RulesWrong(f"The rule file {file} cannot be read ({error}): name a TOML file.") from error
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    control = Control(kind="rules", content=content, sha256=sha256, at=rfc3339(SystemClock().now_ms()))
    limits = read_rules(control)
    if isinstance(limits, str):
        raise RulesWrong(f"The rule file {file} is wrong: {limits}; `python -m monitor rules show` lists all limits.")
    require(settings)
    return limits, publish(settings, control)


def changed(limits: Limits) -> list[str]:
    """Say which limits differ from the packaged ones, one line each."""
    packaged = Limits()
    return [
        f"{name} = {value} (packaged: {getattr(packaged, name)})"
        for name, value in limits.model_dump().items()
        if value != getattr(packaged, name)
    ]
