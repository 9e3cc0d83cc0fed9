"""docs/benchmarks.md, written by the command that measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.figure import Figure, rounded, shown


@dataclass(frozen=True, slots=True)
class Run:
    """How figures came about: the machine, the day, the command, and what could not be measured."""

    machine: Mapping[str, str]
    date: str
    command: str
    rounds: int
    failures: Sequence[str] = ()


def write(path: Path, figures: Sequence[Figure], run: Run) -> None:
    """Write the page."""
    path.write_text(text(figures, run))


def text(figures: Sequence[Figure], run: Run) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        (
            f"This page was written by `{run.command}` on {run.date}. Run it again on yours: the figures are of one"
            " machine, and the ratios travel better than the absolutes."
        ),
        "",
        (
            f"Median of {run.rounds} interleaved rounds (burst-memory, memory, latency, cut, 100,000 wearers: one run);"
            ' spread = (highest - lowest) / median. "Of one core" means per second of process CPU time, all threads'
            " together."
        ),
        "",
        "| figure | value | unit | target | ratio to the peer | spread |",
        "|---|---:|---|---|---|---:|",
    ]
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{rounded(figure.ratio):.3g}x {figure.peer}"
        spread = "" if figure.spread is None else f"{figure.spread:.0%}"
        target = "" if figure.target is None else str(figure.target)
        lines.append(f"| `{figure.name}` | {shown(figure.value)} | {figure.unit} | {target} | {ratio} | {spread} |")
    missed = [figure.shortfall for figure in figures if figure.shortfall is not None]
    missed += [failure.splitlines()[0] for failure in run.failures]
    lines += ["", "## What falls short", ""]
    lines += [f"- {sentence}" for sentence in missed] or ["Nothing: every target above is met in this run."]
    lines += ["", "## How each figure was taken", ""]
    for note, alike in groupby(figures, lambda figure: figure.note):
        lines.append(f"- {', '.join(f'`{figure.name}`' for figure in alike)}: {note}")
    lines += ["", "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in run.machine.items()]
    return "\n".join(lines) + "\n"
