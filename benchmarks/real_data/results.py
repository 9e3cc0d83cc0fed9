"""What a study returns: sentences, tables, targets and pictures, ready for the page and for JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table; a cell that is None or NaN was not measured. `digits` rounds floats that are shown."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    digits: int = 3
    note: str = ""

    def markdown(self) -> list[str]:
        """Return the lines of the table."""
        lines = [f"**{self.title}**", ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "---|" * len(self.columns))
        lines += ["| " + " | ".join(shown(cell, self.digits) for cell in row) + " |" for row in self.rows]
        return [*lines, "", *([self.note, ""] if self.note else [])]

    def document(self) -> dict[str, Any]:
        """Return the table for JSON: a row is an object."""
        rows = [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "note": self.note}


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for, what came out; `met` None: it could not be established."""

    what: str
    wanted: str
    got: str
    met: bool | None

    def sentence(self) -> str:
        """Say it."""
        verdict = {True: "met", False: "**missed**", None: "**not established**"}[self.met]
        return f"{self.what}: wanted {self.wanted}, got {self.got}: {verdict}."


@dataclass(slots=True)
class Study:
    """What one study gave.

    Attributes
    ----------
    name : as `--only` takes it. title : of its section.
    sentences : how it was done and what came out. limits : what it does not show.
    missing : parts that could not be made, each with its reason.
    pictures : file name -> PNG, and what is in it.
    skipped : why nothing could be done at all; empty where something was.
    """

    name: str
    title: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    pictures: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    skipped: str = ""
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the study for JSON, pictures by name only."""
        return {
            "name": self.name,
            "title": self.title,
            "skipped": self.skipped or None,
            "sentences": self.sentences,
            "tables": [table.document() for table in self.tables],
            "targets": [
                {"what": one.what, "wanted": one.wanted, "got": one.got, "met": one.met} for one in self.targets
            ],
            "limits": self.limits,
            "missing": self.missing,
            "pictures": sorted(self.pictures),
            "seconds": round(self.seconds, 1),
        }


def shown(cell: Cell, digits: int = 3) -> str:
    """Return a cell as it is read; what was not measured is a dash.

    >>> shown(0.12345), shown(1234), shown(float("nan")), shown(None), shown("a")
    ('0.123', '1,234', '-', '-', 'a')
    """
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "-"
    if isinstance(cell, float):
        return f"{cell:.{digits}f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _plain(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
