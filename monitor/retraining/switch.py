"""Tell every worker to score with another model: one record in every partition of ``control.v1``.

A partition's log is complete only if the switch is in it: a replay must find the model that was in use.
"""

from dataclasses import dataclass
from pathlib import Path

from monitor.clock import Clock, SystemClock
from monitor.settings import Settings
from monitor.sinks.control import publish as publish_control
from stream_schemas.control import Control
from stream_schemas.rfc3339 import text as rfc3339


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model in the registry: its folder, version (12 hex digits) and sha256."""

    folder: Path
    version: str
    sha256: str


def publish(settings: Settings, bundle: Bundle, clock: Clock | None = None) -> int:
    """Publish the switch and return when every partition has acknowledged it.

    Returns
    -------
    int
        The number of partitions told.
    """
    at_ms = (clock or SystemClock()).now_ms()
    control = Control(
        kind="model_switch",
        model_version=bundle.version,
        sha256=bundle.sha256,
        bundle_url=bundle.folder.resolve().as_uri(),
        at=rfc3339(at_ms),
    )
    return publish_control(settings, control)
