"""A partition's history as a log of cuts, owners that come, die, return and fall back, and what the journal must say.

Every owner decides its cuts a little differently here, so that it shows whose word counted. (In life they all decide
the same; then it only shows whether a row counted twice.)
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.journal_reading import Journal as Reader
from models.place import Place
from monitor.outputs import Columns
from monitor.wearers.journal import Journal

PARTITION = 3
TABLES = ("alpha", "beta")
Row = tuple[str, int, int, int, int]
"""Table, log, epoch, cut, number."""


def rows_of(log: int, epoch: int, at: int) -> list[Row]:
    """Say what an owner decides at a cut: some owners have rows in a table where others have none."""
    counts = {"alpha": (at + epoch) % 3, "beta": int((at + epoch) % 4 == 1)}
    return [(table, log, epoch, at, n) for table, count in counts.items() for n in range(count)]


@dataclass
class Owner:
    """A worker that claimed the partition; one that was overtaken may still write what it holds."""

    log: int
    epoch: int
    journal: Journal
    base: int
    to_replay: list[int]
    at: int
    journaled: int
    wrote: bool = False

    def has_say(self, at: int) -> bool:
        """Whether it decided a cut, or will, after whoever came before it."""
        return self.wrote and self.base < at


class Full:
    """A place that takes so many files and no more."""

    def __init__(self, place: Place, files: int) -> None:
        self.place, self.left = place, files

    def write(self, path: str, content: pa.Buffer) -> None:
        if not self.left:
            raise OSError("No space left on device")
        self.left -= 1
        self.place.write(path, content)


@dataclass
class History:
    """One journal, and the log that it is of; `log` changes when the topics are created anew."""

    folder: Path
    log: int = 0
    end: int = 0
    cuts: list[int] = field(default_factory=list)
    owners: list[Owner] = field(default_factory=list)
    checkpoints: list[tuple[int, int]] = field(default_factory=list)
    lineage: int = 0

    def __post_init__(self) -> None:
        self.take_over(0)

    # -------------------------------------------------------------------------------- what happens

    def take_over(self, generation: int) -> None:
        """Claim; begin from the newest checkpoint, an older one, or the first cut; zombies stay around."""
        epoch = self._append()
        usable = [at for _, at in self.checkpoints]
        base = usable[-1 - generation] if generation < len(usable) else -1
        replay = [at for at in self.cuts if at > max(base, self.lineage)]
        journal = Journal(self.folder, log=f"{self.log:08x}", keep_s=0)
        self.owners.append(Owner(self.log, epoch, journal, base, replay, base, base))

    def lose(self) -> None:
        """The inputs are gone from the log: the next owner begins anew behind its claim."""
        self.lineage, self.checkpoints = self.end, []
        self.take_over(0)

    def create_topics_anew(self) -> None:
        """Offsets begin at 0 again."""
        self.log, self.end, self.cuts, self.checkpoints, self.lineage = self.log + 1, 0, [], [], 0
        self.take_over(0)

    def cut(self, count: int) -> None:
        """The last claimer steps; what others append is void and is never applied."""
        owner = self.owners[-1]
        self.replay(-1, len(owner.to_replay))
        for _ in range(count):
            self.cuts.append(self._append())
            self._apply(owner, self.cuts[-1])

    def replay(self, which: int, count: int) -> None:
        """An owner goes on with its replay."""
        owner = self._owner(which)
        for at in owner.to_replay[:count]:
            self._apply(owner, at)
        owner.to_replay = owner.to_replay[count:]

    def write(self, which: int, files: int | None = None) -> None:
        """An owner writes its journal; *files*: the place is full after so many, the rows are taken back."""
        owner = self._owner(which)
        rows = owner.journal.take(PARTITION)
        if any(rows.values()) and owner.base < 0:
            owner.base = min(int(np.asarray(parts[0].columns["cut"])[0]) for parts in rows.values()) - 1
        place = owner.journal._place
        owner.journal._place = place if files is None else Full(place, files)  # type: ignore[assignment]
        try:
            owner.journal.write(PARTITION, owner.epoch, owner.journaled, owner.at, rows)
        except OSError:
            owner.journal.give_back(PARTITION, rows)
        else:
            owner.journaled = owner.at
        finally:
            owner.journal._place = place
        owner.wrote |= any((self.folder / "owners").glob(f"{owner.log:08x}-*-{owner.epoch:012d}-*"))

    def write_in_vain(self, which: int, files: int) -> None:
        """An owner's place is full after so many files."""
        self.write(which, files)

    def checkpoint(self, which: int) -> None:
        """Journal, then checkpoint; two generations are kept, the highest epochs."""
        self.write(which)
        owner = self._owner(which)
        if owner.at > self.lineage and owner.log == self.log:
            self.checkpoints = sorted({*self.checkpoints, (owner.epoch, owner.at)})[-2:]

    def merge(self, which: int) -> None:
        """An owner, perhaps an overtaken one, looks for files to merge."""
        owner = self._owner(which)
        owner.journal._merger.merge(f"{owner.log:08x}", PARTITION, owner.epoch, TABLES)

    # -------------------------------------------------------------------------------- what must hold

    def check(self) -> None:
        """For every cut the rows of the last owner that decided it count, once, as soon as it has written them."""
        counted = self._counted()
        assert not [row for row, n in counted.items() if n > 1], "rows that count twice"
        must, may = set[Row](), set[Row]()
        for log in {owner.log for owner in self.owners}:
            owners = [owner for owner in self.owners if owner.log == log]
            for at in range(max(owner.at for owner in owners) + 1):
                last = max(
                    (owner for owner in owners if owner.has_say(at)), key=lambda owner: owner.epoch, default=None
                )
                if last is not None and at in self._decided[last.log, last.epoch]:
                    (must if at <= last.journaled else may).update(rows_of(last.log, last.epoch, at))
        assert not must - set(counted), "rows that do not count"
        assert not set(counted) - must - may, "rows of a dead branch, or of no cut"

    def _counted(self) -> Counter[Row]:
        """Read the journal as training does."""
        reader, counted = Reader(self.folder), Counter[Row]()
        for table in TABLES:
            rows = reader.read(table)
            for row in [] if rows is None else rows.to_pylist():
                counted[table, row["log"], row["epoch"], row["cut"], row["n"]] += 1
        return counted

    _decided: dict[tuple[int, int], set[int]] = field(default_factory=dict)

    def _owner(self, which: int) -> Owner:
        return self.owners[which % len(self.owners)]

    def _append(self) -> int:
        self.end += 1
        return self.end - 1

    def _apply(self, owner: Owner, at: int) -> None:
        owner.at = at
        self._decided.setdefault((owner.log, owner.epoch), set()).add(at)
        for table in TABLES:
            rows = [row for row in rows_of(owner.log, owner.epoch, at) if row[0] == table]
            columns: Columns = {
                "wearer_id": ["w"] * len(rows),
                "partition": np.full(len(rows), PARTITION, np.int32),
                "cut": np.full(len(rows), at, np.int64),
                **{
                    name: np.array([row[k] for row in rows], np.int64)
                    for name, k in (("log", 1), ("epoch", 2), ("n", 4))
                },
            }
            owner.journal.add({table: columns})
