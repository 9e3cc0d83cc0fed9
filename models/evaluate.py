"""A predictor on people it has never seen -> a report: every head against chance and fixed limits, with intervals.

Intervals are percentiles of a bootstrap over wearers. Baselines get a limit for the same budget of false alerts, chosen
on the same validation people as the network's: where one wins, the report shows it winning.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import boosting, measures
from models.baselines import BASELINES, RIVALS
from models.boosting import Boosted
from models.calibrate import platt
from models.dataset import Dataset, Ticks, episodes
from models.fit import Told, batches
from models.heads import HEADS, SUB_HEALTH
from models.predict import Predictor
from models.recipe import Recipe

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
FORMAT = "pulsewarden-report/1"
SHIFTS = 200


@dataclass(frozen=True, slots=True)
class Scored:
    """Every answer at every moment: probability (n, 10), baselines by name (n,), targets (n, 10),
    gradient boosting (n, 10) if it was trained."""

    ticks: Ticks
    tick_min: int
    y: F32
    probability: F32
    baselines: dict[str, F32]
    boosted: F32 | None = None


def score(
    predictor: Predictor,
    dataset: Dataset,
    ticks: Ticks,
    *,
    tick_min: int,
    stage: str,
    told: Told,
    boosted: Boosted | None = None,
) -> Scored:
    """Score moments with the predictor and every baseline."""
    probability = np.full((len(ticks), len(HEADS)), np.nan, np.float32)
    baselines = {name: np.zeros(len(ticks), np.float32) for name in BASELINES}
    trees = None if boosted is None else np.zeros_like(probability)
    for rows in batches(len(ticks), 256):
        snapshot = dataset.snapshot(ticks.rows(rows))
        probability[rows] = predictor.score(snapshot).probability
        for name, baseline in BASELINES.items():
            baselines[name][rows] = baseline(snapshot)
        if boosted is not None and trees is not None:
            trees[rows] = boosted.score(snapshot)
        told(stage, rows.stop, len(ticks))
    return Scored(ticks, tick_min, dataset.targets(ticks), probability, baselines, trees)


def course(scored: Scored, dataset: Dataset, head: int) -> tuple[measures.Course, NDArray[np.bool_]]:
    """One head along time where it was assessable, and which rows of `scored` that is."""
    asked = np.isfinite(scored.probability[:, head])
    found, yes_until, _ = episodes(dataset.cohort, head)
    watched = np.isin(found.wearer, np.unique(scored.ticks.wearer))
    target = scored.y[:, head]
    if head == SUB_HEALTH:
        target = np.where(np.isfinite(target), target > 0, np.nan).astype(np.float32)
    return (
        measures.Course(
            wearer=scored.ticks.wearer[asked],
            minute=scored.ticks.minute[asked],
            target=target[asked],
            event_wearer=found.wearer[watched],
            window_from=found.minute[watched] - HEADS[head].lead_min,
            onset=found.minute[watched],
            window_to=yes_until[watched],
            tick_min=scored.tick_min,
        ),
        asked,
    )


def choose_limits(scored: Scored, dataset: Dataset, recipe: Recipe) -> tuple[float | None, ...]:
    """Return each head's limit for the budget of false alerts; None where the head may not alert.

    A head alerts only if, on these people, enough events are there, its AUROC is above one half and its limit catches
    more of them than chance would, both beyond doubt (95 % of the bootstrap over wearers).
    """
    limits: list[float | None] = []
    for head in range(len(HEADS)):
        along, asked = course(scored, dataset, head)
        p = scored.probability[asked, head]
        limit = None
        if _usable(along, p, recipe):
            limit = measures.limit_within_budget(
                along, p, recipe.budget_per_wearer_day, lowest=recipe.lowest_limit, highest=recipe.highest_limit
            )
        if limit is not None:
            done, eligible = measures.alarms(along, p, limit), along.eligible()
            chance = measures.chance_hit_rate(along, done.starts, eligible, shifts=SHIFTS, seed=recipe.seed)
            low, _ = measures.interval(_caught_shares(along, done.caught, eligible, recipe))
            if not low > chance:
                limit = None
        limits.append(None if limit is None else round(limit, 4))
    return tuple(limits)


def _usable(along: measures.Course, p: F32, recipe: Recipe) -> bool:
    known = np.isfinite(along.target)
    if along.eligible().sum() < recipe.events_needed or not known.any():
        return False
    drawn, place = measures.wearer_weights(along.wearer[known], replicates=recipe.bootstrap, seed=recipe.seed)
    low, _ = measures.interval(measures.auroc(along.target[known] == 1, p[known], drawn[:, place]))
    return low > 0.5


def report(
    predictor: Predictor, test: Scored, test_set: Dataset, validation: Scored, validation_set: Dataset, recipe: Recipe
) -> dict[str, Any]:
    """Compare every head with chance and with fixed limits on the test people.

    Returns
    -------
    JSON-ready; None stands for what cannot be said (no events, an untrained head).
    """
    heads = {}
    for head, asked_head in enumerate(HEADS):
        along, asked = course(test, test_set, head)
        if not predictor.trained[head] or not (along.target == 1).any() or not (along.target == 0).any():
            heads[asked_head.name] = {"trained": predictor.trained[head], "evaluated": False, "limit": None}
            continue
        entry = _judged(along, test.probability[asked, head], predictor.limits[head], recipe)
        entry |= _probabilities(along, test.probability[asked, head])
        entry |= {"trained": True, "evaluated": True, "assessable_share": _plain(float(asked.mean()))}
        known_along, known_asked = course(validation, validation_set, head)
        rivals = {}
        for name, value, known_value in _rivals(test, validation, head):
            limit = measures.limit_within_budget(
                known_along,
                known_value[known_asked],
                recipe.budget_per_wearer_day,
                lowest=-np.inf,
                highest=np.inf,
            )
            rivals[name] = _judged(along, value[asked], limit, recipe)
        entry["baselines"] = rivals
        entry["beaten_by"] = [n for n, r in rivals.items() if (r["auroc"]["value"] or 0) > entry["auroc"]["value"]]
        heads[asked_head.name] = entry
    return {
        "format": FORMAT,
        "people": fingerprint(test_set, test.ticks),
        "wearers": len(np.unique(test.ticks.wearer)),
        "moments": len(test.ticks),
        "tick_min": test.tick_min,
        "budget_false_alerts_per_wearer_day": recipe.budget_per_wearer_day,
        "bootstrap": {"replicates": recipe.bootstrap, "over": "wearers", "seed": recipe.seed},
        "heads": heads,
    }


def _rivals(test: Scored, validation: Scored, head: int) -> Iterator[tuple[str, F32, F32]]:
    """Yield each baseline of a head: its name, its scores of the test and of the validation people."""
    for name in RIVALS[HEADS[head].name]:
        yield name, test.baselines[name], validation.baselines[name]
    if test.boosted is not None and validation.boosted is not None:
        yield boosting.NAME, test.boosted[:, head], validation.boosted[:, head]


def judge(
    predictor: Predictor, dataset: Dataset, wearers: NDArray[np.int64], recipe: Recipe, *, told: Told
) -> dict[str, Any]:
    """Report on a bundle over all moments of some wearers, such as a champion beside its candidate.

    Baselines get their limits from these same people, which flatters the baselines.
    """
    ticks = dataset.ticks(wearers, recipe.tick_min)
    scored = score(predictor, dataset, ticks, tick_min=recipe.tick_min, stage="evaluating", told=told)
    return report(predictor, scored, dataset, scored, dataset, recipe)


def fingerprint(dataset: Dataset, ticks: Ticks) -> str:
    """Name a set of people and moments, so that only reports on the same ones are compared."""
    names = ",".join(dataset.cohort.wearer_ids[w] for w in np.unique(ticks.wearer))
    digest = hashlib.sha256(names.encode())
    digest.update(ticks.minute.astype("<i8").tobytes())
    for name in ("hr_median", "steps"):
        digest.update(dataset.cohort.grid[name].tobytes())
    return digest.hexdigest()[:16]


def _judged(along: measures.Course, value: F32, limit: float | None, recipe: Recipe) -> dict[str, Any]:
    """AUROC with its interval, and what the limit would have caught and cost."""
    known = np.isfinite(along.target)
    y = along.target[known] == 1
    drawn, place = measures.wearer_weights(along.wearer[known], replicates=recipe.bootstrap, seed=recipe.seed)
    replicates = measures.auroc(y, value[known], drawn[:, place])
    eligible = along.eligible()
    entry: dict[str, Any] = {
        "auroc": _estimate(float(measures.auroc(y, value[known])[0]), replicates),
        "auroc_replicates": [_plain(float(area)) for area in replicates],
        "auprc": _plain(measures.auprc(y, value[known])),
        "limit": _plain(limit) if limit is not None else None,
        "events": len(along.onset),
        "eligible_events": int(eligible.sum()),
    }
    if limit is None:
        return entry
    done = measures.alarms(along, value, limit)
    caught = _caught_shares(along, done.caught, eligible, recipe)
    before = done.lead_min[eligible & done.caught]
    above = value[known] > limit
    entry |= {
        "event_sensitivity": _estimate(_mean(done.caught[eligible]), caught),
        "chance_hit_rate": _plain(
            measures.chance_hit_rate(along, done.starts, eligible, shifts=SHIFTS, seed=recipe.seed)
        ),
        "alerts_per_wearer_day": _plain(done.alerts_per_day),
        "false_alerts_per_wearer_day": _plain(done.false_per_day),
        "median_lead_min": _plain(float(np.median(before))) if len(before) else None,
        "caught_before_onset": _plain(_mean(before > 0)),
        "accuracy": _plain(_mean(above == y)),
        "recall": _plain(_mean(above[y])),
        "f1": _plain(float(2 * (above & y).sum() / max(above.sum() + y.sum(), 1))),
    }
    return entry


def _caught_shares(
    along: measures.Course, caught: NDArray[np.bool_], eligible: NDArray[np.bool_], recipe: Recipe
) -> F64:
    """Share of the eligible events that were caught, in each draw of the wearers who had any, (R,)."""
    people, place = np.unique(along.event_wearer[eligible], return_inverse=True)
    drawn, _ = measures.wearer_weights(people, replicates=recipe.bootstrap, seed=recipe.seed)
    weights = drawn[:, place]
    total = weights.sum(axis=1)
    return np.asarray((weights * caught[eligible]).sum(axis=1) / np.where(total > 0, total, np.nan))


def _probabilities(along: measures.Course, p: F32) -> dict[str, Any]:
    known = np.isfinite(along.target)
    y, p = along.target[known] == 1, p[known]
    brier, base = float(np.mean((p - y) ** 2)), float(y.mean())
    clipped = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    line = platt(np.log(clipped / (1 - clipped)), y.astype(np.float64))
    at = along.wearer[known] * measures.SPAN + along.minute[known]
    opened = np.searchsorted(np.sort(along.event_wearer * measures.SPAN + along.onset), at, side="right")
    closed = np.searchsorted(np.sort(along.event_wearer * measures.SPAN + along.window_to), at, side="right")
    free = opened == closed
    ahead = measures.auroc(y[free], p[free]) if free.any() else np.array([np.nan])
    return {
        "prevalence": _plain(base),
        "brier": _plain(brier),
        "brier_skill": _plain(1 - brier / (base * (1 - base))),
        "ece": _plain(measures.expected_calibration_error(y, p)),
        "calibration_slope": _plain(line[0]) if line else None,
        "calibration_intercept": _plain(line[1]) if line else None,
        "auroc_before_onset": _plain(float(ahead[0])),
    }


def _estimate(value: float, replicates: F64) -> dict[str, float | None]:
    low, high = measures.interval(replicates)
    return {"value": _plain(value), "low": _plain(low), "high": _plain(high)}


def _mean(values: NDArray[np.generic]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _plain(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
