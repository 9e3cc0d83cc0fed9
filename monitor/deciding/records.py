"""Everything that comes one at a time: profiles, nights, weather, readings, scores and commands."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.blood_pressure import Reading, bp_low, bp_severe, cuff_readings, severe_limits
from monitor.alerting.bp_trend_rule import bp_trend, home_limits
from monitor.alerting.evidence import Rule
from monitor.alerting.quality_gate import doubts
from monitor.alerting.reporting import Moments, report
from monitor.alerting.risk import heads_above, risk_finding
from monitor.alerting.switched import is_on, switched
from monitor.deciding.minutes import MinuteDecisions
from monitor.deciding.standing import RefusedCommand, Standing
from monitor.signals.bp_average import CUFFS as CUFF_METHODS
from monitor.signals.bp_average import Readings
from monitor.signals.bp_trend import MEAN_DAYS
from monitor.wearers.events import Events
from monitor.wearers.fields import NEVER, REPEAT
from monitor.wearers.profiles import PREGNANT, PREGNANT_OR_JUST_BORN
from monitor.wearers.reported import short_hash
from monitor.wearers.rings import write_reading, write_report, write_session
from stream_schemas.reasons import Reason, Rejected

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
CUFFS = np.array(CUFF_METHODS, np.uint8)
Ints = NDArray[np.int64]


class RecordDecisions:
    """Handlers of rare records; sleep stages change minutes too."""

    def __init__(self, standing: Standing, minutes: MinuteDecisions) -> None:
        self._at, self._minutes = standing, minutes

    def repeat(self, row: Ints, at_ms: Ints) -> None:
        """Nobody measured again in time: the alert needs someone else."""
        self._at.state.timer_ms[row, REPEAT] = NEVER
        for r, at in zip(row.tolist(), at_ms.tolist(), strict=True):
            self._at.board.escalate(r, Rule.BP_SEVERE, at)

    def profile(self, these: Events) -> None:
        """Write a profile; a tombstone closes and erases."""
        for r, profile, stamp in zip(these.row.tolist(), these.what, these.stamp_ms.tolist(), strict=True):
            if profile is None:
                self._at.board.erase(r, stamp)
                self._at.departures.erase(r, stamp)
            else:
                self._at.profiles.write(r, profile)
                self._at.rows.profile(r, profile)

    def sleep(self, these: Events) -> None:
        """Write sessions; their stages revise minutes."""
        written = np.zeros(len(these), bool)
        first = np.zeros(len(these), np.int64)
        for k, (r, session) in enumerate(zip(these.row.tolist(), these.what, strict=True)):
            first[k] = session.start_ms // MINUTE_MS
            written[k] = write_session(self._at.state, r, short_hash(session.source_record_id), session)
            if written[k]:
                self._at.rows.session(r, session)
        row = these.row[written]
        self._minutes.changed(row, these.stamp_ms[written], first[written], np.zeros_like(row))

    def weather(self, these: Events) -> None:
        """Write reports."""
        for r, weather in zip(these.row.tolist(), these.what, strict=True):
            write_report(self._at.state, r, weather)
            self._at.rows.weather(r, weather)

    def reading(self, these: Events) -> None:
        """Write and judge readings; one that is known decides nothing."""
        new = np.zeros(len(these), bool)
        for k, r in enumerate(these.row.tolist()):
            reading = Reading(int(these.a[k]), int(these.b[k]) // 1000, int(these.b[k]) % 1000)
            method, reported = int(these.c[k]), these.what[k]
            pressure = reading.systolic_mmhg, reading.diastolic_mmhg
            new[k] = write_reading(self._at.state, r, reading.time_ms, *pressure, method, reported)
            if new[k]:
                self._at.rows.reading(r, reading.time_ms, *pressure, reported.pulse_bpm, method)
                if method in CUFFS:
                    self._one_reading(r, reading, int(these.stamp_ms[k]), reported.device_id)
        self._at.ask(these.row[new], these.stamp_ms[new])

    def _one_reading(self, row: int, reading: Reading, stamp_ms: int, device_id: str) -> None:
        """Judge one reading of a cuff, and again those after it, which it may confirm."""
        state, limits = self._at.state, self._at.limits
        known = cuff_readings(state, row, CUFFS)
        conditions = int(state.conditions[row])
        of_wearer = severe_limits(
            limits,
            pregnant=bool(conditions & PREGNANT_OR_JUST_BORN),
            own_systolic=int(state.own_systolic[row]),
            own_diastolic=int(state.own_diastolic[row]),
        )
        T = int(self._at.T_of_partition[state.partition[row]])
        self._at.decided.late += self._late(reading, stamp_ms)
        newest = reading
        for newest in [reading, *(r for r in known if r.time_ms > reading.time_ms)]:
            late, earlier = self._late(newest, stamp_ms), [r for r in known if r.time_ms < newest.time_ms]
            severe = bp_severe(newest, earlier, of_wearer, limits, late)
            found = [severe] if conditions & PREGNANT else [severe, bp_low(newest, earlier, limits, late)]
            of_device = device_id if newest is reading else None  # which cuff measured the others is not kept
            for finding in found:
                if finding.raised or finding.cleared:
                    self._at.board.find(row, finding.rule, finding, T_ms=T, stamp_ms=stamp_ms, device_id=of_device)
        if not (severe.raised and severe.unverified):
            state.timer_ms[row, REPEAT] = NEVER
        elif newest is reading:
            state.timer_ms[row, REPEAT] = stamp_ms + limits.bp_repeat_within_min * MINUTE_MS
        of_later = {r.time_ms for r in known if r.time_ms > reading.time_ms}
        self._pressure_trend(row, sorted({reading.time_ms} | of_later), stamp_ms)

    def _pressure_trend(self, row: int, times_ms: list[int], stamp_ms: int) -> None:
        """Judge the week that ends with each of these readings, in order of time."""
        state, limits, rule = self._at.state, self._at.limits, Rule.BP_TREND
        if not (state.alert_open[row, rule] or is_on(rule, limits)):
            return
        n = len(times_ms)
        rows, now_ms = np.full(n, row), np.array(times_ms, np.int64)
        readings = Readings(state.bp_ms[rows], state.bp_systolic[rows], state.bp_diastolic[rows], state.bp_method[rows])
        of_wearer = home_limits(
            state.own_systolic[rows].astype(np.int64), state.own_diastolic[rows].astype(np.int64), limits
        )
        evidence = switched(bp_trend(readings, now_ms, of_wearer, limits), limits)
        when = Moments(rows, now_ms // MINUTE_MS, np.full(n, stamp_ms), self._at.now(rows))
        late = (stamp_ms - now_ms > limits.bp_clinical_window_h * HOUR_MS).tolist()
        said = {"window_s": MEAN_DAYS * DAY_MS // 1000}
        report(self._at.board, evidence, when, limits, lambda i: said | {"late": late[i]})

    def _late(self, reading: Reading, stamp_ms: int) -> bool:
        return stamp_ms - reading.time_ms > self._at.limits.bp_clinical_window_h * HOUR_MS

    def score(self, these: Events) -> None:
        """The first score of a wearer and T counts."""
        state = self._at.state
        for k, r in enumerate(these.row.tolist()):
            scores, wearer = these.what[k], int(these.a[k])
            if scores.scored_at_ms <= state.score_T_ms[r]:
                continue
            state.score_T_ms[r] = scores.scored_at_ms
            self._at.rows.scores(r, scores, wearer)
            margins = heads_above(scores, wearer, self._at.limits)
            state.risk_run[r] = state.risk_run[r] + 1 if margins and margins[0][0] >= 0 else 0
            finding = risk_finding(scores, wearer, int(state.risk_run[r]), self._at.limits)
            if finding is not None and not (finding.raised and self._blocked(r)):
                T, stamp = int(self._at.T_of_partition[state.partition[r]]), int(these.stamp_ms[k])
                self._at.board.find(r, Rule.RISK_MODEL, finding, T_ms=T, stamp_ms=stamp, device_id=None)

    def _blocked(self, row: int) -> bool:
        """Tell whether the heart rate that a score was made of is worth too little for a new alert of the model."""
        state = self._at.state
        if state.alert_open[row, Rule.RISK_MODEL] or not state.decided_minute[row]:
            return False
        rows, minute = np.array([row]), state.decided_minute[row : row + 1]
        return bool(doubts(state, Rule.RISK_MODEL, rows, minute, self._at.limits).blocked[0])

    def command(self, these: Events) -> None:
        """Acknowledge or close an open alert; anything else is refused with its reason."""
        for k, r in enumerate(these.row.tolist()):
            order = these.what[k]
            command = order.command
            stamp = int(these.stamp_ms[k])
            found = self._at.board.of_alert(r, command.alert_id)
            if command.action not in ("acknowledge", "close"):
                why = Rejected(0, Reason.UNSUPPORTED_ACTION, "Only acknowledge and close are carried out so far.")
            elif found is None:
                why = Rejected(0, Reason.UNKNOWN_ALERT, "The wearer has no open alert with this alert_id.")
            else:
                self._at.decided.commands += 1
                rule = found[0]
                if command.action == "acknowledge":
                    self._at.board.acknowledge(r, rule, command.seen_version, command.actor, command.verdict, stamp)
                else:
                    self._at.board.close(r, rule, command.actor, command.verdict, stamp)
                continue
            self._at.decided.refused.append(RefusedCommand(r, stamp, int(these.offset[k]), order.key, order.value, why))
