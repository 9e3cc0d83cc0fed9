"""What each kind of event and timer decides: the place where slots, rules and policy meet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.blood_pressure import Reading, bp_low, bp_severe, earlier_cuff_readings, severe_limits
from monitor.alerting.board import Board
from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.alerting.minute_rules import judge_minutes
from monitor.alerting.risk import heads_above, risk_finding
from monitor.alerting.silence import SAME_DELIVERY_MS, back_finding, silence_finding, silence_limit_ms
from monitor.departures import Departures
from monitor.wearers.days import close_day
from monitor.wearers.events import Events, Kind
from monitor.wearers.fields import DECIDE, GAPS, LEAVE, MINUTES, NEVER, REPEAT, SILENCE
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.profiles import NO_CONSENT, PREGNANT, PREGNANT_OR_JUST_BORN, Profiles
from monitor.wearers.ranges import runs
from monitor.wearers.reported import short_hash
from monitor.wearers.rings import write_reading, write_report, write_session
from monitor.wearers.rows import JournalRows
from monitor.wearers.seconds import write_heart_rate
from monitor.wearers.slots import mark_reason, write_irregular, write_steps
from monitor.wearers.state import State
from monitor.wearers.windows import held_pairs
from stream_schemas.blood_pressure import METHODS
from stream_schemas.reasons import Reason, Rejected

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
SAMPLE_MS = 1000
CUFFS = np.array([METHODS.index("cuff_oscillometric"), METHODS.index("cuff_auscultatory")], np.uint8)
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RefusedCommand:
    """A command that cannot be carried out: what its dead letter needs."""

    row: int
    stamp_ms: int
    offset: int
    key: bytes | None
    value: bytes | None
    rejected: Rejected


@dataclass(slots=True)
class Decided:
    """What one step's decisions leave beside the board's alerts."""

    score: list[Ints] = field(default_factory=list)
    refused: list[RefusedCommand] = field(default_factory=list)
    commands: int = 0
    late: int = 0


class Decisions:
    """Handlers of events and timers; `decided` and the board collect their effects until the engine takes them."""

    def __init__(self, state: State, limits: Limits, teams: tuple[str, ...], score_every_ms: int) -> None:
        self.state = state
        self.limits = limits
        self.late = LateMinutes()
        self.board = Board(state, teams)
        self.departures = Departures(state, self.board, self.late)
        self.profiles = Profiles(state, teams)
        self.rows = JournalRows(state)
        self.score_every_ms = score_every_ms
        self.decided = Decided()
        self.T_of_partition: Ints = np.zeros(0, np.int64)
        self._handlers: dict[Kind, Callable[[Events], None]] = {
            Kind.PROFILE: self._profile,
            Kind.HEART_RATE: self._heart_rate,
            Kind.ACTIVITY: self._activity,
            Kind.SLEEP: self._sleep,
            Kind.WEATHER: self._weather,
            Kind.READING: self._reading,
            Kind.SCORE: self._score,
            Kind.COMMAND: self._command,
        }
        self._timers = {
            DECIDE: self._decide,
            SILENCE: self._silence,
            REPEAT: self._repeat,
            LEAVE: self.departures.leave,
        }

    def on_events(self, kind: Kind, these: Events) -> None:
        """Handle events of one kind, of distinct rows."""
        self.departures.seen(these.row, these.stamp_ms)
        self._handlers[kind](these)

    def on_timer(self, timer: int, row: Ints, at_ms: Ints) -> None:
        """Handle timers of one kind, of distinct rows, at the times at which they fire."""
        self._timers[timer](row, at_ms)

    def take(self) -> Decided:
        """Hand over what was decided, once."""
        decided, self.decided = self.decided, Decided()
        return decided

    @property
    def settle_ms(self) -> int:
        """How long after its stamp a complete minute is decided."""
        return round(self.limits.settle_s * 1000)

    def _now(self, row: Ints) -> Ints:
        return self.T_of_partition[self.state.partition[row]]

    def _heart_rate(self, these: Events) -> None:
        """Samples came: write them, measure the cadence, end a silence, and set when their minutes are decided."""
        state, row, stamp, newest = self.state, these.row, these.stamp_ms, these.b
        event, samples = these.of_samples()
        write_heart_rate(state, self.late, row, stamp, event, samples)
        told, irregular = these.d % 256, these.d // 256
        if (said := told > 0).any():
            last = newest[said] // MINUTE_MS
            run, minute = runs(np.maximum(these.a[said], last - (MINUTES - 1)), last)
            mark_reason(state, row[said][run], minute, told[said][run].astype(np.uint8))
        if (some := irregular > 0).any():
            write_irregular(state, row[some], these.a[some], irregular[some].astype(np.uint8))
        state.sample_gap_s[row] = np.where(these.c > 0, these.c / 1000, state.sample_gap_s[row])
        single = (these.c == 0) & (state.top_ms[row] > 0) & (newest > state.top_ms[row])
        state.sample_gap_s[row[single]] = (newest[single] - state.top_ms[row[single]]) / 1000
        fresh = newest > state.top_ms[row]
        last = state.new_stamp_ms[row]
        for i in np.flatnonzero(fresh & (state.silent[row] > 0)):
            r = int(row[i])
            limit = int(silence_limit_ms(state, row[i : i + 1], self.limits)[0])
            finding = back_finding(int(last[i]), int(stamp[i]), limit)
            self.board.find(
                r, Rule.NO_DATA, finding, T_ms=int(self._now(row)[i]), stamp_ms=int(stamp[i]), device_id=None
            )
        gap = stamp - last
        measured = fresh & (last > 0) & (gap > SAME_DELIVERY_MS) & (state.silent[row] == 0)
        r = row[measured]
        state.gap_ms[r, state.gaps[r] % GAPS] = np.minimum(gap[measured], np.iinfo(np.int32).max)
        state.gaps[r] += 1
        state.silent[row[fresh]] = 0
        state.new_stamp_ms[row] = np.where(fresh, stamp, last)
        state.timer_ms[row[fresh], SILENCE] = stamp[fresh] + silence_limit_ms(state, row[fresh], self.limits)
        state.top_ms[row] = np.maximum(state.top_ms[row], newest)
        self.decided.late += int((stamp - newest > 30 * MINUTE_MS).sum())
        self._changed(row, stamp, these.a, stamp - newest)

    def _activity(self, these: Events) -> None:
        event, steps = these.of_samples()
        write_steps(self.state, these.row[event], steps.second // 60, steps.value)
        end_ms = (these.a + these.count) * MINUTE_MS
        self._changed(these.row, these.stamp_ms, these.a, these.stamp_ms - end_ms)

    def _changed(self, row: Ints, stamp_ms: Ints, first: Ints, age_ms: Ints) -> None:
        """Minutes from `first` on have changed: revised if they were decided, due when complete if not.

        A late upload waits until it pauses, for a minute at most, so that its minutes are judged in their own order.
        """
        state = self.state
        new = state.decided_minute[row] == 0
        state.decided_minute[row] = np.where(new, first - 1, state.decided_minute[row])
        dirty = state.dirty_minute[row]
        revised = first <= state.decided_minute[row]
        state.dirty_minute[row] = np.where(revised & ((dirty == 0) | (first < dirty)), first, dirty)
        top = state.top_ms[row]
        complete = (top + SAMPLE_MS) // MINUTE_MS - 1
        now = revised | (complete > state.decided_minute[row])
        ends = (top // MINUTE_MS + 1) * MINUTE_MS
        due = np.where(now, stamp_ms, np.maximum(stamp_ms, ends)) + self.settle_ms
        due = np.where(now | (top // MINUTE_MS > state.decided_minute[row]), due, NEVER)
        timer = state.timer_ms[row, DECIDE]
        late = age_ms > self.limits.late_after_s * 1000
        burst = np.where(late & (state.burst_ms[row] == 0), stamp_ms, state.burst_ms[row])
        pause = stamp_ms + round(self.limits.late_settle_s * 1000)
        longest = burst + round(self.limits.late_settle_most_s * 1000)
        due = np.where(burst > 0, timer, np.minimum(timer, due))
        state.timer_ms[row, DECIDE] = np.where(late, np.minimum(pause, longest), due)
        state.burst_ms[row] = burst

    def _decide(self, row: Ints, at_ms: Ints) -> None:
        """Decide all minutes that are complete by their own data or by the clock, revised ones again."""
        state = self.state
        top = state.top_ms[row] // MINUTE_MS
        by_data = (state.top_ms[row] + SAMPLE_MS) // MINUTE_MS - 1
        by_clock = np.minimum(top, (at_ms - self.settle_ms) // MINUTE_MS - 1)
        before = state.decided_minute[row].copy()
        through = np.maximum(np.maximum(by_data, by_clock), before)
        dirty = state.dirty_minute[row]
        first = np.where(dirty > 0, np.minimum(dirty, before + 1), before + 1)
        state.decided_minute[row] = through
        state.dirty_minute[row] = 0
        state.burst_ms[row] = 0
        state.timer_ms[row, DECIDE] = np.where(top > through, (top + 1) * MINUTE_MS + self.settle_ms, NEVER)
        pair_row, minute = held_pairs(state, row, first, through)
        if not len(pair_row):
            return
        of = np.searchsorted(row, pair_row)
        stamp, T = at_ms[of], self._now(pair_row)
        self._days(row, through)
        judge_minutes(self.board, self.profiles, self.limits, pair_row, minute, stamp, T)
        self.rows.minutes(pair_row, minute)
        self._ask(row, at_ms)

    def _days(self, row: Ints, through: Ints) -> None:
        day = through // MINUTES
        ended = (self.state.day[row] > 0) & (day > self.state.day[row])
        if ended.any():
            whose, which = row[ended], self.state.day[row[ended]]
            features = close_day(self.state, whose, which)
            for r, ended_day, of_day in zip(whose.tolist(), which.tolist(), features, strict=True):
                self.rows.day(r, ended_day, of_day)
        self.state.day[row] = np.maximum(self.state.day[row], day)

    def _ask(self, row: Ints, at_ms: Ints) -> None:
        """Ask for a score of every row whose last one was asked for long enough ago."""
        state = self.state
        for k in np.flatnonzero(state.scored_ms[row] == 0):  # spread the first scores of many who begin at once
            phase = crc32(state.wearer_of[int(row[k])].encode()) % self.score_every_ms
            state.scored_ms[row[k]] = at_ms[k] - phase
        due = (at_ms - state.scored_ms[row] >= self.score_every_ms) & (state.known[row] != NO_CONSENT)
        state.scored_ms[row[due]] = at_ms[due]
        if due.any():
            self.decided.score.append(row[due])

    def _silence(self, row: Ints, at_ms: Ints) -> None:
        state = self.state
        limit = silence_limit_ms(state, row, self.limits)
        T = self._now(row)
        state.timer_ms[row, SILENCE] = NEVER
        state.silent[row] = 1
        for i, r in enumerate(row.tolist()):
            last = int(state.new_stamp_ms[r])
            finding = silence_finding(int(state.top_ms[r]), last, int(at_ms[i]), int(limit[i]))
            self.board.find(r, Rule.NO_DATA, finding, T_ms=int(T[i]), stamp_ms=int(at_ms[i]), device_id=None)
            self.board.silence(r, int(at_ms[i]))

    def _repeat(self, row: Ints, at_ms: Ints) -> None:
        self.state.timer_ms[row, REPEAT] = NEVER
        for r, at in zip(row.tolist(), at_ms.tolist(), strict=True):
            self.board.escalate(r, Rule.BP_SEVERE, at)

    def _profile(self, these: Events) -> None:
        for r, profile, stamp in zip(these.row.tolist(), these.what, these.stamp_ms.tolist(), strict=True):
            if profile is None:
                self.board.erase(r, stamp)
                self.departures.erase(r, stamp)
            else:
                self.profiles.write(r, profile)
                self.rows.profile(r, profile)

    def _sleep(self, these: Events) -> None:
        written = np.zeros(len(these), bool)
        first = np.zeros(len(these), np.int64)
        for k, (r, session) in enumerate(zip(these.row.tolist(), these.what, strict=True)):
            first[k] = session.start_ms // MINUTE_MS
            written[k] = write_session(self.state, r, short_hash(session.source_record_id), session)
            if written[k]:
                self.rows.session(r, session)
        row = these.row[written]
        self._changed(row, these.stamp_ms[written], first[written], np.zeros_like(row))

    def _weather(self, these: Events) -> None:
        for r, report in zip(these.row.tolist(), these.what, strict=True):
            write_report(self.state, r, report)
            self.rows.weather(r, report)

    def _reading(self, these: Events) -> None:
        new = np.zeros(len(these), bool)
        for k, r in enumerate(these.row.tolist()):
            reading = Reading(int(these.a[k]), int(these.b[k]) // 1000, int(these.b[k]) % 1000)
            method, reported = int(these.c[k]), these.what[k]
            pressure = reading.systolic_mmhg, reading.diastolic_mmhg
            new[k] = write_reading(self.state, r, reading.time_ms, *pressure, method, reported)
            if new[k]:
                self.rows.reading(r, reading.time_ms, *pressure, reported.pulse_bpm, method)
                if method in CUFFS:
                    self._one_reading(r, reading, int(these.stamp_ms[k]), reported.device_id)
        self._ask(these.row[new], these.stamp_ms[new])

    def _one_reading(self, row: int, reading: Reading, stamp_ms: int, device_id: str) -> None:
        """Judge one reading of a cuff."""
        state, limits, time_ms = self.state, self.limits, reading.time_ms
        late = stamp_ms - time_ms > limits.bp_clinical_window_h * HOUR_MS
        self.decided.late += late
        earlier = earlier_cuff_readings(state, row, time_ms, CUFFS)
        conditions = int(state.conditions[row])
        of_wearer = severe_limits(
            limits,
            pregnant=bool(conditions & PREGNANT_OR_JUST_BORN),
            own_systolic=int(state.own_systolic[row]),
            own_diastolic=int(state.own_diastolic[row]),
        )
        severe = bp_severe(reading, earlier, of_wearer, limits, late)
        found = [severe] if conditions & PREGNANT else [severe, bp_low(reading, earlier, limits, late)]
        waits = severe.raised and severe.unverified
        state.timer_ms[row, REPEAT] = stamp_ms + limits.bp_repeat_within_min * MINUTE_MS if waits else NEVER
        T = int(self.T_of_partition[state.partition[row]])
        for finding in found:
            if finding.raised or finding.cleared:
                self.board.find(row, finding.rule, finding, T_ms=T, stamp_ms=stamp_ms, device_id=device_id)

    def _score(self, these: Events) -> None:
        """The first score of a wearer and T counts."""
        state = self.state
        for k, r in enumerate(these.row.tolist()):
            scores, wearer = these.what[k], int(these.a[k])
            if scores.scored_at_ms <= state.score_T_ms[r]:
                continue
            state.score_T_ms[r] = scores.scored_at_ms
            self.rows.scores(r, scores, wearer)
            margins = heads_above(scores, wearer, self.limits)
            state.risk_run[r] = state.risk_run[r] + 1 if margins and margins[0][0] >= 0 else 0
            finding = risk_finding(scores, wearer, int(state.risk_run[r]), self.limits)
            if finding is not None:
                T, stamp = int(self.T_of_partition[state.partition[r]]), int(these.stamp_ms[k])
                self.board.find(r, Rule.RISK_MODEL, finding, T_ms=T, stamp_ms=stamp, device_id=None)

    def _command(self, these: Events) -> None:
        """Acknowledge or close an open alert; anything else is refused with its reason."""
        for k, r in enumerate(these.row.tolist()):
            order = these.what[k]
            command = order.command
            stamp = int(these.stamp_ms[k])
            found = self.board.of_alert(r, command.alert_id)
            if command.action not in ("acknowledge", "close"):
                why = Rejected(0, Reason.UNSUPPORTED_ACTION, "Only acknowledge and close are carried out so far.")
            elif found is None:
                why = Rejected(0, Reason.UNKNOWN_ALERT, "The wearer has no open alert with this alert_id.")
            else:
                self.decided.commands += 1
                rule = found[0]
                if command.action == "acknowledge":
                    self.board.acknowledge(r, rule, command.seen_version, command.actor, command.verdict, stamp)
                else:
                    self.board.close(r, rule, command.actor, command.verdict, stamp)
                continue
            self.decided.refused.append(RefusedCommand(r, stamp, int(these.offset[k]), order.key, order.value, why))
