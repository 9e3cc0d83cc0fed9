"""docs/scorecard.md and its pictures, written by the command that measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.scorecard import sets
from simulators.scorecard import page
from simulators.scorecard.page import Table

LARGEST_PICTURE = 150_000


@dataclass(slots=True)
class Section:
    """A part of the page; `pictures` are name -> (PNG, what it shows)."""

    title: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    level: int = 2

    def plain(self) -> list[str]:
        """Return it for a terminal."""
        lines = [f"== {self.title}", *self.sentences]
        return [*lines, *(line for table in self.tables for line in ("", *table.plain())), ""]

    def markdown(self, folder: str) -> Iterator[str]:
        """Return it for the page."""
        yield from ("#" * self.level + f" {self.title}", "")
        for sentence in self.sentences:
            yield from (sentence, "")
        for table in self.tables:
            yield from table.markdown()
        for name, (_, says) in self.pictures.items():
            yield from (f"![{says}]({folder}/{name})", "")


LIMITS = (
    (
        "Courses are ours: what an episode does to a rate is drawn from published means, and real illness is more "
        "various. Set B was written by somebody else from the same kind of literature; it is not a second reality."
    ),
    (
        "People in the recordings may have been ill without anybody noting it. What their own alerts in the same "
        "windows do is in the column `untouched`; what a transplant finds beyond it is what the episode added."
    ),
    (
        "Only what a recording tells can be transplanted. Atrial fibrillation is not among the transplants: these "
        "recordings have no RR intervals at rest, and an irregular rhythm cannot be laid over a mean rate. "
        "Pressure, heat, recovery of the rate after effort and variability are left out for the same reason."
    ),
    (
        "POOR_RECOVERY asks for a hard day before the bad night. The bad nights that are laid over recordings fall on "
        "any day, so it is silent about most of them."
    ),
    (
        "Simulated rates of events are far above those of life, so PPV on this page is not that of a care team; "
        "the share of false episodes a wearer-day is of people to whom a lot happens, confounders included."
    ),
    (
        "HEAT_LOAD speaks of the weather at the wearer's place. Truth has heat strain and heat waves; an ordinary "
        "hot day is neither, and counts as false here although it was hot."
    ),
    (
        "The model's alerts (RISK_MODEL) are not here: no model runs in this process. Nobody acknowledges, so "
        "alerts of medium and high priority stay open, and a condition that comes back counts as a new alert."
    ),
    (
        "The long runs hold a sample a minute, told every 30 minutes: the time to an alert of minutes is not "
        "theirs to tell, and silence of a watch is not judged in them."
    ),
)


def write(path: Path, sections: Sequence[Section], date: str, command: str, seconds: Mapping[str, float]) -> None:
    """Write the page and its pictures.

    Raises
    ------
    ValueError
        If a picture is larger than a page should carry.
    """
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for section in sections:
        for name, (png, _) in section.pictures.items():
            if len(png) > LARGEST_PICTURE:
                raise ValueError(f"{name} has {len(png):,} bytes, more than {LARGEST_PICTURE:,}.")
            (folder / name).write_bytes(png)
    path.write_text("\n".join(_lines(sections, date, command, seconds, folder.name)).rstrip() + "\n", encoding="utf-8")


def _lines(
    sections: Sequence[Section], date: str, command: str, seconds: Mapping[str, float], folder: str
) -> Iterator[str]:
    yield from ("# Scorecard", "")
    yield (
        f"This page was written by `{command}` on {date}. It asks what the alerts are worth: episodes laid over "
        "real recordings first, then simulated people of two parameter sets. `python -m simulators.scorecard` "
        "makes the same tables of any run, from a journal or from Kafka. Not a medical device: nothing here is a "
        "clinical result."
    )
    yield ""
    for section in sections:
        yield from section.markdown(folder)
    yield from ("## How it is counted", "", *(f"- {sentence}" for sentence in page.DEFINITIONS), "")
    yield from page.answers().markdown()
    yield from ("## What this does not show", "", *(f"- {sentence}" for sentence in LIMITS), "")
    yield from ("## How long it took", "")
    took = ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
    yield (
        f"Seconds of one core: {took}. Weeks: {sets.LONG_WEARERS} wearers for {sets.LONG_DAYS} days of each set; "
        f"days: {sets.SHORT_WEARERS} wearers for {sets.SHORT_DAYS} days of each set, played twice."
    )
