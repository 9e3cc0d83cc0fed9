"""Areas, shares and their intervals over people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

REPEATS = 1000
SEED = 20261125

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its 95 % interval over people."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's figures, each person judged by a fit without that person: pooled windows, and mean over people."""

    name: str
    pooled: Figure
    mean: Figure
    sensitivity: Figure
    specificity: Figure


def auroc(positive: Bools, score: Floats) -> float:
    """Area under the curve by ranks, ties shared; NaN where all are of one kind or a score is NaN.

    >>> auroc(np.array([True, False, True, False]), np.array([3.0, 1.0, 2.0, 2.0]))
    0.875
    """
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m or np.isnan(score).any():
        return float("nan")
    return float((rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def share(hits: Bools) -> float:
    """Share of hits; NaN of nothing."""
    return float(hits.mean()) if len(hits) else float("nan")


def samples_of(record: NDArray[np.str_]) -> list[list[Ints]]:
    """Rows of the people of each bootstrap sample, one array a person."""
    people = [np.flatnonzero(record == name) for name in np.unique(record)]
    generator = np.random.default_rng(SEED)
    return [[people[k] for k in generator.integers(0, len(people), len(people))] for _ in range(REPEATS)]


def _figures(af: Bools, score: Floats, threshold: float, people: list[Ints]) -> tuple[float, float, float, float]:
    """Pooled AUROC, mean AUROC over people with both kinds, sensitivity and specificity of pooled windows."""
    rows = np.concatenate(people)
    each = [auroc(af[one], score[one]) for one in people]
    told = [one for one in each if not np.isnan(one)]
    hit, wanted = score[rows] >= threshold, af[rows]
    return (
        auroc(wanted, score[rows]),
        float(np.mean(told)) if told else float("nan"),
        share(hit[wanted]),
        share(~hit[~wanted]),
    )


def judged(
    name: str, record: NDArray[np.str_], af: Bools, score: Floats, threshold: float, samples: list[list[Ints]]
) -> Rule:
    """Figures of a rule over all people, with intervals from bootstrap samples of them."""
    people = [np.flatnonzero(record == one) for one in np.unique(record)]
    values = _figures(af, score, threshold, people)
    drawn = np.array([_figures(af, score, threshold, one) for one in samples])
    return Rule(name, *(interval(value, drawn[:, k]) for k, value in enumerate(values)))


def differences(af: Bools, one: Floats, two: Floats, samples: list[list[Ints]]) -> list[Floats]:
    """Difference of pooled and of mean AUROC in each bootstrap sample."""
    first = np.array([_figures(af, one, 0.5, people)[:2] for people in samples])
    second = np.array([_figures(af, two, 0.5, people)[:2] for people in samples])
    return [first[:, 0] - second[:, 0], first[:, 1] - second[:, 1]]


def interval(value: float, drawn: "Sequence[float] | Floats") -> Figure:
    """Figure with the middle 95 % of what was drawn, NaN left out."""
    low, high = np.nanpercentile(np.asarray(drawn, np.float64), [2.5, 97.5])
    return Figure(float(value), float(low), float(high))
