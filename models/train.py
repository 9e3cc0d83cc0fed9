"""From a journal to a bundle: split, fit, calibrate, choose limits, evaluate, write; each on people of its own."""

import dataclasses
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import bundle, evaluate
from models.boosting import Boosted
from models.calibrate import platt
from models.dataset import Dataset, Ticks, episodes, split
from models.document import model_card
from models.errors import DataUnusable
from models.fit import Fitted, Told, fit, raw_logits
from models.heads import HAZARD_HEADS, HEADS, SUB_HEALTH
from models.journal import read_cohort
from models.losses import per_logit
from models.network import LOGITS
from models.predict import Predictor
from models.recipe import Recipe

F32 = NDArray[np.float32]
WEARERS_NEEDED = 4


def quiet(stage: str, done: int, of: int) -> None:
    """Tell nobody."""


def train(
    data: str | Path,
    out: Path,
    recipe: Recipe,
    *,
    test_data: str | Path | None = None,
    device: str = "auto",
    log: Path | None = None,
    told: Told = quiet,
    origin: str = "a journal",
) -> dict[str, Any]:
    """Train, calibrate and evaluate a model, and write its bundle.

    Parameters
    ----------
    data : journal, a folder or URL; its wearers are dealt into training, validation, calibration and report.
    out : folder of the bundle; replaced if it exists.
    test_data : journal of other people for the report; then nobody of `data` is kept back for it.
    log : TensorBoard folder.
    told : called with the stage, how much is done, and of how much.
    origin : one phrase for the model card: whose data this was.

    Returns
    -------
    The report.

    Raises
    ------
    DataUnusable
        If the journal holds too few wearers or no labels at all.
    """
    begun_s = time.process_time()
    on = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    dataset = Dataset(read_cohort(data))
    shares = recipe.shares if test_data is None else (*recipe.shares[:3], 0.0)
    groups = split(dataset.cohort.wearer_ids, shares, recipe.seed)
    if min(len(group) for group in groups[:3]) < WEARERS_NEEDED:
        raise DataUnusable(f"{data} holds {len(dataset.cohort.wearer_ids)} wearers: training needs more of them.")
    training, validation, calibration = (_labelled(dataset, group, recipe.tick_min) for group in groups[:3])
    trained = _trainable(training[1], dataset, groups[0], recipe)
    if not trained.any():
        raise DataUnusable(f"{data} holds no labels that a head could learn from: gather labels first.")
    for _, y in (training, validation, calibration):
        y[:, ~trained] = np.nan
    fitted = fit(dataset, training, validation, recipe, device=on, log=log, told=told)
    slope, intercept, fits = _calibrated(fitted, dataset, calibration, recipe, on)
    manifest = bundle.Manifest(
        shape=recipe.shape,
        trained=tuple(bool(known) for known in trained & fits),
        limits=(None,) * len(HEADS),
        slope=slope,
        intercept=intercept,
        budget_per_wearer_day=recipe.budget_per_wearer_day,
        training=_described(dataset, groups, fitted, recipe, data, origin),
    )
    predictor = Predictor(fitted.network, manifest, "0" * 64, on)
    rival = Boosted(dataset, training, recipe.seed, told) if recipe.boosting else None
    seen = evaluate.score(
        predictor, dataset, validation[0], tick_min=recipe.tick_min, stage="choosing limits", told=told, boosted=rival
    )
    manifest = dataclasses.replace(manifest, limits=evaluate.choose_limits(seen, dataset, recipe))
    predictor = Predictor(fitted.network, manifest, "0" * 64, on)
    test_set = dataset if test_data is None else Dataset(read_cohort(test_data))
    people = groups[3] if test_data is None else np.arange(len(test_set.cohort.wearer_ids))
    ticks = test_set.ticks(people, recipe.tick_min)
    tested = evaluate.score(
        predictor, test_set, ticks, tick_min=recipe.tick_min, stage="evaluating", told=told, boosted=rival
    )
    report = evaluate.report(predictor, tested, test_set, seen, dataset, recipe)
    report["cost"] = {"cpu_min": round((time.process_time() - begun_s) / 60, 1), "threads": torch.get_num_threads()}
    bundle.save(out, fitted.network, manifest, report=report, card=model_card(manifest, report))
    return report


def _labelled(dataset: Dataset, wearers: NDArray[np.int64], every_min: int) -> tuple[Ticks, F32]:
    ticks = dataset.ticks(wearers, every_min)
    return ticks, dataset.targets(ticks)


def _trainable(y: F32, dataset: Dataset, wearers: NDArray[np.int64], recipe: Recipe) -> NDArray[np.bool_]:
    """Tell which heads have enough episodes among the training people, and both answers in their targets."""
    enough = np.zeros(len(HEADS), np.bool_)
    for head in range(len(HEADS)):
        found, _, _ = episodes(dataset.cohort, head)
        enough[head] = np.isin(found.wearer, wearers).sum() >= recipe.events_needed
    return np.asarray(enough & (y > 0).any(axis=0) & (y == 0).any(axis=0))


def _calibrated(
    fitted: Fitted, dataset: Dataset, calibration: tuple[Ticks, F32], recipe: Recipe, on: torch.device
) -> tuple[tuple[float, ...], tuple[float, ...], NDArray[np.bool_]]:
    """Slope and intercept a logit, and which heads could be calibrated; the others must not answer."""
    ticks, y = calibration
    kept = np.flatnonzero(ticks.minute % recipe.calibration_tick_min == 0)
    logits = raw_logits(fitted.network, dataset, ticks.rows(kept), on)
    targets = per_logit(torch.from_numpy(y[kept])).numpy()
    lines = [platt(logits[:, k].astype(np.float64), targets[:, k].astype(np.float64)) for k in range(LOGITS)]
    good = np.array([line is not None for line in lines])
    fits = np.ones(len(HEADS), np.bool_)
    fits[:HAZARD_HEADS] = np.logical_and.accumulate(good[:HAZARD_HEADS])
    fits[SUB_HEALTH] = good[SUB_HEALTH]
    fits[SUB_HEALTH + 1 :] = good[SUB_HEALTH + 2 :]
    slope = tuple(1.0 if line is None else line[0] for line in lines)
    return slope, tuple(0.0 if line is None else line[1] for line in lines), fits


def _described(
    dataset: Dataset, groups: list[NDArray[np.int64]], fitted: Fitted, recipe: Recipe, data: str | Path, origin: str
) -> dict[str, Any]:
    content = hashlib.sha256()
    for name in sorted(dataset.cohort.grid):
        content.update(dataset.cohort.grid[name].tobytes())
    return {
        "origin": origin,
        "recipe": json.loads(json.dumps(asdict(recipe))),
        "wearers": {
            name: len(group)
            for name, group in zip(("training", "validation", "calibration", "held_back"), groups, strict=True)
        },
        "days": dataset.cohort.minutes // 1440,
        "epochs_run": fitted.epochs,
        "validation_loss": round(fitted.validation_loss, 6),
        "journal": PurePosixPath(str(data)).name,
        "journal_sha256": content.hexdigest(),
    }
