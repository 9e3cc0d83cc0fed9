"""A journal of Parquet -> a cohort: dense minutes per wearer, and what came now and then in order of time.

Tables and columns are those of `models.journal_tables`, which rows count is said by `models.journal_files`; of rows
with the same key the one written last counts.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.errors import DataUnusable
from models.journal_reading import Journal
from models.place import Place
from models.snapshot import MINUTES, NO_RR, NO_STEPS
from stream_schemas.wearer import CONDITIONS, MEDICATIONS, SEXES, mask

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
GRID = {"hr_median": 0, "hr_min": 0, "hr_max": 0, "hr_count": 0, "irregular": NO_RR, "steps": NO_STEPS, "stage": 0}
WEATHER = ("temperature_c", "humidity_pct", "wind_mps", "pm25_ugm3")
STAGES_MIN = ("total_min", "light_min", "deep_min", "rem_min", "awake_min")


@dataclass(frozen=True, slots=True)
class Events:
    """Rows of many wearers, ordered by wearer and time.

    wearer (n,) index, minute (n,) epoch minute by which the row may be used, first (W + 1,) where each
    wearer's rows begin, columns by name.
    """

    wearer: I64
    minute: I64
    first: I64
    columns: dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Who the wearers are, coded as in Snapshot; (W,) each."""

    age_years: F32
    bmi: F32
    sex: NDArray[np.uint8]
    conditions: NDArray[np.uint32]
    medications: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Cohort:
    """W wearers over the days [first_day, first_day + D): everything a Snapshot at any minute of theirs is made from.

    Parameters
    ----------
    grid : uint8 (W, D * 1440) per minute column, coded as in Snapshot.
    weather : float32 (W, D * 24, 4), NaN = none.
    bp, sleep : events; sleep rows count from the minute at which the session ended.
    labels : events by onset, columns outcome (index into outcomes), end, severity.
    """

    wearer_ids: tuple[str, ...]
    first_day: int
    grid: dict[str, NDArray[np.uint8]]
    weather: F32
    bp: Events
    sleep: Events
    labels: Events
    outcomes: tuple[str, ...]
    profiles: Profiles

    @property
    def first_minute(self) -> int:
        """Epoch minute of the grid's first column."""
        return self.first_day * MINUTES

    @property
    def minutes(self) -> int:
        """Columns of the grid."""
        return int(self.grid["hr_median"].shape[1])


def _numbers(table: pa.Table, column: str, dtype: type[np.generic], absent: float) -> NDArray[np.generic]:
    if column not in table.column_names:
        return np.full(table.num_rows, absent, dtype)
    values = table[column]
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    return np.asarray(pc.fill_null(values, pa.scalar(absent).cast(values.type)).to_numpy()).astype(dtype)


def _indices(table: pa.Table, known: pa.Array) -> I64:
    """Index of each row's wearer; -1 = not among them."""
    found = pc.index_in(table["wearer_id"].cast(pa.string()), value_set=known)
    return np.asarray(pc.fill_null(found, -1).to_numpy()).astype(np.int64)


def _events(
    wearer: I64,
    minute: I64,
    key: tuple[NDArray[np.generic], ...],
    columns: dict[str, NDArray[np.generic]],
    wearers: int,
) -> Events:
    """Order by wearer and minute, keep of each key the row that was written last."""
    order = np.lexsort((np.arange(len(wearer)), *key, wearer))
    same = np.ones(len(order), np.bool_)
    for values in (wearer, *key):
        ordered = values[order]
        same[:-1] &= ordered[1:] == ordered[:-1]
    if len(same):
        same[-1] = False
    order = order[~same & (wearer[order] >= 0)]
    order = order[np.lexsort((minute[order], wearer[order]))]
    first = np.searchsorted(wearer[order], np.arange(wearers + 1))
    return Events(wearer[order], minute[order], first, {name: values[order] for name, values in columns.items()})


def read_cohort(place: str | Path | Place) -> Cohort:
    """Read a journal: a folder, or the URL of an object store.

    Raises
    ------
    DataUnusable
        If there is no journal, it holds no minutes, or a file is damaged.
    PlaceUnusable
        If the place cannot be opened or listed.
    """
    journal = Journal(place)
    minutes = journal.read("minutes", columns=("wearer_id", "minute", *GRID))
    if minutes is None:
        raise DataUnusable(f"{journal.place.name} has no minutes table: give a journal that holds minutes.")
    ids = sorted(str(name) for name in pc.unique(minutes["wearer_id"].cast(pa.string())).to_pylist())
    if not ids:
        raise DataUnusable(f"{journal.place.name} holds no minutes: let the stream or the simulator write for longer.")
    known = pa.array(ids, pa.string())
    at = np.asarray(minutes["minute"].to_numpy()).astype(np.int64)
    first_day, last_day = int(at.min()) // MINUTES, int(at.max()) // MINUTES
    days = last_day - first_day + 1
    row, column = _indices(minutes, known), at - first_day * MINUTES
    grid = {}
    for name, absent in GRID.items():
        grid[name] = np.full((len(ids), days * MINUTES), absent, np.uint8)
        grid[name][row, column] = _numbers(minutes, name, np.uint8, absent)
    labels, outcomes = _labels(journal, known)
    return Cohort(
        wearer_ids=tuple(ids),
        first_day=first_day,
        grid=grid,
        weather=_weather(journal, known, first_day, days),
        bp=_pressure(journal, known),
        sleep=_sleep(journal, known),
        labels=labels,
        outcomes=outcomes,
        profiles=_profiles(journal, known),
    )


