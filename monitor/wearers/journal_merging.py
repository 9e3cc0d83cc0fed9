"""Many small files of the journal into few larger ones, while owners write and readers read.

Whenever a partition's owner has written a table sixteen times, it looks at that partition's files there. Sixteen
neighbours that are not large become one file that holds their rows in order and is named after all of them, so that by
the rule of `models.journal_files` it stands for them. They themselves are deleted some time later. Nothing depends on
the moment: before, while and after, the rule counts every row once.
"""

import time
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from models.errors import PlaceUnusable
from models.journal_files import MERGED, File, Owner, Piece, Written, counting, listed, owners
from models.journal_reading import READ_FAILURES, read_piece
from models.place import Place

MERGE_FILES = 16
SIZES = (256 * 1024, 4 * 1024 * 1024)
"""Bounds in bytes between small, middling and large files; large ones are never merged."""
ROW_GROUP = 250_000
KEEP_MARKS = 8
"""Owners' marks of a partition that are kept in any case, for late files of workers that were overtaken."""

log = structlog.get_logger()


class Merger:
    """Merges the files of the partitions that this process owns.

    Parameters
    ----------
    place : Place
    keep_s : float
        How long merged files stay.
    """

    def __init__(self, place: Place, keep_s: float) -> None:
        self._place, self._keep_s = place, keep_s
        self._written: dict[tuple[int, str], int] = {}
        self._unread: set[str] = set()
        self._seen_s: dict[str, float] = {}

    def tend(self, of_log: str, partition: int, epoch: int, tables: Sequence[str]) -> None:
        """Count one file more of each table, and merge where it is time; a failure is logged and nothing is lost."""
        due = []
        for table in tables:
            count = self._written.get((partition, table), MERGE_FILES - 1) + 1
            self._written[partition, table] = count % MERGE_FILES
            if count >= MERGE_FILES:
                due.append(table)
        if due:
            try:
                self.merge(of_log, partition, epoch, due)
            except (OSError, pa.ArrowException, PlaceUnusable) as failure:
                log.warning("files of the journal were not merged", partition=partition, why=str(failure))

    def merge(self, of_log: str, partition: int, epoch: int, tables: Sequence[str]) -> list[str]:
        """Merge what there is to merge of a partition in some tables, delete what was merged long ago.

        Returns
        -------
        list of str
            Paths of the files made.
        """
        mine = {
            table: [
                file
                for file in files
                if file.written is not None and (file.written.log, file.written.partition) == (of_log, partition)
            ]
            for table, files in listed(self._place).items()
        }
        marks = [mark for mark in owners(self._place) if (mark.log, mark.partition) == (of_log, partition)]
        if any(mark.epoch > epoch for mark in marks):
            return []  # a later owner tends the files now
        self._prune(marks, mine)
        made = []
        for table, found in counting(mine, marks).items():
            if table in tables:
                self._delete([file for file, why in found.ignored.items() if why == MERGED])
                made += [self._store(table, run) for run in self._runs(found.pieces, marks)]
        return [path for path in made if path]

    def _runs(self, pieces: Sequence[Piece], marks: Sequence[Owner]) -> list[list[Piece]]:
        """Return sixteen neighbours each: small ones, or where there are none, any that are not large."""
        anew = [mark.epoch for mark in marks if mark.anew]
        for size in range(len(SIZES)):
            runs: list[list[Piece]] = [[]]
            for piece in pieces:
                fits = _size(piece.file) <= size and piece.file.path not in self._unread
                if not fits or len(runs[-1]) == MERGE_FILES or (runs[-1] and _parted(runs[-1][-1], piece, anew)):
                    runs.append([])
                if fits:
                    runs[-1].append(piece)
            full = [run for run in runs if len(run) == MERGE_FILES]
            if full:
                return full
        return []

    def _store(self, table: str, run: Sequence[Piece]) -> str:
        """Write one file of a run, few of its rows in memory at a time."""
        sources = [piece.file.written for piece in run if piece.file.written is not None]
        last = max(sources, key=lambda source: source.epoch)
        name = Written(last.log, last.partition, last.epoch, run[0].low, run[-1].high).name
        merged = _Merged()
        for piece in run:
            try:
                rows = read_piece(self._place, piece)
            except FileNotFoundError:
                return ""  # another owner merged it away
            except READ_FAILURES as error:
                log.error("a file of the journal is damaged and is left alone", file=piece.file.path, why=str(error))
                self._unread.add(piece.file.path)
                return ""
            merged.add(rows)
        self._place.write(f"{table}/{name}", merged.closed())
        return f"{table}/{name}"

    def _delete(self, merged: Sequence[File]) -> None:
        now_s = time.monotonic()
        for file in merged:
            if now_s - self._seen_s.setdefault(file.path, now_s) >= self._keep_s:
                self._place.delete(file.path)
                del self._seen_s[file.path]

    def _prune(self, marks: Sequence[Owner], mine: Mapping[str, Sequence[File]]) -> None:
        """Delete old marks that no file needs: nothing of an earlier owner reaches beyond their base."""
        written = [file.written for files in mine.values() for file in files if file.written is not None]
        for mark in sorted(marks, key=lambda mark: mark.epoch)[:-KEEP_MARKS]:
            if all(one.epoch >= mark.epoch or one.end <= mark.base for one in written):
                self._place.delete(mark.path)


class _Merged:
    """A Parquet file of several files' rows, in row groups of a good size, with few of them in memory."""

    def __init__(self) -> None:
        self._sink = pa.BufferOutputStream()
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        if sum(part.num_rows for part in self._waiting) >= ROW_GROUP:
            self._flush()

    def closed(self) -> pa.Buffer:
        self._flush()
        if self._writer is not None:
            self._writer.close()
        return self._sink.getvalue()

    def _flush(self) -> None:
        if self._waiting:
            rows, self._waiting = pa.concat_tables(self._waiting, promote_options="permissive"), []
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._sink, rows.schema, compression="zstd", write_page_checksum=True)
            self._writer.write_table(rows.cast(self._writer.schema) if rows.schema != self._writer.schema else rows)


def _parted(one: Piece, other: Piece, anew: Sequence[int]) -> bool:
    """Tell whether an owner without a checkpoint came in between: more may still come from those before it."""
    if one.file.written is None or other.file.written is None:
        return True
    return any(one.file.written.epoch < epoch <= other.file.written.epoch for epoch in anew)


def _size(file: File) -> int:
    return sum(file.bytes >= bound for bound in SIZES)
