"""``python -m simulators.scorecard``: alerts of a run against its truth.

What ran is a journal folder or a Kafka; the truth is that of labels, or a truth file. Prints tables, writes a report
(Markdown or JSON by its name) and pictures beside it.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from simulators import options, scenario
from simulators.errors import OptionRefused, SimulatorError
from simulators.publishing import Target
from simulators.scorecard import drawing, journal, kafka_log, page, truth
from simulators.scorecard.measures import SHIFTS, Scorecard, scorecard
from simulators.scorecard.record import Record
from simulators.scorecard.truth import Told

TOPICS = "topics"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def report(cards: dict[str, Scorecard], file: Path) -> list[Path]:
    """Write the report and the pictures of the first run; return what was written.

    Raises
    ------
    OptionRefused
        If it cannot be written.
    """
    first = next(iter(cards.values()))
    made = {file.with_name(f"{file.stem}-{name}.png"): png for name, png in drawing.pictures(first).items()}
    if file.suffix == ".json":
        text = json.dumps({name: page.document(card) for name, card in cards.items()}, indent=1) + "\n"
    else:
        lines = [f"# Scorecard: {first.name}", ""]
        for name, card in cards.items():
            lines += [f"## {name}", "", *(f"- {sentence}" for sentence in page.summary(card)), ""]
            lines += [line for table in page.tables(card) for line in table.markdown()]
        if len(cards) > 1:
            lines += ["## Compared", "", *page.against(cards).markdown()]
        lines += [line for png in made for line in (f"![{png.stem}]({png.name})", "")]
        lines += ["## How it is counted", "", *(f"- {sentence}" for sentence in page.DEFINITIONS), ""]
        text = "\n".join([*lines, *page.answers().markdown()]).rstrip() + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        for path, png in made.items():
            path.write_bytes(png)
    except OSError as error:
        raise OptionRefused(f"The report cannot be written to {file}: {error.strerror or error}.") from error
    return [file, *made]


def read(log: str, name: str, told: Told | None, target: Target, teams: tuple[str, ...]) -> Record:
    """Read a run from a journal folder, or from Kafka where *log* is "topics"."""
    if log != TOPICS:
        return journal.record(Path(log), name, told)
    kafka = kafka_log.Kafka(target)
    try:
        return kafka_log.record(kafka, teams, name, told)
    finally:
        kafka.close()


@app.command()
def main(
    name: Annotated[str, typer.Option("--scenario", help="Scenario that was played, by name or .toml file.")],
    log: Annotated[str, typer.Option(help=f"Folder of a journal, or '{TOPICS}' for Kafka.")],
    file: Annotated[Path, typer.Option("--report", help="Write to this file: .md or .json, pictures beside it.")],
    truth_file: Annotated[
        Path | None, typer.Option("--truth", help="Truth file (.parquet or JSON) instead of the log's labels.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another journal of the same scenario, say with the quality gate off.")
    ] = None,
    shifts: Annotated[int, typer.Option(help="Circular shifts for the chance hit rate.")] = SHIFTS,
    teams: Annotated[str | None, typer.Option(help="Comma separated; default north,south.")] = None,
    bootstrap_servers: Annotated[str | None, typer.Option(help="host:port of Kafka.")] = None,
    topic_prefix: Annotated[str | None, typer.Option(help="Put before topic names.")] = None,
) -> None:
    """Compare the alerts of a run with its truth."""
    try:
        options.at_least("--shifts", shifts, 1)
        played = scenario.load(name)
        told = None if truth_file is None else truth.read(truth_file)
        target = Target(options.bootstrap_servers(bootstrap_servers), options.topic_prefix(topic_prefix))
        cards = {}
        for one in dict.fromkeys(filter(None, (log, against))):
            record = read(one, played.name, told, target, options.teams(teams))
            cards[one] = scorecard(record, shifts=shifts)
            for sentence in (f"Scenario {played.name}, {one}", *page.summary(cards[one])):
                typer.echo(sentence)
            if record.unknown:
                faults = ", ".join(f"{kind} ({count})" for kind, count in sorted(record.unknown.items()))
                typer.echo(f"Left out of the truth, being no events of a wearer: {faults}.")
            for table in page.tables(cards[one]):
                typer.echo("\n" + "\n".join(table.plain()))
        if len(cards) > 1:
            typer.echo("\n" + "\n".join(page.against(cards).plain()))
        for path in report(cards, file):
            typer.echo(f"written: {path}")
    except SimulatorError as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(2) from refused


if __name__ == "__main__":
    app()
