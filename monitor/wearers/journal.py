"""The journal: what was decided of the wearers, as Parquet, for training, back-tests and people.

A folder a table, in a folder or an object store; what is in them is in docs/journal.md. Rows are gathered by partition
and written with each checkpoint, the journal first. Names and the rule which files count are `models.journal_files`;
this module gathers and writes, `journal_merging` makes few files of many, `spill` holds what the place does not take.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import PlaceUnusable
from models.journal_files import NO_LOG, Owner, Written
from models.journal_tables import CUT, TABLES
from models.place import Place
from monitor.errors import StoreUnreachable
from monitor.outputs import Columns
from monitor.wearers.journal_merging import Merger
from monitor.wearers.spill import Spill

PARTITION = "partition"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows [first, stop) of a step's columns, which are ordered by partition: those of one partition."""

    columns: Columns
    first: int
    stop: int


Rows = dict[str, list[Part]]
"""Rows of one partition: table name -> parts in the order in which they were added."""


class Journal:
    """Gathers the rows of steps and writes them as files.

    `add`, `take`, `give_back` and `forget` belong to the loop's thread; `write` and `spill` may run in any other, one
    at a time.

    Parameters
    ----------
    place : str, Path or Place
        Folder or URL of the tables; a folder is made when the first file is.
    log : str
        8 hex digits that name the log of cuts (`monitor.topics.log_name`): offsets begin anew in another one.
    keep_s : float
        How long files that were merged stay, for readers that have just listed them.
    held : Spill, optional
        Where rows go that the place does not take; without it they stay with the caller.

    Raises
    ------
    StoreUnreachable
        If the place is no folder and no URL that can be opened.
    """

    def __init__(
        self, place: str | Path | Place, *, log: str = NO_LOG, keep_s: float = 600.0, held: Spill | None = None
    ) -> None:
        try:
            self._place = Place.of(place)
        except PlaceUnusable as error:
            raise StoreUnreachable(f"The journal's place (PULSEWARDEN_JOURNAL__PLACE): {error}") from error
        self._log = log
        self.held = held
        self._merger = Merger(self._place, keep_s)
        self._rows: dict[int, Rows] = {}
        self._owners: dict[int, Owner] = {}
        self._marked: dict[int, Owner] = {}

    def add(self, rows: Mapping[str, Columns]) -> None:
        """Keep the rows that a step decided: table name -> columns of equal length, one of them "partition"."""
        for table, columns in rows.items():
            partition = np.asarray(columns[PARTITION])
            if not len(partition):
                continue
            others = {name: values for name, values in columns.items() if name != PARTITION}
            if (partition[1:] < partition[:-1]).any():
                order = np.argsort(partition, kind="stable")
                partition = partition[order]
                others = {name: _ordered(values, order) for name, values in others.items()}
            numbers, first = np.unique(partition, return_index=True)
            stops = [*first.tolist()[1:], len(partition)]
            for number, begin, stop in zip(numbers.tolist(), first.tolist(), stops, strict=True):
                self._rows.setdefault(number, {}).setdefault(table, []).append(Part(others, begin, stop))

    def take(self, partition: int) -> Rows:
        """Hand over what was added of a partition since the last time, for `write`."""
        return self._rows.pop(partition, {})

    def give_back(self, partition: int, rows: Rows) -> None:
        """Put rows that could not be written before those that came since."""
        mine = self._rows.setdefault(partition, {})
        for table, parts in rows.items():
            mine[table] = parts + mine.get(table, [])

    def forget(self, partition: int) -> None:
        """Drop what was added of a partition: its next owner replays those cuts and writes their rows."""
        self._rows.pop(partition, None)
        if self.held is not None:
            self.held.forget(partition)

    def owes(self, partition: int) -> bool:
        """Tell whether rows of a partition were spilled and are not in the journal yet."""
        return self.held is not None and self.held.holds(partition)

    @property
    def spilled_bytes(self) -> int:
        """Bytes that were spilled and are not in the journal yet."""
        return 0 if self.held is None else self.held.size_bytes

    @property
    def lost_rows(self) -> int:
        """Rows that were spilled and given up for want of room."""
        return 0 if self.held is None else self.held.dropped_rows

    def close(self) -> None:
        """Let go of what was spilled: the next owners write those rows."""
        if self.held is not None:
            self.held.close()

    def write(self, partition: int, epoch: int, begin: int, end: int, rows: Rows) -> list[str]:
        """Write what was spilled, then one file a table, merge what has become many; return the paths written.

        Parameters
        ----------
        partition, epoch : whose rows, under which claim.
        begin, end : the rows are those of the cuts (begin, end], offsets in `cuts.v1` (`Position.at`, not its seq).
            The first *begin* of a claim is that of the checkpoint that its owner loaded; -1: there was none.
        rows : as `take` gave them.

        Raises
        ------
        OSError
            If the place cannot be written; nothing of the file that failed is visible. Give the rows back: a file
            written before of another table does no harm, its rows count once when they are written again.
        ValueError
            If rows are of other cuts than they should be.
        """
        files, owner = self._files(partition, epoch, begin, end, rows)
        written = self._write_spilled(partition, owner)
        if files:
            self._mark(owner)
        for path, content in files.items():
            self._place.write(path, parquet(content))
            written.append(path)
        if written:
            self._merger.tend(self._log, partition, epoch, sorted({path.rpartition("/")[0] for path in written}))
        return written

    def spill(self, partition: int, epoch: int, begin: int, end: int, rows: Rows) -> bool:
        """Hold rows that the place did not take, as `write` was told them, until it does; False without a spill.

        No checkpoint may stand behind them meanwhile: whoever comes after a kill must decide their cuts again.
        """
        if self.held is None:
            return False
        files, _ = self._files(partition, epoch, begin, end, rows)
        for path, content in files.items():
            self.held.put(path, partition, epoch, parquet(content), content.num_rows)
        return True

    def _files(self, partition: int, epoch: int, begin: int, end: int, rows: Rows) -> tuple[dict[str, pa.Table], Owner]:
        """Return a table for each path, and the mark of their owner."""
        tables = {table: _table(table, parts, end) for table, parts in rows.items() if parts}
        first = min((_first_cut(content, begin, end) for content in tables.values()), default=None)
        owner = self._owner(partition, epoch, begin, first)
        name = Written(self._log, partition, epoch, max(begin, owner.base), end).name
        return {f"{table}/{name}": content for table, content in tables.items()}, owner

    def _mark(self, owner: Owner) -> None:
        if self._marked.get(owner.partition) != owner:
            self._place.write(owner.path, pa.py_buffer(b""))
            self._marked[owner.partition] = owner

    def _write_spilled(self, partition: int, owner: Owner) -> list[str]:
        """Write what was spilled under this claim, oldest first: what the place takes is off the disk at once."""
        held = self.held
        written: list[str] = []
        if held is None:
            return written
        for one in held.of(partition, owner.epoch):
            self._mark(owner)
            try:
                content = held.content(one)
            except OSError as failure:
                held.drop(one, f"the local disk does not give it back: {failure}")
                continue
            self._place.write(one.path, content)
            held.done(one)
            written.append(one.path)
        return written

    def _owner(self, partition: int, epoch: int, begin: int, first: int | None) -> Owner:
        """Return an owner's mark.

        One without a checkpoint may have replayed its log from the first cut, or begun anew where the inputs no longer
        go back so far; its first row tells which of the earlier owners' rows it decided again.
        """
        owner = self._owners.get(partition)
        if owner is None or owner.epoch != epoch:
            owner = Owner(self._log, partition, epoch, begin, anew=begin < 0)
        if owner.base < 0 and first is not None:
            owner = replace(owner, base=first - 1)
        self._owners[partition] = owner
        return owner


