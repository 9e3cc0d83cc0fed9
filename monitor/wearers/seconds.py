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
    minute = samples.second // 60
    value = np.where(samples.value > HIGHEST_BPM, OUT_OF_RANGE_SECOND, samples.value).astype(np.uint8)
    # neighbours in an envelope share a minute: look at changes first, sort only what is left
    change = np.empty(len(event), bool)
    change[:1] = True
    np.logical_or(event[1:] != event[:-1], minute[1:] != minute[:-1], out=change[1:])
    pair, pair_minute = distinct(event[change], minute[change])
    advance(state, row[pair], pair_minute)
    is_late = pair_minute <= state.head_second_minute[row[pair]] - SECOND_MINUTES
    base = np.zeros(len(row), np.int64)  # of each envelope, the first minute that is not late
    envelope, begins = np.unique(pair[~is_late], return_index=True)
    base[envelope] = pair_minute[~is_late][begins]
    # an envelope longer than the ring: one ring's length after the other, and first of all what is late
    chunk = np.where(is_late, -1, (pair_minute - base[pair]) // SECOND_MINUTES)
    only = int(chunk[0]) if (chunk == chunk[0]).all() else None
    of_pair = None if only is not None else chunk[_find(pair, pair_minute, event, minute)]
    for k in [only] if only is not None else np.unique(chunk).tolist():
        these: NDArray[np.bool_] | slice = slice(None) if of_pair is None else of_pair == k
        pairs = chunk == k
        write = _write_late if k == -1 else _write_seconds
        write(
            state,
            late,
            row,
            stamp_ms,
            pair[pairs],
            pair_minute[pairs],
            event[these],
            samples.second[these],
            value[these],
        )


def _find(
    pair: NDArray[np.int64], pair_minute: NDArray[np.int64], event: NDArray[np.int64], minute: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the place of each sample's (event, minute) among the pairs, which ascend."""
    return np.searchsorted((pair << 31) | pair_minute, (event << 31) | minute)


def _write_seconds(
    state: State,
    late: LateMinutes,
    row: Rows,
    stamp_ms: NDArray[np.int64],
    pair: NDArray[np.int64],
    minutes: NDArray[np.int64],
    event: NDArray[np.int64],
    second: NDArray[np.int64],
    value: NDArray[np.uint8],
) -> None:
    """Write samples of minutes that span at most the seconds ring."""
    rows = row[pair]
    last = np.flatnonzero(np.append(pair[1:] != pair[:-1], True))
    newest, reach = rows[last], minutes[last]
    head = state.head_second_minute[newest].astype(np.int64)
    _keep_ragged(state, late, newest, stamp_ms[pair[last]], head, np.minimum(head, reach - SECOND_MINUTES))
    run, cleared = runs(np.maximum(head + 1, reach - SECOND_MINUTES + 1), np.where(reach > head, reach, 0))
    state.seconds[newest[run], cleared % SECOND_MINUTES] = 0
    state.head_second_minute[newest] = np.maximum(head, reach)

    ring = state.seconds.reshape(-1)
    slot = row[event] * (SECOND_MINUTES * 60) + second % (SECOND_MINUTES * 60)
    ring[slot] = np.maximum(ring[slot], value)
    while (lost := value > ring[slot]).any():  # two samples of one second in one write: the highest stays
        ring[slot[lost]] = value[lost]

    keep = minutes > state.head_minute[rows] - MINUTES
    rows, minutes = rows[keep], minutes[keep]
    _put(state, rows, minutes, summarise(state.seconds[rows, minutes % SECOND_MINUTES]))


def _keep_ragged(
    state: State, late: LateMinutes, row: Rows, stamp_ms: NDArray[np.int64], head: NDArray[np.int64], last: Rows
) -> None:
    """Keep minutes that leave the ring, up to `last` of each row, if they begin or end without samples.

    Such a minute may lie in two envelopes of which one is yet to come; the device's measured gap between samples says
    how far from its edges the first and the last sample may be.
    """
    run, minute = runs(np.maximum(head - SECOND_MINUTES + 1, 1), np.where(head > 0, last, 0))
    if not len(run):
        return
    count = state.minute_bytes()[row[run], minute % MINUTES, HR_COUNT]
    some = (count > 0) & (count < 60) & (minute > state.head_minute[row[run]] - MINUTES)
    run, minute = run[some], minute[some]
    if not len(run):
        return
    held = state.seconds[row[run], minute % SECOND_MINUTES]
    gap_s = np.maximum(np.ceil(state.sample_gap_s[row[run]]), 1)
    first = (held > 0).argmax(axis=1)
    after = (held[:, ::-1] > 0).argmax(axis=1)
    ragged = (first > gap_s) | (after > gap_s)
    if ragged.any():
        place = late.places(row[run[ragged]], minute[ragged], stamp_ms[run[ragged]])
        late.seconds[place] = np.maximum(late.seconds[place], held[ragged])


def _write_late(
    state: State,
    late: LateMinutes,
    rows_of: Rows,
    stamp_ms: NDArray[np.int64],
    pair: NDArray[np.int64],
    minute: NDArray[np.int64],
    event: NDArray[np.int64],
    second: NDArray[np.int64],
    value: NDArray[np.uint8],
) -> None:
    """Put samples to their late minutes; the fuller of what came late and what is held stays."""
    row = rows_of[pair]
    place = late.places(row, minute, stamp_ms[pair])
    np.maximum.at(late.seconds, (place[_find(pair, minute, event, second // 60)], second % 60), value)
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
