"""Idempotent slots of the minutes ring: steps, sleep stages, what the device said. Repetition changes nothing."""

import numpy as np
from numpy.typing import NDArray

from monitor.wearers.days import keep_day
from monitor.wearers.fields import (
    IRREGULAR,
    MINUTES,
    REASON,
    STAGE,
    STEPS,
)
from monitor.wearers.ranges import distinct, runs
from monitor.wearers.state import State

Rows = NDArray[np.int64]
MOST_STEPS = 254  # a minute's steps that fit the slot; more is not a walking person


def advance(state: State, row: Rows, minute: NDArray[np.int64]) -> None:
    """Make the minutes ring of each row reach `minute`; slots in between become empty. Rows may repeat."""
    newest, at = np.unique(row, return_inverse=True)
    reach = np.zeros(len(newest), np.int64)
    np.maximum.at(reach, at, minute)
    head = state.head_minute[newest]
    ahead = reach > head
    newest, head, reach = newest[ahead], head[ahead], reach[ahead]
    keep_day(state, newest, reach)
    used = head > 0
    run, cleared = runs(np.maximum(head[used] + 1, reach[used] - MINUTES + 1), reach[used])
    state.minutes[newest[used][run], cleared % MINUTES] = 0
    state.head_minute[newest] = reach


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


def write_steps(state: State, row: Rows, minute: NDArray[np.int64], steps: NDArray[np.int16]) -> None:
    """Write steps to their minutes; the highest count of a minute stays, and more than 254 is nobody's walk."""
    keep = steps <= MOST_STEPS
    row, minute, steps = row[keep], minute[keep], steps[keep]
    rows, minutes = distinct(row, minute)
    advance(state, rows, minutes)
    held = minute > state.head_minute[row] - MINUTES
    flat, place = state.place(row[held], minute[held], STEPS)
    np.maximum.at(flat, place, (steps[held] + 1).astype(np.uint8))


def write_stages(state: State, row: int, minute: NDArray[np.int64], stage: NDArray[np.uint8]) -> None:
    """Paint the sleep stages of one session over its minutes."""
    if len(minute) == 0:
        return
    advance(state, np.full(1, row), minute[-1:])
    held = minute > state.head_minute[row] - MINUTES
    state.minute_bytes()[row, minute[held] % MINUTES, STAGE] = stage[held]
