"""The journal in words and tables, for a terminal."""

import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from monitor.journal.show import Held, minute_of
from monitor.journal.stats import TableStats
from monitor.journal.times import utc
from stream_schemas.blood_pressure import METHODS
from stream_schemas.sleep import STAGES
from stream_schemas.wearer import SEXES

NONE = "-"
ABSENT = {
    ("minutes", "hr_median"): 0,
    ("minutes", "hr_min"): 0,
    ("minutes", "hr_max"): 0,
    ("minutes", "irregular"): 255,
    ("minutes", "steps"): 255,
    ("minutes", "stage"): 0,
    ("bp", "pulse"): -1,
}
CODES = {("minutes", "stage"): STAGES, ("bp", "method"): METHODS, ("profiles", "sex"): SEXES}
REASONS = ("out of range", "outlier", "unverified", "exercise", "said asleep", "said awake", "said at rest")
TIMES = {"start_minute": 1.0, "end_minute": 1.0, "raised_at_ms": 1 / 60_000}
"""Columns that are times beside the one that the table is ordered by, and their unit in minutes."""


def print_stats(console: Console, place: str, rows: list[TableStats]) -> None:
    """Show what a journal holds."""
    title = f"Journal in {place} (times in UTC)"
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("table", no_wrap=True)
    for name in ("files", "rows", "wearers"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("first", "last"):
        table.add_column(name, no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    for row in rows:
        counts = (f"{row.files:,}", f"{row.rows:,}", f"{row.wearers:,}")
        table.add_row(row.table, *counts, _minute(row.first), _minute(row.last), size(row.bytes))
    console.print(table)
    if any(row.table == "minutes" for row in rows):
        console.print("A minute that late data revised was decided, and is counted, more than once.", highlight=False)
    reasons: dict[str, int] = {}
    for row in rows:
        for why, files in row.ignored.items():
            reasons[why] = reasons.get(why, 0) + files
    for why, files in sorted(reasons.items()):
        console.print(f"{'1 file is' if files == 1 else f'{files:,} files are'} ignored: {why}.", highlight=False)
    for row in rows:
        for sentence in row.damaged:
            console.print(sentence, style="red", highlight=False, soft_wrap=True)


def print_held(console: Console, wearer: str, found: list[Held], limit: int) -> None:
    """Show what was held of a wearer, at most the last *limit* rows a table."""
    console.print(f"What the journal holds of {wearer} (times in UTC)", style="bold", highlight=False, markup=False)
    for held in found:
        if held.rows:
            _print(console, held, limit)
    empty = [held.table.name for held in found if not held.rows]
    if empty:
        console.print(f"Nothing in {', '.join(empty)}.", highlight=False)
    console.print("Units and codes: docs/journal.md.", highlight=False)


def _print(console: Console, held: Held, limit: int) -> None:
    """Show the last rows as a table, or where the terminal is too narrow for it as lines."""
    rows = held.rows[-limit:]
    note = f", the last {limit:,} of {len(held.rows):,} rows" if len(rows) < len(held.rows) else ""
    title = f"{held.table.name}: {held.table.row.partition(';')[0]}{note}"
    names = [column.name for column in held.table.columns if column.name in rows[0]]
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in names:
        table.add_column(name.removesuffix("_ms"), justify="left" if _is_text(held, name) else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(cell(held, name, row) for name in names))
    if console.measure(table, options=console.options.update(width=10_000)).maximum <= console.width:
        console.print(table)
        return
    console.print(title, style="italic", highlight=False)
    for row in rows:
        said = [(name.removesuffix("_ms"), cell(held, name, row)) for name in names if name != held.table.time]
        text = ", ".join(f"{name} {value}" for name, value in said if value != NONE)
        when = "" if held.table.time is None else f"{cell(held, held.table.time, row)}  "
        console.print(Padding(f"{when}{text}", (0, 0, 0, 2)), highlight=False, markup=False)


def _is_text(held: Held, name: str) -> bool:
    value = held.rows[0][name]
    is_time = name == held.table.time or name in TIMES
    return is_time or (held.table.name, name) in CODES or isinstance(value, str | list)


def cell(held: Held, name: str, row: dict[str, Any]) -> str:
    """Say one value in words: codes by their names, "-" for what is not there."""
    value, place = row[name], (held.table.name, name)
    if value is None or value == ABSENT.get(place) or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if name == held.table.time:
        at = minute_of(held.table, row)
        return NONE if at is None else utc(at)[: 10 if name == "day" else None]
    if name in TIMES:
        return utc(value * TIMES[name])
    if place in CODES and isinstance(value, int):
        return CODES[place][value] if value < len(CODES[place]) else str(value)
    if place == ("minutes", "reason"):
        return ", ".join(said for bit, said in enumerate(REASONS) if value >> bit & 1) or NONE
    if isinstance(value, list):
        return ", ".join(value) or NONE
    return f"{round(value, 2):g}" if isinstance(value, float) else str(value)


def _minute(time: str | None) -> str:
    return NONE if time is None else f"{time[:16]}Z"


def size(count: int) -> str:
    """Write a number of bytes.

    >>> size(900), size(1_500_000)
    ('900 B', '1.5 MB')
    """
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= one:
            return f"{count / one:.1f} {unit}"
    return f"{count} B"
