"""Irregular rhythm on recordings of atrial fibrillation: the figures of `benchmarks.real_data.af`, tabulated."""

import math
from pathlib import Path

from benchmarks.real_data import af, drawing
from benchmarks.real_data.results import Study, Table, Target
from simulators.recordings.recording import folder

FOLDER = "af_rr_physionet"
SHORT_ONCE = (
    "The short recordings of CinC 2017 were left alone until the index was settled, and were then run once, at commit "
    "892f1ac, on the development part of them (5,154 recordings of 9 to 60 s, 271 not assessable): AUROC of A against "
    "all others 0.902 (0.887 to 0.916), against N 0.931, 0.876 for the logistic rule; sensitivity 0.82, specificity "
    "0.88 for N, 0.79 for O(ther) and 0.07 for noisy recordings. `--only af-short` runs them on other people's."
)
BASELINE_POOLED, BASELINE_MEAN = 0.964, 0.975  # of the logistic rule, as the issue gives them


def _over_people(one: af.Figure) -> str:
    return "-" if math.isnan(one.value) else f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def study(data: Path) -> Study:
    """Judge the long recordings, each person by rules that never saw that person."""
    found = af.study(folder(data, FOLDER))
    out = Study("af", "Atrial fibrillation: long recordings, each person left out in turn")
    out.sentences.append(
        f"{len(found.people)} people of the MIT-BIH AF database, {found.windows:,} assessable windows of 5 minutes, "
        f"{found.af_share:.0%} of them with at least half of their beats marked as fibrillation. Each person is judged "
        "by coefficients fitted on the others. Intervals are 95 %, from a bootstrap over people. A mean over people "
        "leaves out those whose windows are all of one kind."
    )
    out.sentences.append(SHORT_ONCE)
    rules = [
        [
            rule.name,
            _over_people(rule.pooled),
            _over_people(rule.mean),
            _over_people(rule.sensitivity),
            _over_people(rule.specificity),
        ]
        for rule in (*found.rules, found.pure)
    ]
    columns = ("rule", "AUROC, windows pooled", "AUROC, mean over people", "sensitivity", "specificity")
    out.tables.append(Table("Rules, each person left out in turn", columns, rules))
    out.tables.append(
        Table(
            "Each person",
            (
                "person",
                "windows",
                "not assessable",
                "with AF",
                "with flutter",
                "mixed",
                "AUROC",
                "AUROC of the baseline",
                "sensitivity",
                "specificity",
            ),
            [
                [
                    one.record,
                    one.windows,
                    one.not_assessable,
                    one.af_windows,
                    one.flutter_windows,
                    one.mixed_windows,
                    one.auroc,
                    one.auroc_baseline,
                    one.sensitivity,
                    one.specificity,
                ]
                for one in found.people
            ],
            note="The baseline is a logistic rule on RMSSD / mean and Shannon entropy in the same folds. A dash: the "
            "person's windows are all of one kind, or there was nothing to find or to spare.",
        )
    )
    out.tables.append(
        Table(
            f"The byte that a minute's state holds (100 x RMSSD / mean), at limits; {found.byte_now} is in use",
            ("limit, %", "sensitivity, 5 min", "specificity, 5 min", "sensitivity, 30 min", "specificity, 30 min"),
            [
                [one.threshold_pct, one.sensitivity, one.specificity, one.sensitivity_30_min, one.specificity_30_min]
                for one in found.bytes
            ],
        )
    )
    index, baseline = found.rules[0], found.rules[1]
    out.targets += [
        Target(
            "AF, AUROC of the index over all windows, against the logistic rule on nRMSSD and entropy",
            f"above {BASELINE_POOLED} ({baseline.pooled.value:.3f} in these folds)",
            f"{_over_people(index.pooled)}; difference in these folds {_over_people(found.difference_pooled)}",
            _above(index.pooled.value, BASELINE_POOLED, baseline.pooled.value),
        ),
        Target(
            "AF, the same as a mean over people",
            f"above {BASELINE_MEAN} ({baseline.mean.value:.3f} in these folds)",
            f"{_over_people(index.mean)}; difference in these folds {_over_people(found.difference_mean)}",
            _above(index.mean.value, BASELINE_MEAN, baseline.mean.value),
        ),
    ]
    scored = af.scores(folder(data, FOLDER))
    picture = drawing.rates_of_errors(scored.af, {"index": scored.index, "nRMSSD and entropy": scored.baseline})
    out.pictures["af.png"] = (picture, "Receiver operating curves of the left-out windows, people pooled.")
    out.limits += [
        "The features were chosen with these people in sight; only the coefficients are left out in turn.",
        "RR intervals of a Holter ECG: those of a wrist sensor have more errors and more gaps.",
        "People of this database have fibrillation that comes and goes: its share says nothing of wearers.",
    ]
    return out


def short(data: Path) -> Study:
    """Judge the short recordings of CinC 2017, once, by coefficients and threshold as they stand."""
    found = af.short_recordings(folder(data, FOLDER))
    out = Study("af-short", "Atrial fibrillation: the short recordings, run once")
    out.sentences.append(
        f"{found.recordings:,} recordings of 9 to 60 s; {found.dropped_intervals:,} intervals that cannot be were "
        "dropped. Nothing was fitted to them. A against N, O(ther) and noisy together."
    )
    kinds = sorted({*found.assessable, *found.not_assessable})
    out.tables.append(
        Table(
            "By label",
            ("label", "assessable", "not assessable", "told as irregular"),
            [
                [
                    kind,
                    found.assessable.get(kind, 0),
                    found.not_assessable.get(kind, 0),
                    found.sensitivity if kind == "A" else 1 - found.specificity.get(kind, float("nan")),
                ]
                for kind in kinds
            ],
        )
    )
    out.tables.append(
        Table(
            "AUROC",
            ("rule", "A against all others", "A against N"),
            [
                ["index", _over_people(found.auroc), found.auroc_normal],
                ["logistic rule on nRMSSD and entropy", found.baseline_auroc, None],
            ],
        )
    )
    return out


def _above(value: float, asked: float, here: float) -> bool | None:
    return None if math.isnan(value) else value > max(asked, 0.0 if math.isnan(here) else here)
