"""Alarms from the versions of alerts."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from simulators.errors import OptionRefused
from simulators.scorecard.record import Alarm
from stream_schemas import rfc3339
from stream_schemas.alert import Alert

GONE, HERE = "absent", "present"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an alert; `raised` is when the alert was raised, `told` when this version was; epoch minutes."""

    wearer: str
    alert_id: str
    version: int
    rule: str
    condition: str
    raised: int
    told: int


def alarms(versions: Iterable[Version]) -> list[Alarm]:
    """Return when the teams were called: at the first version of each alert, and whenever its condition came back.

    An alert that nobody acknowledges stays open when its condition is gone; the next time it is the same alert again,
    and all the same a new call. Back from unknown is none: the data was away, not the condition.
    """
    of_alert: dict[tuple[str, str], dict[int, Version]] = defaultdict(dict)
    for one in versions:
        of_alert[one.wearer, one.alert_id].setdefault(one.version, one)
    out = []
    for told in of_alert.values():
        in_order = [told[number] for number in sorted(told)]
        first = in_order[0]
        out.append(Alarm(first.wearer, first.rule, first.raised))
        out += [
            Alarm(later.wearer, later.rule, later.told)
            for before, later in pairwise(in_order)
            if before.condition == GONE and later.condition == HERE
        ]
    return out


def version(alert: Alert) -> Version:
    """Read an alert as it goes to the teams.

    Raises
    ------
    OptionRefused
        If it has a time that is none.
    """
    raised, told = _minute(alert, alert.raised_at), _minute(alert, alert.updated_at)
    return Version(alert.wearer_id, alert.alert_id, alert.version, alert.rule, alert.condition, raised, told)


def _minute(alert: Alert, text: str) -> int:
    at_ms = rfc3339.epoch_ms(text)
    if at_ms is None:
        raise OptionRefused(f"Alert {alert.alert_id} has the time {text!r}, which is none.")
    return at_ms // 60_000
