"""``python -m benchmarks.real_data``: run the studies on a folder of recordings; skip, saying so, what is not there."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.real_data.page import Run, digest, write
from benchmarks.real_data.results import Study
from benchmarks.real_data.studies import ONLY_WHEN_NAMED, STUDIES
from monitor.alerting.limits import Limits
from simulators.errors import SimulatorError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PAGE = Path("docs/real-data.md")


def main(
    data: Annotated[Path | None, typer.Option(help=f"Folder of recordings; default {DATA}.")] = None,
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(STUDIES)}; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the results to this file.")] = None,
    write_docs: Annotated[bool, typer.Option("--write-docs", help=f"Write {PAGE} and its pictures.")] = False,
) -> None:
    """Compare detectors, gate and simulator with recordings of real people."""
    chosen = tuple(only or (name for name in STUDIES if name not in ONLY_WHEN_NAMED))
    unknown = [name for name in chosen if name not in STUDIES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is not one of {', '.join(STUDIES)}.", param_hint="--only")
    where = data or DATA
    if not where.is_dir():
        if data is not None:
            typer.echo(f"There is no folder {data}: say with --data where the recordings are.", err=True)
            raise typer.Exit(2)
        typer.echo(f"Skipped: there are no recordings in {where}. Say with --data where they are.")
        return
    studies = [run(name, where) for name in chosen]
    for study in studies:
        tell(study)
    if json_file is not None:
        about = {"data": str(where), "digest": digest(where)[0], "studies": [one.document() for one in studies]}
        json_file.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    if write_docs and (only or all(study.skipped for study in studies)):
        typer.echo(f"{PAGE} stays as it is: only a run of all studies that finds recordings writes it.")
    elif write_docs:
        command = " ".join(["python -m benchmarks.real_data", *sys.argv[1:]])
        write(PAGE, studies, Run(f"{datetime.now(UTC):%Y-%m-%d}", command, *digest(where)))
        typer.echo(f"{PAGE} is written.")


def run(name: str, data: Path, limits: Limits | None = None) -> Study:
    """Run one study; one without its recordings is returned as skipped, with the reason."""
    began = time.monotonic()
    try:
        study = STUDIES[name](data, limits or Limits())
    except SimulatorError as refused:
        study = Study(name, name, skipped=str(refused))
    study.seconds = time.monotonic() - began
    return study


def tell(study: Study) -> None:
    """Print a study."""
    if study.skipped:
        typer.echo(f"{study.name}: skipped. {study.skipped}\n")
        return
    typer.echo(f"== {study.title} ({study.seconds:.0f} s)\n")
    for sentence in study.sentences:
        typer.echo(f"{sentence}\n")
    for table in study.tables:
        typer.echo("\n".join(table.markdown()))
    for line in (*(target.sentence() for target in study.targets), *(f"Missing: {what}" for what in study.missing)):
        typer.echo(line)
    typer.echo("")


if __name__ == "__main__":
    typer.run(main)
