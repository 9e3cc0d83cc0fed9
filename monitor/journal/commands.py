"""The two commands: read, then show."""

import json
import math
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from monitor.journal import show, stats
from monitor.journal.times import minute_of
from monitor.journal.wording import print_held, print_stats


def show_stats(place: str, *, as_json: bool) -> None:
    """Print what a journal holds.

    Raises
    ------
    JournalUnusable
        If there is none, or it cannot be listed.
    """
    journal = stats.opened(place)
    errors = Console(stderr=True)
    columns = (TextColumn("reading files"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        task = bars.add_task("")
        rows = stats.stats(journal, lambda done, of: bars.update(task, completed=done, total=of))
    if as_json:
        _write(stats.as_json(journal.place.name, rows))
    else:
        print_stats(_console(), journal.place.name, rows)


def show_wearer(
    place: str, wearer: str, *, table: str | None, begin: str | None, end: str | None, limit: int, as_json: bool
) -> None:
    """Print what a journal holds of a wearer.

    Raises
    ------
    JournalUnusable
        If it holds nothing of the wearer, a file is damaged, or a time is none.
    """
    first, last = minute_of(begin, "--from"), minute_of(end, "--to")
    found = show.held(stats.opened(place), wearer, table, first, last)
    if as_json:
        _write({"wearer_id": wearer, "tables": {held.table.name: _numbers(held.rows) for held in found}})
    else:
        print_held(_console(), wearer, found, limit)


def _console() -> Console:
    """Wide enough for the widest table where nobody's terminal says how wide it is."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _write(document: dict[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")


def _numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """JSON has no NaN: what is not there is null."""
    return [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in rows]
