"""Idempotent slots: a sample goes to its second, a step count to its minute. Order and repetition change nothing.

Heart rate lives twice: as seconds for the last 15 minutes, so that late and doubled samples merge exactly, and as
minute summaries for 24 hours. A delivery that is older than the seconds ring merges by the minute: the fuller summary
of a minute stays, so that order and repetition change nothing there either.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.minutes import HIGHEST_BPM, summarise
from monitor.signals.reasons import OUT_OF_RANGE, OUTLIER, UNVERIFIED
from monitor.wearers.fields import (
    HR_COUNT,
    HR_MAX,
    HR_MEDIAN,
    HR_MIN,
    IRREGULAR,
    MINUTES,
    REASON,
    SECOND_MINUTES,
    STAGE,
    STEPS,
)
from monitor.wearers.ranges import distinct, runs
from monitor.wearers.state import State

Rows = NDArray[np.int64]
OUT_OF_RANGE_SECOND = 255
MOST_STEPS = 254  # a minute's steps that fit the slot; more is not a walking person
_COMPUTED = np.uint8(OUT_OF_RANGE | OUTLIER | UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Touched:
    """Distinct (row, minute) pairs whose slots may have changed."""

    row: Rows
    minute: NDArray[np.int64]


def advance(state: State, row: Rows, minute: NDArray[np.int64]) -> None:
    """Make the minutes ring of each row reach `minute`; slots in between become empty. Rows may repeat."""
    newest, at = np.unique(row, return_inverse=True)
    reach = np.zeros(len(newest), np.int64)
    np.maximum.at(reach, at, minute)
    head = state.head_minute[newest]
    ahead = reach > head
    newest, head, reach = newest[ahead], head[ahead], reach[ahead]
    used = head > 0
    run, cleared = runs(np.maximum(head[used] + 1, reach[used] - MINUTES + 1), reach[used])
    state.minutes[newest[used][run], cleared % MINUTES] = 0
    state.head_minute[newest] = reach


def write_heart_rate(state: State, row: Rows, time_ms: NDArray[np.int64], bpm: NDArray[np.int16]) -> Touched:
    """Write samples to their seconds and summarise the minutes they fall into.

    Parameters
    ----------
    row, time_ms, bpm : (n_samples,), grouped in any way; a second that is written twice keeps its highest value.

    Returns
    -------
    Distinct (row, minute) pairs that were touched.
    """
    second = time_ms // 1000
    minute = second // 60
    value = np.where(bpm > HIGHEST_BPM, OUT_OF_RANGE_SECOND, bpm).astype(np.uint8)
    # neighbours in an envelope share a minute: look at changes first, sort only what is left
    change = np.empty(len(row), bool)
    change[:1] = True
    np.logical_or(row[1:] != row[:-1], minute[1:] != minute[:-1], out=change[1:])
    rows, minutes = distinct(row[change], minute[change])
    advance(state, rows, minutes)

    oldest = state.head_second_minute[rows] - SECOND_MINUTES + 1  # of the ring as it is
    late = minutes < oldest
    fresh_first = np.searchsorted(rows[~late], rows)  # first fresh pair of each row: its base minute
    base = np.full(len(rows), 0, np.int64)
    if not late.all():
        base = minutes[~late][np.minimum(fresh_first, (~late).sum() - 1)]
    chunk = np.where(late, -1, (minutes - base) // SECOND_MINUTES)
    of_sample = np.searchsorted((rows << 31) | minutes, (row << 31) | minute)
    last = int(chunk.max(initial=-1))
    if last == 0 and not late.any():
        _write_seconds(state, row, second, value, rows, minutes)
    else:
        chunk_of_sample = chunk[of_sample]
        for k in np.unique(chunk[~late]):
            pairs, samples = chunk == k, chunk_of_sample == k
            _write_seconds(state, row[samples], second[samples], value[samples], rows[pairs], minutes[pairs])
        if late.any():
            samples = chunk_of_sample == -1
            _write_late(state, of_sample[samples], second[samples], value[samples], rows, minutes)
    return Touched(rows, minutes)


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
    summary = summarise(state.seconds[rows, minutes % SECOND_MINUTES])
    slots = state.minute_bytes()
    at = minutes % MINUTES
    slots[rows, at, HR_MEDIAN] = summary.median
    slots[rows, at, HR_MIN] = summary.low
    slots[rows, at, HR_MAX] = summary.high
    slots[rows, at, HR_COUNT] = summary.count
    slots[rows, at, REASON] = (slots[rows, at, REASON] & ~_COMPUTED) | summary.reason


def _write_late(
    state: State,
    pair: NDArray[np.int64],
    second: NDArray[np.int64],
    value: NDArray[np.uint8],
    rows: Rows,
    minutes: NDArray[np.int64],
) -> None:
    """Merge samples that are older than the seconds ring: per minute the fuller summary stays."""
    pairs, at = np.unique(pair, return_inverse=True)
    held = np.zeros((len(pairs), 60), np.uint8)
    np.maximum.at(held, (at, second % 60), value)
    summary = summarise(held)
    row, minute = rows[pairs], minutes[pairs]
    slots = state.minute_bytes()
    old = slots[row, minute % MINUTES]
    ours = _fullness(summary.count, summary.median, summary.low, summary.high)
    theirs = _fullness(old[:, HR_COUNT], old[:, HR_MEDIAN], old[:, HR_MIN], old[:, HR_MAX])
    wins = (ours > theirs) & (minute > state.head_minute[row] - MINUTES)
    row, place = row[wins], minute[wins] % MINUTES
    slots[row, place, HR_MEDIAN] = summary.median[wins]
    slots[row, place, HR_MIN] = summary.low[wins]
    slots[row, place, HR_MAX] = summary.high[wins]
    slots[row, place, HR_COUNT] = summary.count[wins]
    slots[row, place, REASON] = (slots[row, place, REASON] & ~_COMPUTED) | summary.reason[wins]


def _fullness(*fields: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Order summaries by count, then by content, so that a tie has one winner."""
    order = np.zeros(len(fields[0]), np.uint32)
    for part in fields:
        order = (order << np.uint32(8)) | part
    return order


