"""What the predictor promises, with a network whose weights mean nothing: no promise may depend on training."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models import bundle
from models.errors import BundleDamaged
from models.heads import HEAD_NAMES, HEADS, MODALITIES
from models.network import LOGITS, Network, Shape, probabilities
from models.predict import Predictor
from models.snapshot import LAYOUT, Snapshot
from models.tensors import INPUTS, STAGE_CODES, tensors
from stream_schemas.sleep import STAGES
from tests.models.people import blanked, well_known


def _manifest() -> bundle.Manifest:
    return bundle.Manifest(
        shape=Shape(width=32, latents=4, depth=1, attention_heads=2, recurrent=16),
        trained=tuple(head.name != "sub_health" for head in HEADS),
        limits=(None,) * len(HEADS),
        slope=(3.0,) * LOGITS,
        intercept=(-1.0,) * LOGITS,
        budget_per_wearer_day=0.02,
        training={"origin": "nothing"},
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("untrained") / "bundle"
    bundle.save(folder, Network(_manifest().shape), _manifest(), report={}, card="# A test\n")
    return folder


@pytest.fixture(scope="module")
def predictor(saved: Path) -> Predictor:
    return Predictor.load(saved, "cpu")


def test_an_empty_snapshot_is_not_assessable_rather_than_low_risk(predictor: Predictor) -> None:
    scores = predictor.score(Snapshot.empty(3))

    assert np.isnan(scores.probability).all()
    assert (scores.coverage == 0).all()
    assert (scores.missing == 2 ** len(MODALITIES) - 1).all()


def test_every_subset_of_modalities_gives_a_probability_or_says_not_assessable(predictor: Predictor) -> None:
    subsets = 2 ** len(MODALITIES)
    snapshot = well_known(subsets)
    for row in range(subsets):
        for bit, modality in enumerate(MODALITIES):
            if row >> bit & 1:
                blanked(snapshot, row, modality)

    scores = predictor.score(snapshot)

    heart, rr = MODALITIES.index("heart_rate"), MODALITIES.index("rr_intervals")
    expected = np.arange(subsets) | ((np.arange(subsets) >> heart & 1) << rr)  # without a pulse no interval counts
    np.testing.assert_array_equal(scores.missing, expected)
    for column, head in enumerate(HEADS):
        for row in range(subsets):
            there = [m for bit, m in enumerate(MODALITIES) if not expected[row] >> bit & 1]
            may = head.name != "sub_health" and all(any(name in there for name in group) for group in head.needs)
            assert np.isfinite(scores.probability[row, column]) == may, (head.name, there)
    known = scores.probability[np.isfinite(scores.probability)]
    assert ((known >= 0) & (known <= 1)).all()


def test_nan_and_infinity_in_one_wearer_poison_nobody(predictor: Predictor) -> None:
    clean = well_known(8)
    dirty = well_known(8)
    for name, (dtype, _, _) in LAYOUT.items():
        if np.issubdtype(dtype, np.floating):
            getattr(dirty, name)[3] = np.nan
            getattr(dirty, name)[4] = np.inf

    before, after = predictor.score(clean).probability, predictor.score(dirty).probability

    others = [0, 1, 2, 5, 6, 7]
    np.testing.assert_array_equal(before[others], after[others])
    assert np.isfinite(after[[3, 4], HEAD_NAMES.index("deterioration_1h")]).all()
    made = tensors(dirty)
    assert all(np.isfinite(getattr(made, name)).all() for name in INPUTS)


def test_deterioration_never_falls_with_the_horizon() -> None:
    logits = torch.from_numpy(np.random.default_rng(1).normal(0, 8, (2000, LOGITS)).astype(np.float32))

    risk = probabilities(logits)[:, :4].numpy()

    assert (np.diff(risk, axis=1) >= 0).all()
    assert ((risk >= 0) & (risk <= 1)).all()


def test_a_hazard_of_one_half_in_each_step_adds_up_as_by_hand() -> None:
    risk = probabilities(torch.zeros(1, LOGITS))[0, :4].numpy()

    np.testing.assert_allclose(risk, [0.5, 0.75, 0.875, 0.9375], rtol=1e-6)


@pytest.mark.parametrize("B", [0, 1, 2, 9, 64, 65, 130])
def test_any_number_of_wearers_is_scored_as_each_alone_would_be(predictor: Predictor, B: int) -> None:
    people = well_known(130)

    together = predictor.score(people.rows(slice(0, B))).probability

    assert together.shape == (B, len(HEADS))
    for row in range(0, B, 40):
        alone = predictor.score(people.rows([row])).probability[0]
        np.testing.assert_allclose(together[row], alone, atol=2e-5)


def test_the_same_snapshot_gives_the_same_bytes(predictor: Predictor) -> None:
    people = well_known(20)

    assert predictor.score(people).probability.tobytes() == predictor.score(people).probability.tobytes()


def test_scoring_changes_no_snapshot(predictor: Predictor) -> None:
    people, same = well_known(5), well_known(5)

    predictor.score(people)

    for name in LAYOUT:
        np.testing.assert_array_equal(getattr(people, name), getattr(same, name))


def test_a_reading_of_the_coming_minute_is_not_used(predictor: Predictor) -> None:
    now, later = well_known(2), well_known(2)
    later.bp_minute[:, 0] = later.as_of_minute[0]
    later.bp_systolic[:, 0] = 240
    now.bp_minute[:, 0] = 0

    np.testing.assert_array_equal(predictor.score(now).probability, predictor.score(later).probability)


def test_coverage_is_relative_to_the_cadence(predictor: Predictor) -> None:
    snapshot = Snapshot.empty(2)
    snapshot.cadence_s[:] = [1, 900]
    snapshot.hr_median[:, -360::15] = 70
    snapshot.hr_count[:, -360::15] = 1

    np.testing.assert_allclose(predictor.score(snapshot).coverage, [24 / 360, 1.0])


def test_a_field_of_the_wrong_shape_is_refused_by_name() -> None:
    fields = {name: getattr(Snapshot.empty(2), name) for name in LAYOUT}
    fields["steps"] = fields["steps"][:, :100]

    with pytest.raises(ValueError, match=r"Snapshot\.steps must be uint8"):
        Snapshot(**fields)


def test_stage_codes_are_those_of_the_wire() -> None:
    assert tuple(STAGES[code] for code in STAGE_CODES) == ("awake", "light", "deep", "rem", "asleep")
    assert STAGES[0] == "unknown"


@pytest.mark.parametrize("name", [*bundle.COVERED, bundle.SUMS])
def test_a_damaged_file_is_refused_by_name(saved: Path, tmp_path: Path, name: str) -> None:
    for file in saved.iterdir():
        data = bytearray(file.read_bytes())
        if file.name == name:
            data[len(data) // 2] ^= 0x20
        (tmp_path / file.name).write_bytes(bytes(data))

    with pytest.raises(BundleDamaged, match=r"does not match SHA256SUMS: fetch or train the bundle again\."):
        Predictor.load(tmp_path, "cpu")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BundleDamaged, match=r"SHA256SUMS cannot be read"):
        Predictor.load(tmp_path, "cpu")


def test_a_bundle_of_another_network_is_refused_though_its_sums_are_right(tmp_path: Path) -> None:
    bundle.save(
        tmp_path / "b",
        Network(Shape(width=16, latents=4, depth=1, attention_heads=2, recurrent=16)),
        _manifest(),
        report={},
        card="",
    )

    with pytest.raises(BundleDamaged, match=r"weights\.safetensors holds weights of another network"):
        Predictor.load(tmp_path / "b", "cpu")


def test_the_same_weights_have_the_same_version_anywhere(saved: Path, tmp_path: Path) -> None:
    network, manifest, identity = bundle.load(saved)

    assert bundle.save(tmp_path / "copy", network, manifest, report={"other": 1}, card="other") == identity[:12]


def test_the_packaged_model_loads_and_says_what_it_is() -> None:
    packaged = Predictor.load(device="cpu")

    assert len(packaged.version) == 12
    assert packaged.sha256.startswith(packaged.version)
    assert len(packaged.limits) == len(packaged.heads) == 10
    assert all(limit is None or 0.2 <= limit < 1 for limit in packaged.limits)
    card = (bundle.DEFAULT / bundle.CARD).read_text(encoding="utf-8")
    assert "simulated people" in card
    assert "not a medical device" in card
    heads = bundle.read_report(bundle.DEFAULT)["heads"]
    assert set(heads) == set(packaged.heads)
    for entry in heads.values():
        assert not entry["evaluated"] or {"auroc", "baselines", "prevalence", "ece"} <= set(entry)
