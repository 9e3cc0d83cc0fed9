"""Irregular rhythm against atrial fibrillation: the long recordings with each person left out in turn, the short once.

``python -m benchmarks.real_data.af FOLDER`` prints the study as JSON, with the coefficients that
`monitor.signals.rhythm` holds. `short_recordings` is for once, when they are settled.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from monitor.signals import rhythm
from monitor.signals.af_burden import ENOUGH, THRESHOLD_PCT, WIDTH, irregular_windows, persists
from monitor.signals.beat_runs import beat_runs
from monitor.signals.hrv import WINDOW_MS, hrv
from monitor.signals.irregular import irregular_pct
from simulators.errors import RecordingsMissing

LONG, SHORT = "afdb_rr.parquet", "cinc2017_wqrs_rr.parquet"
WINDOW_S = WINDOW_MS / 1000
REPEATS = 1000
SEED = 20261125
CODES = (8, 10, 12, 14, 16)  # percent: thresholds of the minute byte that are tried
LONGEST_S = 3.0

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
class Person:
    """One long recording; scores are those of the rules that were fitted without this person.

    auroc : NaN (None in JSON) where all windows are of one kind. sensitivity, specificity : of the index at its fixed
    threshold, with coefficients fitted without this person; NaN where there is nothing to find or to spare.
    """

    record: str
    windows: int
    not_assessable: int
    af_windows: int
    flutter_windows: int
    mixed_windows: int
    auroc: float
    auroc_baseline: float
    sensitivity: float
    specificity: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's figures, each person judged by a fit without that person: pooled windows, and mean over people."""

    name: str
    pooled: Figure
    mean: Figure
    sensitivity: Figure
    specificity: Figure


@dataclass(frozen=True, slots=True)
class Byte:
    """The minute byte at one threshold: windows of five minutes, and half hours that are irregular throughout."""

    threshold_pct: int
    sensitivity: float
    specificity: float
    sensitivity_30_min: float
    specificity_30_min: float


