"""Which files of a journal count, and for which of their rows: the one rule that readers and writers share.

A worker names a file after what it holds: `<log>-<partition>-<epoch>-<base>-<begin>-<end>.parquet`.

log
    Which log of cuts it was (8 hex digits): offsets begin anew when the topics are created anew.
partition, epoch
    Whose partition, under which claim; a later claim has a higher epoch.
base
    The cut behind which that owner began: everything that it wrote lies behind it.
begin, end
    The file holds the rows of the cuts in (begin, end], each row with its cut's offset in the column `cut`.

The rule, per log and partition:

1. A row counts only if no later owner began before it: `cut` <= the lowest base of all higher epochs. The later owner
   has replayed those cuts and written their rows itself.
2. Within a table, where files overlap, a cut's rows are taken from one file only: of the highest epoch, of these the
   one that begins first and reaches furthest. So a merged file stands for those that it was made from, and a file
   written again with more rows for the one that was written before.

Files with other names (of the simulator, of labels) count whole.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.place import Place

NO_LOG = "00000000"
LATER_OWNER = "a later owner began before its first row and wrote these rows itself"
MERGED = "its rows are in a larger file"
_NAME = re.compile(r"([0-9a-f]{8})-(\d{5})-(\d{12})-(\d{12})-(\d{12})-(\d{12})\.parquet")


@dataclass(frozen=True, slots=True)
class Written:
    """What a worker's file name says."""

    log: str
    partition: int
    epoch: int
    base: int
    begin: int
    end: int

    @property
    def name(self) -> str:
        """The file's name."""
        numbers = "-".join(f"{n:012d}" for n in (self.epoch, self.base, self.begin, self.end))
        return f"{self.log}-{self.partition:05d}-{numbers}.parquet"


@dataclass(frozen=True, slots=True)
class File:
    """A Parquet file of a table; `written` is None if no worker named it so."""

    path: str
    bytes: int
    written: Written | None

    @property
    def table(self) -> str:
        """The table that it belongs to."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of a file that count: all of them, or those of the cuts in (low, high]."""

    file: File
    low: int = 0
    high: int = 0

    @property
    def whole(self) -> bool:
        """Whether every row counts."""
        written = self.file.written
        return written is None or (self.low, self.high) == (written.begin, written.end)


@dataclass(frozen=True, slots=True)
class Counting:
    """The answer for one table: pieces in the order in which their rows were written, and what is ignored and why."""

    pieces: tuple[Piece, ...]
    ignored: dict[File, str]


def parsed(name: str) -> Written | None:
    """Read a file name.

    >>> parsed("0a1b2c3d-00003-000000000120-000000000100-000000000100-000000000150.parquet").end
    150
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return Written(found[1], *(int(part) for part in found.groups()[1:]))


def listed(place: Place) -> dict[str, list[File]]:
    """List the Parquet files of every table of a journal."""
    found = {}
    for table in place.folders():
        files = [
            File(one.path, one.bytes, parsed(one.path.rpartition("/")[2]))
            for one in place.list(table)
            if one.path.endswith(".parquet")
        ]
        if files:
            found[table] = files
    return found


def counting(files: dict[str, list[File]]) -> dict[str, Counting]:
    """Say which rows of which files count; *files* are those of all tables, so that every owner's base is known."""
    ceilings = _Ceilings(file.written for table in files.values() for file in table if file.written is not None)
    return {table: _table(of_table, ceilings) for table, of_table in files.items()}


class _Ceilings:
    """Per owner: the last cut that no later owner has written again."""

    def __init__(self, written: Iterable[Written]) -> None:
        bases: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
        for one in written:
            of = bases[one.log, one.partition]
            of[one.epoch] = min(one.base, of.get(one.epoch, one.base))
        self._ceiling: dict[tuple[str, int, int], float] = {}
        for (log, partition), of in bases.items():
            lowest = math.inf
            for epoch in sorted(of, reverse=True):
                self._ceiling[log, partition, epoch] = lowest
                lowest = min(lowest, of[epoch])

    def of(self, one: Written) -> float:
        return self._ceiling[one.log, one.partition, one.epoch]


def _table(files: Sequence[File], ceilings: _Ceilings) -> Counting:
    pieces = [Piece(file) for file in files if file.written is None]
    ignored: dict[File, str] = {}
    owned: dict[tuple[str, int], list[tuple[Written, File]]] = defaultdict(list)
    for file in files:
        if file.written is not None:
            owned[file.written.log, file.written.partition].append((file.written, file))
    for of_partition in owned.values():
        taken: list[tuple[int, int]] = []
        chosen: list[Piece] = []
        for one, file in sorted(of_partition, key=lambda pair: (-pair[0].epoch, pair[0].begin, -pair[0].end)):
            high = min(one.end, ceilings.of(one))
            left = _without((one.begin, int(high)), taken)
            chosen += [Piece(file, *part) for part in left]
            if not left:
                ignored[file] = LATER_OWNER if high <= one.begin else MERGED
            taken += left
        pieces += sorted(chosen, key=lambda piece: piece.low)
    return Counting(tuple(pieces), ignored)


def _without(whole: tuple[int, int], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what of the cuts (low, high] is in none of *taken*, in order.

    >>> _without((0, 10), [(2, 4), (6, 20)])
    [(0, 2), (4, 6)]
    """
    low, high = whole
    left = []
    for begin, end in sorted(taken):
        if begin >= high:
            break
        if begin > low:
            left.append((low, begin))
        low = max(low, end)
    if low < high:
        left.append((low, high))
    return left
