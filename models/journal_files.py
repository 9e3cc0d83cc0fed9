"""Which files of a journal count, and for which of their rows: the one rule that readers and writers share.

A worker names a file after what it holds: `<table>/<log>-<partition>-<epoch>-<begin>-<end>.parquet`.

log
    Which log of cuts it was (8 hex digits): offsets begin anew when the topics are created anew.
partition, epoch
    Whose partition, under which claim; a later claim has a higher epoch.
begin, end
    The file holds the rows of the cuts in (begin, end], offsets in `cuts.v1`; each row names its own in `cut`.

Before its first file an owner leaves an empty mark, `owners/<log>-<partition>-<epoch>-<base>`: it began behind the cut
`base`, that of the checkpoint that it loaded. One without a checkpoint adds `-anew` and names the cut before that of
its first row.

The rule, per log and partition:

1. A row counts only if no later owner began before it: `cut` <= the lowest base of all higher epochs. Files past that
   checkpoint are ignored: the later owner has replayed those cuts, and its rows of them count.
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
OWNERS = "owners"
_NAME = re.compile(r"([0-9a-f]{8})-(\d{5})-(\d{12})-(\d{12})-(\d{12})\.parquet")
_MARK = re.compile(r"([0-9a-f]{8})-(\d{5})-(\d{12})-(\d{12})(-anew)?")


@dataclass(frozen=True, slots=True)
class Written:
    """What a worker's file name says."""

    log: str
    partition: int
    epoch: int
    begin: int
    end: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.log}-{self.partition:05d}-{self.epoch:012d}-{self.begin:012d}-{self.end:012d}.parquet"


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner's mark: under which claim it wrote, and the cut behind which it began; anew = without a checkpoint."""

    log: str
    partition: int
    epoch: int
    base: int
    anew: bool = False

    @property
    def path(self) -> str:
        """Where the mark is."""
        end = "-anew" if self.anew else ""
        return f"{OWNERS}/{self.log}-{self.partition:05d}-{self.epoch:012d}-{self.base:012d}{end}"


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

    >>> parsed("0a1b2c3d-00003-000000000120-000000000100-000000000150.parquet").end
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


def owners(place: Place) -> list[Owner]:
    """List the marks of all owners that wrote."""
    names = (_MARK.fullmatch(one.path.rpartition("/")[2]) for one in place.list(OWNERS))
    return [
        Owner(found[1], int(found[2]), int(found[3]), int(found[4]), anew=bool(found[5]))
        for found in names
        if found is not None
    ]


def counting(files: dict[str, list[File]], marks: Iterable[Owner]) -> dict[str, Counting]:
    """Say which rows of which files count, given all owners' marks."""
    ceilings = _Ceilings(marks)
    return {table: _table(of_table, ceilings) for table, of_table in files.items()}


class _Ceilings:
    """Per owner: the last cut that no later owner decided again."""

    def __init__(self, marks: Iterable[Owner]) -> None:
        self._marks: dict[tuple[str, int], list[Owner]] = defaultdict(list)
        for mark in marks:
            self._marks[mark.log, mark.partition].append(mark)

    def of(self, one: Written) -> float:
        later = (mark.base for mark in self._marks[one.log, one.partition] if mark.epoch > one.epoch)
        return min(later, default=math.inf)


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
