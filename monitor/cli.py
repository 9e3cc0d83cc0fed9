"""The command line. Each command imports what it runs when it runs, so that ``--help`` stays fast."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import PulsewardenError

FOLDER_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""A file or folder that cannot be used is a broken environment, whichever command meets it."""

app = typer.Typer(
    name="pulsewarden",
    help="Watch over wearers: Kafka in, filters, rules and a risk model, alerts out. Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
topics_app = typer.Typer(no_args_is_help=True, help="Create, check or list the Kafka topics.")
app.add_typer(topics_app, name="topics")
journal_app = typer.Typer(no_args_is_help=True, help="Show what the journal holds, in all or of one wearer.")
app.add_typer(journal_app, name="journal")
redis_app = typer.Typer(no_args_is_help=True, help="Rebuild or check what Redis holds of the alert topics.")
app.add_typer(redis_app, name="redis")

rules_app = typer.Typer(no_args_is_help=True, help="Show the limits in force, or switch every worker to others.")
app.add_typer(rules_app, name="rules")


@app.command()
def up(
    kafka_port: Annotated[int, typer.Option(min=0, max=65535, help="0: the last one used, or a free one")] = 0,
    redis_port: Annotated[int, typer.Option(min=0, max=65535, help="0: the last one used, or a free one")] = 0,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="also create topics, run a projector and as many workers; restart them")
    ] = 0,
    trainer: Annotated[bool, typer.Option("--trainer", help="also run the trainer")] = False,
) -> None:
    """Run a Kafka and a Valkey of our own until Ctrl-C, with workers and all that belongs to them if asked for."""
    from monitor.local.up import run
    from monitor.settings import load

    raise typer.Exit(run(load(), kafka_port=kafka_port, redis_port=redis_port, workers=workers, trainer=trainer))


@app.command()
def demo(
    seconds: Annotated[float | None, typer.Option(min=1, help="how long to publish; until Ctrl-C if left out")] = None,
    wearers: Annotated[int, typer.Option(min=1)] = 300,
    speed: Annotated[float, typer.Option(min=1, help="simulated seconds in a second")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="the same seed simulates the same people")] = 7,
    report: Annotated[Path | None, typer.Option(help="write a JSON report here")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="lines instead of a live view")] = False,
    live_seconds: Annotated[float, typer.Option(min=0, help="length of the section at real speed; 0: none")] = 25.0,
) -> None:
    """Run everything at once on simulated wearers: stack, topics, worker, projector, simulator and a live view."""
    from monitor.demo.demonstration import run
    from monitor.settings import load

    raise typer.Exit(
        run(
            load(),
            seconds=seconds,
            wearers=wearers,
            speed=speed,
            report=report,
            plain=plain,
            seed=seed,
            live_seconds=live_seconds,
        )
    )


@app.command()
def watch(
    once: Annotated[bool, typer.Option("--once", help="one look, then end; status 1 if anything is stale")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="lines instead of a live view")] = False,
    svg: Annotated[Path | None, typer.Option(help="draw one look into this file, then end")] = None,
) -> None:
    """Show a running stack in the terminal: throughput, open alerts, newest alerts, model and lag."""
    from monitor.console.watch import run
    from monitor.settings import load

    raise typer.Exit(run(load(), once=once, plain=plain, svg=svg))


@app.command()
def doctor() -> None:
    """Check Kafka, Redis, topics, model bundle and GPU, and say how to mend what is wrong."""
    from monitor.doctor import run
    from monitor.settings import load

    raise typer.Exit(run(load()))


