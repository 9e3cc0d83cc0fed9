"""Villages and a small trained model, made once for all tests of the models."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from models.dataset import Dataset
from models.journal import read_cohort
from models.network import Shape
from models.recipe import Recipe
from models.train import train
from tests.models.village import make_village

SMALL = dataclasses.replace(
    Recipe(),
    epochs=3,
    samples_per_epoch=1024,
    batch=64,
    learning_rate=3e-3,
    tick_min=30,
    bootstrap=60,
    boosting=False,
    shares=(0.5, 0.2, 0.2, 0.1),
    shape=Shape(width=32, latents=4, depth=1, attention_heads=2, recurrent=16),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Trained:
    """A bundle on disk and the report of its training."""

    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_village(tmp_path_factory.mktemp("village"), wearers=40, days=3, seed=1)


@pytest.fixture(scope="session")
def dataset(village: Path) -> Dataset:
    return Dataset(read_cohort(village))


def trained_on(folder: Path, out: Path, test_folder: Path, recipe: Recipe = SMALL) -> Trained:
    return Trained(out, train(folder, out, recipe, test_data=test_folder, device="cpu", origin="a simulated village"))


@pytest.fixture(scope="session")
def other_village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_village(tmp_path_factory.mktemp("other-village"), wearers=24, days=3, seed=2)


@pytest.fixture(scope="session")
def trained(village: Path, other_village: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained_on(village, tmp_path_factory.mktemp("bundles") / "village", other_village)
