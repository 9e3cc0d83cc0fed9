"""Heart rate into its slots: a sample goes to its second. Order and repetition change nothing.

Heart rate lives twice: as seconds for the last 15 minutes, so that late and doubled samples merge exactly, and as
minute summaries for 24 hours. Samples of older minutes meet among the late minutes (`monitor.wearers.late_minutes`);
the fuller of what a minute held and what came late stays.
"""

import numpy as np
from numpy.typing import NDArray

from monitor.signals.minutes import HIGHEST_BPM, MinuteSummary, summarise
from monitor.signals.reasons import OUT_OF_RANGE, OUTLIER, UNVERIFIED
from monitor.wearers.events import Samples
from monitor.wearers.fields import HR_COUNT, HR_MAX, HR_MEDIAN, HR_MIN, MINUTES, REASON, SECOND_MINUTES
from monitor.wearers.late_minutes import LateMinutes
from monitor.wearers.ranges import distinct, runs
from monitor.wearers.slots import advance
from monitor.wearers.state import State

Rows = NDArray[np.int64]
OUT_OF_RANGE_SECOND = 255
_COMPUTED = np.uint8(OUT_OF_RANGE | OUTLIER | UNVERIFIED)


def write_heart_rate(
    state: State, late: LateMinutes, row: Rows, stamp_ms: NDArray[np.int64], event: NDArray[np.int64], samples: Samples
) -> None:
    """Write one envelope of each row: its samples to their seconds, and the summaries of the minutes they fall into.

    A minute is late if it ended before the seconds ring of its row begins, as the ring is before this envelope.

    Parameters
    ----------
    row, stamp_ms : (n,) distinct rows, ascending, and the received time of their envelopes.
    event : (N,) which envelope each sample belongs to, ascending.
    samples : (N,) a second that is written twice keeps its highest value.
    """
    second = samples.second
    minute = second // 60
    value = np.where(samples.value > HIGHEST_BPM, OUT_OF_RANGE_SECOND, samples.value).astype(np.uint8)
    of_row = row[event]
    # neighbours in an envelope share a minute: look at changes first, sort only what is left
    change = np.empty(len(event), bool)
    change[:1] = True
    np.logical_or(event[1:] != event[:-1], minute[1:] != minute[:-1], out=change[1:])
    rows, minutes = distinct(of_row[change], minute[change])
    advance(state, rows, minutes)
    head = state.head_second_minute[rows]
    is_late = minutes <= head - SECOND_MINUTES
    if not is_late.any():
        fresh_rows, fresh_minutes = rows, minutes
        _keep_old_head(state, late, row, stamp_ms, rows, minutes)
    else:
        late_sample = minute <= (state.head_second_minute[row] - SECOND_MINUTES)[event]
        stamp = stamp_ms[np.searchsorted(row, rows[is_late])]
        of_pair = np.searchsorted((rows[is_late] << 31) | minutes[is_late], (of_row << 31 | minute)[late_sample])
        _write_late(
            state, late, rows[is_late], minutes[is_late], stamp, of_pair, second[late_sample], value[late_sample]
        )
        fresh_rows, fresh_minutes = rows[~is_late], minutes[~is_late]
        of_row, second, minute = (a[~late_sample] for a in (of_row, second, minute))
        value = value[~late_sample]
        if not len(fresh_rows):
            return
        _keep_old_head(state, late, row, stamp_ms, fresh_rows, fresh_minutes)
    begins = np.flatnonzero(np.append(True, fresh_rows[1:] != fresh_rows[:-1]))
    base = np.repeat(fresh_minutes[begins], np.diff(np.append(begins, len(fresh_rows))))
    chunk = (fresh_minutes - base) // SECOND_MINUTES
    if not chunk.any():
        _write_seconds(state, of_row, second, value, fresh_rows, fresh_minutes)
        return
    chunk_of_sample = chunk[np.searchsorted((fresh_rows << 31) | fresh_minutes, (of_row << 31) | minute)]
    for k in np.unique(chunk):  # an envelope longer than the ring: one ring's length after the other
        pairs, these = chunk == k, chunk_of_sample == k
        _write_seconds(state, of_row[these], second[these], value[these], fresh_rows[pairs], fresh_minutes[pairs])


def _keep_old_head(
    state: State,
    late: LateMinutes,
    row: Rows,
    stamp_ms: NDArray[np.int64],
    rows: Rows,
    minutes: NDArray[np.int64],
) -> None:
    """Copy the newest minute of a ring that is about to be left behind: a gap may have cut it in two."""
    last = np.flatnonzero(np.append(rows[1:] != rows[:-1], True))
    head = state.head_second_minute[rows[last]]
    leaves = (head > 0) & (minutes[last] - head >= SECOND_MINUTES)
    if leaves.any():
        gone, minute = rows[last][leaves], head[leaves]
        place = late.places(gone, minute, stamp_ms[np.searchsorted(row, gone)])
        late.seconds[place] = np.maximum(late.seconds[place], state.seconds[gone, minute % SECOND_MINUTES])


def _write_seconds(
    state: State, row: Rows, second: NDArray[np.int64], value: NDArray[np.uint8], rows: Rows, minutes: NDArray[np.int64]
) -> None:
    """Write samples that span at most the seconds ring; (rows, minutes) are their distinct pairs, ascending."""
    last = np.flatnonzero(np.append(rows[1:] != rows[:-1], True))
    newest, reach = rows[last], minutes[last]
    head = state.head_second_minute[newest]
    run, cleared = runs(np.maximum(head + 1, reach - SECOND_MINUTES + 1), np.where(reach > head, reach, 0))
    state.seconds[newest[run], cleared % SECOND_MINUTES] = 0
    state.head_second_minute[newest] = np.maximum(head, reach)

    ring = state.seconds.reshape(-1)
    slot = row * (SECOND_MINUTES * 60) + second % (SECOND_MINUTES * 60)
    ring[slot] = np.maximum(ring[slot], value)
    while (lost := value > ring[slot]).any():  # two samples of one second in one write: the highest stays
        ring[slot[lost]] = value[lost]

    keep = minutes > state.head_minute[rows] - MINUTES
    rows, minutes = rows[keep], minutes[keep]
    _put(state, rows, minutes, summarise(state.seconds[rows, minutes % SECOND_MINUTES]))


def _write_late(
    state: State,
    late: LateMinutes,
    row: Rows,
    minute: NDArray[np.int64],
    stamp_ms: NDArray[np.int64],
    pair: NDArray[np.int64],
    second: NDArray[np.int64],
    value: NDArray[np.uint8],
) -> None:
    """Put samples to their late minutes (row, minute); each sample belongs to one `pair` of them."""
    place = late.places(row, minute, stamp_ms)
    np.maximum.at(late.seconds, (place[pair], second % 60), value)
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
