"""People as minutes of heart rate and steps by local time: those of Fitabase, and simulated ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.real_data.people_days import PersonDays
from monitor.signals.resting import night_rate, resting_rate
from simulators import sensor
from simulators.errors import RecordingsMissing
from simulators.journal import night_minutes, recorded_nights
from simulators.people import BLOCK
from simulators.recordings.recording import folder, rows
from simulators.scenario import load
from simulators.world import LEAD_MIN, world

DAY_MIN, NIGHT_MIN = 1440, 420
ACTIVE_STEPS = 100
FITABASE = "fitabase_2016"
SCENARIO = "calm"  # "Healthy people on ordinary days", confounders as in life
START_MIN = 1_767_571_200_000 // 60_000 + 59 * DAY_MIN  # 2026-03-05: as far into spring as the real people are
NO_STEPS = 255
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PersonMinutes:
    """Consecutive minutes of one person; both (T,), T whole local days, NaN = missing.

    Attributes
    ----------
    first : local epoch minute of the first one, a midnight.
    bpm : median of the minute's samples. steps : of the minute, at most 254 as the monitor holds them.
    sleep_min : minutes asleep of the night that ended on each day, (T / 1440,), NaN = none recorded.
    """

    name: str
    first: int
    bpm: Floats
    steps: Floats
    sleep_min: Floats

    @property
    def days(self) -> int:
        """Count the days."""
        return len(self.bpm) // DAY_MIN

    def by_day(self) -> PersonDays:
        """Summarise the days with the functions that the monitor's nights and days are made with."""
        shape = (self.days, DAY_MIN)
        bpm = np.nan_to_num(self.bpm).reshape(shape).astype(np.uint8)
        known = ~np.isnan(self.steps).reshape(shape)
        steps = np.nan_to_num(self.steps).reshape(shape).astype(np.uint8)
        worn = (bpm > 0).sum(axis=1)
        night = np.broadcast_to(np.arange(DAY_MIN) < NIGHT_MIN, shape)
        counted = known.any(axis=1) & (worn >= 60)  # as the monitor: steps of a day that was hardly worn say nothing
        return PersonDays(
            self.name,
            self.first // DAY_MIN,
            {
                "night_bpm": night_rate(bpm, steps, known, night).bpm,
                "resting_bpm": resting_rate(bpm, steps, known, np.full(self.days, 5.0)).bpm,
                "steps": np.where(counted, (steps.astype(np.int64) * known).sum(axis=1), np.nan),
                "active_min": np.where(counted, (known & (steps >= ACTIVE_STEPS)).sum(axis=1), np.nan),
                "sleep_min": self.sleep_min,
            },
        )

    def noon_seen(self) -> NDArray[np.bool_]:
        """Tell on which days a heart rate came at or after noon, when a monitor judges the day; (days,)."""
        return np.asarray((~np.isnan(self.bpm)).reshape(-1, DAY_MIN)[:, DAY_MIN // 2 :].any(axis=1))


def fitabase(data: Path) -> list[PersonMinutes]:
    """Read the people of Fitabase that have heart rate, times as local.

    Raises
    ------
    RecordingsMissing
        If they are not there or cannot be read.
    """
    source = folder(data, FITABASE)
    rates: dict[str, tuple[NDArray[np.int64], Floats]] = {}
    for name in ("heartrate_5s.parquet", "heartrate_1min_2users.parquet"):
        if (source / name).exists():
            rates |= _columns(source / name, "hr")
    counts = _columns(source / "minute_steps_intensity.parquet", "steps")
    slept = _slept(source)
    people = []
    for name in sorted(rates):
        at_s, values = rates[name]
        minute, bpm = _minute_median(at_s, values)
        of_steps = counts.get(name, (np.zeros(0, np.int64), np.zeros(0)))
        first = int(minute.min()) // DAY_MIN
        days = int(minute.max()) // DAY_MIN - first + 1
        grid_bpm, grid_steps = np.full(days * DAY_MIN, np.nan), np.full(days * DAY_MIN, np.nan)
        grid_bpm[minute - first * DAY_MIN] = bpm
        place = of_steps[0] // 60 - first * DAY_MIN
        inside = (place >= 0) & (place < len(grid_steps))
        grid_steps[place[inside]] = np.minimum(of_steps[1][inside], 254)
        sleep = np.array([slept.get((name, first + d), np.nan) for d in range(days)])
        people.append(PersonMinutes(name, first * DAY_MIN, grid_bpm, grid_steps, sleep))
    return people


def simulated(wearers: int, days: int, seed: int, scenario: str = SCENARIO) -> list[PersonMinutes]:
    """Simulate people whose device gives a value a minute or more, as those of the recordings do.

    More are drawn than are wanted, because some have slower devices; the first *wearers* that fit are returned.
    """
    drawn = world(load(scenario), seed, 2 * wearers + 8, START_MIN, (days + 2) * DAY_MIN)
    people: list[PersonMinutes] = []
    for block in drawn.blocks():
        seen = sensor.minutes(block.people, block.seen, drawn.seed, block.first_row // BLOCK, drawn.first_min)
        nights = [(n, night_minutes(block.nights.stages(n))[0]) for n in recorded_nights(drawn, block)]
        for row in np.flatnonzero(block.people.worn("cadence_s") <= 60).tolist():
            offset = int(block.people.utc_offset_min[row])
            first_day = -(-(drawn.start_min + offset) // DAY_MIN)  # the first whole local day
            begin = first_day * DAY_MIN - offset - drawn.start_min + LEAD_MIN
            columns = slice(begin, begin + days * DAY_MIN)
            bpm = seen.hr_median[row, columns].astype(np.float64)
            steps = block.seen.steps[row, columns].astype(np.float64)
            sleep = np.full(days, np.nan)
            for night, asleep in nights:
                day = (int(block.nights.end_min[night]) + offset) // DAY_MIN - first_day
                if block.nights.wearer[night] == row and 0 <= day < days:
                    sleep[day] = np.nan_to_num(sleep[day]) + asleep
            bpm[bpm == 0], steps[steps == NO_STEPS] = np.nan, np.nan
            name = f"simulated-{seed}-{block.first_row + row}"
            people.append(PersonMinutes(name, first_day * DAY_MIN, bpm, steps, sleep))
    return people[:wearers]


def _columns(path: Path, column: str) -> dict[str, tuple[NDArray[np.int64], Floats]]:
    """Return each person's times (local epoch s) and values."""
    try:
        table = pq.read_table(path, columns=["id", "time", column])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise RecordingsMissing(f"{path} cannot be read ({error}): fetch the data again.") from error
    ids = table["id"].to_numpy()
    at_s = table["time"].cast(pa.timestamp("ms")).cast(pa.int64()).to_numpy() // 1000
    values = table[column].to_numpy().astype(np.float64)
    return {str(one): (at_s[ids == one], values[ids == one]) for one in np.unique(ids).tolist()}


def _minute_median(at_s: NDArray[np.int64], values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return distinct minutes and the lower median of each, whole bpm as the monitor holds them."""
    minute = at_s // 60
    order = np.lexsort((values, minute))
    minute, values = minute[order], np.rint(values[order])
    distinct, first, count = np.unique(minute, return_index=True, return_counts=True)
    return distinct, values[first + (count - 1) // 2]


def _slept(source: Path) -> dict[tuple[str, int], float]:
    """Return minutes asleep by person and local epoch day."""
    found: dict[tuple[str, int], float] = {}
    path = source / "sleepDay_merged.csv.gz"
    for row in rows(path) if path.exists() else ():
        month, day, year = (int(part) for part in row["SleepDay"].split()[0].split("/"))
        at = int((np.datetime64(f"{year:04d}-{month:02d}-{day:02d}") - np.datetime64("1970-01-01")).astype(int))
        found[row["Id"], at] = float(row["TotalMinutesAsleep"])
    return found


def whose(people: Sequence[PersonMinutes]) -> str:
    """Say how many people and days these are."""
    return f"{len(people)} people, {sum(one.days for one in people)} days"
