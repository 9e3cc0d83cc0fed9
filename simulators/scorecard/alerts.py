"""Alarms from alerts as they go to the teams."""

from collections.abc import Iterable

from simulators.errors import OptionRefused
from simulators.scorecard.record import Alarm
from stream_schemas import rfc3339
from stream_schemas.alert import Alert


def alarms(alerts: Iterable[Alert]) -> list[Alarm]:
    """Return one alarm for each alert id, raised when its first version says so.

    Raises
    ------
    OptionRefused
        If an alert has a time that is none.
    """
    first: dict[tuple[str, str], Alert] = {}
    for alert in alerts:
        known = first.get(key := (alert.wearer_id, alert.alert_id))
        if known is None or alert.version < known.version:
            first[key] = alert
    return [Alarm(one.wearer_id, one.rule, _minute(one)) for one in first.values()]


def _minute(alert: Alert) -> int:
    at_ms = rfc3339.epoch_ms(alert.raised_at)
    if at_ms is None:
        raise OptionRefused(f"Alert {alert.alert_id} was raised at {alert.raised_at!r}, which is no time.")
    return at_ms // 60_000
