"""The slow, obvious twin of policy and board: a dictionary for each alert, and the table of docs/rules.md as ifs."""

import hashlib
from typing import Any

from stream_schemas.rfc3339 import text as rfc3339

RULES = (
    "HR_HIGH_REST",
    "HR_LOW",
    "BP_SEVERE",
    "BP_LOW",
    "HEAT_LOAD",
    "RISK_MODEL",
    "NO_DATA",
    "NEWS2_PARTS",
    "NIGHT_SIGNAL",
    "PERSONAL_CUSUM",
    "AF_BURDEN",
    "BP_TREND",
    "TREND_DEV",
    "POOR_RECOVERY",
    "SLEEP_DEBT",
    "SUB_HEALTH",
)
PRIORITIES = ("technical", "low", "medium", "high")  # from mild to urgent
MINUTE_MS = 60_000

Found = dict[str, Any]
"""What a rule found: the fields of `monitor.alerting.finding.Finding`, with `priority` as a word, and `device_id`."""


def found(rule: str, **what: Any) -> Found:
    """Return a finding with the defaults that a finding has."""
    return {
        "rule": rule,
        "raised": False,
        "cleared": False,
        "off_delay_ms": 0,
        "unverified": False,
        "late": False,
        "missing": [],
        "quality": None,
        "device_id": None,
        **what,
    }


