"""LifeSnaps: how often the daily detectors raise on people who lived their lives."""

from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.real_data import episodes
from benchmarks.real_data.day_detectors import DETECTORS, burdens, is_on
from benchmarks.real_data.people_days import PersonDays, windows
from benchmarks.real_data.results import Study
from monitor.alerting.limits import Limits
from simulators.errors import RecordingsMissing
from simulators.recordings.recording import folder, rows

FOLDER, TABLE = "lifesnaps_daily", "daily_fitbit_sema.csv.gz"
EPOCH = date(1970, 1, 1).toordinal()
# column of the table -> column of a day; a zero in any of them stands for missing
WANTED = {"resting_hr": "resting_bpm", "nremhr": "night_bpm", "steps": "steps", "minutesAsleep": "sleep_min"}
NIGHT_RATES = {"nremhr": "the night's NREM rate", "resting_hr": "the day's resting rate in place of the night's"}

IN_SIGHT = (
    "The packaged limits of the daily detectors were chosen with this table in sight (docs/detectors.md), so these "
    "rates flatter them: other people's recordings decide."
)


def read(data: Path) -> list[PersonDays]:
    """Read everybody's days; days without a row are missing days.

    Raises
    ------
    RecordingsMissing
        If the table is not there or has not these columns.
    """
    path = folder(data, FOLDER) / TABLE
    people: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    try:
        for row in rows(path):
            people[row["id"]][date.fromisoformat(row["date"]).toordinal() - EPOCH] = _day(row)
    except (KeyError, ValueError) as error:
        raise RecordingsMissing(f"{path} is not the table that was expected ({error}).") from error
    return [_person(name, people[name]) for name in sorted(people)]


def _day(row: dict[str, str]) -> dict[str, float]:
    values = {name: float(row[column]) if row[column] else np.nan for column, name in WANTED.items()}
    values = {name: np.nan if value == 0 else value for name, value in values.items()}
    active = [float(row[f"{how}_active_minutes"] or "nan") for how in ("moderately", "very")]
    # without steps nobody wore it, and then no active minutes say nothing
    return values | {"active_min": np.nan if np.isnan(values["steps"]) else sum(active)}


def _person(name: str, days: dict[int, dict[str, float]]) -> PersonDays:
    first, length = min(days), max(days) - min(days) + 1
    columns = {column: np.full(length, np.nan) for column in (*WANTED.values(), "active_min")}
    for day, values in days.items():
        for column, value in values.items():
            columns[column][day - first] = value
    return PersonDays(name, first, columns)


def with_resting_nights(person: PersonDays) -> PersonDays:
    """Return the person with the day's resting rate in place of the night's."""
    return PersonDays(person.name, person.first, {**person.columns, "night_bpm": person.columns["resting_bpm"]})


def study(data: Path, limits: Limits) -> Study:
    """Count episodes of each daily detector, with the night's rate and with a stand-in for it."""
    people = read(data)
    out = Study("lifesnaps", "LifeSnaps: daily detectors on people who lived their lives")
    rows_read = sum(int(np.isfinite(np.stack(list(one.columns.values()))).any(axis=0).sum()) for one in people)
    out.sentences.append(
        f"{len(people)} people, {rows_read:,} wearer-days with anything in them. Columns of days only, so the daily "
        "detectors are called as they are; an episode opens and closes as the alert policy does it. Nobody here is "
        "labelled as ill: whatever raises is counted as burden, and some of it may have been right."
    )
    both = {"nremhr": people, "resting_hr": [with_resting_nights(one) for one in people]}
    for column, folk in both.items():
        found = burdens(windows(folk), limits)
        out.tables.append(episodes.table(f"Night rate: {NIGHT_RATES[column]} (`{column}`)", found))
        if column == "nremhr":
            out.targets += episodes.targets("LifeSnaps", found)
            if picture := episodes.picture("LifeSnaps, night rate: NREM", found):
                out.pictures["lifesnaps.png"] = picture, "Episodes a wearer-day of each daily detector on LifeSnaps."
    off = [name for name in DETECTORS if not is_on(name, limits)]
    if off:
        out.sentences.append(f"Off at the packaged limits, and so not counted: {', '.join(off)}.")
    out.limits += [
        "No illness labels, so no sensitivity, and no telling a false episode from a true one.",
        "The nightly rate is Fitbit's (NREM sleep), not the monitor's (minutes without steps from 00:00 to 07:00).",
        "No blood pressure, no RR intervals: BP_TREND, AF_BURDEN and parts of others stay out. Age bands are not used.",
        IN_SIGHT,
    ]
    return out
