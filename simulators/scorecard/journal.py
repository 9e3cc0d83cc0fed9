"""A record from a journal folder (docs/journal.md): alerts, labels, minutes with a heart rate.

Every file counts, and an alert id counts once: where a worker died and its successor decided the same cuts again, both
have written the alert under one id, which is made of what was decided.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulators.errors import OptionRefused
from simulators.scorecard.alerts import Version, alarms
from simulators.scorecard.record import Alarm, Ints, Record, wear
from simulators.scorecard.truth import Label, Told, TruthMissing, from_labels

MINUTE_MS = 60_000


class JournalEmpty(OptionRefused):
    """The folder holds nothing that a scorecard needs."""


def record(folder: Path, name: str, truth: Told | None) -> Record:
    """Read a journal; *truth* stands in for its labels.

    Raises
    ------
    JournalEmpty
        If it has no minutes, or a file cannot be read. No alerts are no error: nothing was raised then.
    TruthMissing
        If there is neither *truth* nor a label.
    """
    if not folder.is_dir():
        raise JournalEmpty(f"{folder} is no folder: say with --log where the journal is, or --log topics for Kafka.")
    worn = _worn(folder)
    if not worn:
        raise JournalEmpty(
            f"{folder}/minutes holds no minute with a heart rate: no rate a worn wearer-day can be said."
        )
    until = max(int(times[-1, 1]) for times in worn.values())
    told = truth or from_labels(_labels(folder), until)
    if not told.events:
        raise TruthMissing(
            f"{folder}/labels holds no label of a known kind: name the simulator's truth file with --truth."
        )
    return Record(name, told.events, _alarms(folder), worn, unknown=dict(told.unknown))


def _worn(folder: Path) -> dict[str, Ints]:
    table = _read(folder, "minutes", ("wearer_id", "minute", "hr_count"))
    if table is None:
        return {}
    table = table.filter(pc.greater(table["hr_count"], 0))
    wearer = table["wearer_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    codes, minutes = wearer.indices.to_numpy(zero_copy_only=False), table["minute"].to_numpy()
    order = np.lexsort((minutes, codes))
    codes, minutes = codes[order], minutes[order].astype(np.int64)
    bounds = np.searchsorted(codes, np.arange(len(wearer.dictionary) + 1))
    return {
        name: wear(minutes[bounds[code] : bounds[code + 1]]) for code, name in enumerate(wearer.dictionary.to_pylist())
    }


def _alarms(folder: Path) -> list[Alarm]:
    names = ("wearer_id", "alert_id", "version", "rule", "condition", "raised_at_ms", "stamp_ms", "cut")
    table = _read(folder, "alerts", names)
    if table is None:
        return []
    rows = sorted(table.to_pylist(), key=lambda row: int(row["cut"]))
    return alarms(
        Version(
            row["wearer_id"],
            row["alert_id"],
            row["version"],
            row["rule"],
            row["condition"],
            row["raised_at_ms"] // MINUTE_MS,
            row["stamp_ms"] // MINUTE_MS,
        )
        for row in rows
    )


def _labels(folder: Path) -> list[Label]:
    names = ("wearer_id", "outcome", "onset_minute", "end_minute", "severity", "silent")
    table = _read(folder, "labels", names)
    return [] if table is None else [Label(*(row[name] for name in names)) for row in table.to_pylist()]


def _read(folder: Path, table: str, columns: tuple[str, ...]) -> pa.Table | None:
    parts = []
    for path in sorted((folder / table).glob("*.parquet")):
        if path.name.startswith("."):
            continue
        try:
            part = pq.read_table(path, columns=list(columns), partitioning=None)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise JournalEmpty(
                f"{path} cannot be read ({type(error).__name__}): move it out of the journal."
            ) from error
        if missing := set(columns) - set(part.column_names):
            raise JournalEmpty(f"{path} has no column {sorted(missing)[0]}: it is not the journal's table {table}.")
        plain = [
            part[name].cast(pa.string()) if pa.types.is_dictionary(part[name].type) else part[name] for name in columns
        ]
        parts.append(pa.table(plain, names=list(columns)))
    return pa.concat_tables(parts, promote_options="permissive") if parts else None
