"""What the command lines accept, read into plain values; a wrong one is refused with one sentence."""

import os
import re

from simulators import running
from simulators.errors import OptionRefused
from stream_schemas import rfc3339
from stream_schemas.wearer import TEAM

LOG_START = "2026-01-05T00:00:00Z"  # where runs on the log clock begin unless told otherwise
MINUTE_MS = 60_000
_UNIT_S = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|min|h|d|)")
_TEAM = re.compile(TEAM.strip("^$"))


def duration_min(text: str) -> int:
    """Read ``90s``, ``15m``, ``2h``, ``3d`` or plain seconds as whole minutes, rounded up."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNIT_S[match[2]] if match else 0.0
    if seconds <= 0:
        raise OptionRefused(f"--duration {text!r} is no duration: use for example 90s, 15m, 2h or 3d.")
    return max(int(-(-seconds // 60)), 1)


def start_min(text: str) -> int:
    """Read an RFC 3339 time as the epoch minute it lies in."""
    at_ms = rfc3339.epoch_ms(text)
    if at_ms is None or at_ms < 40 * 86_400_000:
        raise OptionRefused(f"--start {text!r} is no time: use RFC 3339 with an offset, as in {LOG_START}.")
    return at_ms // MINUTE_MS


def teams(text: str | None) -> tuple[str, ...]:
    """Read comma-separated team names, by default those of PULSEWARDEN_TEAMS, else north and south."""
    chosen = tuple(name.strip() for name in (text or os.environ.get("PULSEWARDEN_TEAMS") or "north,south").split(","))
    for name in chosen:
        if not _TEAM.fullmatch(name):
            raise OptionRefused(f"Team {name!r} is no team name: use lower-case letters, digits and hyphens.")
    return chosen


def bootstrap_servers(text: str | None) -> str:
    """Return where Kafka is: the option, else the variable, else a running `monitor up`'s, else the usual port here."""
    return text or os.environ.get(running.KAFKA) or running.bootstrap_servers() or "127.0.0.1:9092"


def topic_prefix(text: str | None) -> str:
    """Return what is put before topic names: the option, else PULSEWARDEN_KAFKA__TOPIC_PREFIX, else nothing."""
    return text if text is not None else os.environ.get("PULSEWARDEN_KAFKA__TOPIC_PREFIX", "")


def share(name: str, value: float | None) -> float | None:
    """Check a share between 0 and 1."""
    if value is not None and not 0 <= value <= 1:
        raise OptionRefused(f"{name} {value} must lie between 0 and 1.")
    return value


def at_least(name: str, value: float | None, low: float) -> float | None:
    """Check a number against its least value."""
    if value is not None and not value >= low:
        raise OptionRefused(f"{name} {value} must be at least {low:g}.")
    return value
