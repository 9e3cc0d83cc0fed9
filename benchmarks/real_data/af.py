"""Irregular rhythm against atrial fibrillation: the long recordings with each person left out in turn, the short once.

``python -m benchmarks.real_data.af FOLDER`` prints the study as JSON, with the coefficients that
`monitor.signals.rhythm` holds. `short_recordings` is for once, when they are settled.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.real_data.af_figures import (
    REPEATS,
    SEED,
    Bools,
    Figure,
    Floats,
    Rule,
    auroc,
    differences,
    interval,
    judged,
    samples_of,
    share,
)
from benchmarks.real_data.af_windows import Windows, entropy, long_windows, table
from monitor.signals import rhythm
from monitor.signals.af_burden import THRESHOLD_PCT, WIDTH, irregular_windows, persists
from monitor.signals.hrv import hrv

__all__ = ["Figure", "LongStudy", "Rule", "Scores", "ShortStudy", "auroc", "scores", "short_recordings", "study"]

SHORT = "cinc2017_wqrs_rr.parquet"
CODES = (8, 10, 12, 14, 16)  # percent: thresholds of the minute byte that are tried
LONGEST_S = 3.0


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
    byte_now is the threshold in use. intercept, coefficients : fitted on everybody, what `rhythm` holds.
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
    windows, minutes = long_windows(folder)
    kept, (one, plain) = windows.assessable, _left_out(windows)
    record, af = windows.record[kept], windows.af[kept] >= 0.5
    index, baseline, byte = one[kept], plain[kept], windows.byte[kept]
    clean = ((windows.af == 0) | (windows.af == 1)) & (windows.flutter == 0)
    intercept, coefficients = _fitted(windows.features[kept], af)
    samples = samples_of(record)
    rules = [
        judged("irregular-rhythm index", record, af, index, rhythm.THRESHOLD, samples),
        judged("logistic rule on RMSSD/mean and entropy", record, af, baseline, 0.5, samples),
        judged("minute bytes, second lowest of five", record, af, byte, THRESHOLD_PCT, samples),
    ]
    spread = differences(af, index, baseline, samples)
    return LongStudy(
        people=[_person(windows, name, one, plain) for name in np.unique(windows.record)],
        windows=int(kept.sum()),
        af_share=float(af.mean()),
        rules=rules,
        difference_pooled=interval(rules[0].pooled.value - rules[1].pooled.value, spread[0]),
        difference_mean=interval(rules[0].mean.value - rules[1].mean.value, spread[1]),
        pure=judged(
            "index, windows of one rhythm",
            windows.record[kept & clean],
            windows.af[kept & clean] >= 0.5,
            one[kept & clean],
            rhythm.THRESHOLD,
            samples_of(windows.record[kept & clean]),
        ),
        bytes=[_byte(code, minutes) for code in CODES],
        byte_now=THRESHOLD_PCT,
        intercept=intercept,
        coefficients=coefficients,
    )


def scores(folder: Path) -> Scores:
    """Return every assessable window's scores, for pictures; parameters and errors as `study`."""
    windows, _ = long_windows(folder)
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

    Run once, at commit 892f1ac, on the development part (5,154 recordings, 271 not assessable): AUROC of A against all
    others 0.902 (0.887 to 0.916), against N 0.931, of the baseline 0.876; sensitivity 0.82, specificity 0.88 for N,
    0.79 for O and 0.07 for noisy recordings. Whoever changes the index afterwards has seen them.
    """
    columns = table(folder, SHORT, ("record", "rr_s", "label"))
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
    windows, _ = long_windows(folder)
    fit = windows.assessable
    weight, slopes = _fitted(windows.plain[fit], windows.af[fit] >= 0.5)
    baseline = weight + np.column_stack([plain.cvsd, entropy(intervals, count)]) @ np.array(slopes)
    af, index = kind[told] == "A", found.index[told]
    generator = np.random.default_rng(SEED)
    drawn = [generator.integers(0, len(af), len(af)) for _ in range(REPEATS)]
    normal = kind[told] == "N"
    return ShortStudy(
        recordings=len(count),
        dropped_intervals=int((~good).sum()),
        assessable={str(one): int((kind[told] == one).sum()) for one in np.unique(kind)},
        not_assessable={str(one): int((kind[~told] == one).sum()) for one in np.unique(kind)},
        auroc=interval(auroc(af, index), [auroc(af[rows], index[rows]) for rows in drawn]),
        auroc_normal=auroc(af[af | normal], index[af | normal]),
        baseline_auroc=auroc(af, baseline[told]),
        sensitivity=float(found.irregular[told][af].mean()),
        specificity={
            str(one): float((~found.irregular[told][kind[told] == one]).mean()) for one in np.unique(kind) if one != "A"
        },
    )


def _fitted(features: Floats, af: Bools) -> tuple[float, list[float]]:
    """Logistic fit on standardised features, given back for features as they are."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    model = LogisticRegression(C=1.0, max_iter=1000).fit((features - centre) / spread, af)
    slopes = model.coef_[0] / spread
    return float(model.intercept_[0] - (slopes * centre).sum()), [float(one) for one in slopes]


def _left_out(windows: Windows) -> tuple[Floats, Floats]:
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


def _person(windows: Windows, name: str, index: Floats, baseline: Floats) -> Person:
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
        sensitivity=share(score[af] >= rhythm.THRESHOLD),
        specificity=share(score[~af] < rhythm.THRESHOLD),
    )


def _byte(threshold: int, minutes: list[tuple[NDArray[np.uint8], Floats]]) -> Byte:
    """Figures of the rule on bytes at a threshold: windows of five minutes, and half hours, end to end."""
    five: list[tuple[Bools, Bools]] = []
    thirty: list[tuple[Bools, Bools]] = []
    for code, af_share in minutes:
        shifted = np.where(code == 0, 0, np.clip(code.astype(np.int64) + THRESHOLD_PCT - threshold, 1, 255))
        irregular, told = irregular_windows(shifted.astype(np.uint8)[None], np.ones((1, len(code)), np.bool_))
        for width, kept in ((WIDTH, five), (30, thirty)):
            ends = np.arange(width - 1, len(code), width)
            af = np.array([np.nanmean(af_share[end - width + 1 : end + 1]) >= 0.5 for end in ends])
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
        *(value for af, hit in joined for value in (share(hit[af]), share(~hit[~af]))),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(study(Path(sys.argv[1]))), indent=1))
