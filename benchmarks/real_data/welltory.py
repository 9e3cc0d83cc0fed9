"""Welltory: the few people with a history before their first symptoms, day by day; pictures, and no rate."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_data import drawing
from benchmarks.real_data.day_detectors import DETECTORS, is_on
from benchmarks.real_data.people_days import WINDOW, PersonDays, windows
from benchmarks.real_data.results import Cell, Study, Table
from monitor.alerting.limits import Limits
from monitor.signals.order import median
from simulators.recordings.recording import folder, rows

FOLDER = "welltory_covid19"
BEFORE, AFTER = (-35, -8), (-7, 14)  # days from the first symptoms
ENOUGH_BEFORE, ENOUGH_AFTER = 14, 7  # days with a resting pulse in each
SHOWN = (-42, 28)
USED = ("NIGHT_SIGNAL", "PERSONAL_CUSUM", "TREND_DEV")
EPOCH = date(1970, 1, 1).toordinal()
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """One person: the days, the epoch day of the first symptoms, and RMSSD (ms) of the days with a spot measurement."""

    days: PersonDays
    onset: int
    rmssd_ms: Floats

    @property
    def from_onset(self) -> Floats:
        """Days from the first symptoms, (D,)."""
        return (self.days.first + np.arange(len(self.days)) - self.onset).astype(np.float64)

    def known(self, span: tuple[int, int]) -> int:
        """Count the days with a resting pulse in a span of days from the first symptoms."""
        inside = (self.from_onset >= span[0]) & (self.from_onset <= span[1])
        return int((~np.isnan(self.days.columns["night_bpm"]) & inside).sum())


def read(data: Path) -> tuple[list[Case], int]:
    """Return the people with enough history, and how many have first symptoms and a day at all.

    Raises
    ------
    RecordingsMissing
        If the tables are not there.
    """
    source = folder(data, FOLDER)
    onset = {
        row["user_code"]: day for row in rows(source / "participants.csv.gz") if (day := _day(row, "symptoms_onset"))
    }
    of_days: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    for row in rows(source / "wearables.csv.gz"):
        if (day := _day(row, "day")) and row["user_code"] in onset:
            of_days[row["user_code"]][day] = {
                "night_bpm": _number(row["resting_pulse"]),
                "resting_bpm": _number(row["resting_pulse"]),
                "steps": _number(row["steps_count"]),
            }
    slept = _slept(source)
    spots = _spots(source)
    cases = []
    for name in sorted(of_days):
        case = _case(name, of_days[name], onset[name], slept, spots.get(name, {}))
        if case.known(BEFORE) >= ENOUGH_BEFORE and case.known(AFTER) >= ENOUGH_AFTER:
            cases.append(case)
    return cases, len(of_days)


def _case(
    name: str,
    of_days: Mapping[int, Mapping[str, float]],
    onset: int,
    slept: Mapping[tuple[str, int], float],
    spots: Mapping[int, list[float]],
) -> Case:
    first, length = min(of_days), max(of_days) - min(of_days) + 1
    columns = {column: np.full(length, np.nan) for column in ("night_bpm", "resting_bpm", "steps", "sleep_min")}
    rmssd = np.full(length, np.nan)
    for offset in range(length):
        for column, value in of_days.get(first + offset, {}).items():
            columns[column][offset] = value
        columns["sleep_min"][offset] = slept.get((name, first + offset), np.nan)
        if measured := spots.get(first + offset):
            rmssd[offset] = float(np.median(measured))
    return Case(PersonDays(name, first, columns), onset, rmssd)


def _day(row: Mapping[str, str], column: str) -> int | None:
    try:
        return date.fromisoformat(row[column][:10]).toordinal() - EPOCH
    except ValueError:
        return None


def _number(text: str) -> float:
    try:
        return float(text) or np.nan
    except ValueError:
        return np.nan


def _slept(source: Path) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for row in rows(source / "sleep.csv.gz"):
        if (day := _day(row, "sleep_end")) and not np.isnan(seconds := _number(row["sleep_duration"])):
            found[row["user_code"], day] = found.get((row["user_code"], day), 0.0) + seconds / 60
    return found


def _spots(source: Path) -> dict[str, dict[int, list[float]]]:
    """Return RMSSD of each spot measurement by person and day; intervals outside 0.3 to 2 s are left out."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows(source / "hrv_measurements.csv.gz"):
        intervals = np.array([_number(part) for part in row["rr_data"].split(",")])
        intervals[(intervals < 300) | (intervals > 2000)] = np.nan
        change = np.diff(intervals)
        if (day := _day(row, "measurement_datetime")) and (~np.isnan(change)).sum() >= 20:
            found[row["user_code"]][day].append(float(np.sqrt(np.nanmean(change**2))))
    return found


