"""RISK_MODEL: calibrated probabilities of the model against the limits that came with them."""

from monitor.alerting.evidence import Priority, Rule
from monitor.alerting.finding import Finding
from monitor.alerting.limits import Limits
from stream_schemas.score import RiskScores

MINUTE_MS = 60_000


def heads_above(scores: RiskScores, wearer: int, limits: Limits) -> list[tuple[float, int]] | None:
    """(probability - limit, head) of every head that can alert, greatest first; None = not assessable.

    A head without a limit never alerts; a null probability is "not assessable"; too little coverage makes all of it so.
    """
    if scores.coverage[wearer] < limits.risk_min_coverage:
        return None
    margins = [
        (probability - limit, head)
        for head, (limit, column) in enumerate(zip(scores.limit, scores.probability, strict=True))
        if limit is not None and (probability := column[wearer]) is not None
    ]
    return sorted(margins, reverse=True) or None


def risk_finding(scores: RiskScores, wearer: int, run: int, limits: Limits) -> Finding | None:
    """Judge one wearer's scores of one T, the `run`-th in a row with a head at or above its limit.

    Raise: two in a row. Clear: every head 0.1 below its limit for ten minutes. Priority: medium at most, because the
    model may add or rank alerts but never outshout a limit. None when not assessable.
    """
    margins = heads_above(scores, wearer, limits)
    if margins is None:
        return None
    margin, head = margins[0]
    column, limit = scores.probability[head], scores.limit[head]
    probability = column[wearer]
    if probability is None or limit is None:
        return None
    missing = tuple(name for k, name in enumerate(scores.modalities) if scores.missing[wearer] >> k & 1)
    return Finding(
        rule=Rule.RISK_MODEL,
        raised=run >= limits.risk_consecutive,
        cleared=margin < -limits.risk_clear_margin,
        event_ms=scores.scored_at_ms,
        start_ms=scores.scored_at_ms,
        priority=Priority.MEDIUM,
        metric="risk_probability",
        value=probability,
        unit="1",
        op=">=",
        limit=limit,
        window_s=0,
        samples=run,
        off_delay_ms=limits.risk_clear_min * MINUTE_MS,
        missing=missing,
        quality=scores.coverage[wearer],
        model_version=scores.model_version,
        note=scores.heads[head],
    )
