"""A folder with the layout of ../shared/data and nobody's values: small, made by rules that the tests can count on."""

import gzip
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

DAY_MIN = 1440
FIRST = np.datetime64("2016-04-12T00:00")
LIFESNAPS = (
    "id",
    "date",
    "resting_hr",
    "nremhr",
    "steps",
    "minutesAsleep",
    "moderately_active_minutes",
    "very_active_minutes",
)


def table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(",".join(map(str, row)) for row in (columns, *rows)) + "\n")


def fitabase(
    data: Path,
    people: int = 4,
    days: int = 3,
    *,
    seed: int = 0,
    fast: Sequence[int] = (),
    fast_hours: Sequence[int] = (15,),
) -> None:
    """People with a value every 30 s and steps by day; those in `fast` sit at 140 bpm in `fast_hours`."""
    rng = np.random.default_rng(seed)
    ids, times, rates, step_times, step_ids, steps = [], [], [], [], [], []
    for person in range(people):
        minute = np.arange(days * DAY_MIN)
        walking = (minute % DAY_MIN > 500) & (minute % 60 < 12)
        walked = np.where(walking, rng.integers(60, 120, len(minute)), 0)
        bpm = 58 + 3 * person + 0.3 * walked + rng.normal(0, 1.5, len(minute))
        if person in fast:
            for hour in fast_hours:
                bpm[hour * 60 + 15 : hour * 60 + 59] = 140
        worn = minute % DAY_MIN >= 30  # half an hour of charging after midnight
        for offset_s in (0, 30):
            times.append(FIRST + (minute[worn] * 60 + offset_s).astype("timedelta64[s]"))
            ids.append(np.full(worn.sum(), 1000 + person))
            rates.append(np.rint(bpm[worn]).astype(np.uint8))
        step_times.append(FIRST + minute.astype("timedelta64[m]"))
        step_ids.append(np.full(len(minute), 1000 + person))
        steps.append(walked.astype(np.int16))
    folder = data / "fitabase_2016"
    folder.mkdir(parents=True, exist_ok=True)
    rate = {"id": np.concatenate(ids), "time": _ms(times), "hr": np.concatenate(rates)}
    count = {"id": np.concatenate(step_ids), "time": _ms(step_times), "steps": np.concatenate(steps)}
    pq.write_table(pa.table(rate), folder / "heartrate_5s.parquet")
    pq.write_table(pa.table(count), folder / "minute_steps_intensity.parquet")
    nights = [(1000, "4/13/2016 0:00", 1, 400, 420)]
    table(
        folder / "sleepDay_merged.csv.gz",
        ("Id", "SleepDay", "TotalSleepRecords", "TotalMinutesAsleep", "TotalTimeInBed"),
        nights,
    )


def _ms(parts: list[NDArray[np.datetime64]]) -> pa.Array:
    return pa.array(np.concatenate(parts).astype("datetime64[ms]"))


def lifesnaps(data: Path, people: int = 2, days: int = 60, *, up_from: int = 40) -> None:
    """Nights of 60 bpm, 75 for the first person for six days from `up_from`; one day is not told."""
    begin, rows = date(2021, 5, 1), []
    for person in range(people):
        for day in range(days):
            if day == 20:
                continue
            night = 75 if person == 0 and up_from <= day < up_from + 6 else 60 + day % 2
            rows.append((f"p{person}", begin + timedelta(day), 64, night, 0 if day == 10 else 8000, 450, 20, 5))
    table(data / "lifesnaps_daily" / "daily_fitbit_sema.csv.gz", LIFESNAPS, rows)


def welltory(data: Path) -> None:
    """One person with 60 days of resting pulse around an onset and one with two days."""
    folder, onset = data / "welltory_covid19", date(2020, 4, 1)
    people = [("aa", onset), ("bb", onset), ("cc", "")]
    table(folder / "participants.csv.gz", ("user_code", "symptoms_onset"), people)
    days: list[tuple[object, ...]] = [
        ("aa", onset + timedelta(day), 75 if 0 <= day < 8 else 55 + day % 2, 7000 + day) for day in range(-40, 20)
    ]
    days += [("bb", onset + timedelta(day), 60, "") for day in range(2)]
    table(folder / "wearables.csv.gz", ("user_code", "day", "resting_pulse", "steps_count"), days)
    nights = [("aa", onset, f"{onset} 07:00:00", 25200)]
    table(folder / "sleep.csv.gz", ("user_code", "day", "sleep_end", "sleep_duration"), nights)
    spots = ("user_code", "measurement_datetime", "bpm", "rr_data")
    beats = ",".join(str(900 + 20 * (beat % 2)) for beat in range(40))
    table(folder / "hrv_measurements.csv.gz", spots, [("aa", f"{onset} 08:00:00", 66, f'"{beats}"')])


def stress(data: Path, minutes: int = 30) -> None:
    """One sitting at 1 Hz with ten minutes of a task, and a second without a value."""
    second = np.arange(minutes * 60)
    bpm = np.full(len(second), 80.0, np.float32)
    bpm[100] = np.nan
    columns = {
        "participant": np.full(len(second), 2, np.int16),
        "hr": pa.array(bpm, from_pandas=True),
        "t_unix": 1_644_227_580 + second,
        "stress_label": ((second > 600) & (second < 1200)).astype(np.int8),
    }
    (data / "stress_predict_e4").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), data / "stress_predict_e4" / "hr_resp_label_1hz.parquet")
