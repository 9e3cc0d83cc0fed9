"""What the data of a heart-rate sensor is worth at a moment, and whether it may begin an alert."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.evidence import Rule
from monitor.alerting.limits import Limits
from monitor.signals.flat_line import NEVER_SUPPRESSED
from monitor.signals.quality import MinuteColumns, assess
from monitor.signals.reasons import OUTLIER
from monitor.signals.sampling import span_minutes
from monitor.wearers.fields import HR_COUNT, HR_MAX, HR_MEDIAN, HR_MIN, REASON, STEPS
from monitor.wearers.state import State
from monitor.wearers.windows import minutes_before

LIMIT_RULES = (Rule.HR_HIGH_REST, Rule.HR_LOW)
"""Fixed limits on heart rate: a low index never silences them, only an artefact that is named."""
NEVER_BLOCKED = (Rule.HEAT_LOAD,)
"""It holds for some wearers without any heart rate."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Doubts:
    """Of n moments, all (n,).

    index : quality of the trailing window, 0 to 1; NaN = not assessable. artefact : it ends in a flat line below 120
    bpm, or in a heart rate that is glued to the steps. unverified : it ends in a flat line at 120 bpm or above, which
    is told and never silences. blocked : no alert of the rule may begin.
    """

    index: NDArray[np.float64]
    artefact: NDArray[np.bool_]
    unverified: NDArray[np.bool_]
    blocked: NDArray[np.bool_]


def doubts(state: State, rule: Rule, row: Ints, minute: Ints, limits: Limits) -> Doubts:
    """Judge the heart rate up to each (row, minute) for a rule; `hr_min_quality` 0 blocks nothing.

    A rule that is no fixed limit is blocked below `hr_min_quality`; a quality that is not assessable (no cadence is
    measured yet) blocks nothing, for the rule itself says when it has too little.
    """
    n = len(row)
    index, artefact, unverified = np.full(n, np.nan), np.zeros(n, bool), np.zeros(n, bool)
    gap_s = state.sample_gap_s[row]
    spans = span_minutes(gap_s)
    for span in np.unique(spans).tolist():
        these = np.flatnonzero(spans == span)
        columns = minute_columns(state, row[these], minute[these], span)
        found = assess(columns, gap_s[these])
        flat = found.flat_min > 0
        fast = columns.bpm[:, -1] >= NEVER_SUPPRESSED
        index[these] = np.round(found.index, 6)  # a half is a half, in whatever order its parts were multiplied
        artefact[these] = (flat & ~fast) | (found.locked_min > 0)
        unverified[these] = flat & fast
    on = limits.hr_min_quality > 0
    low = np.zeros(n, bool) if rule in LIMIT_RULES else np.nan_to_num(index, nan=1.0) < limits.hr_min_quality
    return Doubts(index, artefact, unverified, (artefact | low) & (on and rule not in NEVER_BLOCKED))


def minute_columns(state: State, row: Ints, minute: Ints, width: int) -> MinuteColumns:
    """Gather the trailing window of each (row, minute) as the signals take it."""
    held = minutes_before(state, row, minute, width)
    valid = held[:, :, HR_COUNT] > 0
    return MinuteColumns(
        bpm=np.where(valid, held[:, :, HR_MEDIAN], np.uint8(0)),
        low=held[:, :, HR_MIN],
        high=held[:, :, HR_MAX],
        count=held[:, :, HR_COUNT],
        outlier=(held[:, :, REASON] & OUTLIER) > 0,
        steps=held[:, :, STEPS] - (held[:, :, STEPS] > 0),
        known=held[:, :, STEPS] > 0,
    )