@app.command()
def verify(
    from_checkpoint: Annotated[bool, typer.Option("--from-checkpoint", help="begin at the oldest checkpoint")] = False,
    other_cuts: Annotated[
        int | None, typer.Option(min=0, metavar="SEED", help="cut the same records at random as well and compare")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the report to this file")] = None,
    show: Annotated[bool, typer.Option("--show", help="show what differs; it is of wearers")] = False,
) -> None:
    """Replay the log and compare: status 0 if every alert is what the log gives, 1 if not."""
    from monitor.settings import load
    from monitor.verifying.command import run

    raise typer.Exit(
        run(load(), from_checkpoint=from_checkpoint, other_cuts=other_cuts, json_file=json_file, show=show)
    )


@app.command()
def worker() -> None:
    """Read the input topics, step the engine, publish alerts and scores."""
    from monitor.settings import load
    from monitor.stream.worker import run

    raise typer.Exit(run(load()))


@app.command()
def drain() -> None:
    """Ask all workers of the state folder to write every checkpoint and end; status 0 if all of them did."""
    from monitor.draining import drain as drain_workers
    from monitor.settings import load

    raise typer.Exit(drain_workers(load()))


@app.command()
def projector() -> None:
    """Keep the alerts' latest versions in Redis."""
    from monitor.settings import load
    from monitor.stream.projector import run

    raise typer.Exit(run(load()))


@app.command()
def trainer(once: Annotated[bool, typer.Option("--once", help="train now and end")] = False) -> None:
    """Train the risk model again on the settings' schedule, and promote it only if it is better."""
    from monitor.retraining.schedule import run
    from monitor.settings import load

    raise typer.Exit(run(load(), once=once))


@topics_app.command()
def create(
    alter: Annotated[bool, typer.Option("--alter", help="also set configuration that differs from the table")] = False,
) -> None:
    """Create the topics that are missing; exit status 2 if those that exist differ from the table."""
    from monitor.settings import load
    from monitor.topics import create as create_topics
    from monitor.topics import require

    settings = load()
    made = create_topics(settings, alter=alter)
    typer.echo(f"Created {len(made)} topics: {', '.join(made)}." if made else "All topics exist already.")
    require(settings)


@topics_app.command()
def check() -> None:
    """Compare the topics with the table; exit status 1 if anything differs."""
    from monitor.settings import load
    from monitor.topics import check as check_topics
    from monitor.topics import notes

    settings = load()
    sentences = check_topics(settings)
    for sentence in sentences:
        typer.echo(sentence, err=True)
    if sentences:
        raise typer.Exit(1)
    typer.echo("All topics are as the table says.")
    for note in notes(settings):
        typer.echo(f"Note: {note}")


@topics_app.command("list")
def list_topics() -> None:
    """List the topics: partitions, retention, time stamps, who writes and who reads."""
    from monitor.settings import load
    from monitor.topics import show

    show(load())


@topics_app.command("grow")
def grow_topics(
    to: Annotated[int, typer.Option(help="partitions of the new log: a multiple of what the log has")],
    prefix: Annotated[str, typer.Option(help="topic prefix of the new log")],
    checkpoints: Annotated[
        str | None, typer.Option(help="place of the new log's checkpoints; by default beside the old one")
    ] = None,
) -> None:
    """Carry the log over to a new one with more partitions, states and open alerts too; workers must be drained."""
    from monitor.growing.command import run
    from monitor.settings import load

    raise typer.Exit(run(load(), to=to, prefix=prefix, checkpoints=checkpoints))


@redis_app.command()
def rebuild() -> None:
    """Fill Redis anew from the alert topics, beside a running projector or without; readers see no gap."""
    from monitor.settings import load
    from monitor.sinks.redis_commands import rebuild as rebuild_redis

    raise typer.Exit(rebuild_redis(load()))


@redis_app.command("check")
def check_redis() -> None:
    """Compare Redis with the alert topics; exit status 1 if anything differs."""
    from monitor.settings import load
    from monitor.sinks.redis_commands import check as compare_redis

    raise typer.Exit(compare_redis(load()))


@rules_app.command("show")
def show_rules(
    packaged: Annotated[bool, typer.Option("--packaged", help="the packaged limits instead, with sources")] = False,
) -> None:
    """Print the limits in force as a rule file, since when and by whom; status 1 if partitions differ."""
    from monitor.rules_in_force import lines, packaged_lines
    from monitor.settings import load

    shown, agreed = (packaged_lines(), True) if packaged else lines(load())
    for line in shown:
        typer.echo(line)
    if not agreed:
        raise typer.Exit(1)


@rules_app.command("switch")
def switch_rules(
    file: Annotated[Path, typer.Argument(help="TOML: a line for each limit to change")],
    replace: Annotated[
        bool, typer.Option("--replace", help="limits that the file does not name go back to the packaged ones")
    ] = False,
) -> None:
    """Switch every worker to the limits of a file, from now on; the switch is part of the log."""
    from monitor.rule_switch import switch
    from monitor.settings import load

    switched = switch(load(), file, replace=replace)
    if not switched.changes:
        typer.echo(f"The rule file {file} changes nothing: these limits are in force already.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Told {switched.partitions} partitions; from here on:")
    for line in switched.changes:
        typer.echo(f"  {line}")


Json = Annotated[bool, typer.Option("--json", help="JSON instead of tables")]


@journal_app.command("stats")
def journal_stats(json: Json = False) -> None:
    """Count files, rows, wearers and bytes of every table, and say which files are ignored or damaged, and why."""
    from monitor.journal.commands import show_stats
    from monitor.settings import load

    show_stats(load().journal_place, as_json=json)


@journal_app.command("show")
def journal_show(
    wearer: Annotated[str, typer.Argument(help="the wearer's id")],
    table: Annotated[str | None, typer.Option(help="only this table")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="a date or a time; UTC without an offset")] = None,
    end: Annotated[str | None, typer.Option("--to", help="up to before this date or time")] = None,
    limit: Annotated[int, typer.Option(min=1, help="the last rows of each table; JSON holds all")] = 20,
    json: Json = False,
) -> None:
    """Show what was held of a wearer and what was told of them. VITAL SIGNS go to the terminal: mind who looks on."""
    from monitor.journal.commands import show_wearer
    from monitor.settings import load

    show_wearer(load().journal_place, wearer, table=table, begin=begin, end=end, limit=limit, as_json=json)


def main() -> int:
    """Run a command; a broken environment ends it with one sentence on standard error and status 2.

    Whatever it writes is its user's alone: most of it is health data.
    """
    os.umask(0o077)
    try:
        app()
    except PulsewardenError as error:
        print(f"pulsewarden: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in FOLDER_ERRORS:
            raise
        from monitor.local.state_folder import why

        where = (
            os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "what this command writes to"
        )
        print(f"pulsewarden: {why(Path(where), error)}", file=sys.stderr)
        return 2
    return 0
