"""Can a classifier tell two groups of people apart by an hour of theirs? 0.5 = no; the groups are held apart by person.

The classifier two-sample test of Lopez-Paz and Oquab (2017, ICLR), with AUROC for accuracy: 60-minute windows, a fixed
list of features, gradient boosting, folds that keep each person whole, and an interval from a bootstrap over people.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.real_data.people_minutes import PersonMinutes

HOUR = 60
LEAST_KNOWN = 50  # minutes of a window with heart rate and steps
MOST_WINDOWS = 150  # of a person, drawn at random: nobody outweighs the others
LEAST_WINDOWS = 40
FOLDS, REPEATS, BOOTSTRAPS, SHARES = 4, 4, 500, 64
Floats = NDArray[np.float64]

HEART_RATE = (
    "mean bpm",
    "SD bpm",
    "lowest bpm",
    "highest bpm",
    "mean change a minute",
    "largest change a minute",
    "autocorrelation 1 min",
    "autocorrelation 10 min",
    "skewness",
    "slope",
)
STEPS = ("steps", "minutes with steps", "SD steps", "highest steps a minute", "longest rest, min")
TOGETHER = ("bpm with steps", "bpm with steps 3 min before", "bpm of walking above rest")
FEATURES = (*HEART_RATE, *STEPS, *TOGETHER)
MODALITIES: dict[str, tuple[str, ...]] = {"heart rate": HEART_RATE, "steps": STEPS, "both": FEATURES}


@dataclass(frozen=True, slots=True)
class Hours:
    """Windows of some people: `features` (N, 18) in the order of FEATURES, NaN = not defined; `person` (N,) numbers."""

    features: Floats
    person: NDArray[np.int64]

    @property
    def people(self) -> int:
        """Count the people with windows."""
        return len(np.unique(self.person))


@dataclass(frozen=True, slots=True)
class Told:
    """AUROC of telling two groups apart, with its 95 % interval over people, and how many people are in each."""

    auroc: float
    low: float
    high: float
    first: int
    second: int


def hours(people: Sequence[PersonMinutes], seed: int = 0) -> Hours:
    """Cut people into hours and describe each; people with fewer than 40 whole hours are left out."""
    rng = np.random.default_rng(seed)
    parts, whose = [np.zeros((0, len(FEATURES)))], [np.zeros(0, np.int64)]
    for number, one in enumerate(people):
        bpm, steps = one.bpm.reshape(-1, HOUR), one.steps.reshape(-1, HOUR)
        whole = np.flatnonzero((~np.isnan(bpm) & ~np.isnan(steps)).sum(axis=1) >= LEAST_KNOWN)
        if len(whole) < LEAST_WINDOWS:
            continue
        chosen = rng.permutation(whole)[:MOST_WINDOWS]
        parts.append(describe(bpm[chosen], steps[chosen]))
        whose.append(np.full(len(chosen), number))
    return Hours(np.concatenate(parts), np.concatenate(whose))


def describe(bpm: Floats, steps: Floats) -> Floats:
    """Describe windows (N, 60) by FEATURES, (N, 18); what is not defined (a constant has no correlation) is NaN."""
    change = np.diff(bpm, axis=1)
    walking, still = steps > 0, steps == 0
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of windows in which nothing is known: their features are NaN
        mean, sd = np.nanmean(bpm, axis=1), np.nanstd(bpm, axis=1)
        minutes = np.broadcast_to(np.arange(HOUR, dtype=np.float64), bpm.shape)
        columns = [
            mean,
            sd,
            np.nanmin(bpm, axis=1),
            np.nanmax(bpm, axis=1),
            np.nanmean(np.abs(change), axis=1),
            np.nanmax(np.abs(change), axis=1),
            correlation(bpm[:, 1:], bpm[:, :-1]),
            correlation(bpm[:, 10:], bpm[:, :-10]),
            np.nanmean((bpm - mean[:, None]) ** 3, axis=1) / sd**3,
            correlation(minutes, bpm) * sd / minutes[0].std(),
            np.nansum(steps, axis=1),
            walking.sum(axis=1).astype(np.float64),
            np.nanstd(steps, axis=1),
            np.nanmax(steps, axis=1),
            _longest(still),
            correlation(bpm, steps),
            correlation(bpm[:, 3:], steps[:, :-3]),
            np.nanmean(np.where(walking, bpm, np.nan), axis=1) - np.nanmean(np.where(still, bpm, np.nan), axis=1),
        ]
    described = np.stack(columns, axis=1)
    described[~np.isfinite(described)] = np.nan
    return described


def correlation(x: Floats, y: Floats) -> Floats:
    """Correlate rows (N, T) over the columns that are known in both, (N,); NaN where one of them is constant."""
    known = ~np.isnan(x) & ~np.isnan(y)
    n = np.maximum(known.sum(axis=1), 1)
    a, b = np.where(known, x, 0.0), np.where(known, y, 0.0)
    a = np.where(known, a - (a.sum(axis=1) / n)[:, None], 0.0)
    b = np.where(known, b - (b.sum(axis=1) / n)[:, None], 0.0)
    spread = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(spread > 1e-9, spread, np.nan))


def _longest(hit: NDArray[np.bool_]) -> Floats:
    run, best = np.zeros(len(hit)), np.zeros(len(hit))
    for column in hit.T:
        run = np.where(column, run + 1, 0.0)
        best = np.maximum(best, run)
    return best


def tell_apart(first: Hours, second: Hours, modality: str = "both", seed: int = 0, repeats: int = REPEATS) -> Told:
    """Train on some people of both groups, score the others, and say how well the scores tell the groups apart.

    Each fold holds people of both groups. AUROC is taken of each pair of people, one of either group, that were held
    out together, and averaged over the pairs: every person weighs the same. With fewer than two people in a group the
    answer is NaN.
    """
    people = first.people, second.people
    folds = min(FOLDS, *people)
    if folds < 2:
        return Told(np.nan, np.nan, np.nan, *people)
    columns = [FEATURES.index(name) for name in MODALITIES[modality]]
    X = np.concatenate([first.features, second.features])[:, columns]
    y = np.repeat([0, 1], [len(first.person), len(second.person)])
    _, person = np.unique(np.concatenate([first.person, second.person + first.person.max() + 1]), return_inverse=True)
    weight = 1 / np.bincount(person)[person] * np.where(y == 0, 1 / people[0], 1 / people[1]) * len(y) / 2
    rng = np.random.default_rng(seed)
    total, count = np.zeros(people), np.zeros(people)
    with threadpool_limits(1):  # these are small: threads only wait for each other
        for _ in range(repeats):
            fold = np.concatenate([rng.permutation(np.arange(n) % folds) for n in people])
            scores = _out_of_fold(X, y, fold[person], weight, rng)
            for a, b in product(range(people[0]), range(people[0], sum(people))):
                if fold[a] == fold[b]:
                    of_both = (person == a) | (person == b)
                    total[a, b - people[0]] += roc_auc_score(y[of_both], scores[of_both])
                    count[a, b - people[0]] += 1
    pairs = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    drawn = [_mean_of(pairs, count > 0, *(rng.integers(0, n, n) for n in people)) for _ in range(BOOTSTRAPS)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    everybody = (np.arange(n) for n in people)
    return Told(_mean_of(pairs, count > 0, *everybody), float(low), float(high), *people)


def _mean_of(pairs: Floats, known: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> float:
    chosen = np.ix_(rows, columns)
    return float(pairs[chosen].sum() / known[chosen].sum()) if known[chosen].any() else float("nan")


def _out_of_fold(
    X: Floats, y: NDArray[np.int64], fold: NDArray[np.int64], weight: Floats, rng: np.random.Generator
) -> Floats:
    """Return each window's score from a classifier that never saw its person."""
    scores = np.zeros(len(y))
    for number in np.unique(fold):
        held = fold == number
        model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, random_state=int(rng.integers(1 << 30)))
        coarse = _coarse(X, ~held)
        model.fit(coarse[~held], y[~held], sample_weight=weight[~held])
        scores[held] = model.predict_proba(coarse[held])[:, 1]
    return scores


