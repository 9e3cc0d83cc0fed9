"""Training on a village: what is there is found, what is not there is not, and the bundle is what was judged."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from models import bundle, evaluate
from models.dataset import Dataset
from models.errors import DataUnusable
from models.heads import HEADS
from models.journal import read_cohort
from models.predict import Predictor
from models.recipe import Recipe
from models.train import train
from tests.models.conftest import SMALL, Trained, trained_on
from tests.models.village import make_village


def test_a_planted_signal_is_learned_on_people_never_seen(trained: Trained) -> None:
    head = trained.report["heads"]["deterioration_1h"]

    assert head["auroc"]["low"] > 0.6
    assert head["auroc"]["value"] > 0.75


def test_shuffled_labels_are_worth_a_coin(tmp_path: Path) -> None:
    shuffled = make_village(tmp_path / "shuffled", wearers=32, days=3, seed=5, shuffled=True)
    other = make_village(tmp_path / "other", wearers=24, days=3, seed=6, shuffled=True)

    short = dataclasses.replace(SMALL, epochs=2, samples_per_epoch=768)
    head = trained_on(shuffled, tmp_path / "out", other, short).report["heads"]["deterioration_1h"]

    assert not head["evaluated"] or 0.35 < head["auroc"]["value"] < 0.65
    assert head["limit"] is None


def test_a_bundle_reloads_bit_for_bit(trained: Trained, dataset: Dataset) -> None:
    snapshot = dataset.snapshot(dataset.ticks(np.arange(4), 360))
    network, manifest, identity = bundle.load(trained.folder)

    first, second = (Predictor.load(trained.folder, "cpu").score(snapshot).probability for _ in range(2))

    assert first.tobytes() == second.tobytes()
    assert np.isfinite(first).any()
    again = bundle.save(trained.folder.parent / "again", network, manifest, report={}, card="")
    assert again == identity[:12]
    assert (
        Predictor.load(trained.folder.parent / "again", "cpu").score(snapshot).probability.tobytes() == first.tobytes()
    )


def test_the_report_is_that_of_the_bundle(trained: Trained, other_village: Path) -> None:
    predictor, people = Predictor.load(trained.folder, "cpu"), Dataset(read_cohort(other_village))

    again = evaluate.judge(predictor, people, np.arange(24), SMALL, told=lambda *_: None)

    assert again["people"] == trained.report["people"]
    for name, head in trained.report["heads"].items():
        if head["evaluated"]:
            assert again["heads"][name]["auroc"] == head["auroc"]
    assert bundle.read_report(trained.folder) == trained.report


def test_a_head_without_truth_stays_silent(trained: Trained) -> None:
    predictor = Predictor.load(trained.folder, "cpu")

    silent = {head.name for head, known in zip(HEADS, predictor.trained, strict=True) if not known}

    assert {"sub_health", "infection", "irregular_rhythm", "heat_strain", "poor_recovery"} <= silent
    assert all(limit is None for head, limit in zip(HEADS, predictor.limits, strict=True) if head.name in silent)


def test_the_same_seed_gives_the_same_bundle(village: Path, other_village: Path, tmp_path: Path) -> None:
    short = dataclasses.replace(SMALL, epochs=1, samples_per_epoch=128)

    versions = []
    for name in ("one", "two"):
        trained_on(village, tmp_path / name, other_village, short)
        versions.append(bundle.verified(tmp_path / name)[1])

    assert versions[0] == versions[1]


def test_every_part_of_the_loss_can_be_switched_off(village: Path, other_village: Path, tmp_path: Path) -> None:
    bare = dataclasses.replace(
        SMALL,
        epochs=1,
        samples_per_epoch=64,
        self_supervision=0,
        alignment=0,
        adversarial=0,
        device_blind=0,
        modality_dropout=False,
    )

    trained_on(village, tmp_path / "bare", other_village, bare)

    assert bundle.load(tmp_path / "bare")[1].training["recipe"]["adversarial"] == 0


def test_too_few_people_are_refused_with_a_sentence(tmp_path: Path) -> None:
    tiny = make_village(tmp_path / "tiny", wearers=4, days=2)

    with pytest.raises(DataUnusable, match=r"holds 4 wearers: training needs more of them\."):
        train(tiny, tmp_path / "out", Recipe(), device="cpu")
    assert not (tmp_path / "out").exists()
