"""The journal: what the wearers' minutes were decided to be, as Parquet, for training, back-tests and people.

One folder a table (`minutes`, `bp`, `sleep`, `weather`, `profiles`), files with immutable names
`<sequence>-<level>-<worker>.parquet`: sorted by name, a later file's row for the same key supersedes an earlier one's.
The sequence counts on from the highest in the folder, whoever wrote it, so that a successor's rows come after its
predecessor's. Every sixteen neighbouring files of one worker and level become one of the next level; the files that
went into it stay until the flush after, for readers that have just listed them.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.outputs import Columns

MERGE_FILES = 16
_NAME = re.compile(r"(?P<sequence>\d{10})-(?P<level>\d)-(?P<worker>[A-Za-z0-9_.-]{1,64})\.parquet")


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    sequence: int
    level: int
    worker: str


class Journal:
    """Gathers the rows of steps and writes them as files. `add` on the loop's thread, `write` on any one other.

    Parameters
    ----------
    folder : Path
        Of the tables; made when the first file is.
    worker : str
        Part of the names; two workers never write the same file.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder, self._worker = folder, worker
        self._rows: dict[str, list[Columns]] = {}
        self._merged: list[Path] = []

    def add(self, rows: Mapping[str, Columns]) -> None:
        """Keep the rows that a step decided: table name -> columns of equal length."""
        for table, columns in rows.items():
            self._rows.setdefault(table, []).append(columns)

    def take(self) -> dict[str, list[Columns]]:
        """Hand over what was added since the last time, for `write`."""
        rows, self._rows = self._rows, {}
        return rows

    def give_back(self, rows: Mapping[str, list[Columns]]) -> None:
        """Put rows that could not be written before those that came since."""
        for table, parts in rows.items():
            self._rows[table] = parts + self._rows.get(table, [])

    def write(self, rows: Mapping[str, Sequence[Columns]]) -> list[Path]:
        """Write one file a table, merge what has become many, and return what was written.

        Raises
        ------
        OSError
            If the folder cannot be written; nothing of the file that failed is visible.
        """
        for path in self._merged:
            path.unlink(missing_ok=True)
        self._merged = []
        written = []
        for table, parts in rows.items():
            filled = [part for part in parts if len(next(iter(part.values())))]
            if filled:
                written.append(self._store(table, self._next_sequence(table), 0, _table(filled)))
                self._merge(table)
        return written

    def _store(self, table: str, sequence: int, level: int, rows: pa.Table) -> Path:
        """Stage, fsync, rename: a file is whole or it is not there."""
        folder = self._folder / table
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{sequence:010d}-{level}-{self._worker}.parquet"
        staged = folder / f".{path.name}.{os.getpid()}"
        try:
            pq.write_table(rows, staged, compression="zstd")
            with staged.open("rb+") as file:
                os.fsync(file.fileno())
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)
        return path

    def _next_sequence(self, table: str) -> int:
        return max((file.sequence for file in self._files(table)), default=-1) + 1

    def _merge(self, table: str) -> None:
        files = self._files(table)
        for level in range(9):
            run = _run(files, self._worker, level)
            if len(run) < MERGE_FILES:
                continue
            rows = pa.concat_tables([pq.read_table(file.path) for file in run], promote_options="default")
            self._store(table, run[-1].sequence, level + 1, rows)
            self._merged += [file.path for file in run]
            return

    def _files(self, table: str) -> list[_File]:
        found = []
        for path in sorted((self._folder / table).glob("*.parquet")):
            name = _NAME.fullmatch(path.name)
            if name is not None and path not in self._merged:
                found.append(_File(path, int(name["sequence"]), int(name["level"]), name["worker"]))
        return found


def _run(files: Sequence[_File], worker: str, level: int) -> list[_File]:
    """Return the last neighbouring files of one worker and level: between them nobody else wrote."""
    run: list[_File] = []
    for file in files:
        if file.worker == worker and file.level == level:
            run.append(file)
            if len(run) == MERGE_FILES:
                return run
        else:
            run = []
    return run


def _table(parts: Sequence[Columns]) -> pa.Table:
    names = list(parts[0])
    return pa.table({name: _column([part[name] for part in parts]) for name in names})


def _column(parts: Sequence[Any]) -> pa.Array:
    if isinstance(parts[0], np.ndarray):
        return pa.array(np.concatenate(parts))
    values = [value for part in parts for value in part]
    return pa.array(values, pa.list_(pa.string()) if isinstance(values[0], list | tuple) else None)
