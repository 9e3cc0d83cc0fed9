"""``python -m simulators.wearable``: people, their watches and gateways, published to Kafka or written to files."""

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from simulators import clock, delivery, journal, lines, options, publishing, scenario, truth
from simulators import parameters as parameter_sets
from simulators.errors import SimulatorError
from simulators.progress import Progress
from simulators.world import World, world

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

DURATION, LIVE_DURATION = "1h", "1d"
BACKDATE_MIN = 1  # a live run begins this long ago, so that the first envelopes are due at once


def run(
    *,
    wearers: int = 100,
    speed: float = 60.0,
    seed: int = 7,
    scenario_name: str = "mixed",
    parameters: str | None = None,
    duration: str | None = None,
    start: str | None = None,
    bootstrap_servers: str | None = None,
    topic_prefix: str | None = None,
    teams: str | None = None,
    truth_file: Path | None = None,
    journal_folder: Path | None = None,
    out: Path | None = None,
    duplicates: float | None = None,
    shuffle_s: float | None = None,
    late_share: float | None = None,
    plain: bool = False,
) -> dict[str, int]:
    """Simulate a run and write it where asked: journal folder, file of lines, else Kafka.

    Parameters
    ----------
    speed
        Simulated seconds a second; 1 = live: events happen now and the broker stamps them. Above 1, record times are
        the simulated times of arrival (the log clock). Files are never paced.
    parameters
        "a" or "b": what episodes do to people, what these wear and where they live; None leaves the scenario's own.
    truth_file
        A name that ends in ``.parquet`` gets a table, any other JSON.
    duration, start
        As the command line takes them; without `duration` an hour, live a day. Without `start` a run on the log clock
        begins at options.LOG_START.
    duplicates, shuffle_s, late_share
        Replace the scenario's own; None leaves them.

    Returns
    -------
    dict of str to int
        Events published by topic (rows by table for a journal).

    Raises
    ------
    SimulatorError
        If an argument makes no sense or Kafka or a file cannot be written; its text says how to mend it.
    """
    chosen = scenario.load(scenario_name)
    changed = {"duplicates": options.share("--duplicates", duplicates)}
    changed["shuffle_s"] = options.at_least("--shuffle-s", shuffle_s, 0)
    changed["late_share"] = options.share("--late-share", late_share)
    transport = chosen.transport.model_copy(update={name: v for name, v in changed.items() if v is not None})
    chosen = chosen.model_copy(update={"transport": transport})
    if parameters is not None:
        parameter_sets.load(parameters)
        chosen = chosen.model_copy(update={"parameters": parameters})
    options.at_least("--speed", speed, 1)
    files = journal_folder is not None or out is not None
    live = speed == 1 and not files and start is None
    first = (
        clock.now_ms() // options.MINUTE_MS - BACKDATE_MIN if live else options.start_min(start or options.LOG_START)
    )
    drawn = world(
        chosen,
        seed,
        wearers,
        first,
        options.duration_min(duration or (LIVE_DURATION if live else DURATION)) + BACKDATE_MIN * live,
    )
    team_names = options.teams(teams)

    published: dict[str, int] = {}
    if journal_folder is not None:
        with Progress(f"journal of {wearers} wearers", wearers, "wearers", plain=plain) as progress:
            published = journal.write(drawn, journal_folder, team_names, progress.advance)
        if out is None:
            if truth_file is not None:
                rows = (row for block in drawn.blocks() for row in truth.of_block(drawn, block))
                truth.write(truth_file, drawn, rows, {}, drawn.start_min + drawn.minutes)
            return published
    sender = delivery.deliver(drawn, team_names)
    if out is not None:
        return _to_file(drawn, sender, out, truth_file, plain=plain)
    target = publishing.Target(options.bootstrap_servers(bootstrap_servers), options.topic_prefix(topic_prefix))
    return publishing.publish(drawn, sender, target, speed=speed, live=live, truth_file=truth_file, plain=plain)


def _to_file(
    drawn: World, sender: delivery.Delivery, out: Path, truth_file: Path | None, *, plain: bool
) -> dict[str, int]:
    with Progress(f"lines to {out}", drawn.minutes, "simulated minutes", plain=plain) as progress:
        counts = lines.write(out, _watched(sender, progress))
    if truth_file is not None:
        truth.write(truth_file, drawn, sender.truths, counts, drawn.start_min + drawn.minutes, sender.counts)
    return counts


def _watched(sender: delivery.Delivery, progress: Progress) -> Iterable[list[delivery.Message]]:
    for messages in sender.minutes():
        yield messages
        progress.advance(min(1, progress.left))


@app.command()
def main(
    wearers: Annotated[int, typer.Option(help="People to simulate.")] = 100,
    speed: Annotated[float, typer.Option(help="Simulated seconds a second; 1 = live, broker stamps.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 7,
    scenario: Annotated[str, typer.Option(help="Name (mixed, calm, demo, ...) or a .toml file.")] = "mixed",
    parameters: Annotated[str | None, typer.Option(help="Parameter set a or b; default the scenario's.")] = None,
    duration: Annotated[str | None, typer.Option(help="90s, 15m, 2h, 3d; default 1h, live 1d.")] = None,
    start: Annotated[str | None, typer.Option(help="RFC 3339; default 2026-01-05T00:00:00Z, live: now.")] = None,
    bootstrap_servers: Annotated[str | None, typer.Option(help="host:port of Kafka.")] = None,
    topic_prefix: Annotated[str | None, typer.Option(help="Put before topic names.")] = None,
    partitions: Annotated[int | None, typer.Option(help="Refuse to publish unless topics have this many.")] = None,
    teams: Annotated[str | None, typer.Option(help="Comma separated; default north,south.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write the truth to this file (.parquet or JSON).")] = None,
    journal: Annotated[Path | None, typer.Option(help="Write journal tables (Parquet) here; no Kafka.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write lines of JSON here; no Kafka.")] = None,
    duplicates: Annotated[float | None, typer.Option(help="Share of messages that arrive twice.")] = None,
    shuffle_s: Annotated[float | None, typer.Option(help="Seconds of further, uniform delay.")] = None,
    late_share: Annotated[float | None, typer.Option(help="Share of messages that come minutes late.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="No colours, no moving line.")] = False,
) -> None:
    """Simulate wearers and publish what their devices would send. Not a medical device; these people do not exist."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a leash asks this way for an orderly end
    try:
        if partitions is not None and journal is None and out is None:
            publishing.require_partitions(
                publishing.Target(options.bootstrap_servers(bootstrap_servers), options.topic_prefix(topic_prefix)),
                partitions,
            )
        counts = run(
            wearers=wearers,
            speed=speed,
            seed=seed,
            scenario_name=scenario,
            parameters=parameters,
            duration=duration,
            start=start,
            bootstrap_servers=bootstrap_servers,
            topic_prefix=topic_prefix,
            teams=teams,
            truth_file=truth,
            journal_folder=journal,
            out=out,
            duplicates=duplicates,
            shuffle_s=shuffle_s,
            late_share=late_share,
            plain=plain,
        )
    except SimulatorError as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(2) from refused
    for name, count in sorted(counts.items()):
        typer.echo(f"{count:>12,}  {name}")


if __name__ == "__main__":
    app()
