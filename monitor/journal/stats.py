"""What a journal holds in all, table by table; no vital sign is read."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from models.errors import DataUnusable, PlaceUnusable
from models.journal_files import Counting
from models.journal_reading import Journal
from models.journal_tables import TABLES
from monitor.errors import JournalUnusable
from monitor.journal.times import utc

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TableStats:
    """What one table holds.

    Attributes
    ----------
    files, bytes : of the files with rows that count.
    rows : that count by the rule which files count; a revised minute counts as often as it was decided.
    wearers : with rows.
    first, last : times of the rows, UTC; None where rows have none.
    ignored : why -> files that do not count.
    damaged : a sentence a file that cannot be read; its rows are in none of the figures.
    """

    table: str
    files: int = 0
    rows: int = 0
    wearers: int = 0
    first: str | None = None
    last: str | None = None
    bytes: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


def opened(place: str) -> Journal:
    """Open a journal that has files.

    Raises
    ------
    JournalUnusable
        If the place cannot be listed, or holds no journal.
    """
    try:
        journal = Journal(place)
    except PlaceUnusable as error:
        raise JournalUnusable(f"The journal (PULSEWARDEN_JOURNAL__PLACE): {error}") from error
    if not journal.tables:
        raise JournalUnusable(
            f"There is no journal in {journal.place.name} yet: a worker writes it with its checkpoints, "
            "and PULSEWARDEN_JOURNAL__PLACE says where it is."
        )
    return journal


def nobody(done: int, of: int) -> None:
    """Tell nobody."""


def stats(journal: Journal, told: Told = nobody) -> list[TableStats]:
    """Count what a journal holds, in the order of the tables' page; *told* hears of the files read, and of how many."""
    names = [*(name for name in TABLES if name in journal.tables), *sorted(set(journal.tables) - set(TABLES))]
    of = sum(len(found.pieces) for found in journal.tables.values())
    done = 0
    rows = []
    for name in names:
        found = journal.tables[name]
        rows.append(_table(journal, name, found, lambda n, before=done: told(before + n, of)))  # type: ignore[misc]
        done += len(found.pieces)
    return rows


def as_json(place: str, rows: list[TableStats]) -> dict[str, Any]:
    """Return the figures as a JSON document."""
    return {
        "place": place,
        "tables": {row.table: {k: v for k, v in asdict(row).items() if k != "table"} for row in rows},
    }


def _table(journal: Journal, name: str, found: Counting, told: Callable[[int], None]) -> TableStats:
    table = TABLES.get(name)
    time = None if table is None else table.time
    columns = ["wearer_id"] if time is None else ["wearer_id", time]
    rows, first, last, damaged = 0, math.inf, -math.inf, []
    wearers: set[str] = set()
    files: dict[str, int] = {}
    for number, piece in enumerate(found.pieces):
        try:
            part = journal.part(piece, columns=columns)
        except FileNotFoundError:
            continue  # merged away since the listing
        except DataUnusable as error:
            damaged.append(str(error))
            continue
        files[piece.file.path] = piece.file.bytes
        rows += part.num_rows
        if part.num_rows and "wearer_id" in part.column_names:
            wearers.update(pc.unique(part["wearer_id"].cast(pa.string())).to_pylist())
        if part.num_rows and time in part.column_names:
            ends = pc.min_max(part[time]).as_py()
            first, last = min(first, ends["min"]), max(last, ends["max"])
        told(number + 1)
    minutes = 0.0 if table is None else table.minutes
    return TableStats(
        name,
        len(files),
        rows,
        len(wearers),
        utc(first * minutes) if math.isfinite(first) else None,
        utc(last * minutes) if math.isfinite(last) else None,
        sum(files.values()),
        dict(Counter(found.ignored.values())),
        damaged,
    )
