"""Numbers as people say them: values against limits, durations, states."""

from datetime import UTC, datetime

from monitor.console.frame import AlertLine

_NAMES = {
    "heart_rate": "HR",
    "heat_index": "heat",
    "risk_probability": "risk",
    "silence": "silent",
}
_UNITS_IN_NAMES = ("_bpm", "_mmhg", "_c", "_s", "_min", "_pct", "_celsius")
_UNITS = {"Cel": "°C", "1": "", "": ""}
"""Units of the wire (UCUM) as people write them; others are written as they are."""
_SIGNS = {">=": "≥", "<=": "≤", "==": "="}
_SECOND_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def duration(seconds: float) -> str:
    """Return a length of time with the two units that matter.

    >>> duration(42), duration(190), duration(7500), duration(200000)
    ('42 s', '3 min', '2 h 05', '2 d 7 h')
    """
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d}"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def moment(epoch_ms: int) -> str:
    """Return a point in time, UTC.

    >>> moment(0)
    'Thu 1970-01-01 00:00:00 UTC'
    """
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")


def count(number: float | None) -> str:
    """Return a number with thousands apart; a question mark for what is not known.

    >>> count(1234567), count(None), count(0.25)
    ('1,234,567', '?', '0.2')
    """
    if number is None:
        return "?"
    return f"{number:,.1f}" if 0 < number < 10 and number != int(number) else f"{round(number):,}"


def many(number: int, word: str) -> str:
    """Return a count and its word.

    >>> many(1, "partition"), many(3, "partition")
    ('1 partition', '3 partitions')
    """
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def name(wearer_id: str, width: int) -> str:
    """Return an id that fits: where something must go, the middle goes, because ids differ at their ends.

    >>> name("w-00017", 9), name("ward-7-bed-00017", 9)
    ('w-00017', 'wa…-00017')
    """
    if len(wearer_id) <= width:
        return wearer_id
    return f"{wearer_id[:2]}…{wearer_id[-(width - 3) :]}"


def against_limit(alert: AlertLine) -> str:
    """Return what was measured against what it broke, or the rule's own sentence where there is no number."""
    if alert.value is None:
        return alert.text
    if alert.unit in _SECOND_UNITS:
        scale = _SECOND_UNITS[alert.unit]
        value = duration(alert.value * scale)
        limit = None if alert.limit is None else duration(alert.limit * scale)
        unit = ""
    else:
        value = f"{alert.value:.4g}"
        limit = None if alert.limit is None else f"{alert.limit:.4g}"
        unit = f" {_UNITS.get(alert.unit, alert.unit)}"
    sign = _SIGNS.get(alert.op, alert.op)
    return f"{_metric(alert.metric)} {value}" + ("" if limit is None else f" {sign} {limit}") + unit.rstrip()


def _metric(metric: str) -> str:
    for unit in _UNITS_IN_NAMES:
        metric = metric.removesuffix(unit)
    return _NAMES.get(metric, metric.replace("_", " "))


def state(alert: AlertLine) -> str:
    """Return where an alert stands, in at most two short words; what nobody has seen is in capitals."""
    condition = {"clearing": "easing", "unknown": "no data", "absent": "passed"}.get(alert.condition, "")
    if alert.unverified and not condition:
        condition = "unconf."
    word = {"unacked": "NEW", "acked": "seen"}.get(alert.workflow, alert.workflow)
    if alert.escalation_level:
        word = f"{word} L{alert.escalation_level}"
    return f"{word}, {condition}" if condition else word