def count(rows: Rows) -> int:
    """Count the rows of all tables."""
    return sum(part.stop - part.first for parts in rows.values() for part in parts)


def parquet(content: pa.Table) -> pa.Buffer:
    """Encode rows as a Parquet file whose pages carry checksums."""
    sink = pa.BufferOutputStream()
    pq.write_table(content, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue()


def _first_cut(content: pa.Table, begin: int, end: int) -> int:
    """Return the first cut that rows are of, and see to it that all are of the cuts (begin, end]."""
    cuts = pc.min_max(content[CUT]).as_py()
    if not begin < cuts["min"] <= cuts["max"] <= end:
        raise ValueError(f"Rows of the cuts {cuts['min']} to {cuts['max']} are not of the cuts ({begin}, {end}].")
    return int(cuts["min"])


def _table(name: str, parts: Sequence[Part], end: int) -> pa.Table:
    """Join parts as the table's schema says; a column that it does not know is written as it comes."""
    types = {column.name: column.type for column in TABLES[name].columns} if name in TABLES else {}
    columns = {
        column: _column([_rows_of(part, column) for part in parts], types.get(column)) for column in parts[0].columns
    }
    if CUT not in columns:
        rows = len(next(iter(columns.values())))
        columns[CUT] = pa.array(np.full(rows, end, np.int64))
    ordered = [column for column in types if column in columns]
    return pa.table({column: columns[column] for column in [*ordered, *(set(columns) - set(ordered))]})


def _rows_of(part: Part, column: str) -> Any:
    return part.columns[column][part.first : part.stop]


def _column(parts: Sequence[Any], wanted: pa.DataType | None) -> pa.Array:
    if isinstance(parts[0], np.ndarray):
        values = pa.array(np.concatenate(parts))
        return values if wanted is None else values.cast(wanted)
    joined = [value for part in parts for value in part]
    if wanted is None and isinstance(joined[0], list | tuple):
        wanted = pa.list_(pa.string())
    return pa.array(joined, wanted)


def _ordered(values: Any, order: np.ndarray[Any, np.dtype[np.int64]]) -> Any:
    if isinstance(values, np.ndarray):
        return values[order]
    return [values[i] for i in order.tolist()]