def study(data: Path, limits: Limits) -> Study:
    """Draw each case, and list which daily detectors were raised when."""
    cases, people = read(data)
    out = Study("welltory", "Welltory: around the first symptoms of COVID-19")
    out.sentences.append(
        f"{len(cases)} of {people} people with a day and with first symptoms have a resting pulse on at least "
        f"{ENOUGH_BEFORE} of the days {BEFORE[0]} to {BEFORE[1]} and on {ENOUGH_AFTER} of the days {AFTER[0]} to "
        f"{AFTER[1]} from them. The day's resting pulse stands for the night's rate. These are cases, "
        "chosen because they could be drawn: no rate of anything can be taken from them."
    )
    names = [name for name in USED if is_on(name, limits)]
    table: list[list[Cell]] = []
    for number, case in enumerate(cases, 1):
        raised = _raised(case, names, limits)
        row: list[Cell] = [case.days.name, case.known(BEFORE), case.known(AFTER)]
        for name in names:
            near = raised[name][(raised[name] >= BEFORE[1] - 6) & (raised[name] <= SHOWN[1])]
            row.append(", ".join(f"{day:+.0f}" for day in _runs(near)) or "none")
        table.append(row)
        out.pictures[f"welltory-{number}.png"] = (
            _picture(case, raised),
            f"{case.days.name}: days around first symptoms.",
        )
    columns = ("person", "days known before", "days known around", *(f"{name}, days from onset" for name in names))
    note = f"First days of the runs on which a detector was raised, from day {BEFORE[1] - 6} to {SHOWN[1]:+d}."
    out.tables.append(Table("Cases", columns, table, note=note))
    out.limits += [
        "Self-reported first symptoms, self-selected people: other illness, travel and drink are not told.",
        "A resting pulse that a phone or watch computed by its own rule, one value a day.",
    ]
    return out


def _raised(case: Case, names: list[str], limits: Limits) -> dict[str, Floats]:
    days = windows([case.days])
    return {name: case.from_onset[DETECTORS[name](days, limits).raised] for name in names}


def _runs(days: Floats) -> Floats:
    return days[np.diff(days, prepend=-np.inf) > 1]


def _picture(case: Case, raised: Mapping[str, Floats]) -> bytes:
    at = case.from_onset
    shown = (at >= SHOWN[0]) & (at <= SHOWN[1])
    pulse, steps = case.days.columns["night_bpm"], case.days.columns["steps"]
    past = windows([case.days]).before("night_bpm")
    usual, count = median(past[:, -WINDOW:])
    panels: dict[str, tuple[Floats, Floats | None]] = {
        "resting pulse, bpm": (pulse[shown], np.where(count >= 7, usual, np.nan)[shown])
    }
    for label, values in (("RMSSD, ms", case.rmssd_ms), ("steps, thousands", steps / 1000)):
        if np.isfinite(values[shown]).sum() >= 5:
            panels[label] = values[shown], None
    title = f"Person {case.days.name}; marks: days on which a detector was raised"
    return drawing.around_onset(title, at[shown], panels, raised)
