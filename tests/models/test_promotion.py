"""A candidate takes the champion's place only if it is better, and a refusal lists everything that failed."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import BundleDamaged, RegistryRefused
from models.promotion import Keep, Promote, compare
from models.registry import Registry
from tests.models.conftest import Trained


def _report(auroc: float, *, seed: int = 0, **changes: Any) -> dict[str, Any]:
    spread = np.random.default_rng(seed).normal(0, 0.002, 100)
    head = {
        "evaluated": True,
        "trained": True,
        "auroc": {"value": auroc, "low": auroc - 0.05, "high": auroc + 0.05},
        "auroc_replicates": (auroc + spread).tolist(),
        "ece": 0.02,
        "event_sensitivity": {"value": 0.6, "low": 0.5, "high": 0.7},
        "false_alerts_per_wearer_day": 0.02,
        **changes,
    }
    return {"people": "same", "budget_false_alerts_per_wearer_day": 0.02, "heads": {"infection": head}}


def test_a_better_candidate_is_promoted() -> None:
    decision = compare(_report(0.85, seed=1), _report(0.80))

    assert isinstance(decision, Promote)
    assert decision.gain == pytest.approx(0.05, abs=0.005)


def test_an_equal_candidate_is_not_better() -> None:
    decision = compare(_report(0.80), _report(0.80))

    assert isinstance(decision, Keep)
    assert decision.reasons == ("Not better: mean AUROC changes by +0.0000, and its 95 % interval begins at +0.0000.",)


def test_a_worse_candidate_is_refused_with_every_gate_it_failed() -> None:
    worse = _report(
        0.70,
        seed=1,
        ece=0.2,
        event_sensitivity={"value": 0.3, "low": 0.2, "high": 0.4},
        false_alerts_per_wearer_day=0.3,
    )

    decision = compare(worse, _report(0.80))

    assert isinstance(decision, Keep)
    said = " ".join(decision.reasons)
    assert len(decision.reasons) == 5
    for part in ("AUROC falls by 0.1", "catches 0.30", "miscalibrated", "0.300 false alerts", "Not better"):
        assert part in said


def test_a_candidate_that_loses_a_head_is_refused() -> None:
    candidate, champion = _report(0.9, seed=1), _report(0.8)
    champion["heads"]["heat_strain"] = copy.deepcopy(champion["heads"]["infection"])
    candidate["heads"]["heat_strain"] = {"evaluated": False, "trained": False, "limit": None}

    decision = compare(candidate, champion)

    assert decision == Keep(("heat_strain: the champion answers it, the candidate cannot.",))


def test_a_candidate_that_answers_a_new_head_and_loses_nothing_is_promoted() -> None:
    candidate, champion = _report(0.8), _report(0.8)
    candidate["heads"]["heat_strain"] = copy.deepcopy(candidate["heads"]["infection"])

    assert isinstance(compare(candidate, champion), Promote)


def test_reports_about_different_people_are_not_compared() -> None:
    decision = compare(_report(0.9) | {"people": "others"}, _report(0.8))

    assert isinstance(decision, Keep)
    assert "different people" in decision.reasons[0]


def test_a_real_report_does_not_beat_itself(trained: Trained) -> None:
    assert isinstance(compare(trained.report, trained.report), Keep)


def test_the_registry_keeps_versions_and_moves_its_pointer(trained: Trained, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    assert registry.champion() is None
    assert registry.champion_path() is None

    version = registry.add(trained.folder)
    assert registry.champion() is None, "adding promotes nobody"
    registry.promote(version)

    assert registry.add(trained.folder) == version
    assert registry.versions() == [version]
    assert registry.champion() == version
    path = registry.champion_path()
    assert path is not None
    assert (path / "weights.safetensors").read_bytes() == (trained.folder / "weights.safetensors").read_bytes()


def test_a_version_that_is_not_there_or_not_whole_is_never_champion(trained: Trained, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    version = registry.add(trained.folder)

    with pytest.raises(RegistryRefused, match="has no model 'ffffffffffff'"):
        registry.promote("ffffffffffff")
    with pytest.raises(RegistryRefused):
        registry.promote("../elsewhere")
    (registry.path(version) / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(BundleDamaged, match=r"weights\.safetensors"):
        registry.promote(version)
    assert registry.champion() is None
