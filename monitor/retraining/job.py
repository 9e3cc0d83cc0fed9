"""One training: labels, train, evaluate, compare, promote or refuse; every reason is logged.

The people whom both models are compared on are dealt by a salted hash of the wearer's id, with the salt of
``PULSEWARDEN_TRAINER__SEED``: as long as it stays, whoever is held back once is held back from every training, so the
champion has not seen them either.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from models import bundle, evaluate
from models.dataset import Dataset, split
from models.errors import DataUnusable, ModelError
from models.fit import Told
from models.journal import read_cohort
from models.predict import Predictor
from models.promotion import Promote, compare
from models.recipe import Recipe
from models.registry import Registry
from models.train import quiet, train
from monitor.errors import PulsewardenError
from monitor.retraining import labels, switch
from monitor.retraining.verdict import Row, Verdict
from monitor.settings import Settings
from monitor.topics import require

ORIGIN = "the journal of this installation"

log = structlog.get_logger()


class TrainingFailed(PulsewardenError):
    """A model or the training data is broken, so that nothing could be compared."""


def retrain(settings: Settings, recipe: Recipe | None = None, told: Told = quiet) -> Verdict:
    """Train a candidate, and make it the champion if it is better.

    Parameters
    ----------
    settings : Settings
    recipe : Recipe or None
        How to train; None is the usual recipe with the settings' seed.
    told : callable
        Told of the progress: stage, how much is done, of how much.

    Returns
    -------
    Verdict
        Promoted, or refused with every reason.

    Raises
    ------
    TrainingFailed
        If the champion or the registry is damaged.
    BrokerUnreachable, TopicsDiffer
        If Kafka does not answer, or its topics are not as the table says.
    """
    require(settings)
    recipe = recipe or Recipe(seed=settings.trainer.seed)
    registry = Registry(settings.registry_folder)
    champion_folder = registry.champion_path() or bundle.DEFAULT
    copied = labels.copy(settings)
    log.info("labels copied", labels=copied.labels, refused=dict(copied.refused))
    try:
        verdict = _candidate(settings, recipe, registry, champion_folder, told)
    except DataUnusable as error:
        verdict = Verdict(False, None, _version(champion_folder), [str(error)])
    except ModelError as error:
        raise TrainingFailed(str(error)) from error
    verdict = replace(verdict, labels=copied.labels)
    _log(verdict)
    return verdict


def _candidate(settings: Settings, recipe: Recipe, registry: Registry, champion_folder: Path, told: Told) -> Verdict:
    champion = Predictor.load(champion_folder)
    cohort = read_cohort(settings.journal_place)
    wearers = len(cohort.wearer_ids)
    reasons = _unfit(wearers, settings, champion_folder, recipe)
    if reasons:
        return Verdict(False, None, champion.version, reasons, wearers=wearers)
    folder = settings.registry_folder / "candidate"
    try:
        mine = train(settings.journal_place, folder, recipe, log=settings.state_dir / "runs", told=told, origin=ORIGIN)
        dataset = Dataset(cohort)
        held_back = split(cohort.wearer_ids, recipe.shares, recipe.seed)[3]
        theirs = evaluate.judge(champion, dataset, held_back, recipe, told=told)
        rows = _rows(mine, theirs)
        version = registry.add(folder)
        decision = compare(mine, theirs)
        if not isinstance(decision, Promote):
            return Verdict(False, version, champion.version, decision.reasons, rows, wearers)
        registry.promote(version)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    promoted = registry.path(version)
    _, sha256 = bundle.verified(promoted)
    partitions = switch.publish(settings, switch.Bundle(promoted, version, sha256))
    log.info("switch published", model=version, partitions=partitions)
    return Verdict(True, version, champion.version, [], rows, wearers)


def _unfit(wearers: int, settings: Settings, champion_folder: Path, recipe: Recipe) -> list[str]:
    """Say why no training is worth its time."""
    reasons = []
    if wearers < settings.trainer.min_wearers:
        reasons.append(f"The journal holds {wearers} wearers; {settings.trainer.min_wearers} are needed.")
    strange = _other_split(champion_folder, recipe)
    return reasons if strange is None else [*reasons, strange]


def _other_split(champion_folder: Path, recipe: Recipe) -> str | None:
    """Say so if the champion was trained here with other people held back: it may know those we would ask about."""
    _, manifest, _ = bundle.load(champion_folder)
    if manifest.training.get("origin") != ORIGIN:
        return None
    before = manifest.training["recipe"]
    if (before["seed"], tuple(before["shares"])) == (recipe.seed, recipe.shares):
        return None
    return (
        f"The champion was trained with PULSEWARDEN_TRAINER__SEED {before['seed']}, so it may have seen the people "
        f"that {recipe.seed} holds back: set it back, or start a new registry."
    )


def _rows(mine: dict[str, Any], theirs: dict[str, Any]) -> list[Row]:
    rows = []
    for head, candidate in mine["heads"].items():
        champion = theirs["heads"].get(head, {})
        figures = _auroc(candidate), _auroc(champion)
        if figures != (None, None):
            rows.append(Row(head, "AUROC", *figures))
    return rows


def _auroc(entry: dict[str, Any]) -> float | None:
    value = entry.get("auroc", {}).get("value")
    return None if value is None or not np.isfinite(value) else float(value)


def _version(folder: Path) -> str:
    return bundle.verified(folder)[1][:12]


def _log(verdict: Verdict) -> None:
    if verdict.promoted:
        log.info("candidate promoted", candidate=verdict.candidate, champion=verdict.champion)
        return
    log.info("candidate refused", candidate=verdict.candidate, champion=verdict.champion, reasons=len(verdict.reasons))
    for reason in verdict.reasons:
        log.info("why it was refused", reason=reason)