class SlowBoard:
    """All alerts of one wearer: open ones, and those that a human closed while they were present."""

    def __init__(self, wearer: str, team: str = "north") -> None:
        self.wearer, self.team = wearer, team
        self.alerts: dict[str, dict[str, Any]] = {}
        self.over: dict[str, tuple[int, int]] = {}  # of each rule: first begin and last end of what is over, minutes
        self.told: list[dict[str, Any]] = []

    def find(self, finding: Found, stamp_ms: int) -> None:
        rule, minute = finding["rule"], finding["event_ms"] // MINUTE_MS
        alert = self.alerts.get(rule)
        if alert is None:
            began, ended = self.over.get(rule, (0, -1))
            if finding["raised"] and not began <= minute <= ended:
                if finding["start_ms"] // MINUTE_MS <= ended < minute:  # it begins after the one before it
                    finding = {**finding, "start_ms": finding["event_ms"]}
                self._begin(finding, stamp_ms)
            return
        if minute < alert["found"]["event_ms"] // MINUTE_MS:
            return  # older than what raised it: that was known to be so later
        if alert["workflow"] == "closed":  # by a human, while it was so
            if finding["cleared"]:
                self._end(rule, minute)
            elif finding["raised"] and urgency(finding) > urgency(alert["found"]):
                self._begin(finding, stamp_ms)
        elif finding["raised"]:
            self._still(alert, finding, stamp_ms)
        elif finding["cleared"] and alert["condition"] != "absent":
            self._clears(alert, finding, stamp_ms)
        elif alert["condition"] == "clearing":
            alert["condition"] = "present"

    def _begin(self, finding: Found, stamp_ms: int) -> None:
        rule = finding["rule"]
        name = hashlib.sha256(f"{self.wearer}|{rule}|{finding['start_ms']}".encode()).hexdigest()[:24]
        old = self.alerts.get(rule)
        version = old["version"] + 1 if old is not None and old["alert_id"] == name else 1
        self.alerts[rule] = {
            "alert_id": name,
            "team": self.team,
            "device_id": finding["device_id"],
            "found": finding,
            "condition": "present",
            "workflow": "unacked",
            "version": version,
            "worse_version": version,
            "stamp_ms": stamp_ms,
            "gone_minute": 0,
            "clear_since_ms": 0,
            "flap_count": 0,
            "escalation_level": 0,
            "actor": None,
            "verdict": None,
        }
        self._tell(self.alerts[rule])

    def _still(self, alert: dict[str, Any], finding: Found, stamp_ms: int) -> None:
        worse = urgency(finding) > urgency(alert["found"])
        was = alert["condition"]
        alert["condition"] = "present"
        if worse:
            alert["found"] = {**finding, "start_ms": alert["found"]["start_ms"]}
            alert["workflow"] = "unacked"
        if was == "absent":
            alert["flap_count"] += 1
            alert["workflow"] = "unacked"
        if worse or was in ("absent", "unknown"):
            alert["clear_since_ms"] = 0
            self._next(alert, stamp_ms, worse=worse)

    def _clears(self, alert: dict[str, Any], finding: Found, stamp_ms: int) -> None:
        if finding["off_delay_ms"]:
            if alert["condition"] != "clearing":
                alert["condition"], alert["clear_since_ms"] = "clearing", finding["event_ms"]
                return
            if finding["event_ms"] - alert["clear_since_ms"] < finding["off_delay_ms"]:
                return
        alert["condition"] = "absent"
        alert["gone_minute"] = finding["event_ms"] // MINUTE_MS
        if alert["workflow"] == "acked" or urgency(alert["found"]) < PRIORITIES.index("medium"):
            alert["workflow"] = "closed"
        self._next(alert, stamp_ms)

    def silence(self, stamp_ms: int) -> None:
        """No data from the sensor: nothing closes."""
        for rule in ("HR_HIGH_REST", "HR_LOW"):
            alert = self._open(rule)
            if alert is not None and alert["condition"] in ("present", "clearing"):
                alert["condition"], alert["clear_since_ms"] = "unknown", 0
                self._next(alert, stamp_ms)

    def escalate(self, rule: str, stamp_ms: int) -> None:
        alert = self._open(rule)
        if alert is not None and alert["condition"] == "present":
            alert["workflow"] = "unacked"
            alert["escalation_level"] += 1
            self._next(alert, stamp_ms, worse=True)

    def command(self, order: dict[str, Any], stamp_ms: int) -> None:
        """Carry out an acknowledgement or a close; others, and those of alerts that are not open, do nothing here."""
        for rule in RULES:
            alert = self._open(rule)
            if alert is None or alert["alert_id"] != order["alert_id"]:
                continue
            if order["action"] == "acknowledge":
                if alert["workflow"] == "acked" or order["seen_version"] < alert["worse_version"]:
                    return
                alert["workflow"] = "closed" if alert["condition"] == "absent" else "acked"
            elif order["action"] == "close":
                alert["workflow"] = "closed"
            else:
                return
            alert["actor"] = order["actor"]
            alert["verdict"] = order.get("verdict") or alert["verdict"]
            self._next(alert, stamp_ms)
            return

    def erase(self, stamp_ms: int) -> None:
        """Close all that is open, and forget the wearer."""
        for rule in RULES:
            alert = self._open(rule)
            if alert is not None:
                alert["workflow"], alert["actor"] = "closed", "erasure"
                self._next(alert, stamp_ms)
        self.alerts, self.over = {}, {}

    def _open(self, rule: str) -> dict[str, Any] | None:
        alert = self.alerts.get(rule)
        return None if alert is None or alert["workflow"] == "closed" else alert

    def _next(self, alert: dict[str, Any], stamp_ms: int, *, worse: bool = False) -> None:
        alert["version"] += 1
        alert["stamp_ms"] = stamp_ms
        if worse:
            alert["worse_version"] = alert["version"]
        self._tell(alert)
        if alert["condition"] == "absent" and alert["workflow"] == "closed":
            self._end(alert["found"]["rule"], alert["gone_minute"])

    def _end(self, rule: str, minute: int) -> None:
        begin = self.alerts.pop(rule)["found"]["start_ms"] // MINUTE_MS
        began, ended = self.over.get(rule, (begin, minute))
        self.over[rule] = min(began, begin), max(ended, minute)

    def _tell(self, alert: dict[str, Any]) -> None:
        what = alert["found"]
        trigger = {
            "metric": what["metric"],
            "value": round(float(what["value"]), 3),
            "limit": round(float(what["limit"]), 3),
            "op": what["op"],
            "unit": what["unit"],
            "window_s": float(what["window_s"]),
            "n_samples": what["samples"],
        }
        self.told.append(
            {
                "wearer_id": self.wearer,
                "rule": what["rule"],
                "priority": what["priority"],
                "event_time": rfc3339(what["start_ms"]),
                "updated_at": rfc3339(alert["stamp_ms"]),
                "trigger": trigger,
                "missing": list(what["missing"]),
                "quality": None if what["quality"] is None else round(what["quality"], 3),
                "unverified": what["unverified"],
                "late": what["late"],
                **{name: alert[name] for name in OF_ALERT},
            }
        )


OF_ALERT = (
    "alert_id",
    "version",
    "team",
    "condition",
    "workflow",
    "flap_count",
    "escalation_level",
    "device_id",
    "actor",
    "verdict",
)
"""What a version says that is not of its finding."""


def urgency(finding: Found) -> int:
    """How soon a human should look, from 0."""
    return PRIORITIES.index(finding["priority"])


def essence(alert: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a version what only words it, and when it was raised: that depends on the cuts."""
    return {
        k: v for k, v in alert.items() if k not in ("schema", "kind", "text", "advice", "raised_at", "model_version")
    }
