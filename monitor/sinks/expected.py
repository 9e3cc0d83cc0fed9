"""What Redis should hold after some records of the alert topics: the rule of `projection.lua` in plain words.

Other code than what writes, so that a fault in one of the two shows as a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.sinks.redis_projection import KEEP_MS, Alert, Row, read_alert


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of an alert, and the record that it stands in."""

    alert: Alert
    document: bytes
    stamp_ms: int

    @property
    def open(self) -> bool:
        """Whether somebody has still to see to it."""
        return self.alert.workflow != "closed"

    @property
    def gone_at_ms(self) -> int | None:
        """When Redis may forget it, epoch milliseconds; None while it is open."""
        return None if self.open else self.stamp_ms + KEEP_MS


@dataclass(slots=True)
class Expected:
    """One team's alerts as the topic has them.

    Attributes
    ----------
    alerts : alert id -> its newest version; of two records of the same version the first counts.
    offsets : partition -> offset after the last record.
    """

    alerts: dict[str, Newest] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)

    def take(self, partition: int, rows: Sequence[Row]) -> set[str]:
        """Take the next records of a partition, and return the ids of the alerts that they changed."""
        changed = set()
        for after, stamp_ms, value in rows:
            self.offsets[partition] = after
            alert = read_alert(value)
            if alert is None or value is None:
                continue
            known = self.alerts.get(alert.alert_id)
            if known is None or alert.version > known.alert.version:
                self.alerts[alert.alert_id] = Newest(alert, value, stamp_ms)
                changed.add(alert.alert_id)
        return changed
