"""Heart rate and steps: when a minute is due, what is judged then, and when silence is one."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.daily_rules import judge_days
from monitor.alerting.evidence import Rule
from monitor.alerting.minute_rules import judge_minutes
from monitor.alerting.reporting import Moments
from monitor.alerting.silence import SAME_DELIVERY_MS, back_finding, silence_finding, silence_limit_ms
from monitor.deciding.standing import Standing
from monitor.wearers.days import WORN, begin_day, close_day
from monitor.wearers.events import Events
from monitor.wearers.fields import DAYS, DECIDE, GAPS, MINUTES, NEVER, SILENCE
from monitor.wearers.night_rates import rewrite_nights
from monitor.wearers.ranges import runs
from monitor.wearers.seconds import write_heart_rate
from monitor.wearers.slots import mark_reason, write_irregular, write_steps
from monitor.wearers.windows import held_pairs

MINUTE_MS = 60_000
SAMPLE_MS = 1000
LATE_MS = 30 * MINUTE_MS
Ints = NDArray[np.int64]


class MinuteDecisions:
    """Handlers of what changes minutes, and of the timers that decide them."""

    def __init__(self, standing: Standing) -> None:
        self._at = standing

    @property
    def _settle_ms(self) -> int:
        """How long after its stamp a complete minute is decided."""
        return round(self._at.limits.settle_s * 1000)

    def heart_rate(self, these: Events) -> None:
        """Samples came: write them, measure the cadence, end a silence, and set when their minutes are decided."""
        state, row, stamp, newest = self._at.state, these.row, these.stamp_ms, these.b
        event, samples = these.of_samples()
        write_heart_rate(state, self._at.late, row, stamp, event, samples)
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
            limit = int(silence_limit_ms(state, row[i : i + 1], self._at.limits)[0])
            finding = back_finding(int(last[i]), int(stamp[i]), limit)
            self._at.board.find(
                r, Rule.NO_DATA, finding, T_ms=int(self._at.now(row)[i]), stamp_ms=int(stamp[i]), device_id=None
            )
        gap = stamp - last
        measured = fresh & (last > 0) & (gap > SAME_DELIVERY_MS) & (state.silent[row] == 0)
        r = row[measured]
        state.gap_ms[r, state.gaps[r] % GAPS] = np.minimum(gap[measured], np.iinfo(np.int32).max)
        state.gaps[r] += 1
        state.silent[row[fresh]] = 0
        state.new_stamp_ms[row] = np.where(fresh, stamp, last)
        state.timer_ms[row[fresh], SILENCE] = stamp[fresh] + silence_limit_ms(state, row[fresh], self._at.limits)
        state.top_ms[row] = np.maximum(state.top_ms[row], newest)
        self._at.decided.late += int((stamp - newest > LATE_MS).sum())
        self.changed(row, stamp, these.a, stamp - newest)

    def activity(self, these: Events) -> None:
        """Steps came: write them, and set when their minutes are decided."""
        event, steps = these.of_samples()
        write_steps(self._at.state, these.row[event], steps.second // 60, steps.value)
        end_ms = (these.a + these.count) * MINUTE_MS
        self.changed(these.row, these.stamp_ms, these.a, these.stamp_ms - end_ms)

    def changed(self, row: Ints, stamp_ms: Ints, first: Ints, age_ms: Ints) -> None:
        """Minutes from `first` on have changed: revised if they were decided, due when complete if not.

        A late upload waits until it pauses, for a minute at most, so that its minutes are judged in their own order.
        """
        state = self._at.state
        new = state.decided_minute[row] == 0
        state.decided_minute[row] = np.where(new, first - 1, state.decided_minute[row])
        dirty = state.dirty_minute[row]
        revised = first <= state.decided_minute[row]
        state.dirty_minute[row] = np.where(revised & ((dirty == 0) | (first < dirty)), first, dirty)
        top = state.top_ms[row]
        complete = (top + SAMPLE_MS) // MINUTE_MS - 1
        now = revised | (complete > state.decided_minute[row])
        ends = (top // MINUTE_MS + 1) * MINUTE_MS
        due = np.where(now, stamp_ms, np.maximum(stamp_ms, ends)) + self._settle_ms
        due = np.where(now | (top // MINUTE_MS > state.decided_minute[row]), due, NEVER)
        timer = state.timer_ms[row, DECIDE]
        late = age_ms > self._at.limits.late_after_s * 1000
        burst = np.where(late & (state.burst_ms[row] == 0), stamp_ms, state.burst_ms[row])
        pause = stamp_ms + round(self._at.limits.late_settle_s * 1000)
        longest = burst + round(self._at.limits.late_settle_most_s * 1000)
        due = np.where(burst > 0, timer, np.minimum(timer, due))
        state.timer_ms[row, DECIDE] = np.where(late, np.minimum(pause, longest), due)
        state.burst_ms[row] = burst

    def decide(self, row: Ints, at_ms: Ints) -> None:
        """Decide all minutes that are complete by their own data or by the clock, revised ones again."""
        state = self._at.state
        top = state.top_ms[row] // MINUTE_MS
        by_data = (state.top_ms[row] + SAMPLE_MS) // MINUTE_MS - 1
        by_clock = np.minimum(top, (at_ms - self._settle_ms) // MINUTE_MS - 1)
        before = state.decided_minute[row].copy()
        through = np.maximum(np.maximum(by_data, by_clock), before)
        dirty = state.dirty_minute[row]
        first = np.where(dirty > 0, np.minimum(dirty, before + 1), before + 1)
        state.decided_minute[row] = through
        state.dirty_minute[row] = 0
        state.burst_ms[row] = 0
        state.timer_ms[row, DECIDE] = np.where(top > through, (top + 1) * MINUTE_MS + self._settle_ms, NEVER)
        pair_row, minute = held_pairs(state, row, first, through)
        if not len(pair_row):
            return
        of = np.searchsorted(row, pair_row)
        stamp, T = at_ms[of], self._at.now(pair_row)
        self._days(row, through)
        self._nights(row, first, before)
        when = Moments(pair_row, minute, stamp, T)
        judge_minutes(self._at.board, self._at.profiles, self._at.limits, when)
        judge_days(self._at.board, self._at.profiles, self._at.limits, when)
        self._at.rows.minutes(pair_row, minute)
        self._at.ask(row, at_ms)

    def _days(self, row: Ints, through: Ints) -> None:
        """Close the days that are over, of the two before today, for the ring holds no more; and one that was kept."""
        state, today = self._at.state, through // MINUTES
        before = state.day[row].astype(np.int64)
        begin_day(state, row, today)
        known = before > 0
        kept = known & (today - before > 2) & (today - before <= DAYS) & (state.day_so_far[row, WORN] != 0)
        over = [(known & (today - back >= before), today - back) for back in (2, 1)]
        for ended, of_row in [(kept, before), *over]:
            if ended.any():
                whose, day = row[ended], of_row[ended]
                features = close_day(state, whose, day)
                for r, one, of_day in zip(whose.tolist(), day.tolist(), features, strict=True):
                    if not np.isnan(of_day).all():
                        self._at.rows.day(r, one, of_day)
        state.day_so_far[row[today > before]] = 0

    def _nights(self, row: Ints, first: Ints, before: Ints) -> None:
        """Compute nights again of which late data revised minutes."""
        if (revised := first <= before).any():
            row, first, before = row[revised], first[revised], before[revised]
            night = self._at.profiles.night(row, self._at.state.judged_day[row].astype(np.int64))
            rewrite_nights(self._at.state, row, first, before, *night)

    def silence(self, row: Ints, at_ms: Ints) -> None:
        """Nothing new came for too long: tell it, and what depends on it is unknown."""
        state = self._at.state
        limit = silence_limit_ms(state, row, self._at.limits)
        T = self._at.now(row)
        state.timer_ms[row, SILENCE] = NEVER
        state.silent[row] = 1
        for i, r in enumerate(row.tolist()):
            last = int(state.new_stamp_ms[r])
            finding = silence_finding(int(state.top_ms[r]), last, int(at_ms[i]), int(limit[i]))
            self._at.board.find(r, Rule.NO_DATA, finding, T_ms=int(T[i]), stamp_ms=int(at_ms[i]), device_id=None)
            self._at.board.silence(r, int(at_ms[i]))
