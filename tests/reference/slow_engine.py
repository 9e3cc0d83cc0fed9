"""The slow, obvious twin of rounds, due minutes and silence: one wearer, one event or timer at a time, by stamp."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from monitor.alerting.limits import Limits
from stream_schemas.rfc3339 import epoch_ms
from stream_schemas.sleep import STAGES
from tests.reference.slow_gate import news2_parts, weighed
from tests.reference.slow_policy import MINUTE_MS, SlowBoard, found
from tests.reference.slow_pressure import CUFFS, SlowPressure, SlowReading
from tests.reference.slow_rules import Whom, flag_outlier, heart_rate_findings, judge_window
from tests.reference.slow_slots import DAY_MIN, SlowSlots

NEVER = math.inf
DECIDE, SILENCE, REPEAT = "decide", "silence", "repeat"  # at the same time they fire in this order
ONE_UPLOAD_MS = 10_000


@dataclass(frozen=True)
class SlowEvent:
    """One record: at the same stamp, `order` (kind, offset) says which goes first; `what` None = a tombstone."""

    stamp_ms: int
    order: tuple[int, int]
    topic: str
    what: dict[str, Any] | None


@dataclass
class Timing:
    """When something of a wearer happened and is to happen; epoch ms and minutes."""

    timers: dict[str, float] = field(default_factory=lambda: dict.fromkeys((DECIDE, SILENCE, REPEAT), NEVER))
    newest_ms: int = 0  # of the newest sample
    decided: int | None = None  # minute
    revised: int | None = None  # first decided minute that changed since
    burst_ms: int | None = None  # begin of a late upload that is not yet decided
    delivery_ms: int = 0  # received time of the newest delivery with new samples
    gaps_ms: list[int] = field(default_factory=list)
    silent: bool = False


class SlowWearer:
    """Everything of one wearer."""

    def __init__(self, name: str, teams: tuple[str, ...], limits_at: Callable[[float], Limits]) -> None:
        self.teams, self.limits_at = teams, limits_at
        self.board = SlowBoard(name, teams[0])
        self._forget()

    def _forget(self) -> None:
        self.slots, self.pressure, self.whom = SlowSlots(), SlowPressure(), Whom()
        self.zone, self.time = "UTC", Timing()
        self.sessions: dict[str, int] = {}  # revision by source record; worlds have fewer than the 14 that are held
        self.board.team = self.teams[0]

    def run(self, events: list[SlowEvent], T: float) -> list[dict[str, Any]]:
        """Let all happen that lies below T; return every version told."""
        waiting = sorted((e for e in events if e.stamp_ms < T), key=lambda e: (e.stamp_ms, e.order))
        while True:
            which = min(self.time.timers, key=self.time.timers.__getitem__)
            alarm = self.time.timers[which]
            if alarm < (waiting[0].stamp_ms if waiting else T):
                self._ring(which, int(alarm))
            elif waiting:
                self._act(waiting.pop(0))
            else:
                return self.board.told

    def _act(self, event: SlowEvent) -> None:
        stamp, what = event.stamp_ms, event.what
        if what is None:
            self.board.erase(stamp)
            self._forget()
            return
        match event.topic:
            case "context.wearer.v1":
                self._profile(what)
            case "vitals.heart-rate.v1":
                self._heart_rate(what, stamp)
            case "vitals.activity.v1":
                self._activity(what, stamp)
            case "vitals.sleep.v1":
                self._sleep(what, stamp)
            case "vitals.blood-pressure.v1":
                self._reading(what, stamp)
            case "alert-commands.v1":
                self.board.command(what, stamp)
            case other:
                raise NotImplementedError(other)

    def _ring(self, which: str, at: int) -> None:
        if which == DECIDE:
            self._decide(at)
        elif which == SILENCE:
            self._silence(at)
        else:
            self.time.timers[REPEAT] = NEVER
            self.board.escalate("BP_SEVERE", at)

    def _profile(self, what: dict[str, Any]) -> None:
        own = what.get("limits") or {}
        pregnant = "pregnant" in what["conditions"]
        self.board.team = what["team"] if what["team"] in self.teams else self.teams[0]
        self.zone = what["time_zone"]
        self.whom = Whom(
            own.get("hr_high_bpm") or 0, own.get("hr_low_bpm") or 0, defaults_off=pregnant or what["age_years"] < 16
        )
        self.pressure.conditions = tuple(what["conditions"])
        self.pressure.own_systolic = own.get("systolic_high_mmhg") or 0
        self.pressure.own_diastolic = own.get("diastolic_high_mmhg") or 0

    def _heart_rate(self, what: dict[str, Any], stamp: int) -> None:
        start = instant(what["start"])
        times = [start + offset for offset in what["offset_ms"]]
        oldest, newest = min(times), max(times)
        self.slots.heart_rate(stamp, [(at // 1000, bpm) for at, bpm in zip(times, what["bpm"], strict=True)])
        last = newest // MINUTE_MS
        self.slots.say(what.get("context") or "", max(oldest // MINUTE_MS, last - DAY_MIN + 1), last)
        time = self.time
        apart = (newest - oldest) // (len(times) - 1) if len(times) > 1 else 0
        if apart:
            self.slots.measure_gap(apart / 1000)
        elif 0 < time.newest_ms < newest:
            self.slots.measure_gap((newest - time.newest_ms) / 1000)
        if newest > time.newest_ms:
            self._delivery(newest, stamp)
        self._changed(stamp, oldest // MINUTE_MS, stamp - newest)

    def _delivery(self, newest: int, stamp: int) -> None:
        """New samples: a silence is over, else the device's cadence is measured."""
        time, last = self.time, self.time.delivery_ms
        if time.silent:
            self.board.find(no_data(stamp, last, cleared=True, limit_s=self._silence_limit(stamp) / 1000), stamp)
        elif last and stamp - last > ONE_UPLOAD_MS:
            time.gaps_ms.append(stamp - last)
        time.silent, time.delivery_ms, time.newest_ms = False, stamp, newest
        time.timers[SILENCE] = stamp + self._silence_limit(stamp)

    def _silence_limit(self, at: float) -> int:
        limits, gaps = self.limits_at(at), self.time.gaps_ms
        if len(gaps) < 5:
            return limits.no_data_grace_min * MINUTE_MS
        return max(limits.no_data_cadences * sorted(gaps[-5:])[2], limits.no_data_floor_min * MINUTE_MS)

    def _silence(self, at: int) -> None:
        limit_s = self._silence_limit(at) / 1000
        self.time.timers[SILENCE], self.time.silent = NEVER, True
        silent_s = round((at - self.time.delivery_ms) / 1000)
        finding = no_data(at, self.time.newest_ms, raised=True, limit_s=limit_s, silent_s=silent_s)
        self.board.find(finding, at)
        self.board.silence(at)

    def _activity(self, what: dict[str, Any], stamp: int) -> None:
        first = instant(what["start"]) // MINUTE_MS
        future = (stamp + self.limits_at(0).future_min * MINUTE_MS) // MINUTE_MS
        counts = [(first + k, steps) for k, steps in enumerate(what["steps"]) if first + k <= future]
        self.slots.steps(counts)
        self._changed(stamp, first, stamp - (first + len(counts)) * MINUTE_MS)

    def _sleep(self, what: dict[str, Any], stamp: int) -> None:
        if self.sessions.get(what["source_record_id"], -1) >= what["revision"]:
            return
        self.sessions[what["source_record_id"]] = what["revision"]
        start, end = instant(what["start"]), instant(what["end"])
        stages = [STAGES.index(stage) for stage in what["stage"]]
        if stages:
            self.slots.stages(start // 1000, -(-end // 1000), list(zip(what["stage_start_s"], stages, strict=True)))
        self._changed(stamp, start // MINUTE_MS, 0)

    def _changed(self, stamp: int, first: int, age_ms: int) -> None:
        """Minutes from `first` on changed: when are they decided?"""
        time, limits = self.time, self.limits_at(stamp)
        if time.decided is None:
            time.decided = first - 1
        if first <= time.decided:
            time.revised = first if time.revised is None else min(first, time.revised)
        if age_ms > limits.late_after_s * 1000:
            time.burst_ms = stamp if time.burst_ms is None else time.burst_ms
            pause, longest = limits.late_settle_s * 1000, limits.late_settle_most_s * 1000
            time.timers[DECIDE] = min(stamp + pause, time.burst_ms + longest)
            return
        if time.burst_ms is not None:
            return
        due = NEVER
        if first <= time.decided or self._complete_by_data() > time.decided:
            due = stamp
        elif time.newest_ms // MINUTE_MS > time.decided:
            due = max(stamp, (time.newest_ms // MINUTE_MS + 1) * MINUTE_MS)
        time.timers[DECIDE] = min(time.timers[DECIDE], due + limits.settle_s * 1000)

    def _complete_by_data(self) -> int:
        """Last minute whose last second is there: a sample is a second long."""
        return (self.time.newest_ms + 1000) // MINUTE_MS - 1

    def _decide(self, at: int) -> None:
        time, limits = self.time, self.limits_at(at)
        settle_ms = round(limits.settle_s * 1000)
        newest = time.newest_ms // MINUTE_MS
        decided = 0 if time.decided is None else time.decided
        by_clock = min(newest, (at - settle_ms) // MINUTE_MS - 1)
        through = max(self._complete_by_data(), by_clock, decided)
        first = decided + 1 if time.revised is None else min(time.revised, decided + 1)
        time.decided, time.revised, time.burst_ms = through, None, None
        time.timers[DECIDE] = (newest + 1) * MINUTE_MS + settle_ms if newest > through else NEVER
        minutes = self.slots.minutes
        rated = sorted(m for m, one in minutes.items() if first <= m <= through and one.count)
        for minute in rated:
            flag_outlier(minutes, minute, self.slots.gap_s)
        for minute in rated:
            hour = local_hour(self.zone, minute)
            findings = heart_rate_findings(minutes, minute, at, self.slots.gap_s, self.whom, limits, hour)
            judged = judge_window(minutes, minute, self.slots.gap_s, limits)
            findings.append(news2_parts(judged, self.pressure.held, minute, at, self.whom, limits))
            for one in findings:
                finding, blocked = weighed(one, minutes, minute, self.slots.gap_s, limits)
                begins = finding["raised"] and finding["rule"] not in self.board.alerts
                if (finding["raised"] or finding["cleared"]) and not (begins and blocked):
                    self.board.find(finding, at)

    def _reading(self, what: dict[str, Any], stamp: int) -> None:
        reading = SlowReading(
            event_id=what["event_id"],
            time_ms=instant(what["start"]),
            systolic=what["systolic_mmhg"],
            diastolic=what["diastolic_mmhg"],
            method=what["measurement_method"],
            device_id=what["device_id"],
        )
        if not self.pressure.write(reading) or reading.method not in CUFFS:
            return
        limits, later = self.limits_at(stamp), self.pressure.after(reading)
        waits = False
        for one in [reading, *later]:
            for finding in self.pressure.judge(one, stamp, limits):
                if one is not reading:
                    finding["device_id"] = None  # which cuff measured the others is not kept
                if finding["raised"] or finding["cleared"]:
                    self.board.find(finding, stamp)
                if finding["rule"] == "BP_SEVERE":
                    waits = finding["raised"] and finding["unverified"]
        if not waits:
            self.time.timers[REPEAT] = NEVER
        elif not later:
            self.time.timers[REPEAT] = stamp + limits.bp_repeat_within_min * MINUTE_MS


def instant(text: str) -> int:
    at = epoch_ms(text)
    assert at is not None
    return at


def local_hour(zone: str, minute: int) -> int:
    """Hour that the clock shows where the wearer is."""
    return datetime.fromtimestamp(minute * 60, UTC).astimezone(locked_zone(zone)).hour


@cache
def locked_zone(name: str) -> ZoneInfo:
    with (files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file)


def no_data(at: int, start: int, *, limit_s: float, silent_s: int = 0, **says: bool) -> dict[str, Any]:
    return found(
        "NO_DATA",
        event_ms=at,
        start_ms=start,
        priority="technical",
        metric="silence",
        value=silent_s,
        unit="s",
        op=">=",
        limit=limit_s,
        window_s=silent_s,
        samples=0,
        missing=["heart_rate"] if says.get("raised") else [],
        **says,
    )
