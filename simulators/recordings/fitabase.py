"""Fitabase / Mechanical Turk Fitbit data: heart rate every 5-15 s or each minute, steps of every minute, nights.

What is assumed: times carry no zone and are read in the given one (UTC by default). A night is told as a day, minutes
asleep and minutes in bed, without a time: it is left out, unless the caller says when people got up. There is no age
and no sex, so no profile is sent: these wearers are unknown to the monitor and belong to its default team.
"""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulators.errors import RecordingsMissing
from simulators.recordings.recording import MINUTE_MS, Recording, folder, rows
from stream_schemas import topics

FOLDER = "fitabase_2016"


def read(data: Path, zone: ZoneInfo, wearers: set[str] | None, wake_min: int | None) -> Recording:
    """Read all people, or those in *wearers*; *wake_min* is the minute of the day at which all nights shall end."""
    source = folder(data, FOLDER)
    out = Recording("fitabase", zone)
    for name in ("heartrate_5s.parquet", "heartrate_1min_2users.parquet"):
        if (source / name).exists():
            for person, at_ms, bpm in _people(source / name, "hr", wearers, out):
                out.heart_rates(person, at_ms, bpm)
    for person, at_ms, steps in _people(source / "minute_steps_intensity.parquet", "steps", wearers, out):
        out.steps(person, at_ms // MINUTE_MS, steps)
    _sleep(source, out, wearers, wake_min)
    return out


def _people(
    path: Path, column: str, wearers: set[str] | None, out: Recording
) -> list[tuple[str, NDArray[np.int64], NDArray[np.int64]]]:
    """Return each person's times (epoch ms, rising, distinct) and values; second values of one time are left out."""
    try:
        table = pq.read_table(path, columns=["id", "time", column])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise RecordingsMissing(
            f"{path} cannot be read ({error}): fetch the data again or point --data elsewhere."
        ) from error
    ids = table["id"].to_numpy()
    naive = table["time"].cast(pa.timestamp("ms")).cast(pa.int64()).to_numpy()
    values = np.rint(table[column].to_numpy()).astype(np.int64)
    found = []
    for person in np.unique(ids).tolist():
        if wearers is not None and str(person) not in wearers:
            continue
        mine = ids == person
        at_ms, first = np.unique(out.local_column(naive[mine]), return_index=True)
        out.left_out[f"second {column} of one time"] += int(mine.sum()) - len(first)
        found.append((str(person), at_ms, values[mine][first]))
    out.left_out = +out.left_out
    return found


def _sleep(source: Path, out: Recording, wearers: set[str] | None, wake_min: int | None) -> None:
    for number, row in enumerate(rows(source / "sleepDay_merged.csv.gz")):
        if wearers is not None and row["Id"] not in wearers:
            continue
        if wake_min is None:
            out.left_out["nights without times"] += 1
            continue
        day = datetime.strptime(row["SleepDay"].split()[0], "%m/%d/%Y").replace(tzinfo=out.zone)
        end = int(day.timestamp() * 1000) + wake_min * MINUTE_MS
        asleep, in_bed = int(row["TotalMinutesAsleep"]), int(row["TotalTimeInBed"])
        out.add(
            end,
            topics.SLEEP,
            row["Id"],
            f"s{number}",
            "watch",
            start=end - in_bed * MINUTE_MS,
            end=end,
            stage_start_s=[],
            stage=[],
            source_record_id=f"row-{number}",
            revision=0,
            total_sleep_min=asleep,
            awake_min=in_bed - asleep,
        )
