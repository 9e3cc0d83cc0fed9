"""``python -m benchmarks.scorecard``: transplants first, then simulated sets; ``--write-docs`` writes the page."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.scorecard import days, minutes, sets
from benchmarks.scorecard.compared import Copy, Line, compared, lookalikes, record, table
from benchmarks.scorecard.page import Section, write
from benchmarks.scorecard.variants import AT_REST, DAILY, LOOKALIKES, variants
from monitor.alerting.limits import Limits
from simulators.errors import RecordingsMissing
from simulators.kinds import Kind
from simulators.replay import DATA
from simulators.scorecard import drawing, page
from simulators.scorecard.measures import scorecard
from simulators.transplant import IN_DAYS, IN_MINUTES, change_over, untold

PAGE = Path("docs/scorecard.md")
SEED = 20260105
ONSETS_DAYS, ONSETS_LOOKALIKES, ONSETS_REST, ONSETS_NIGHTS = 5, 2, 3, 3
PARTS = ("transplants", "sets")
UNTOLD = {
    "add_systolic_mmhg": "systolic pressure",
    "add_diastolic_mmhg": "diastolic pressure",
    "blunt": "a smaller answer to effort",
    "slow_recovery": "slower recovery after effort",
}


def lifesnaps(data: Path) -> Section:
    """Lay episodes over LifeSnaps."""
    people = days.read(data)
    copies = days.copies(people, variants(DAILY), ONSETS_DAYS, SEED, Limits())
    lines = compared(copies)
    alike = days.copies(people, variants(LOOKALIKES), ONSETS_LOOKALIKES, SEED + 1, Limits())
    out = Section(f"LifeSnaps: {len({one.person for one in copies})} people, daily columns", level=3)
    out.sentences = [
        f"Up to {ONSETS_DAYS} onsets a person, on days with 14 known nights of the 28 before and most of the 7 "
        f"after; {len(copies):,} copies. The daily detectors are called as functions at noon of each day, as the "
        "monitor asks "
        "them. Laid over: nightly rate, resting rate, steps, active minutes, sleep. " + _left_out(IN_DAYS, DAILY)
    ]
    out.tables = [
        table("Found with the episode, in the same windows without it, and by chance", lines),
        lookalikes("Any daily alert during something that is no illness", alike),
    ]
    out.sentences.append(page.no_better({line.label: line.touched.found for line in lines}))
    out.pictures["transplant-lifesnaps.png"] = _picture(lines, "LifeSnaps: episodes laid over real days")
    return out


def fitabase(data: Path) -> Section:
    """Lay episodes over Fitabase and Welltory."""
    people, one = minutes.fitabase(data), minutes.from_welltory(data)
    at_rest = minutes.copies(people, variants(AT_REST), ONSETS_REST, SEED, Limits())
    in_weeks = tuple(kind for kind in DAILY if kind != Kind.OVERTRAINING)  # its window is longer than these pieces
    slow = minutes.copies([*people, *one], variants(in_weeks), ONSETS_NIGHTS, SEED, Limits())
    welltory = minutes.copies(one, variants(AT_REST), ONSETS_REST, SEED, Limits())
    lines = compared(at_rest)
    out = Section(f"Fitabase ({len(people)} people) and Welltory (1 person): minutes through the real engine", level=3)
    nights = len({copy.person for copy in slow})
    out.sentences = [
        "Medians of the minutes are played as messages of a minute (of 30 for episodes of days), with all gaps. At "
        f"rest: up to {ONSETS_REST} onsets a person between 9 and 20 h where the watch is worn. "
        + _left_out(IN_MINUTES, AT_REST),
        (
            f"Days: {nights} of these {len(people) + len(one)} people wore the watch in 14 nights before some "
            "onset, which detectors of nights ask for; the other recordings cannot tell anything about them, and "
            "Welltory has no steps by the minute, without which no minute is known to be at rest. What is found in "
            "so few people is an example and no rate."
        ),
    ]
    out.tables = [
        table("Fitabase, at rest", lines),
        table("Welltory, at rest: one person, a rate every five minutes, no steps", compared(welltory)),
        table(f"Days: {nights} person" + ("s" if nights != 1 else ""), compared(slow)),
    ]
    out.sentences.append("Fitabase, at rest. " + page.no_better({line.label: line.touched.found for line in lines}))
    out.pictures["transplant-fitabase.png"] = _picture(lines, "Fitabase: episodes laid over real minutes")
    untouched = _bare([*at_rest])
    out.sentences.append(
        f"The untouched pieces raise {page.shown(untouched)} alerts about the wearer a worn wearer-day (pieces of "
        "one person overlap)."
    )
    return out


def _bare(copies: list[Copy]) -> float:
    once = list({(one.person, one.worn.tobytes()): one for one in copies}.values())
    return scorecard(record("", once, touched=False), shifts=1, draws=1).load.value


def _left_out(told: tuple[str, ...], kinds: tuple[Kind, ...]) -> str:
    """Say what the courses of these kinds change and the recordings cannot tell."""
    rng = np.random.default_rng(1)
    names: dict[str, None] = {}
    for one in variants(kinds):
        change = change_over(one.kinetics, one.episode(rng, 60.0), 0, 0, 1440)
        names |= dict.fromkeys(untold(change, told))
    return f"Left out: {', '.join(UNTOLD.get(name, name.replace('_', ' ')) for name in names) or 'nothing'}."


def _picture(lines: list[Line], title: str) -> tuple[bytes, str]:
    rows = [(line.label, line.touched.found) for line in lines]
    bare = {line.label: line.untouched.sensitivity for line in lines}
    return drawing.sensitivity(rows, title, bare), f"{title}: share found, with chance and untouched recordings beside"


def weeks(name: str) -> Section:
    """Play weeks of a set."""
    card = sets.long_run(name)
    out = Section(f"{card.name}: what builds up over days", level=3)
    out.sentences = [" ".join(page.summary(card))]
    out.tables = page.tables(card)
    for what, png in drawing.pictures(card).items():
        out.pictures[f"set-{name}-weeks-{what}.png"] = (png, f"{card.name}: {what}")
    return out


def short(name: str) -> Section:
    """Play days of a set."""
    cards = sets.short_run(name)
    card = cards["gate on"]
    out = Section(f"{card.name}: what takes hold within minutes to hours; gate on against gate off", level=3)
    out.sentences = [
        " ".join(page.summary(card)),
        (
            "Values stand still ten times as often as the devices of the simulator have it, so that the quality "
            "gate has work; gate off is `hr_min_quality = 0`."
        ),
    ]
    out.tables = [*page.tables(card), page.against(cards)]
    for what, png in drawing.pictures(card).items():
        out.pictures[f"set-{name}-days-{what}.png"] = (png, f"{card.name}: {what}")
    return out


def main(
    data: Annotated[Path | None, typer.Option(help=f"Folder of recordings; default {DATA}.")] = None,
    only: Annotated[str | None, typer.Option(help=f"One of {', '.join(PARTS)}.")] = None,
    write_docs: Annotated[bool, typer.Option("--write-docs", help=f"Write {PAGE} and its pictures.")] = False,
) -> None:
    """Say what the alerts are worth."""
    if only is not None and only not in PARTS:
        raise typer.BadParameter(f"{only} is not one of {', '.join(PARTS)}.", param_hint="--only")
    where = data or DATA
    if data is not None and not data.is_dir():
        typer.echo(f"There is no folder {data}: say with --data where the recordings are.", err=True)
        raise typer.Exit(2)
    sections: list[Section] = []
    seconds: dict[str, float] = {}

    def do(name: str, make: Callable[[], Section]) -> None:
        began = time.process_time()
        try:
            section = make()
        except RecordingsMissing as missing:
            section = Section(name, [f"Skipped: {missing}"], level=3)
        seconds[name] = time.process_time() - began
        sections.append(section)
        typer.echo("\n".join(section.plain()))

    if only in (None, "transplants"):
        sections.append(Section("Episodes laid over real recordings", [TRANSPLANTED]))
        do("LifeSnaps", lambda: lifesnaps(where))
        do("Fitabase and Welltory", lambda: fitabase(where))
    if only in (None, "sets"):
        sections.append(Section("Simulated people", [SIMULATED]))
        for name in ("a", "b"):
            do(f"set {name.upper()}, weeks", lambda name=name: weeks(name))  # type: ignore[misc]
            do(f"set {name.upper()}, days", lambda name=name: short(name))  # type: ignore[misc]
    typer.echo("Seconds of one core: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()))
    if write_docs and only is None:
        command = " ".join(["python -m benchmarks.scorecard", *sys.argv[1:]])
        write(PAGE, sections, f"{datetime.now(UTC):%Y-%m-%d}", command, seconds)
        typer.echo(f"{PAGE} is written.")
    elif write_docs:
        typer.echo(f"{PAGE} stays as it is: only a run of all parts writes it.")


TRANSPLANTED = (
    "Noise, gaps and habits of these recordings are real; the episode is laid over them by the courses of set A "
    "and set B (`simulators/transplant.py`). Each copy is compared with the same recording without the episode, in "
    "the same window: what `untouched` has was there anyway. Forms as the sets draw them; set A has one form of "
    "most kinds."
)
SIMULATED = (
    "Drawn from scenario `conditions` with other rates, from 1 June on; the same seed for both sets. Nothing that "
    "builds up begins in the first 16 days, so that detectors of nights have their history."
)

if __name__ == "__main__":
    typer.run(main)
