"""From the evidence of a rule to the board: what can change an episode becomes a finding, in the order of time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.alerting.board import Board
from monitor.alerting.evidence import Evidence, Lack, Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.limits import Limits
from monitor.alerting.quality_gate import Doubts, doubts
from monitor.wearers.state import State

MINUTE_MS = 60_000
Ints = NDArray[np.int64]

WORDS: dict[Rule, tuple[str, str, str]] = {
    Rule.HR_HIGH_REST: ("heart_rate", "bpm", ">="),
    Rule.HR_LOW: ("heart_rate", "bpm", "<="),
    Rule.HEAT_LOAD: ("heat_index", "Cel", ">="),
    Rule.NEWS2_PARTS: ("news2_points", "1", ">="),
    Rule.NIGHT_SIGNAL: ("night_rate", "bpm", ">="),
    Rule.PERSONAL_CUSUM: ("night_rate_cusum", "1", ">="),
    Rule.AF_BURDEN: ("irregular_run", "min", ">="),
    Rule.BP_TREND: ("mean_pressure", "mmHg", ">="),
    Rule.TREND_DEV: ("robust_z", "1", ">="),
    Rule.POOR_RECOVERY: ("night_rate", "bpm", ">="),
    Rule.SLEEP_DEBT: ("sleep_debt", "h", ">="),
    Rule.SUB_HEALTH: ("points_share", "1", ">="),
}
"""Of each rule that judges columns: metric, unit, and how the value stands to the limit."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When n judgements are made, ascending by row and minute; all (n,).

    minute : of event time. stamp_ms, T_ms : received time of what made it due, and the step's T.
    """

    row: Ints
    minute: Ints
    stamp_ms: Ints
    T_ms: Ints

    def __len__(self) -> int:
        """Count the moments."""
        return len(self.row)

    def take(self, chosen: NDArray[Any]) -> "Moments":
        """Return some of them."""
        return Moments(self.row[chosen], self.minute[chosen], self.stamp_ms[chosen], self.T_ms[chosen])


Describe = Callable[[int], dict[str, Any]]
"""What else a finding says of moment i: fields of `Finding`."""


def report(
    board: Board, evidence: Evidence, when: Moments, limits: Limits, describe: Describe, *, sensor: bool = False
) -> None:
    """Hand what may change an episode to the board.

    Parameters
    ----------
    sensor : the rule reads heart rate of the minute, so what that is worth decides whether it may begin an alert.
    """
    state, rule = board.state, evidence.rule
    chosen = _that_matter(state, evidence, when)
    if not len(chosen):
        return
    ask = chosen[_may_be_told(state, evidence, when, chosen)] if sensor else chosen[:0]
    doubted = doubts(state, rule, when.row[ask], when.minute[ask], limits)
    at = dict(zip(ask.tolist(), range(len(ask)), strict=True))
    for i in chosen.tolist():
        row, k = int(when.row[i]), at.get(i)
        begins = bool(evidence.raised[i]) and not state.alert_open[row, rule]
        if k is not None and begins and doubted.blocked[k]:
            continue
        finding = _finding(evidence, i, when, describe(i), doubted, k)
        board.find(row, rule, finding, T_ms=int(when.T_ms[i]), stamp_ms=int(when.stamp_ms[i]), device_id=None)


def lacked_names(evidence: Evidence, i: int) -> tuple[str, ...]:
    """Name what a rule lacked at moment i, as alerts do: the names of `Lack` in small letters."""
    mask = 0 if evidence.lacked is None else int(evidence.lacked[i])
    return tuple(str(lack.name).lower() for lack in Lack if mask & lack)


def _that_matter(state: State, evidence: Evidence, when: Moments) -> Ints:
    """Moments whose finding may change an episode: of rows where anything may, all that say something, in order."""
    rule, row, minute = evidence.rule, when.row, when.minute
    says = evidence.raised | evidence.cleared
    if not says.any():
        return np.zeros(0, np.int64)
    is_open = state.alert_open[row, rule] > 0
    before = is_open & (minute < state.alert_minute[row, rule])
    over = ~is_open & (minute >= state.alert_began[row, rule]) & (minute <= state.alert_ended[row, rule])
    says = says & ~before
    news = says & (is_open | (evidence.raised & ~over))
    if not news.any():
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.isin(row, row[news]) & says)


def _may_be_told(state: State, evidence: Evidence, when: Moments, chosen: Ints) -> NDArray[np.bool_]:
    """Those that may begin an alert or make one worse; the others say nothing of the data, for nobody reads it."""
    row = when.row[chosen]
    worse = evidence.priority[chosen] > state.alert_priority[row, evidence.rule]
    _, of, count = np.unique(row, return_inverse=True, return_counts=True)
    many = count[of] > 1  # what is open now may end and begin again
    told: NDArray[np.bool_] = evidence.raised[chosen] & ((state.alert_open[row, evidence.rule] == 0) | worse | many)
    return told


def _finding(
    evidence: Evidence, i: int, when: Moments, more: dict[str, Any], doubted: Doubts, k: int | None
) -> Finding:
    metric, unit, op = WORDS[evidence.rule]
    quality = None if k is None or np.isnan(doubted.index[k]) else float(doubted.index[k])
    return Finding(
        rule=evidence.rule,
        raised=bool(evidence.raised[i]),
        cleared=bool(evidence.cleared[i]),
        event_ms=int(when.minute[i]) * MINUTE_MS,
        start_ms=int(evidence.start_minute[i]) * MINUTE_MS,
        priority=Priority(int(evidence.priority[i])),
        value=round(float(evidence.value[i]), 1 if unit != "1" else 3),
        limit=round(float(evidence.limit[i]), 3),
        samples=int(evidence.samples[i]),
        unverified=bool(evidence.unverified[i]) or (k is not None and bool(doubted.unverified[k])),
        quality=quality,
        **{"metric": metric, "unit": unit, "op": op, "missing": lacked_names(evidence, i), **more},
    )
