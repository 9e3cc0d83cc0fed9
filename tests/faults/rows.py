"""The rows of several runs in one file: an hour of them can be interrupted, and one can be run again."""

import json
from pathlib import Path

from tests.faults.row import Row


class Rows:
    """The newest row of each fault and seed.

    Parameters
    ----------
    path : where they are kept; None: nowhere.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[tuple[str, int], Row] = {}

    @classmethod
    def of(cls, path: Path | None) -> "Rows":
        """Read what a file holds, if it is there."""
        made = cls(path)
        if path is not None and path.exists():
            made._rows = {(row["fault"], row["seed"]): Row(**row) for row in json.loads(path.read_text())}
        return made

    def add(self, row: Row) -> None:
        """Keep a row in place of the one before it of its fault and seed."""
        self._rows[row.fault, row.seed] = row
        if self._path is not None:
            self._path.write_text(json.dumps([one.document() for one in self._rows.values()], indent=2) + "\n")

    def of_fault(self, name: str) -> list[Row]:
        """Return the rows of a fault, by seed."""
        return [row for (fault, _), row in sorted(self._rows.items(), key=lambda one: one[0]) if fault == name]
