"""How good a score is: discrimination, calibration, and alerts against events; intervals over people, not rows.

`weight` is what the wearer-clustered bootstrap varies: a wearer drawn twice counts twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

PERSISTENCE = 2  # consecutive scores above the limit until an alert begins
REFRACTORY_MIN = 360
ELIGIBLE_SHARE = 0.5
BINS = 15
TAIL = np.logspace(-5, 0, 120)  # shares of the scores above the limits that are tried: rare events live in the tail
SPAN = np.int64(1) << 32


def _ranked(score: F64 | F32) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order by falling score, and the last place of each run of equal scores."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    return order, ends


def auroc(y: Bool, score: F64 | F32, weights_RN: F64 | None = None) -> F64:
    """Area under the ROC curve with ties halved, (R,) for R weightings of the rows (one if none is given).

    NaN where a weighting leaves no positive or no negative.

    >>> float(auroc(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))[0])
    0.75
    """
    order, ends = _ranked(score)
    weights_RN = np.ones((1, len(y))) if weights_RN is None else weights_RN
    areas = np.full(len(weights_RN), np.nan)
    for r, weight in enumerate(weights_RN):
        ordered = weight[order]
        hits = np.r_[0.0, np.cumsum(ordered * y[order])[ends]]
        false = np.r_[0.0, np.cumsum(ordered * ~y[order])[ends]]
        if hits[-1] > 0 and false[-1] > 0:
            areas[r] = np.sum(np.diff(false) * (hits[1:] + hits[:-1])) / 2 / hits[-1] / false[-1]
    return areas


def auprc(y: Bool, score: F64 | F32) -> float:
    """Average precision; NaN without a positive. Chance is the prevalence.

    >>> auprc(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))
    0.8333333333333333
    """
    if not y.any():
        return float("nan")
    order, ends = _ranked(score)
    hits = np.cumsum(y[order])[ends]
    return float(np.sum(np.diff(np.r_[0, hits]) * hits / (ends + 1)) / hits[-1])


def expected_calibration_error(y: Bool, probability: F64 | F32) -> float:
    """Mean distance between probability and frequency over 15 bins of equal mass; NaN without rows."""
    if not len(y):
        return float("nan")
    parts = np.array_split(np.argsort(probability, kind="stable"), BINS)
    return float(
        sum(abs(probability[part].mean() - y[part].mean()) * len(part) for part in parts if len(part)) / len(y)
    )


@dataclass(frozen=True, slots=True)
class Course:
    """Scores of one head along time: n rows ordered by wearer and minute, only where the head was assessable.

    target float32 (n,) holds 1, 0 or NaN (unclear). Events (E,) are what should be caught: an alert that begins in
    [window_from, window_to) catches one; onset tells the lead. tick_min is the distance between rows.
    """

    wearer: I64
    minute: I64
    target: F32
    event_wearer: I64
    window_from: I64
    onset: I64
    window_to: I64
    tick_min: int

    @property
    def wearer_days(self) -> float:
        """Time in which the head could have answered."""
        return len(self.wearer) * self.tick_min / 1440

    def eligible(self) -> Bool:
        """Tell which events had at least half of their window assessable."""
        at = self.wearer * SPAN + self.minute
        rows = np.searchsorted(at, self.event_wearer * SPAN + self.window_to) - np.searchsorted(
            at, self.event_wearer * SPAN + self.window_from
        )
        possible = np.maximum((self.window_to - self.window_from) // self.tick_min, 1)
        return np.asarray(rows >= ELIGIBLE_SHARE * possible)


def alert_starts(course: Course, above: Bool) -> NDArray[np.intp]:
    """Rows at which an alert begins: above the limit twice in a row, and not within 6 h of such a pair before."""
    follows = np.r_[
        False,
        (course.wearer[1:] == course.wearer[:-1])
        & (course.minute[1:] - course.minute[:-1] <= PERSISTENCE * course.tick_min),
    ]
    fires = np.flatnonzero(above & np.r_[False, above[:-1]] & follows)
    at = course.wearer[fires] * SPAN + course.minute[fires]
    return np.asarray(fires[np.r_[True, np.diff(at) > REFRACTORY_MIN][: len(fires)]])


@dataclass(frozen=True, slots=True)
class Alarms:
    """What a limit would have done. caught bool (E,) and lead_min float64 (E,) (NaN = missed) are per event."""

    starts: NDArray[np.intp]
    alerts_per_day: float
    false_per_day: float
    caught: Bool
    lead_min: F64


def alarms(course: Course, score: F64 | F32, limit: float) -> Alarms:
    """Run the alert logic at a limit and count. An alert that begins where the target is unclear counts as neither."""
    starts = alert_starts(course, np.asarray(score > limit))
    days = max(course.wearer_days, 1e-9)
    at = course.wearer[starts] * SPAN + course.minute[starts]
    place = np.searchsorted(at, course.event_wearer * SPAN + course.window_from)
    first = np.append(at, np.iinfo(np.int64).max)[place]
    caught = first < course.event_wearer * SPAN + course.window_to
    lead = np.where(caught, course.onset - (first - course.event_wearer * SPAN), np.nan)
    return Alarms(starts, len(starts) / days, float((course.target[starts] == 0).sum() / days), caught, lead)


def chance_hit_rate(course: Course, starts: NDArray[np.intp], eligible: Bool, *, shifts: int, seed: int) -> float:
    """Share of eligible events that the same alerts would catch at other times of the wearer; NaN without events."""
    if not eligible.any():
        return float("nan")
    chance = np.random.default_rng(seed)
    low, high = int(course.minute.min()), int(course.minute.max()) + course.tick_min
    origin = course.event_wearer[eligible] * SPAN
    begin, end = origin + course.window_from[eligible], origin + course.window_to[eligible]
    hits = 0.0
    for shift in chance.integers(0, high - low, shifts):
        moved = (course.minute[starts] - low + shift) % (high - low) + low
        at = np.sort(course.wearer[starts] * SPAN + moved)
        hits += float((np.searchsorted(at, end) > np.searchsorted(at, begin)).mean())
    return hits / shifts


def limit_within_budget(
    course: Course, score: F64 | F32, budget_per_day: float, *, lowest: float, highest: float
) -> float | None:
    """Lowest limit in [lowest, highest] with at most `budget_per_day` false alerts a wearer-day; None = there is none.

    Limits are tried from above, and the first that breaks the budget ends the search: false alerts need not fall with
    the limit.
    """
    inside = score[(score >= lowest) & (score < highest)]
    tried = np.unique(np.quantile(inside, 1 - TAIL)) if len(inside) else np.array([])
    kept = None
    for limit in np.r_[lowest, tried][::-1] if lowest > -np.inf else tried[::-1]:
        if alarms(course, score, float(limit)).false_per_day > budget_per_day:
            break
        kept = float(limit)
    return kept


def wearer_weights(wearer: I64, *, replicates: int, seed: int) -> tuple[F64, I64]:
    """Draw wearers with replacement: how often each row counts is ``drawn[:, place]``.

    Returns
    -------
    drawn float64 (R, W) and place int64 (n,), the row's wearer among the W distinct ones.
    """
    names, place = np.unique(wearer, return_inverse=True)
    chance = np.random.default_rng(seed)
    return chance.multinomial(len(names), np.full(len(names), 1 / max(len(names), 1)), replicates).astype(
        np.float64
    ), place


def interval(replicates: F64) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the replicates that exist; NaN where none does."""
    finite = replicates[np.isfinite(replicates)]
    if not len(finite):
        return float("nan"), float("nan")
    return float(np.quantile(finite, 0.025)), float(np.quantile(finite, 0.975))
