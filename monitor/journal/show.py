"""What the system held of one wearer, for the terminal of whoever asks: never for logs."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from models.errors import DataUnusable
from models.journal_reading import Journal
from models.journal_tables import CUT, TABLES, Table
from monitor.errors import JournalUnusable

ORDER = ("profiles", "alerts", "scores", "labels", "bp", "sleep", "weather", "days", "minutes")
"""Who it is, what was told of them, then what it was told from."""


@dataclass(frozen=True, slots=True)
class Held:
    """One table's rows of a wearer, in order of time, each key once: the row written last."""

    table: Table
    rows: list[dict[str, Any]]


def held(journal: Journal, wearer: str, table: str | None, begin: float | None, end: float | None) -> list[Held]:
    """Read what a journal holds of a wearer, from epoch minute *begin* to before *end*.

    Raises
    ------
    JournalUnusable
        If there is no such table or wearer, or a file is damaged.
    """
    if table is not None and table not in TABLES:
        raise JournalUnusable(f"The journal has no table {table!r}: ask for one of {', '.join(ORDER)}.")
    found = [Held(TABLES[name], _rows(journal, TABLES[name], wearer)) for name in ORDER if table in (None, name)]
    if not any(of.rows for of in found):
        where = "" if table is None else f" in {table}"
        raise JournalUnusable(
            f"There are no rows of this wearer{where} in the journal: check the id (as gateways send it, case counts); "
            "the newest rows come with the next checkpoint."
        )
    return [Held(of.table, [row for row in of.rows if _inside(of.table, row, begin, end)]) for of in found]


def minute_of(table: Table, row: dict[str, Any]) -> float | None:
    """Return a row's time as an epoch minute; None where the table has none."""
    return None if table.time is None or row[table.time] is None else float(row[table.time] * table.minutes)


def _inside(table: Table, row: dict[str, Any], begin: float | None, end: float | None) -> bool:
    at = minute_of(table, row)
    return at is None or ((begin is None or at >= begin) and (end is None or at < end))


def _rows(journal: Journal, table: Table, wearer: str) -> list[dict[str, Any]]:
    try:
        read = journal.read(table.name, wearer=wearer)
    except DataUnusable as error:
        raise JournalUnusable(str(error)) from error
    rows = [] if read is None else _plain(read).to_pylist()
    if table.name == "sleep":
        rows.sort(key=lambda row: int(row["revision"]))
    last = {tuple(row.get(column) for column in table.key): row for row in rows}
    for row in last.values():
        row.pop(CUT, None)
        row.pop("wearer_id", None)
    return sorted(last.values(), key=lambda row: minute_of(table, row) or 0.0)


def _plain(read: pa.Table) -> pa.Table:
    """Single floats show as they were written: 36.6, not 36.599998474121094."""
    for i, column in enumerate(read.schema):
        if column.type == pa.float32():
            text = [None if value is None else float(str(value)) for value in read.column(i).to_numpy()]
            read = read.set_column(i, column.name, pa.array(text, pa.float64(), from_pandas=True))
    return read