def _coarse(X: Floats, train: NDArray[np.bool_]) -> Floats:
    """Replace values by which of 64 equal shares of the training rows they fall into; NaN stays.

    Trees see the order of values only, and the classifier's own bins take a hundred times longer with weights.
    """
    coarse = np.full(X.shape, np.nan)
    for k, column in enumerate(X.T):
        known = ~np.isnan(column)
        if (known & train).any():
            edges = np.unique(np.quantile(column[known & train], np.arange(1, SHARES) / SHARES))
            coarse[known, k] = np.searchsorted(edges, column[known], side="right")
    return coarse


def alone(first: Hours, second: Hours) -> dict[str, float]:
    """Return AUROC over windows of each feature alone, above 0.5 where it is higher in `second`."""
    found = {}
    for k, name in enumerate(FEATURES):
        a, b = (x[~np.isnan(x)] for x in (first.features[:, k], second.features[:, k]))
        labels = np.repeat([0, 1], [len(a), len(b)])
        found[name] = float(roc_auc_score(labels, np.concatenate([a, b]))) if len(a) and len(b) else float("nan")
    return found


def halves(people: Hours, times: int, modality: str = "both", seed: int = 0) -> Told:
    """Tell random halves of the same people apart, many times over: what real against real gives.

    The interval is that of the halvings, 2.5th to 97.5th percentile.
    """
    rng = np.random.default_rng(seed)
    all_of_them = np.unique(people.person)
    if len(all_of_them) < 4:
        return Told(np.nan, np.nan, np.nan, len(all_of_them) // 2, len(all_of_them) - len(all_of_them) // 2)
    found = []
    for number in range(times):
        chosen = rng.permutation(all_of_them)[: len(all_of_them) // 2]
        inside = np.isin(people.person, chosen)
        one, other = (Hours(people.features[part], people.person[part]) for part in (inside, ~inside))
        found.append(tell_apart(one, other, modality, seed + number, repeats=2).auroc)
    low, high = np.percentile(found, [2.5, 97.5])
    return Told(float(np.mean(found)), float(low), float(high), len(chosen), len(all_of_them) - len(chosen))


def naive(people: Sequence[PersonMinutes], seed: int = 0) -> list[PersonMinutes]:
    """Return a naive simulation of each person: heart rate as AR(1) with the own mean, SD and lag-1 correlation.

    Steps are drawn from the person's own minutes, one by one; what was missing is missing.
    """
    rng = np.random.default_rng(seed)
    made = []
    for one in people:
        known = ~np.isnan(one.bpm)
        if known.sum() < HOUR or np.isnan(one.steps).all():
            continue
        mean, sd = float(one.bpm[known].mean()), float(one.bpm[known].std())
        phi = float(np.nan_to_num(correlation(one.bpm[None, 1:], one.bpm[None, :-1])[0]))
        shock = rng.standard_normal(len(one.bpm)) * np.sqrt(1 - phi**2)
        bpm = np.empty(len(one.bpm))
        value = 0.0
        for t, noise in enumerate(shock.tolist()):
            value = phi * value + noise
            bpm[t] = value
        bpm = np.clip(np.rint(mean + sd * bpm), 25, 240)
        steps = rng.choice(one.steps[~np.isnan(one.steps)], len(one.steps))
        bpm[~known], steps[np.isnan(one.steps)] = np.nan, np.nan
        made.append(PersonMinutes(f"ar1-{one.name}", one.first, bpm, steps, one.sleep_min))
    return made
