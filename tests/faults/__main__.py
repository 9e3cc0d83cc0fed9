"""``python -m tests.faults``: break things, one after the other, and say whether anything was lost."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from monitor.errors import PulsewardenError
from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.listing import CLUSTER, FAULTS, SWITCHED_OFF
from tests.faults.row import Row
from tests.faults.rows import Rows
from tests.faults.run import Say

LONG_MINUTES = 20.0
JARS = Path(".pulsewarden/jars")
PAGE = Path("docs/faults.md")


def main(
    minutes: Annotated[float, typer.Option(min=1, help="How long all of it may take, about.")] = LONG_MINUTES,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Decides stories and faults, may be repeated.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A fault's name, may be repeated; `list` lists them.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Add the rows to this file; `--write-docs` then writes all of them.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep state and logs in this folder.")] = None,
    write_docs: Annotated[bool, typer.Option("--write-docs", help=f"Write {PAGE}.")] = False,
) -> None:
    """Run every fault on a Kafka and a Valkey of their own; exit 1 if anything is lost, doubled or different."""
    known = {fault.name: fault for fault in (*FAULTS, *CLUSTER, *SWITCHED_OFF)}
    screen = Console(stderr=True, highlight=False, soft_wrap=True)
    for name in only or ():
        if name not in known:
            screen.print("\n".join(f"{fault.name:28} {fault.what}" for fault in known.values()))
            raise typer.Exit(0 if name == "list" else 2)
    chosen = [known[name] for name in only] if only else list(known.values())

    def say(line: str) -> None:
        screen.print(line, markup=False)

    rows: list[Row] = []
    kept = Rows.of(json_file)
    with TemporaryDirectory(prefix="pulsewarden-faults-") as temporary:
        folder = (keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        say("Starting Kafka and Valkey")
        with Ground.open(folder, JARS.resolve()) as ground:
            for one in seed or [1]:
                for fault in chosen:
                    rows.append(_one(fault, ground, one, minutes / LONG_MINUTES, say))
                    kept.add(rows[-1])
    faults = [row for row in rows if not known[row.fault].must_fail]
    off = [row for row in rows if known[row.fault].must_fail]
    screen = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    if faults:
        screen.print(table("Faults", faults))
    if off:
        screen.print(table("Protections switched off: the checker must find something", off))
    if write_docs:
        from benchmarks.machine import date_utc, machine
        from tests.faults.page import write

        ran = [(fault, row) for fault in known.values() for row in kept.of_fault(fault.name)]
        write(PAGE, ran, " ".join(["python -m tests.faults", *sys.argv[1:]]), date_utc(), machine())
    wrong = [row.fault for row in faults if not row.clean] + [row.fault for row in off if not row.findings]
    if wrong:
        screen.print(f"Not as it should be: {', '.join(wrong)}.", style="red")
        raise typer.Exit(1)


def _one(fault: Fault, ground: Ground, seed: int, share: float, say: Say) -> Row:
    """Run one fault; what it raises is a row too, so that the others still run."""
    say(f"\n{fault.name}: {fault.what} (seed {seed})")
    began = time.monotonic()
    row = fault.run(ground, seed, share, say)
    row.seconds = round(time.monotonic() - began, 1)
    if row.skipped:
        say(f"skipped: {row.skipped}")
        return row
    word = "clean" if row.clean else ("found" if fault.must_fail and row.findings else "NOT CLEAN")
    say(
        f"{word}: {row.events} events, {row.alerts_expected} alerts expected, {row.lost} lost, {row.doubled} doubled, "
        f"{row.different} different, {row.repeated} repeated, {row.faults} faults, {row.seconds} s"
    )
    if row.healthy_still_s is not None:
        say(f"  what nothing was broken for stood still for {row.healthy_still_s} s at most")
    if row.wrong_team:
        say(f"  {row.wrong_team} alerts went to a team that the wearer had left; {row.below_T} records are below T")
    if row.told_within_s is not None:
        say(f"  the slowest crisis was told after {row.told_within_s} s")
    for sentence in row.why:
        say(f"  {sentence}")
    return row


def table(title: str, rows: Sequence[Row]) -> Table:
    """Return the rows as a table for the terminal."""
    made = Table(title=title, box=None, header_style="bold", pad_edge=False)
    headings = (
        "fault",
        "seed",
        "faults",
        "events",
        "alerts",
        "lost",
        "doubled",
        "different",
        "repeated",
        "recovery s",
        "still s",
    )
    for heading in headings:
        made.add_column(heading, justify="left" if heading == "fault" else "right")
    for row in rows:
        recovery = "" if row.recovery_s is None else f"{row.recovery_s:.1f}"
        still = row.skipped and "skipped" if row.healthy_still_s is None else f"{row.healthy_still_s:.1f}"
        numbers = (row.seed, row.faults, row.events, row.alerts_expected, row.lost, row.doubled, row.different)
        made.add_row(row.fault, *(str(n) for n in numbers), str(row.repeated), recovery, still)
    return made


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except PulsewardenError as error:
        print(f"faults: {error}", file=sys.stderr)
        sys.exit(2)