def mark_reason(state: State, row: Rows, minute: NDArray[np.int64], bits: NDArray[np.uint8]) -> None:
    """Add reason bits (what the device said of the wearer) to minutes that are held. Pairs may repeat."""
    keep = (minute > state.head_minute[row] - MINUTES) & (minute <= state.head_minute[row])
    flat, place = state.place(row[keep], minute[keep], REASON)
    np.bitwise_or.at(flat, place, bits[keep])


def write_irregular(state: State, row: Rows, minute: NDArray[np.int64], code: NDArray[np.uint8]) -> None:
    """Write the irregularity of RR intervals (100 RMSSD/mean + 1) to minutes; the highest of a minute stays."""
    keep = (minute > state.head_minute[row] - MINUTES) & (minute <= state.head_minute[row])
    flat, place = state.place(row[keep], minute[keep], IRREGULAR)
    np.maximum.at(flat, place, code[keep])


def write_steps(state: State, row: Rows, minute: NDArray[np.int64], steps: NDArray[np.int16]) -> Touched:
    """Write steps to their minutes; the highest count of a minute stays, and more than 254 is nobody's walk."""
    keep = steps <= MOST_STEPS
    row, minute, steps = row[keep], minute[keep], steps[keep]
    rows, minutes = distinct(row, minute)
    advance(state, rows, minutes)
    held = minute > state.head_minute[row] - MINUTES
    flat, place = state.place(row[held], minute[held], STEPS)
    np.maximum.at(flat, place, (steps[held] + 1).astype(np.uint8))
    return Touched(rows, minutes)


def write_stages(state: State, row: int, minute: NDArray[np.int64], stage: NDArray[np.uint8]) -> None:
    """Paint the sleep stages of one session over its minutes."""
    if len(minute) == 0:
        return
    advance(state, np.full(1, row), minute[-1:])
    held = minute > state.head_minute[row] - MINUTES
    state.minute_bytes()[row, minute[held] % MINUTES, STAGE] = stage[held]