@dataclass(frozen=True, slots=True)
class LongStudy:
    """What the long recordings say.

    people : the table. rules : index, baseline, and the minute bytes. difference_pooled, difference_mean : index minus
    baseline. pure : the index where windows with a change of rhythm and flutter are left out. bytes : by threshold;
    byte_now is the threshold in use. intercept, coefficients : fitted on everybody, as `monitor.signals.rhythm` holds them.
    """

    people: list[Person]
    windows: int
    af_share: float
    rules: list[Rule]
    difference_pooled: Figure
    difference_mean: Figure
    pure: Rule
    bytes: list[Byte]
    byte_now: int
    intercept: float
    coefficients: list[float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Every assessable window of the long recordings, with its scores; all (n,). Made by `scores`."""

    record: NDArray[np.str_]
    af: Bools
    pure: Bools
    index: Floats
    baseline: Floats
    byte: Floats


@dataclass(frozen=True, slots=True)
class ShortStudy:
    """What the short recordings say, judged by fixed coefficients and threshold. A against N, O and noisy together.

    not_assessable : by label. auroc : A against all others; auroc_normal : A against N alone.
    baseline_auroc : nRMSSD and entropy, fitted on the long recordings. specificity : by label.
    """

    recordings: int
    dropped_intervals: int
    assessable: dict[str, int]
    not_assessable: dict[str, int]
    auroc: Figure
    auroc_normal: float
    baseline_auroc: float
    sensitivity: float
    specificity: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Windows:
    """Windows of all long recordings, assessable or not; columns (n,), features (n, 3), plain (n, 2)."""

    record: NDArray[np.str_]
    af: Floats
    flutter: Floats
    assessable: Bools
    features: Floats
    plain: Floats
    byte: Floats


def study(folder: Path) -> LongStudy:
    """Judge the long recordings with each person left out in turn.

    Parameters
    ----------
    folder : holds `afdb_rr.parquet`.

    Raises
    ------
    RecordingsMissing
        If it is not there.

    Notes
    -----
    A window is five minutes from the beginning of the recording; it counts as fibrillation if at least half of its
    beats are marked so, and flutter and junctional rhythm count as none. Only the coefficients are fitted anew in each
    fold: the features were chosen with all 17 people in sight. The baseline is a logistic rule on RMSSD over mean and
    Shannon entropy (bins of 5 % of the median interval), in the same folds. People with windows of one kind only count
    in pooled figures, not in means.
    """
    windows, minutes = _long(folder)
    kept, left_out = windows.assessable, _left_out(windows)
    one, plain = left_out
    record, af = windows.record[kept], windows.af[kept] >= 0.5
    index, baseline, byte = one[kept], plain[kept], windows.byte[kept]
    clean = ((windows.af == 0) | (windows.af == 1)) & (windows.flutter == 0)
    intercept, coefficients = _fitted(windows.features[kept], af)
    draws = _draws(record)
    rules = [
        _rule("irregular-rhythm index", record, af, index, rhythm.THRESHOLD, draws),
        _rule("logistic rule on RMSSD/mean and entropy", record, af, baseline, 0.5, draws),
        _rule("minute bytes, second lowest of five", record, af, byte, THRESHOLD_PCT, draws),
    ]
    pairs = [(a.value, b.value) for a, b in ((rules[0].pooled, rules[1].pooled), (rules[0].mean, rules[1].mean))]
    spread = [_differences(af, index, baseline, draws)[k] for k in range(2)]
    return LongStudy(
        people=[_person(windows, name, one, plain) for name in np.unique(windows.record)],
        windows=int(kept.sum()),
        af_share=float(af.mean()),
        rules=rules,
        difference_pooled=_interval(pairs[0][0] - pairs[0][1], spread[0]),
        difference_mean=_interval(pairs[1][0] - pairs[1][1], spread[1]),
        pure=_rule(
            "index, windows of one rhythm",
            windows.record[kept & clean],
            windows.af[kept & clean] >= 0.5,
            one[kept & clean],
            rhythm.THRESHOLD,
            _draws(windows.record[kept & clean]),
        ),
        bytes=[_byte(code, minutes) for code in CODES],
        byte_now=THRESHOLD_PCT,
        intercept=intercept,
        coefficients=coefficients,
    )


def scores(folder: Path) -> Scores:
    """Return every assessable window's scores, for pictures; parameters and errors as `study`."""
    windows, _ = _long(folder)
    one, plain = _left_out(windows)
    kept = windows.assessable
    pure = ((windows.af == 0) | (windows.af == 1)) & (windows.flutter == 0)
    return Scores(windows.record[kept], windows.af[kept] >= 0.5, pure[kept], one[kept], plain[kept], windows.byte[kept])


def short_recordings(folder: Path) -> ShortStudy:
    """Judge the short recordings by the coefficients and the threshold as they stand; nothing is fitted to them.

    Parameters
    ----------
    folder : holds both tables; the long recordings are for the baseline's fit.

    Notes
    -----
    Zero and negative intervals and those over 3 s are dropped, as the data's README says, and the rest closes up. A
    recording is as long as it is: gaps are not judged, fewer than 20 intervals are not assessable.
    """
    columns = _table(folder, SHORT, ("record", "rr_s", "label"))
    name, rr_ms, label = columns["record"], columns["rr_s"].astype(np.float64) * 1000, columns["label"]
    good = (rr_ms > 0) & (rr_ms <= LONGEST_S * 1000)
    _, first, run = np.unique(name[good], return_index=True, return_inverse=True)
    order = np.argsort(run, kind="stable")
    count = np.bincount(run)
    kind = label[good][first]
    intervals = rr_ms[good][order]
    found = rhythm.rhythm(intervals, count, window_ms=0)
    plain = hrv(intervals, count, window_ms=0)
    told = found.reason == 0
    windows, _ = _long(folder)
    fit = windows.assessable
    weight, slopes = _fitted(windows.plain[fit], windows.af[fit] >= 0.5)
    baseline = weight + np.column_stack([plain.cvsd, _entropy(intervals, count)]) @ np.array(slopes)
    af, index = kind[told] == "A", found.index[told]
    generator = np.random.default_rng(SEED)
    drawn = [generator.integers(0, len(af), len(af)) for _ in range(REPEATS)]
    normal = kind[told] == "N"
    return ShortStudy(
        recordings=len(count),
        dropped_intervals=int((~good).sum()),
        assessable={str(one): int((kind[told] == one).sum()) for one in np.unique(kind)},
        not_assessable={str(one): int((kind[~told] == one).sum()) for one in np.unique(kind)},
        auroc=_interval(auroc(af, index), [auroc(af[rows], index[rows]) for rows in drawn]),
        auroc_normal=auroc(af[af | normal], index[af | normal]),
        baseline_auroc=auroc(af, baseline[told]),
        sensitivity=float(found.irregular[told][af].mean()),
        specificity={
            str(one): float((~found.irregular[told][kind[told] == one]).mean()) for one in np.unique(kind) if one != "A"
        },
    )


def auroc(positive: Bools, score: Floats) -> float:
    """Area under the curve by ranks, ties shared; NaN where all are of one kind or a score is NaN.

    >>> auroc(np.array([True, False, True, False]), np.array([3.0, 1.0, 2.0, 2.0]))
    0.875
    """
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m or np.isnan(score).any():
        return float("nan")
    return float((rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def _table(folder: Path, name: str, columns: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    path = folder / name
    if not path.is_file():
        raise RecordingsMissing(f"{path} is not there.")
    table = pq.read_table(path, columns=list(columns))
    return {one: np.asarray(table[one].to_pylist()) for one in columns}


def _long(folder: Path) -> tuple[_Windows, list[tuple[NDArray[np.uint8], Floats]]]:
    """Windows of all long recordings; and for each recording its minute codes, and the share of AF in each minute."""
    columns = _table(folder, LONG, ("record", "t_s", "rr_s", "rhythm"))
    record, kind = columns["record"], columns["rhythm"]
    rr_ms, time_s = columns["rr_s"].astype(np.float64) * 1000, columns["t_s"].astype(np.float64)
    parts, minutes = [], []
    for name in np.unique(record):
        mine = record == name
        af, flutter = kind[mine] == "AFIB", kind[mine] == "AFL"
        minute = (time_s[mine] // 60).astype(np.int64)
        code, share = _minute_codes(rr_ms[mine], minute, af)
        minutes.append((code, share))
        window = (time_s[mine] // WINDOW_S).astype(np.int64)
        count = np.bincount(window)
        found, plain = rhythm.rhythm(rr_ms[mine], count), hrv(rr_ms[mine], count)
        byte = _second_lowest(code, len(count))
        divisor = np.where(count > 0, count, np.nan)
        parts.append(
            _Windows(
                record=np.full(len(count), str(name)),
                af=np.bincount(window, weights=af) / divisor,
                flutter=np.bincount(window, weights=flutter) / divisor,
                assessable=(found.reason == 0) & (plain.reason == 0) & ~np.isnan(byte),
                features=found.features,
                plain=np.column_stack([plain.cvsd, _entropy(rr_ms[mine], count)]),
                byte=byte,
            )
        )
    joined = {name: np.concatenate([getattr(one, name) for one in parts]) for name in _Windows.__slots__}
    return _Windows(**joined), minutes


def _minute_codes(rr_ms: Floats, minute: Ints, af: Bools) -> tuple[NDArray[np.uint8], Floats]:
    """Return the byte that the engine keeps of each minute, and the share of AF beats (NaN without beats)."""
    count = np.bincount(minute)
    percent = irregular_pct(np.rint(rr_ms).astype(np.int16), count.astype(np.int32))
    code = np.where(np.isnan(percent), 0, np.minimum(np.rint(percent), 253) + 1).astype(np.uint8)
    return code, np.bincount(minute, weights=af) / np.where(count > 0, count, np.nan)


def _entropy(rr_ms: Floats, count: Ints) -> Floats:
    """Shannon entropy of the intervals of each run in bins of 5 % of their median; (n,) nats."""
    runs = beat_runs(rr_ms, count)
    cell = (runs.rr_ms / (0.05 * runs.median()[runs.run])).astype(np.int64)
    one, held = np.unique(runs.run * 10_000 + cell, return_counts=True)
    run = one // 10_000
    share = held / runs.count[run]
    return np.bincount(run, weights=-share * np.log(share), minlength=len(count)).astype(np.float64)


def _second_lowest(code: NDArray[np.uint8], windows: int) -> Floats:
    """Return the percent that all but one of the five minutes of each window reach; NaN below four minutes."""
    padded = np.zeros(windows * WIDTH, np.uint8)
    padded[: len(code)] = code[: len(padded)]
    five = np.sort(np.where(padded > 0, padded.astype(np.float64) - 1, np.nan).reshape(windows, WIDTH), axis=1)
    told = (~np.isnan(five)).sum(axis=1)
    # of five the second lowest, of four the lowest: four minutes reach it, as `irregular_windows` asks
    return np.where(told >= ENOUGH, five[np.arange(windows), np.maximum(told - ENOUGH, 0)], np.nan)


def _fitted(features: Floats, af: Bools) -> tuple[float, list[float]]:
    """Logistic fit on standardised features, given back for features as they are."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(C=1.0, max_iter=1000).fit((features - centre) / spread, af)
    slopes = model.coef_[0] / spread
    return float(model.intercept_[0] - (slopes * centre).sum()), [float(one) for one in slopes]


def _left_out(windows: _Windows) -> tuple[Floats, Floats]:
    """Index and baseline of each window, 0 to 1, by fits without its person; NaN where not assessable."""
    results = []
    for features in (windows.features, windows.plain):
        score = np.full(len(windows.record), np.nan)
        for name in np.unique(windows.record):
            mine = windows.assessable & (windows.record == name)
            others = windows.assessable & (windows.record != name)
            intercept, slopes = _fitted(features[others], windows.af[others] >= 0.5)
            score[mine] = 1 / (1 + np.exp(-(intercept + features[mine] @ np.array(slopes))))
        results.append(score)
    return results[0], results[1]


def _person(windows: _Windows, name: str, index: Floats, baseline: Floats) -> Person:
    all_of_it = windows.record == name
    mine = all_of_it & windows.assessable
    af, score = windows.af[mine] >= 0.5, index[mine]
    return Person(
        record=str(name),
        windows=int(mine.sum()),
        not_assessable=int((all_of_it & ~windows.assessable).sum()),
        af_windows=int(af.sum()),
        flutter_windows=int((windows.flutter[mine] >= 0.5).sum()),
        mixed_windows=int(((windows.af[mine] > 0) & (windows.af[mine] < 1)).sum()),
        auroc=auroc(af, score),
        auroc_baseline=auroc(af, baseline[mine]),
        sensitivity=_share(score[af] >= rhythm.THRESHOLD),
        specificity=_share(score[~af] < rhythm.THRESHOLD),
    )


def _share(hits: Bools) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _draws(record: NDArray[np.str_]) -> list[list[Ints]]:
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
        _share(hit[wanted]),
        _share(~hit[~wanted]),
    )


def _rule(
    name: str, record: NDArray[np.str_], af: Bools, score: Floats, threshold: float, draws: list[list[Ints]]
) -> Rule:
    people = [np.flatnonzero(record == one) for one in np.unique(record)]
    values = _figures(af, score, threshold, people)
    drawn = np.array([_figures(af, score, threshold, one) for one in draws])
    return Rule(name, *(_interval(value, drawn[:, k]) for k, value in enumerate(values)))


def _differences(
    record: NDArray[np.str_], af: Bools, one: Floats, two: Floats, draws: list[list[Ints]]
) -> list[Floats]:
    """Difference of pooled and of mean AUROC in each bootstrap sample."""
    first = np.array([_figures(af, one, 0.5, people)[:2] for people in draws])
    second = np.array([_figures(af, two, 0.5, people)[:2] for people in draws])
    return [first[:, 0] - second[:, 0], first[:, 1] - second[:, 1]]


def _interval(value: float, drawn: "Sequence[float] | Floats") -> Figure:
    low, high = np.nanpercentile(np.asarray(drawn, np.float64), [2.5, 97.5])
    return Figure(float(value), float(low), float(high))


def _byte(threshold: int, minutes: list[tuple[NDArray[np.uint8], Floats]]) -> Byte:
    """Figures of the rule on bytes at a threshold: windows of five minutes, and half hours, end to end."""
    five: list[tuple[Bools, Bools]] = []
    thirty: list[tuple[Bools, Bools]] = []
    for code, share in minutes:
        shifted = np.where(code == 0, 0, np.clip(code.astype(np.int64) + THRESHOLD_PCT - threshold, 1, 255))
        irregular, told = irregular_windows(shifted.astype(np.uint8)[None], np.ones((1, len(code)), np.bool_))
        for width, kept in ((WIDTH, five), (30, thirty)):
            ends = np.arange(width - 1, len(code), width)
            af = np.array([np.nanmean(share[end - width + 1 : end + 1]) >= 0.5 for end in ends])
            if width == WIDTH:
                use = told[0, ends]
                kept.append((af[use], irregular[0, ends][use]))
            else:
                found = [persists(irregular[:, : end + 1], told[:, : end + 1]) for end in ends]
                use = np.array([bool(one[1][0]) for one in found])
                kept.append((af[use], np.array([bool(one[0][0]) for one in found])[use]))
    joined = [tuple(np.concatenate([pair[k] for pair in kept]) for k in range(2)) for kept in (five, thirty)]
    return Byte(
        threshold,
        *(value for af, hit in joined for value in (_share(hit[af]), _share(~hit[~af]))),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(study(Path(sys.argv[1]))), indent=1))
