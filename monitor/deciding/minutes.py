"""Heart rate and steps: when a minute is due, what is judged then, and when silence is one."""

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.daily_rules import judge_days
from monitor.alerting.evidence import Rule
from monitor.alerting.minute_rules import judge_minutes
from monitor.alerting.reporting import Moments
from monitor.alerting.silence import SAME_DELIVERY_MS, back_finding, silence_finding, silence_limit_ms
from monitor.deciding.deliveries import Deliveries, follow, silence_after, taken
from monitor.deciding.due import MINUTE_MS, SAMPLE_MS, Changes, due
from monitor.deciding.standing import Standing
from monitor.wearers.days import WORN, begin_day, close_day
from monitor.wearers.events import Events
from monitor.wearers.fields import DAYS, DECIDE, GAPS, MINUTES, NEVER, SILENCE
from monitor.wearers.night_rates import rewrite_nights
from monitor.wearers.ranges import runs
from monitor.wearers.seconds import write_heart_rate
from monitor.wearers.slots import mark_reason, write_irregular, write_steps
from monitor.wearers.streaks import Streaks
from monitor.wearers.windows import held_pairs

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

    def take(self, these: Events) -> NDArray[np.bool_]:
        """Heart rate and steps came: write them, and set when their minutes are decided.

        Parameters
        ----------
        these : by row and in their order, many of a row.

        Returns
        -------
        (n,) which were taken: of each row those before the first that a timer, or what the one before it did, parts.
        """
        state, limits = self._at.state, self._at.limits
        what = follow(state, these)
        self._hear(what)
        changes = what.changes
        when = due(state, limits, what.streaks, changes)
        silence_ms = silence_after(state, what, silence_limit_ms(state, these.row, limits))
        took = taken(state, what, when, silence_ms)
        self._heart_rate(what, np.flatnonzero(took & what.heart_rate))
        if (steps := took & ~what.heart_rate).any():
            self._activity(these.take(steps))
        last = np.flatnonzero(took & (what.streaks.last | ~np.append(took[1:], True)))
        row = these.row[last]
        state.sample_gap_s[row] = what.gap_s[last]
        state.new_stamp_ms[row] = what.new_stamp_ms[last]
        state.timer_ms[row, SILENCE] = silence_ms[last]
        state.top_ms[row] = what.top_ms[last]
        state.silent[these.row[took & what.fresh]] = 0
        when.put(state, row, last)
        return took

    def _hear(self, what: Deliveries) -> None:
        """Let the first event of each row end a silence, or measure the cadence; those behind it do neither."""
        state, these = self._at.state, what.events
        silent = state.silent[these.row] > 0
        fresh = what.streaks.first & what.fresh
        for i in np.flatnonzero(fresh & silent):
            r, stamp = int(these.row[i]), int(these.stamp_ms[i])
            limit = int(silence_limit_ms(state, these.row[i : i + 1], self._at.limits)[0])
            finding = back_finding(int(state.new_stamp_ms[r]), stamp, limit)
            T = int(self._at.now(these.row[i : i + 1])[0])
            self._at.board.find(r, Rule.NO_DATA, finding, T_ms=T, stamp_ms=stamp, device_id=None)
        measured = fresh & ~silent & (state.new_stamp_ms[these.row] > 0) & (what.quiet_ms > SAME_DELIVERY_MS)
        row = these.row[measured]
        state.gap_ms[row, state.gaps[row] % GAPS] = np.minimum(what.quiet_ms[measured], np.iinfo(np.int32).max)
        state.gaps[row] += 1

    def _heart_rate(self, what: Deliveries, at: Ints) -> None:
        """Write these samples, and what their device said."""
        if not len(at):
            return
        these = what.events if len(at) == len(what.events) else what.events.take(at)
        state = self._at.state
        event, samples = these.of_samples()
        write_heart_rate(state, self._at.late, these.row, these.stamp_ms, what.gap_before_s[at], event, samples)
        told, irregular = these.d % 256, these.d // 256
        if (said := told > 0).any():
            last = these.b[said] // MINUTE_MS
            run, minute = runs(np.maximum(these.a[said], last - (MINUTES - 1)), last)
            mark_reason(state, these.row[said][run], minute, told[said][run].astype(np.uint8))
        if (some := irregular > 0).any():
            write_irregular(state, these.row[some], these.a[some], irregular[some].astype(np.uint8))
        self._at.decided.late += int((these.stamp_ms - these.b > LATE_MS).sum())

    def _activity(self, these: Events) -> None:
        """Write steps."""
        event, steps = these.of_samples()
        write_steps(self._at.state, these.row[event], steps.second // 60, steps.value)

    def changed(self, row: Ints, stamp_ms: Ints, first: Ints, age_ms: Ints) -> None:
        """Minutes from `first` on have changed, of distinct rows: set when they are decided."""
        state = self._at.state
        changes = Changes(row, stamp_ms, first, age_ms, state.top_ms[row])
        due(state, self._at.limits, Streaks.of(row), changes).put(state, row, np.arange(len(row)))

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
        held = np.unique(of)  # nothing is asked of a row without minutes: who else is decided now must not matter
        row, at_ms, through, first, before = (x[held] for x in (row, at_ms, through, first, before))
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
