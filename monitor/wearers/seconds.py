"""Heart rate into its slots: a sample goes to its second. Order and repetition change nothing.

Heart rate lives twice: as seconds for the last 15 minutes, so that late and doubled samples merge exactly, and as
minute summaries for 24 hours. Samples of older minutes meet among the late minutes (`monitor.wearers.late_minutes`);
the fuller of what a minute held and what came late stays.

Many envelopes of a wearer are written at once, as if one after the other: a minute only grows until it has left the
ring, so what it was when it left is what all of its samples make of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.minutes import HIGHEST_BPM, MinuteSummary, summarise
from monitor.signals.reasons import OUT_OF_RANGE, OUTLIER, UNVERIFIED
from monitor.wearers.events import Samples
from monitor.wearers.fields import HR_COUNT, HR_MAX, HR_MEDIAN, HR_MIN, MINUTES, REASON, SECOND_MINUTES
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.ranges import runs
from monitor.wearers.slots import advance
from monitor.wearers.state import State
from monitor.wearers.streaks import Streaks

Rows = NDArray[np.int64]
Ints = NDArray[np.int64]
OUT_OF_RANGE_SECOND = 255
_COMPUTED = np.uint8(OUT_OF_RANGE | OUTLIER | UNVERIFIED)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces of envelopes by minute, in order, with their samples.

    Attributes
    ----------
    envelope, minute : (n,) of each piece. piece, second, value : (N,) the piece of each sample, its epoch second, bpm.
    """

    envelope: Ints
    minute: Ints
    piece: Ints
    second: Ints
    value: NDArray[np.uint8]

    def take(self, chosen: NDArray[np.bool_]) -> "_Pieces":
        """Select pieces by a mask."""
        if chosen.all():
            return self
        of_sample = chosen[self.piece]
        piece = (np.cumsum(chosen) - 1)[self.piece[of_sample]]
        return _Pieces(self.envelope[chosen], self.minute[chosen], piece, self.second[of_sample], self.value[of_sample])


def write_heart_rate(
    state: State,
    late: LateMinutes,
    row: Rows,
    stamp_ms: Ints,
    gap_s: NDArray[np.float32],
    event: Ints,
    samples: Samples,
) -> None:
    """Write envelopes: their samples to their seconds, and the summaries of the minutes they fall into.

    A minute is late if it ended before the seconds ring of its row begins, as the ring is before the envelope.

    Parameters
    ----------
    row, stamp_ms, gap_s : (n,) of envelopes, by row and in their order: whose, received when, and how many seconds lie
        between the samples of the one before it. Of a row many, if no minute that its seconds ring holds before or
        after one of them is out of its minutes ring by then, and if at most the first lets a day be kept.
    event : (N,) which envelope each sample belongs to, ascending.
    samples : (N,) a second that is written twice keeps its highest value.
    """
    pieces = _by_minute(event, samples)
    advance(state, row[pieces.envelope], pieces.minute)
    streaks = Streaks.of(row)
    head = state.head_second_minute[row].astype(np.int64)
    reach = head.copy()
    reach[pieces.envelope] = pieces.minute  # ascending: the last minute of each envelope stays
    reach = streaks.highest(np.maximum(head, reach))
    is_late = pieces.minute <= streaks.before(reach, head)[pieces.envelope] - SECOND_MINUTES
    if not is_late.all():
        _Ring(state, late, row, stamp_ms, gap_s, streaks, head, reach).write(pieces.take(~is_late))
    if is_late.any():
        _write_late(state, late, row, stamp_ms, pieces.take(is_late))


