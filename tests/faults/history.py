"""The history checker: what must hold of the alert topics whatever happened, judged from nothing but the records."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.story import HEART_RATE, Expected

SILENCE_MS = 60_000
"""Runs set the limits so that a wearer whose deliveries come close together may be silent for a minute."""
SILENCE_SLACK_MS = 4_000
LEFT_TO_THE_LOG = frozenset(
    {"RISK_MODEL", "NEWS2_PARTS", "NIGHT_SIGNAL", "PERSONAL_CUSUM", "AF_BURDEN", "BP_TREND", "TREND_DEV"}
    | {"POOR_RECOVERY", "SLEEP_DEBT", "SUB_HEALTH"}
)
"""Rules that no story decides: whether each of their alerts is right the replay of the log says."""


@dataclass(frozen=True, slots=True)
class Told:
    """One record of an alert topic."""

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    value: bytes
    sender: str = ""


@dataclass
class History:
    """What the checker found.

    Attributes
    ----------
    lost : alerts that should have been raised and were not.
    doubled : alerts raised twice for one episode; (id, version) with two contents.
    different : alerts that nothing explains; versions that went back; two open alerts of one rule and wearer.
    repeated : records that repeat an earlier one byte for byte, as a successor may.
    why : a sentence for each of the first faults, without vital signs.
    """

    expected: int = 0
    versions: int = 0
    lost: int = 0
    doubled: int = 0
    different: int = 0
    repeated: int = 0
    why: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        if len(self.why) < 12:
            self.why.append(sentence)


def check(rows: Sequence[Told], expected: Iterable[Expected], may: Iterable[tuple[str, str]] = ()) -> History:
    """Judge the records of all alert topics.

    Parameters
    ----------
    rows : in the order of the log, per topic and partition.
    expected : what must have been raised, and how often.
    may : (wearer, rule) that may have been raised, any number of times.
    """
    history = History()
    first = _first_occurrences(rows, history)
    _versions_only_grow(first, history)
    _one_open_alert(first, history)
    told = _times_told(first)
    explained = {(one.wearer, one.rule): one.times for one in expected}
    for (wearer, rule), times in sorted(explained.items()):
        history.expected += times
        got = told.get((wearer, rule), 0)
        if got < times:
            history.lost += times - got
            history.say(f"{rule} of {wearer}: raised {got} times of {times}")
        elif got > times:
            history.doubled += got - times
            history.say(f"{rule} of {wearer}: raised {got} times instead of {times}")
    allowed = set(may)
    for (wearer, rule), times in sorted(told.items()):
        if (wearer, rule) not in explained and (wearer, rule) not in allowed and rule not in LEFT_TO_THE_LOG:
            history.different += times
            history.say(f"{rule} of {wearer}: nothing in the story explains it")
    return history


def _first_occurrences(rows: Sequence[Told], history: History) -> list[tuple[Told, Mapping[str, Any]]]:
    """Drop exact repetitions; two contents of one (id, version) are a double."""
    seen: dict[tuple[str, int], bytes] = {}
    first = []
    for row in rows:
        alert = json.loads(row.value)
        key = alert["alert_id"], alert["version"]
        if key not in seen:
            seen[key] = row.value
            first.append((row, alert))
        elif seen[key] == row.value:
            history.repeated += 1
        else:
            history.doubled += 1
            history.say(f"version {key[1]} of alert {key[0]} has two contents (offset {row.offset} of {row.topic})")
    history.versions = len(first)
    return first


def _versions_only_grow(first: Sequence[tuple[Told, Mapping[str, Any]]], history: History) -> None:
    """I3, in the order of the log; a hole in the versions is a version that was lost."""
    newest: dict[str, int] = {}
    for row, alert in first:
        before = newest.get(alert["alert_id"], 0)
        if alert["version"] <= before:
            history.different += 1
            history.say(f"alert {alert['alert_id']}: version {alert['version']} came after {before}")
        elif alert["version"] > before + 1:
            history.lost += alert["version"] - before - 1
            history.say(f"alert {alert['alert_id']}: version {before + 1} is missing (offset {row.offset})")
        newest[alert["alert_id"]] = max(before, alert["version"])


def _one_open_alert(first: Sequence[tuple[Told, Mapping[str, Any]]], history: History) -> None:
    """I2: at most one open alert a wearer and rule at any time."""
    opened: dict[tuple[str, str], set[str]] = defaultdict(set)
    for _, alert in first:
        key = alert["wearer_id"], alert["rule"]
        if alert["workflow"] == "closed":
            opened[key].discard(alert["alert_id"])
        else:
            opened[key].add(alert["alert_id"])
        if len(opened[key]) > 1:
            history.different += 1
            history.say(f"{alert['rule']} of {alert['wearer_id']}: two open alerts")


def _times_told(first: Sequence[tuple[Told, Mapping[str, Any]]]) -> dict[tuple[str, str], int]:
    """Count how often each rule told of an episode: a new alert, or a listed one that came back (a flap)."""
    flaps: dict[tuple[str, str, str], int] = {}
    for _, alert in first:
        key = alert["wearer_id"], alert["rule"], alert["alert_id"]
        flaps[key] = max(flaps.get(key, 0), alert["flap_count"])
    told: Counter[tuple[str, str]] = Counter()
    for (wearer, rule, _), n in flaps.items():
        told[wearer, rule] += 1 + n
    return dict(told)


def silences(
    deliveries: Iterable[tuple[str, int, bytes]], until_ms: int
) -> tuple[list[Expected], list[tuple[str, str]]]:
    """Return the silences that must have been told, and those that may have been.

    Parameters
    ----------
    deliveries : (topic, broker stamp, value) of the vitals in the order of the log, per wearer.
    until_ms : the time of the newest cut.
    """
    heard: dict[str, list[int]] = defaultdict(list)
    newest: dict[str, str] = {}
    for topic, stamp_ms, value in deliveries:
        if topic != HEART_RATE:
            continue
        event = json.loads(value)
        wearer, reach = event["wearer_id"], f"{event['start']}{event['offset_ms'][-1]:09d}"
        if reach > newest.get(wearer, ""):  # nothing new is no sign of life
            newest[wearer] = reach
            heard[wearer].append(stamp_ms)
    must, may = [], []
    for wearer, stamps in heard.items():
        gaps = [b - a for a, b in zip(stamps, [*stamps[1:], until_ms], strict=True)]
        sure = sum(gap > SILENCE_MS + SILENCE_SLACK_MS for gap in gaps)
        unsure = sum(gap > SILENCE_MS - SILENCE_SLACK_MS for gap in gaps) - sure
        close_together = sum(gap > 10_000 for gap in gaps) < 5  # else its own cadence is the measure
        if unsure or not close_together:
            may.append((wearer, "NO_DATA"))
        elif sure:
            must.append(Expected(wearer, "NO_DATA", sure))
    return must, may
