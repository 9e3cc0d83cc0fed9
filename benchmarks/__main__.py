"""``python -m benchmarks``: measure, print a table, and write JSON and the page."""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, rounded, shown
from benchmarks.machine import date_utc, machine
from benchmarks.page import Run, write
from monitor.errors import PulsewardenError

IN_PROCESS = ("engine", "decode", "detectors", "daily-sweep", "one-wearer", "model", "simulator")
IN_A_PROCESS_OF_ITS_OWN = ("burst-memory",)
THROUGH_A_BROKER = ("worker", "stock-faust", "memory", "latency", "cut", "checkpoint", "live", "recovery")
NAMES = IN_PROCESS + IN_A_PROCESS_OF_ITS_OWN + THROUGH_A_BROKER
PAGE = Path("docs/benchmarks.md")

Say = Callable[[str], None]


class Measurement(Protocol):
    """Something that is measured in rounds."""

    def prepare(self) -> None:
        """Do what must be there before the first round."""

    def round(self) -> None:
        """Measure once."""

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(NAMES)}; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    seconds: Annotated[float, typer.Option(min=3, help="Length of the latency run after its warm-up.")] = 30.0,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds of each measurement.")] = 3,
    write_docs: Annotated[bool, typer.Option("--write-docs", help=f"Write {PAGE}.")] = False,
) -> None:
    """Measure what Pulsewarden costs on this machine; all of it takes about twenty minutes."""
    chosen = tuple(only or NAMES)
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is not one of {', '.join(NAMES)}.", param_hint="--only")
    screen = Console(stderr=True)
    about = machine()
    for name, value in about.items():
        screen.print(f"[dim]{name}: {value}[/dim]", highlight=False)
    with screen.status("Beginning") as spinner:

        def say(line: str) -> None:
            spinner.update(line)
            if not screen.is_terminal:
                screen.print(line, highlight=False)

        failures: list[str] = []
        figures = measure(chosen, rounds, seconds, say, failures)
    for failure in failures:
        screen.print(failure, style="red", highlight=False, markup=False)
    Console().print(table(figures))
    if json_file is not None:
        json_file.write_text(json.dumps([figure.document() for figure in figures], indent=2) + "\n")
    if write_docs:
        command = " ".join(["python -m benchmarks", *sys.argv[1:]])
        write(PAGE, figures, Run(about, date_utc(), command, rounds, failures))
    if failures:
        raise typer.Exit(2)


def measure(chosen: Sequence[str], rounds: int, seconds: float, say: Say, failures: list[str]) -> list[Figure]:
    """Run the chosen measurements: those in this process interleaved, then those through a broker.

    One that fails is told in `failures` and does not take the others with it.
    """
    figures = _interleaved(_in_process(chosen), rounds, say, failures)
    if "burst-memory" in chosen:
        from benchmarks.burst_memory import BurstMemory

        figures += _interleaved({"burst-memory": BurstMemory()}, 1, say, failures)
    if set(chosen) & set(THROUGH_A_BROKER):
        from benchmarks.broker import Bench

        with ExitStack() as stack:
            bench = stack.enter_context(Bench.open(say))
            if {"worker", "stock-faust"} & set(chosen):
                from benchmarks.catching_up import CatchingUp

                figures += _interleaved({"worker and stock Faust": CatchingUp(bench)}, rounds, say, failures)
            if "memory" in chosen:
                from benchmarks.worker_memory import WorkerMemory

                figures += _interleaved({"memory": WorkerMemory(bench)}, 1, say, failures)
            if "latency" in chosen:
                from benchmarks.time_to_redis import TimeToRedis

                figures += _interleaved({"latency": TimeToRedis(bench, seconds)}, 1, say, failures)
            if "cut" in chosen:
                from benchmarks.cut_cost import CutCost

                figures += _interleaved({"cut": CutCost(bench)}, 1, say, failures)
            if phases := {"checkpoint", "live", "recovery"} & set(chosen):
                from benchmarks.hundred_thousand import HundredThousand

                fleet = HundredThousand(bench, phases)
                figures += _interleaved({"100,000 wearers": fleet}, 1, say, failures)
                failures += fleet.failures
    return [figure for figure in figures if any(_belongs(figure.name, name) for name in chosen)]


def _in_process(chosen: Sequence[str]) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    if {"engine", "decode"} & set(chosen):
        from benchmarks.engine_sweep import EngineSweeps

        found["engine and decode"] = EngineSweeps()
    if {"detectors", "daily-sweep"} & set(chosen):
        from benchmarks.detector_cost import DetectorCosts

        found["detectors"] = DetectorCosts()
    if "one-wearer" in chosen:
        from benchmarks.one_wearer import OneWearer

        found["one wearer"] = OneWearer()
    if "model" in chosen:
        from benchmarks.model_pass import ModelPasses

        found["model"] = ModelPasses()
    if "simulator" in chosen:
        from benchmarks.simulated_days import SimulatedDays

        found["simulator"] = SimulatedDays()
    return found


def _interleaved(measurements: dict[str, Measurement], rounds: int, say: Say, failures: list[str]) -> list[Figure]:
    try:
        for name, measurement in measurements.items():
            say(f"Preparing: {name}")
            measurement.prepare()
        for number in range(rounds):
            for name, measurement in measurements.items():
                say(f"Round {number + 1} of {rounds}: {name}")
                measurement.round()
    except PulsewardenError as error:
        failures.append(f"{', '.join(measurements)} could not be measured: {error}")
        return []
    return [figure for measurement in measurements.values() for figure in measurement.figures()]


def _belongs(figure: str, name: str) -> bool:
    return figure == name or figure.startswith(f"{name}-")


def table(figures: Sequence[Figure]) -> Table:
    """Return the figures as people read them."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("figure", "value", "unit", "target", "ratio", "spread", ""):
        made.add_column(heading, justify="right" if heading in {"value", "ratio", "spread"} else "left")
    for figure in figures:
        verdict = "" if figure.target is None else "[red]short[/red]" if figure.shortfall else "[green]met[/green]"
        made.add_row(
            figure.name,
            shown(figure.value),
            figure.unit,
            "" if figure.target is None else str(figure.target),
            "" if figure.ratio is None else f"{rounded(figure.ratio):.3g}x",
            "" if figure.spread is None else f"{figure.spread:.0%}",
            verdict,
        )
    return made


if __name__ == "__main__":
    typer.run(main)