def _by_minute(event: Ints, samples: Samples) -> _Pieces:
    minute = samples.second // 60
    # neighbours in an envelope share a minute: look at changes first, sort only what is left
    change = np.empty(len(event), bool)
    change[:1] = True
    np.logical_or(event[1:] != event[:-1], minute[1:] != minute[:-1], out=change[1:])
    key = (event[change] << 31) | minute[change]
    of_sample = np.cumsum(change) - 1
    if not (key[1:] > key[:-1]).all():
        key, of_change = np.unique(key, return_inverse=True)
        of_sample = of_change[of_sample]
    value = np.where(samples.value > HIGHEST_BPM, OUT_OF_RANGE_SECOND, samples.value).astype(np.uint8)
    return _Pieces(key >> 31, key & ((1 << 31) - 1), of_sample, samples.second, value)


@dataclass(frozen=True, slots=True)
class _Ring:
    """The seconds rings of some rows while envelopes are written to them.

    Attributes
    ----------
    head, reach : (n,) newest minute of the ring before all envelopes of the row, and after each.
    """

    state: State
    late: LateMinutes
    row: Rows
    stamp_ms: Ints
    gap_s: NDArray[np.float32]
    streaks: Streaks
    head: Ints
    reach: Ints

    def write(self, pieces: _Pieces) -> None:
        """Write what is not late."""
        state, last = self.state, np.flatnonzero(self.streaks.last)
        rows, head, reach = self.row[last], self.head[last], self.reach[last]
        minutes, seconds, whose = self._grown(pieces)  # distinct minutes of rows, by row
        goes = np.searchsorted(rows, whose)
        keep = minutes > state.head_minute[whose] - MINUTES
        _put(state, whose[keep], minutes[keep], summarise(seconds[keep]))

        left = minutes <= reach[goes] - SECOND_MINUTES
        run, gone = runs(np.maximum(head - SECOND_MINUTES + 1, 1), np.minimum(head, reach - SECOND_MINUTES))
        if left.any():
            again = np.isin((rows[run] << 31) | gone, (whose[left] << 31) | minutes[left])
            run, gone = run[~again], gone[~again]
            self._keep_ragged(whose[left], minutes[left], seconds[left], last[goes[left]])
        self._keep_ragged(rows[run], gone, None, last[run])

        run, cleared = runs(np.maximum(head, reach - SECOND_MINUTES) + 1, reach)
        state.seconds[rows[run], cleared % SECOND_MINUTES] = 0
        state.head_second_minute[rows] = reach
        held = ~left
        state.seconds[whose[held], minutes[held] % SECOND_MINUTES] = seconds[held]

    def _grown(self, pieces: _Pieces) -> tuple[Ints, NDArray[np.uint8], Rows]:
        """Return minutes, their seconds with all samples, and their rows."""
        row, minute, of_sample = self.row[pieces.envelope], pieces.minute, pieces.piece
        if self.streaks.longest > 1:
            key, cell = np.unique((row << 31) | minute, return_inverse=True)
            row, minute, of_sample = key >> 31, key & ((1 << 31) - 1), cell[of_sample]
        seconds = self.state.seconds[row, minute % SECOND_MINUTES]
        seconds[minute > self.state.head_second_minute[row]] = 0  # the ring holds what left it there
        flat = seconds.reshape(-1)
        slot = of_sample * 60 + pieces.second % 60
        flat[slot] = np.maximum(flat[slot], pieces.value)
        while (lost := pieces.value > flat[slot]).any():  # two samples of one second in one write: the highest stays
            flat[slot[lost]] = pieces.value[lost]
        return minute, seconds, row

    def _keep_ragged(self, row: Rows, minute: Ints, seconds: NDArray[np.uint8] | None, last: Ints) -> None:
        """Keep minutes that leave the ring, if they begin or end without samples.

        Such a minute may lie in two envelopes of which one is yet to come; the device's measured gap between samples
        says how far from its edges the first and the last sample may be.

        Parameters
        ----------
        seconds : of the minutes; None = as the ring holds them. last : the last envelope of each one's row.
        """
        if not len(row):
            return
        count = self.state.minute_bytes()[row, minute % MINUTES, HR_COUNT]
        some = np.flatnonzero((count > 0) & (count < 60) & (minute > self.state.head_minute[row] - MINUTES))
        if not len(some):
            return
        row, minute = row[some], minute[some]
        held = self.state.seconds[row, minute % SECOND_MINUTES] if seconds is None else seconds[some]
        by = self._pushed_out_by(minute, last[some])
        gap_s = np.maximum(np.ceil(self.gap_s[by]), 1)
        first = (held > 0).argmax(axis=1)
        after = (held[:, ::-1] > 0).argmax(axis=1)
        if (ragged := (first > gap_s) | (after > gap_s)).any():
            place = self.late.places(row[ragged], minute[ragged], self.stamp_ms[by[ragged]])
            self.late.seconds[place] = np.maximum(self.late.seconds[place], held[ragged])

    def _pushed_out_by(self, minute: Ints, last: Ints) -> Ints:
        """Return the first envelope after which the ring of its row does not hold the minute any more."""
        if self.streaks.longest <= 1:
            return last
        whose = np.cumsum(self.streaks.first)
        ascending = (whose << 31) | self.reach
        return np.searchsorted(ascending, (whose[last] << 31) | (minute + SECOND_MINUTES), side="left")


