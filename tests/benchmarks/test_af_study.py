"""The study of irregular rhythm with each person left out, on made-up recordings."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.real_data import af, af_figures
from benchmarks.real_data.af_windows import LONG, long_windows
from simulators.errors import RecordingsMissing
from tests.signals.beats import irregular, sinus


def recordings(folder: Path, people: int = 3) -> Path:
    """Half an hour a person: sinus rhythm, the last two windows fibrillation; the last person has none."""
    columns: dict[str, list[object]] = {"record": [], "t_s": [], "rr_s": [], "rhythm": []}
    for person in range(people):
        for window in range(6):
            fibrillates = window >= 4 and person < people - 1
            rr = (irregular(person * 10 + window) if fibrillates else sinus(person * 10 + window)) / 1000
            columns["record"] += [f"p{person}"] * len(rr)
            columns["t_s"] += (window * 300 + np.minimum(np.cumsum(rr), 299.9)).tolist()
            columns["rr_s"] += rr.tolist()
            columns["rhythm"] += ["AFIB" if fibrillates else "N"] * len(rr)
    pq.write_table(pa.table(columns), folder / LONG)
    return folder


def test_each_person_is_judged_once_and_persons_of_one_kind_only_have_no_area(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(af_figures, "REPEATS", 20)

    found = af.study(recordings(tmp_path))

    assert [(one.record, one.windows, one.af_windows) for one in found.people] == [
        ("p0", 6, 2),
        ("p1", 6, 2),
        ("p2", 6, 0),
    ]
    assert found.rules[0].pooled.value == 1
    assert np.isnan(found.people[2].auroc)
    assert np.isnan(found.people[2].sensitivity)
    assert found.rules[0].mean.value == np.mean([one.auroc for one in found.people[:2]])


def test_windows_keep_their_labels_and_the_bytes_of_their_minutes(tmp_path: Path) -> None:
    windows, minutes = long_windows(recordings(tmp_path))

    assert windows.af.tolist() == [0, 0, 0, 0, 1, 1] * 2 + [0] * 6
    assert (windows.byte[4:6] > 20).all()
    assert (windows.byte[:4] < 6).all()
    assert [len(code) for code, _ in minutes] == [30, 30, 30]


def test_the_area_equals_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(1)
    wanted, score = rng.random(300) < 0.3, rng.integers(0, 12, 300).astype(np.float64)

    assert af.auroc(wanted, score) == pytest.approx(roc_auc_score(wanted, score))
    assert np.isnan(af.auroc(wanted & False, score))


def test_recordings_that_are_not_there_are_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordingsMissing, match="is not there"):
        af.study(tmp_path)
