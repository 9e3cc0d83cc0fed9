"""`python -m stream_schemas`: export the contract, or check a file of events against it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stream_schemas.export import export as write_schemas
from stream_schemas.topics import BY_NAME
from stream_schemas.validate import Verdict
from stream_schemas.validate import validate as check

SHOWN = 50

app = typer.Typer(help="The wire contract of Pulsewarden.", no_args_is_help=True, add_completion=False)
console = Console()


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Where to write; it is made if it does not exist.")]) -> None:
    """Write the JSON Schema of every event, and one AsyncAPI 3 document."""
    for path in write_schemas(folder):
        console.print(str(path), highlight=False, soft_wrap=True)


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="One JSON object a line.")],
    topic: Annotated[str | None, typer.Option(help="Topic of all lines, as in vitals.heart-rate.v1.")] = None,
) -> None:
    """Tell which lines would become dead letters, and why; ends with 1 if any would."""
    if topic is not None and topic not in BY_NAME:
        raise typer.BadParameter(f"{topic} is not in the table; topics are {', '.join(BY_NAME)}.")
    verdict = check(file, topic)
    _print(verdict)
    if verdict.refused or not verdict.accepted:
        raise typer.Exit(1)


def _print(verdict: Verdict) -> None:
    if verdict.refused:
        table = Table("line", "topic", "reason", "what is wrong", title="Dead letters", title_justify="left")
        for number, name, rejected in verdict.refused[:SHOWN]:
            table.add_row(str(number), escape(name), f"[red]{rejected.reason.value}[/red]", escape(rejected.detail))
        console.print(table)
        if len(verdict.refused) > SHOWN:
            console.print(f"... and {len(verdict.refused) - SHOWN} more.")
    counts = Table("topic", "accepted", title="Accepted", title_justify="left")
    for name, count in sorted(verdict.accepted.items()):
        counts.add_row(name, str(count))
    console.print(counts if verdict.accepted else "No line was accepted.")
    refused = ", ".join(f"{count} {reason}" for reason, count in verdict.by_reason.most_common()) or "none"
    console.print(f"{verdict.accepted.total()} accepted, {len(verdict.refused)} refused ({refused}).")


if __name__ == "__main__":
    app()