def _weather(journal: Journal, known: pa.Array, first_day: int, days: int) -> F32:
    weather = np.full((len(known), days * 24, len(WEATHER)), np.nan, np.float32)
    table = journal.read("weather")
    if table is not None:
        row, hour = _indices(table, known), _numbers(table, "hour", np.int64, 0).astype(np.int64) - first_day * 24
        inside = (row >= 0) & (hour >= 0) & (hour < days * 24)
        for column, name in enumerate(WEATHER):
            weather[row[inside], hour[inside], column] = _numbers(table, name, np.float32, np.nan)[inside]
    return weather


def _pressure(journal: Journal, known: pa.Array) -> Events:
    table = journal.read("bp")
    if table is None:
        table = pa.table({"wearer_id": pa.array([], pa.string()), "minute": pa.array([], pa.int64())})
    minute = _numbers(table, "minute", np.int64, 0).astype(np.int64)
    columns: dict[str, NDArray[np.generic]] = {
        "systolic": _numbers(table, "systolic", np.int16, 0),
        "diastolic": _numbers(table, "diastolic", np.int16, 0),
        "pulse": _numbers(table, "pulse", np.int16, -1),
        "method": _numbers(table, "method", np.uint8, 0),
    }
    return _events(
        _indices(table, known), minute, (columns["diastolic"], columns["systolic"], minute), columns, len(known)
    )


def _sleep(journal: Journal, known: pa.Array) -> Events:
    table = journal.read("sleep")
    if table is None:
        empty = {name: pa.array([], pa.int64()) for name in ("start_minute", "end_minute", "revision")}
        table = pa.table(
            {"wearer_id": pa.array([], pa.string()), "source_record_id": pa.array([], pa.string()), **empty}
        )
    table = table.take(pc.sort_indices(table["revision"]))  # a later revision supersedes, wherever it was written
    sources = np.asarray(pc.dictionary_encode(table["source_record_id"].combine_chunks()).indices.to_numpy())
    end = _numbers(table, "end_minute", np.int64, 0).astype(np.int64)
    columns: dict[str, NDArray[np.generic]] = {
        "start": _numbers(table, "start_minute", np.int64, 0),
        **{name: _numbers(table, name, np.float32, np.nan) for name in STAGES_MIN},
    }
    return _events(_indices(table, known), end, (sources,), columns, len(known))


def _labels(journal: Journal, known: pa.Array) -> tuple[Events, tuple[str, ...]]:
    table = journal.read("labels")
    if table is None:
        none = {"onset_minute": pa.array([], pa.int64()), "end_minute": pa.array([], pa.int64())}
        table = pa.table({"wearer_id": pa.array([], pa.string()), "outcome": pa.array([], pa.string()), **none})
    encoded = pc.dictionary_encode(table["outcome"].cast(pa.string()).combine_chunks())
    onset = _numbers(table, "onset_minute", np.int64, 0).astype(np.int64)
    columns: dict[str, NDArray[np.generic]] = {
        "outcome": np.asarray(encoded.indices.to_numpy()),
        "end": np.maximum(_numbers(table, "end_minute", np.int64, 0).astype(np.int64), onset + 60),
        "severity": _numbers(table, "severity", np.float32, np.nan),
    }
    labels = _events(_indices(table, known), onset, (columns["outcome"], onset), columns, len(known))
    return labels, tuple(str(name) for name in encoded.dictionary.to_pylist())


def _profiles(journal: Journal, known: pa.Array) -> Profiles:
    W = len(known)
    found = Profiles(
        np.full(W, np.nan, np.float32),
        np.full(W, np.nan, np.float32),
        np.zeros(W, np.uint8),
        np.zeros(W, np.uint32),
        np.zeros(W, np.uint32),
    )
    table = journal.read("profiles")
    for row in [] if table is None else table.to_pylist():
        at = known.index(pa.scalar(row["wearer_id"], known.type)).as_py()
        if at < 0:
            continue
        age = row.get("age_years")
        found.age_years[at] = np.nan if age is None else age
        height, weight = row.get("height_cm"), row.get("weight_kg")
        found.bmi[at] = weight / (height / 100) ** 2 if height and weight else np.nan
        sex = row.get("sex")
        found.sex[at] = SEXES.index(sex) if sex in SEXES else 0 if not isinstance(sex, int) else sex
        found.conditions[at] = mask(row.get("conditions") or (), CONDITIONS)
        found.medications[at] = mask(row.get("medications") or (), MEDICATIONS)
    return found
