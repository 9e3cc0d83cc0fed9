"""Fitabase through the engine: what every rule raises on people who lived their lives, as production would raise it."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from benchmarks.in_process import Message, Ran, run
from benchmarks.real_data import day_detectors, episodes, people_minutes
from benchmarks.real_data.episodes import Burden
from benchmarks.real_data.people_days import windows
from benchmarks.real_data.people_minutes import DAY_MIN, PersonMinutes
from benchmarks.real_data.results import Cell, Study, Table
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.engine import Engine
from monitor.outputs import Step
from simulators.recordings import fitabase as recordings
from stream_schemas import rfc3339
from stream_schemas.alert import Alert
from stream_schemas.topics import ALERT_COMMANDS, DEAD_LETTER

CUT_MS = 15 * 60_000
ACKNOWLEDGED_MS = 30 * 60_000
LATE_ACK = "unknown_alert"  # the reason of the refusal of an acknowledgement that comes after the end
_alert = msgspec.json.Decoder(Alert).decode
WAKE_MIN = 7 * 60
WORN_MIN = 60  # of a day, as for a day of the monitor: a day worn for less says nothing
UTC = ZoneInfo("UTC")  # local times are read as UTC, which is also the clock of wearers without a profile
NEEDS = {
    Rule.BP_SEVERE: "blood pressure",
    Rule.BP_LOW: "blood pressure",
    Rule.BP_TREND: "blood pressure",
    Rule.NEWS2_PARTS: "blood pressure",
    Rule.AF_BURDEN: "RR intervals",
    Rule.HEAT_LOAD: "weather",
    Rule.RISK_MODEL: "the model, which is not run here",
}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run of the engine over the people with heart rate."""

    ran: Ran
    people: list[PersonMinutes]

    def episodes_of(self, rule: Rule) -> int:
        """Count the alerts of a rule."""
        return sum(alert.rule == rule.name for alert in self.ran.raised())


@lru_cache(maxsize=2)
def replay(data: Path, limits: Limits) -> Replayed:
    """Feed everybody with heart rate to an engine of its own; the same folder and limits are run once.

    Raises
    ------
    RecordingsMissing
        If the recordings are not there.
    """
    people = people_minutes.fitabase(data)
    recording = recordings.read(data, UTC, {one.name for one in people}, WAKE_MIN)
    messages: list[Message] = [(one.topic, one.key.encode(), one.value(0), one.at_ms) for one in recording.in_order()]
    staff = _Staff()
    ran = run(staff.among(messages), limits, every_ms=CUT_MS, tables=("minutes", "days"), watch=staff.see)
    return Replayed(ran, people)


class _Staff:
    """People who acknowledge every alert half an hour after it was told: an alert that nobody sees hides the next."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, str]] = deque()
        self._newest: dict[str, Alert] = {}

    def see(self, _: Engine, step: Step) -> None:
        """Note what a step told."""
        for outputs in step.outputs.values():
            for alert in (_alert(one.value) for one in outputs if one.topic != DEAD_LETTER):
                self._newest[alert.alert_id] = alert
                if alert.workflow == "unacked":
                    self._waiting.append(((rfc3339.epoch_ms(alert.updated_at) or 0) + ACKNOWLEDGED_MS, alert.alert_id))

    def among(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Put acknowledgements between messages, at the earliest in the cut after the one that told."""
        for message in messages:
            while self._waiting and self._waiting[0][0] <= message[3]:
                alert = self._newest[self._waiting.popleft()[1]]
                if alert.workflow != "unacked":
                    continue
                command = {
                    "schema": "alert-command/1",
                    "command_id": f"{alert.alert_id}-{alert.version}",
                    "wearer_id": alert.wearer_id,
                    "alert_id": alert.alert_id,
                    "seen_version": alert.version,
                    "action": "acknowledge",
                    "actor": "staff",
                    "at": rfc3339.text(message[3]),
                }
                yield ALERT_COMMANDS, alert.wearer_id.encode(), msgspec.json.encode(command), message[3]
            yield message