def _write_late(state: State, late: LateMinutes, row: Rows, stamp_ms: Ints, pieces: _Pieces) -> None:
    """Put samples to their late minutes; the fuller of what came late and what is held stays.

    The pieces of one minute are put one after the other, for a fuller one may come before one with doubts. A piece
    that adds nothing to its minute decides nothing.
    """
    key, first, cell = np.unique((row[pieces.envelope] << 31) | pieces.minute, return_index=True, return_inverse=True)
    place = late.places(key >> 31, key & ((1 << 31) - 1), stamp_ms[pieces.envelope[first]])
    late.touched_ms[place[cell]] = stamp_ms[pieces.envelope]  # in their order: the last stays
    where = place[cell]
    while True:
        now = np.zeros(len(where), np.bool_)
        now[first] = True
        these = pieces.take(now)
        _merge_late(state, late, row[these.envelope], these, where[now])
        if now.all():
            return
        pieces, where = pieces.take(~now), where[~now]
        at = where[pieces.piece], pieces.second % 60
        adds = np.zeros(len(where), np.bool_)
        adds[pieces.piece[pieces.value > late.seconds[at]]] = True
        if not adds.any():
            return
        pieces, where = pieces.take(adds), where[adds]
        _, first = np.unique(where, return_index=True)


def _merge_late(state: State, late: LateMinutes, row: Rows, pieces: _Pieces, place: Ints) -> None:
    """Put pieces of distinct minutes."""
    minute = pieces.minute
    np.maximum.at(late.seconds, (place[pieces.piece], pieces.second % 60), pieces.value)
    summary = summarise(late.seconds[place])
    slots = state.minute_bytes()
    old = slots[row, minute % MINUTES]
    ours = _fullness(summary.count, summary.median, summary.low, summary.high)
    theirs = _fullness(old[:, HR_COUNT], old[:, HR_MEDIAN], old[:, HR_MIN], old[:, HR_MAX])
    wins = (ours > theirs) & (minute > state.head_minute[row] - MINUTES)
    _put(state, row[wins], minute[wins], summary.rows(wins))


def _put(state: State, row: Rows, minute: NDArray[np.int64], summary: MinuteSummary) -> None:
    slots, at = state.minute_bytes(), minute % MINUTES
    slots[row, at, HR_MEDIAN] = summary.median
    slots[row, at, HR_MIN] = summary.low
    slots[row, at, HR_MAX] = summary.high
    slots[row, at, HR_COUNT] = summary.count
    slots[row, at, REASON] = (slots[row, at, REASON] & ~_COMPUTED) | summary.reason


def _fullness(*fields: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Order summaries by count, then by content, so that a tie has one winner."""
    order = np.zeros(len(fields[0]), np.uint32)
    for part in fields:
        order = (order << np.uint32(8)) | part
    return order
