"""Write a world as journal tables (Parquet), as the monitor's workers would have written them: training data, fast."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulators import sensor, truth
from simulators.errors import OptionRefused
from simulators.faults import Fault
from simulators.heat import Hot, felt
from simulators.people import BLOCK
from simulators.places import MAX_TEMPERATURE_C
from simulators.profiles import profile
from simulators.stages import AWAKE, DEEP, LIGHT, REM
from simulators.world import Block, World
from stream_schemas.wearer import SEXES

TABLES = ("minutes", "bp", "sleep", "weather", "profiles", "labels")


def write(
    world: World, folder: Path, teams: Sequence[str], progress: Callable[[int], None] | None = None
) -> dict[str, int]:
    """Write all tables of *world* under *folder*; return the rows of each.

    Files are named after seed, scenario and block: runs with other seeds can share a folder, and the same run
    overwrites its own.

    Raises
    ------
    OptionRefused
        If the folder cannot be written.
    """
    rows = dict.fromkeys(TABLES, 0)
    try:
        for block in world.blocks():
            number = block.first_row // BLOCK
            for table, columns in _tables(world, block, number, teams).items():
                target = folder / table
                target.mkdir(parents=True, exist_ok=True)
                name = f"sim-{world.scenario.name}-{world.seed}-{world.start_min}-{number:05d}.parquet"
                part = target / f".{name}.part"
                pq.write_table(pa.table(columns), part, compression="zstd")
                part.replace(target / name)
                rows[table] += len(next(iter(columns.values())))
            if progress is not None:
                progress(len(block.people))
    except OSError as error:
        raise OptionRefused(f"The journal cannot be written to {folder}: {error.strerror or error}.") from error
    return rows


def _tables(world: World, block: Block, number: int, teams: Sequence[str]) -> dict[str, dict[str, Any]]:
    ids = pa.array([world.wearer_id(block.first_row + row) for row in range(len(block.people))])
    run = slice(world.start_min - world.first_min, world.start_min - world.first_min + world.minutes)
    return {
        "minutes": _minutes(world, block, number, ids, run),
        "bp": _bp(world, block, ids),
        "sleep": _sleep(world, block, ids),
        "weather": _weather(world, block, ids),
        "profiles": _profiles(block, ids, teams),
        "labels": _labels(world, block),
    }


def _named(ids: pa.Array, rows: NDArray[Any]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(rows.astype(np.int32)), ids)


def _minutes(world: World, block: Block, number: int, ids: pa.Array, run: slice) -> dict[str, Any]:
    m = sensor.minutes(block.people, block.seen, world.seed, number, world.first_min)
    recorded = block.seen.lost < 1
    stage = np.where(recorded, block.stage, 0).astype(np.uint8)
    has = ((m.hr_count > 0) | (block.seen.steps != sensor.NO_STEPS))[:, run]
    row, column = np.nonzero(has)

    def kept(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(values[:, run][has])

    return {
        "wearer_id": _named(ids, row),
        "minute": world.start_min + column,
        "hr_median": kept(m.hr_median),
        "hr_min": kept(m.hr_min),
        "hr_max": kept(m.hr_max),
        "hr_count": kept(m.hr_count),
        "irregular": np.where(kept(m.hr_count) > 0, kept(block.seen.irregular), sensor.NO_RR).astype(np.uint8),
        "steps": kept(block.seen.steps),
        "stage": kept(stage),
        "reason": np.zeros(len(row), np.uint8),  # samples that the monitor's filters would refuse are not drawn here
    }


def _bp(world: World, block: Block, ids: pa.Array) -> dict[str, Any]:
    r = block.readings
    inside = (r.at_s >= world.start_min * 60) & (r.at_s < (world.start_min + world.minutes) * 60)
    broken = world.faults.of(block.first_row, block.first_row + len(block.people))
    inside &= ~broken.during(Fault.UNIT_SLIP, r.wearer, r.at_s // 60)  # in kPa it is refused
    return {
        "wearer_id": _named(ids, r.wearer[inside]),
        "minute": r.at_s[inside] // 60,
        "systolic": r.systolic[inside].astype(np.int16),
        "diastolic": r.diastolic[inside].astype(np.int16),
        "pulse": r.pulse[inside].astype(np.int16),
        "method": r.method[inside].astype(np.uint8),
    }


def recorded_nights(world: World, block: Block, before_min: int = 0) -> list[int]:
    """Return the nights that a device recorded and that ended within the run, or up to *before_min* before it.

    A night is recorded if the device saw more than half of it; of nights before the simulated minutes only the habit of
    wearing the watch at night is known.
    """
    n = block.nights
    chosen = []
    for night in range(len(n)):
        if not world.start_min - before_min <= n.end_min[night] < world.start_min + world.minutes:
            continue
        row = n.wearer[night]
        begin = max(int(n.start_min[night]) - world.first_min, 0)
        seen = block.seen.lost[row, begin : max(int(n.end_min[night]) - world.first_min, 0)]
        if (seen < 1).mean() > 0.5 if len(seen) else not block.people.night_off[row]:
            chosen.append(night)
    return chosen


def night_minutes(stage: NDArray[np.uint8]) -> tuple[int, int, int, int, int]:
    """Return minutes asleep, light, deep, rem, awake of one night."""
    count = np.bincount(stage, minlength=5)
    light, deep, rem, awake = (int(count[code]) for code in (LIGHT, DEEP, REM, AWAKE))
    return light + deep + rem, light, deep, rem, awake


def night_id(start_min: int) -> str:
    """Return the source record id of the night that began at this minute, unique within its wearer."""
    return f"night-{start_min}"


def _sleep(world: World, block: Block, ids: pa.Array) -> dict[str, Any]:
    nights = recorded_nights(world, block)
    n, chosen = block.nights, np.array(nights, dtype=np.int64)
    spent = np.array([night_minutes(n.stages(night)) for night in nights], dtype=np.float32).reshape(len(nights), 5)
    names = ("total_min", "light_min", "deep_min", "rem_min", "awake_min")
    return {
        "wearer_id": _named(ids, n.wearer[chosen]),
        "source_record_id": pa.array([night_id(int(at)) for at in n.start_min[chosen]], pa.string()),
        "revision": np.zeros(len(nights), np.int32),
        "start_minute": n.start_min[chosen],
        "end_minute": n.end_min[chosen],
        **{name: spent[:, k] for k, name in enumerate(names)},
    }


def _weather(world: World, block: Block, ids: pa.Array) -> dict[str, Any]:
    first, last = world.start_min // 60, (world.start_min + world.minutes - 1) // 60 + 1
    hours, B = np.arange(first, last), len(block.people)
    at = np.stack([_hourly(w, first, last) for w in world.weather])  # (places, 4, hours)
    mine = at[block.people.place]
    hot = Hot(block.effects).at(slice(None), np.maximum(hours * 60 - world.first_min, 0))
    temperature, humidity = felt(mine[:, 0], mine[:, 1], hot)
    row, minute = np.repeat(np.arange(B), len(hours)), np.tile(hours * 60, B)
    broken = world.faults.of(block.first_row, block.first_row + B)
    slipped = broken.during(Fault.UNIT_SLIP, row, minute).reshape(B, len(hours))
    fahrenheit = 1.8 * temperature + 32
    refused = np.where(fahrenheit > MAX_TEMPERATURE_C, np.nan, fahrenheit)
    temperature = np.where(slipped, refused, temperature)
    return {
        "wearer_id": _named(ids, np.repeat(np.arange(B), len(hours))),
        "hour": np.tile(hours, B),
        "temperature_c": temperature.astype(np.float32).ravel(),
        "humidity_pct": humidity.astype(np.float32).ravel(),
        "wind_mps": mine[:, 2].ravel(),
        "pm25_ugm3": mine[:, 3].ravel(),
    }


def _hourly(weather: Any, first: int, last: int) -> NDArray[np.float32]:
    hours = slice(first - weather.first_hour, last - weather.first_hour)
    columns = (weather.temperature_c, weather.humidity_pct, weather.wind_mps, weather.pm25_ugm3)
    return np.stack([column[hours] for column in columns])


def _profiles(block: Block, ids: pa.Array, teams: Sequence[str]) -> dict[str, Any]:
    rows = [profile(block.people, row, teams) for row in range(len(block.people))]
    return {
        "wearer_id": ids,
        "age_years": pa.array([row.age_years for row in rows], pa.float32()),
        "sex": pa.array([SEXES.index(row.sex) for row in rows], pa.uint8()),
        "height_cm": pa.array([row.height_cm for row in rows], pa.float32()),
        "weight_kg": pa.array([row.weight_kg for row in rows], pa.float32()),
        "conditions": pa.array([list(row.conditions) for row in rows], pa.list_(pa.string())),
        "medications": pa.array([list(row.medications) for row in rows], pa.list_(pa.string())),
        "team": pa.array([row.team for row in rows], pa.string()),
    }


def _labels(world: World, block: Block) -> dict[str, Any]:
    rows = truth.of_block(world, block)
    return {
        "wearer_id": pa.array([row.wearer for row in rows], pa.string()),
        "outcome": pa.array([row.kind for row in rows], pa.string()),
        "onset_minute": pa.array([row.onset_min for row in rows], pa.int64()),
        "end_minute": pa.array([row.end_min for row in rows], pa.int64()),
        "severity": pa.array([row.severity for row in rows], pa.float32()),
        "silent": pa.array([row.silent for row in rows], pa.bool_()),
        "asserted_by": pa.array([truth.ASSERTED_BY for _ in rows], pa.string()),
    }