def minute_burdens(replayed: Replayed) -> list[Burden]:
    """Return the rules on minutes of heart rate; a day counts with an hour of what the rule needs."""
    found = []
    for rule, needs_steps in ((Rule.HR_HIGH_REST, True), (Rule.HR_LOW, False)):
        days = [_days_with(one, needs_steps) for one in replayed.people]
        found.append(Burden(rule.name, sum(map(bool, days)), sum(days), replayed.episodes_of(rule)))
    return found


def _days_with(person: PersonMinutes, needs_steps: bool) -> int:
    known = ~np.isnan(person.bpm)
    if needs_steps:
        known = known & ~np.isnan(person.steps)
    return int((known.reshape(-1, DAY_MIN).sum(axis=1) >= WORN_MIN).sum())


def study(data: Path, limits: Limits) -> Study:
    """Count every rule's episodes, each over the days on which it could have spoken."""
    replayed = replay(data, limits)
    ran, people = replayed.ran, replayed.people
    days = windows([one.by_day() for one in people])
    asked = np.concatenate([one.noon_seen() for one in people])
    by_day = day_detectors.burdens(days, limits, asked=asked)
    daily = [Burden(one.name, one.people, one.days, replayed.episodes_of(Rule[one.name])) for one in by_day]
    found = minute_burdens(replayed) + daily
    out = Study("fitabase", "Fitabase: every rule through the engine")
    out.sentences.append(
        f"{len(people)} people with heart rate (every 5 to 15 s, or a minute) and steps, {ran.wearer_days:,} "
        f"wearer-days, {sum(ran.records.values()):,} messages through the engine in one process on the log clock. "
        f"{sum(ran.refused.values()) - ran.refused[LATE_ACK]:,} of them were refused. Local times are read as UTC; a "
        "night, of which only the length is known, is told as ended at 07:00. Every alert is acknowledged half an hour "
        f"after it was told, so that none hides the next ({ran.refused[LATE_ACK]} were over by then)."
    )
    out.tables.append(
        episodes.table(
            "Episodes of every rule that has its inputs here",
            found,
            "A day counts for HR_HIGH_REST and HR_LOW with an hour of heart rate (and of steps, for the first), and "
            "for a daily detector if it was assessable, its burn-in served, and heart rate came after noon.",
        )
    )
    functions = {one.name: one.episodes for one in by_day}
    differ = [
        f"{one.name} {one.episodes} and {functions[one.name]}" for one in daily if one.episodes != functions[one.name]
    ]
    out.sentences.append(
        "The daily detectors called as functions on the same days give the same number of episodes as the engine."
        if not differ
        else f"The engine and the detectors called as functions on the same days differ: {', '.join(differ)} (the "
        "engine takes days by the ring that it held, the functions by the whole recording)."
    )
    without: list[list[Cell]] = [[rule.name, 0, replayed.episodes_of(rule), f"needs {NEEDS[rule]}"] for rule in NEEDS]
    technical = replayed.episodes_of(Rule.NO_DATA)
    out.tables.append(
        Table(
            "Rules without their inputs here, and technical ones",
            ("rule", "assessable wearer-days", "episodes", "why"),
            [
                *without,
                [Rule.NO_DATA.name, ran.wearer_days, technical, "technical: about the data, outside the budget"],
            ],
        )
    )
    out.targets += episodes.targets("Fitabase", found)
    if picture := episodes.picture("Fitabase, rules through the engine", found):
        out.pictures["fitabase.png"] = picture, "Episodes a wearer-day of the rules that are established on Fitabase."
    raised = [alert for alert in ran.raised() if alert.rule == Rule.HR_HIGH_REST.name]
    rows: list[list[Cell]] = [[one.wearer_id, one.event_time, one.priority, one.trigger.value] for one in raised]
    if rows:
        out.tables.append(
            Table("Alerts of HR_HIGH_REST", ("wearer", "begins", "priority", "median bpm"), rows, digits=0)
        )
    out.limits += [
        "So few people say little: a person with an unusual heart decides a rate, and the interval does not know it.",
        "No illness labels: an episode here is burden, right or wrong.",
        "Most of these people take the watch off at night, so the detectors of nights have few days.",
    ]
    return out
