"""Whether Redis holds what the alert topics say: all but what has a right to differ.

A closed alert may be gone from the 7th day on. An open one that the topic no longer holds is kept where the log's start
has moved: retention took its records, nobody closed it. The stream and the channel are events, not content: those who
read the stream may trim it, and its order is that of the application.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.sinks.expected import Expected, Newest
from monitor.sinks.redis_projection import GRACE_MS, score
from monitor.sinks.stored import Stored
from stream_schemas.partition import murmur2_partition

EXPIRY_SLACK_MS = GRACE_MS
_ALERT_FIELDS = ("condition", "workflow", "priority", "wearer_id")


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing in which Redis is not as the topic; says nothing of the wearer.

    Attributes
    ----------
    team, name : what it is about: an alert's id, `active`, `offsets`.
    what : how it differs, a few words.
    """

    team: str
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.team} {self.name}: {self.what}"


def kept(stored: Stored, expected: Expected, starts: dict[int, int], partitions: int) -> set[str]:
    """Return ids of open alerts that Redis alone still has, because the topic's retention took their records."""
    old = set()
    for alert_id in stored.active.keys() - expected.alerts.keys():
        fields = stored.hashes.get(alert_id)
        if fields is None or fields.get("workflow") == "closed" or "wearer_id" not in fields:
            continue
        if starts.get(murmur2_partition(fields["wearer_id"].encode(), partitions), 0) > 0:
            old.add(alert_id)
    return old


def differences(team: str, stored: Stored, expected: Expected, old: set[str], now_ms: int) -> Iterator[Difference]:
    """Yield every difference.

    Parameters
    ----------
    stored, expected : of the same offsets.
    old : ids that Redis has a right to hold alone; see `kept`.
    now_ms : when *stored* was read, epoch milliseconds.
    """
    for alert_id in stored.hashes.keys() - expected.alerts.keys() - old:
        yield Difference(team, f"alert {alert_id}", "Redis holds it, the topic does not")
    for alert_id, newest in expected.alerts.items():
        what = _of_alert(alert_id, newest, stored, now_ms)
        if what is not None:
            yield Difference(team, f"alert {alert_id}", what)
    yield from _of_active(team, stored, expected, old)
    yield from _of_wearers(team, stored, expected, old)


def _of_alert(alert_id: str, newest: Newest, stored: Stored, now_ms: int) -> str | None:
    gone_at_ms = newest.gone_at_ms
    if alert_id not in stored.hashes:
        may_be_gone = gone_at_ms is not None and gone_at_ms <= now_ms + EXPIRY_SLACK_MS
        return None if may_be_gone else f"Redis lacks it, the topic has version {newest.alert.version}"
    fields = stored.hashes[alert_id]
    if fields is None:
        return "its key is no hash"
    if fields.get("version") != str(newest.alert.version):
        return f"Redis has version {fields.get('version')}, the topic has version {newest.alert.version}"
    wanted = {name: getattr(newest.alert, name) for name in _ALERT_FIELDS}
    if fields.get("doc") != newest.document.decode() or any(fields.get(name) != wanted[name] for name in wanted):
        return f"version {newest.alert.version} has another content in Redis"
    expire_at_ms = stored.expire_at_ms[alert_id]
    if gone_at_ms is None:
        return "Redis forgets it although it is open" if expire_at_ms != -1 else None
    if gone_at_ms > now_ms + EXPIRY_SLACK_MS and expire_at_ms != gone_at_ms:
        return "it is closed, and Redis forgets it at another time than 7 days later"
    return "it is closed, and Redis never forgets it" if expire_at_ms == -1 else None


def _of_active(team: str, stored: Stored, expected: Expected, old: set[str]) -> Iterator[Difference]:
    wanted = {one: float(score(newest.alert)) for one, newest in expected.alerts.items() if newest.open}
    for alert_id in sorted(wanted.keys() - stored.active.keys()):
        yield Difference(team, f"alert {alert_id}", "it is open, and `active` lacks it")
    for alert_id in sorted(stored.active.keys() - wanted.keys() - old):
        yield Difference(team, f"alert {alert_id}", "`active` has it, but it is not open")
    for alert_id in sorted(wanted.keys() & stored.active.keys()):
        if wanted[alert_id] != stored.active[alert_id]:
            yield Difference(team, f"alert {alert_id}", "it stands at another place in `active`")


def _of_wearers(team: str, stored: Stored, expected: Expected, old: set[str]) -> Iterator[Difference]:
    wanted: dict[str, set[str]] = {}
    for alert_id, newest in expected.alerts.items():
        if newest.open:
            wanted.setdefault(newest.alert.wearer_id, set()).add(alert_id)
    for wearer, members in stored.wearers.items():
        if members is None:
            yield Difference(team, "the set of a wearer", "its key is no set")
            continue
        for alert_id in sorted(members - wanted.get(wearer, set()) - old):
            yield Difference(team, f"alert {alert_id}", "the set of a wearer has it, but it is not open")
    for wearer, members in wanted.items():
        for alert_id in sorted(members - (stored.wearers.get(wearer) or set())):
            yield Difference(team, f"alert {alert_id}", "it is open, and the set of its wearer lacks it")
