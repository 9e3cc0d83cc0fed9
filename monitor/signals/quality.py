"""How far the heart rate of a trailing window can be believed: an index from 0 to 1, and its parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.signals.cadence_lock import locked_minutes
from monitor.signals.flat_line import NEVER_SUPPRESSED, flat_minutes
from monitor.signals.minutes import VERIFIED_BPM
from monitor.signals.slew import is_held
from monitor.signals.wear import worn_minutes

GATE = 0.5
"""Below it nothing but the fixed rules on heart rate may speak of a wearer's heart rate."""
NOT_WORN, NO_CADENCE = 1, 2  # bits of Quality.reason

Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MinuteColumns:
    """A trailing window of minutes as columns, all (n, W), oldest first, newest last.

    bpm, low, high : median, lowest and highest of a minute, 0 = missing. count : samples, 0 to 60.
    outlier : the minute was an outlier of its own past (`monitor.signals.hampel`).
    steps : whatever where not known. known : whether the steps of the minute are.
    """

    bpm: Bytes
    low: Bytes
    high: Bytes
    count: Bytes
    outlier: Bools
    steps: Bytes
    known: Bools


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of n windows; all (n,).

    Attributes
    ----------
    index : validity * (1 - outlier_share) * wear * plausibility, 0 to 1; NaN where not assessable.
    validity : of the samples that the device's cadence promises while it is worn, the share that came.
    outlier_share : of the minutes with a value, the share that are outliers. wear : share of minutes that it was worn.
    plausibility : of the minutes with a value, the share against which nothing speaks.
    flat_min, locked_min : minutes of the flat line, or the cadence lock, that the window ends in; 0 = none.
    held : the newest value is a jump that is not yet confirmed.
    reason : why the index is NaN, bits NOT_WORN (now) and NO_CADENCE (not measured yet); 0 where it is not.
    """

    index: Floats
    validity: Floats
    outlier_share: Floats
    wear: Floats
    plausibility: Floats
    flat_min: NDArray[np.int16]
    locked_min: NDArray[np.int16]
    held: Bools
    reason: Bytes


def assess(window: MinuteColumns, gap_s: NDArray[np.floating]) -> Quality:
    """Judge the newest minute of each window by all of it.

    Parameters
    ----------
    window : columns (n, W). W should be `monitor.signals.sampling.span_minutes` of these devices' cadence.
    gap_s : (n,) measured seconds between samples; 0 or NaN = not measured.

    Notes
    -----
    A minute is whole with half of the samples that the cadence promises it: the cadence is a median, and devices that
    say 5 s may send each 10 s for a while. A device slower than a minute is held to its number of minutes with a
    sample. Speaking against a minute: it belongs to a cadence lock or to a flat line that reaches the newest minute, it
    is a jump that is not confirmed, or it holds samples of 20-24 bpm. A flat line at 120 bpm or above is told in
    `flat_min` and lowers nothing. Parts are NaN where they have nothing to count; not worn now, all of them but `wear`.

    Source: a project rule, parts as the validity, artefact and wear checks that wearable pipelines make one by one.

    >>> full, one = np.full((1, 15), 70, np.uint8), np.zeros((1, 15), np.uint8)
    >>> quality = assess(MinuteColumns(full, full, full, full // 7, one > 0, one, one == 0), np.array([5.0]))
    >>> float(quality.index[0])
    1.0
    """
    columns = [np.asfortranarray(c) for c in (window.bpm, window.low, window.high, window.count, window.steps)]
    bpm, low, high, count, steps = columns
    known, n, width = np.asfortranarray(window.known), *window.bpm.shape
    measured = (gap_s > 0) & np.isfinite(gap_s)
    gap = np.where(measured, gap_s, 60.0)
    valid = bpm > 0
    worn = worn_minutes(bpm, gap_s)
    n_valid, n_worn = _total(valid), _total(worn)
    flat = flat_minutes(low, high, steps, known)
    locked = locked_minutes(bpm, steps, known)
    held = is_held(bpm, steps, known)
    newest = bpm[:, -1] if width else np.zeros(n, np.uint8)
    doubted = _total(valid & (low < VERIFIED_BPM))
    suspect = np.maximum(np.where(newest < NEVER_SUPPRESSED, flat, 0), np.maximum(locked, held))
    doubted += np.where((newest > 0) & (low[:, -1:].max(axis=1, initial=0) < VERIFIED_BPM), 0, suspect)
    now = worn[:, -1] if width else np.zeros(n, np.bool_)
    whole = np.maximum(np.minimum(30 / gap, 30), 1).astype(np.uint8)
    came = _total(np.minimum(count, whole[:, None])) / whole
    validity = np.minimum(came / np.where(now, n_worn * np.minimum(60 / gap, 1), np.nan), 1.0)
    validity[~measured] = np.nan
    some = np.where(now, n_valid, np.nan)
    outlier_share = _total(window.outlier & valid) / some
    plausibility = 1 - doubted / some
    wear = n_worn / (width or np.nan)
    return Quality(
        index=validity * (1 - outlier_share) * wear * plausibility,
        validity=validity,
        outlier_share=outlier_share,
        wear=wear,
        plausibility=plausibility,
        flat_min=flat,
        locked_min=locked,
        held=held,
        reason=(NOT_WORN * ~now + NO_CADENCE * ~measured).astype(np.uint8),
    )


def _total(columns: NDArray[np.bool_] | NDArray[np.uint8]) -> NDArray[np.int64]:
    """Sum over each row's minutes: over columns, because a row is shorter than the overhead of a row."""
    total = np.zeros(len(columns), np.int64)
    for column in columns.T:
        total += column
    return total
