"""`python -m models`: train a model on a journal, evaluate one, show one."""

import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from models import bundle, document, evaluate
from models.dataset import Dataset
from models.errors import ModelError
from models.fit import Told
from models.journal import read_cohort
from models.predict import Predictor
from models.recipe import Recipe
from models.train import train as train_bundle

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Risk models: train, evaluate, show.")
DEFAULTS = Recipe()
Threads = Annotated[int, typer.Option(help="CPU threads; 0 = all. With 1 the same seed gives the same bundle.")]


@contextmanager
def progress() -> Iterator[Told]:
    """Show one bar a stage on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        stages: dict[str, TaskID] = {}

        def told(stage: str, done: int, of: int) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=of)
            bars.update(stages[stage], completed=done, total=of)

        yield told


@app.command()
def train(
    data: Annotated[str, typer.Option(help="Journal: folder or URL.")],
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
    test_data: Annotated[str | None, typer.Option(help="Journal of other people, for the report.")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = DEFAULTS.epochs,
    samples: Annotated[int, typer.Option(min=64, help="Moments an epoch.")] = DEFAULTS.samples_per_epoch,
    seed: int = DEFAULTS.seed,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Threads = 0,
    log: Annotated[Path | None, typer.Option(help="TensorBoard folder.")] = Path("runs/models"),
    origin: Annotated[
        str, typer.Option(help="Whose data it is, for the model card.")
    ] = "a journal of this installation",
) -> None:
    """Train, calibrate and evaluate a model on a journal, and write its bundle."""
    if threads:
        torch.set_num_threads(threads)
    recipe = dataclasses.replace(Recipe(), epochs=epochs, samples_per_epoch=samples, seed=seed)
    with progress() as told:
        report = train_bundle(data, out, recipe, test_data=test_data, device=device, log=log, told=told, origin=origin)
    Console().print(Markdown(document.table(report)))


@app.command(name="evaluate")
def evaluate_bundle(
    data: Annotated[str, typer.Option(help="Journal of people the model has not seen: folder or URL.")],
    model: Annotated[Path, typer.Option(help="Bundle folder.")] = bundle.DEFAULT,
    out: Annotated[Path | None, typer.Option(help="Report JSON to write.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Threads = 0,
) -> None:
    """Evaluate a bundle on a journal's people. Baselines get their limits from these same people: in their favour."""
    if threads:
        torch.set_num_threads(threads)
    predictor, dataset, recipe = Predictor.load(model, device), Dataset(read_cohort(data)), Recipe()
    with progress() as told:
        report = evaluate.judge(predictor, dataset, np.arange(len(dataset.cohort.wearer_ids)), recipe, told=told)
    if out is not None:
        out.write_bytes(bundle.dumped(report))
    Console().print(Markdown(document.table(report)))


@app.command()
def show(
    model: Annotated[Path, typer.Option(help="Bundle folder.")] = bundle.DEFAULT,
    markdown: Annotated[Path | None, typer.Option(help="Write the report as a page to this file.")] = None,
    speed: Annotated[bool, typer.Option(help="Measure wearers a second on one core, tensors included.")] = False,
) -> None:
    """Verify a bundle and print its report."""
    predictor, report = Predictor.load(model, "cpu"), bundle.read_report(model)
    _, manifest, _ = bundle.load(model)
    if markdown is not None:
        markdown.write_text(document.page(manifest, report, predictor.version), encoding="utf-8")
    console = Console()
    console.print(f"model {predictor.version}, {manifest.training['origin']}")
    console.print(json.dumps(dict(zip(predictor.heads, predictor.limits, strict=True))))
    console.print(Markdown(document.table(report)))
    if speed:
        console.print(f"{wearers_per_s(predictor):.0f} wearers/s at batch 64 on one core, tensors included")


def wearers_per_s(predictor: Predictor, *, batch: int = 64, rounds: int = 20) -> float:
    """Measure scoring on one thread, in the median round."""
    from models.snapshot import Snapshot

    torch.set_num_threads(1)
    chance, snapshot = np.random.default_rng(1), Snapshot.empty(batch)
    snapshot.hr_median[:] = chance.integers(50, 120, snapshot.hr_median.shape)
    snapshot.hr_min[:], snapshot.hr_max[:], snapshot.hr_count[:] = snapshot.hr_median - 5, snapshot.hr_median + 5, 60
    snapshot.irregular[:], snapshot.steps[:] = 6, chance.integers(0, 90, snapshot.steps.shape)
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        predictor.score(snapshot)
        spent.append(time.perf_counter() - begun)
    return batch / float(np.median(spent))


def main() -> None:
    """Run the command line; an error of ours ends it with its sentence."""
    try:
        app()
    except ModelError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
