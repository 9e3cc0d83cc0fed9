"""Welltory COVID-19 and wearables open data: heart rate, RR intervals, blood pressure, sleep, weather, profiles.

What is assumed: times carry no zone and are read in the given one (UTC by default). Blood pressure was typed in by the
wearers and the source does not say how it was measured: the method is "unknown" unless the caller says otherwise (so
by default it raises no alert). Weather is the mean of a day, told at noon. Age is the middle of the age band.
Steps exist per day only; spreading them over minutes would invent walking at every minute, so they are left out.
"""

from collections import defaultdict
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from simulators.recordings.recording import Recording, folder, rows
from stream_schemas import topics

FOLDER = "welltory_covid19"
SEXES = {"f": "female", "m": "male"}
NOON_MS = 12 * 3_600_000


def read(data: Path, zone: ZoneInfo, wearers: set[str] | None, bp_method: str, teams: tuple[str, ...]) -> Recording:
    """Read all people, or those in *wearers* (their codes in the source)."""
    source = folder(data, FOLDER)
    out = Recording("welltory", zone)
    _heart_rate(source, out, wearers)
    _intervals(source, out, wearers)
    _pressure(source, out, wearers, bp_method)
    _sleep(source, out, wearers)
    _weather(source, out, wearers)
    for row in rows(source / "wearables.csv.gz"):
        if _wanted(row, wearers) and row["steps_count"]:
            out.left_out["steps of whole days"] += 1
    _profiles(source, out, wearers, teams)
    return out


def _wanted(row: dict[str, str], wearers: set[str] | None) -> bool:
    return wearers is None or row["user_code"] in wearers


def _number(text: str) -> int | float | None:
    """Read a number as the source has it; None = none given."""
    try:
        value = float(text)
    except ValueError:
        return None
    if not np.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _heart_rate(source: Path, out: Recording, wearers: set[str] | None) -> None:
    samples: dict[str, dict[int, int]] = defaultdict(dict)
    for path in sorted(source.glob("heart_rate*.csv.gz")):
        for row in rows(path):
            if not _wanted(row, wearers):
                continue
            at_ms, bpm = out.local_ms(row["datetime"]), _number(row["heart_rate"])
            if at_ms is None or bpm is None:
                out.left_out["heart rates without time or value"] += 1
            elif at_ms in samples[row["user_code"]]:
                out.left_out["second heart rates of one second"] += 1
            else:
                samples[row["user_code"]][at_ms] = round(bpm)
    for person, found in samples.items():
        at = np.array(sorted(found), dtype=np.int64)
        out.heart_rates(person, at, np.array([found[t] for t in at.tolist()], dtype=np.int64))


def _intervals(source: Path, out: Recording, wearers: set[str] | None) -> None:
    for row in rows(source / "hrv_measurements.csv.gz"):
        if not _wanted(row, wearers):
            continue
        at_ms, bpm = out.local_ms(row["measurement_datetime"]), _number(row["bpm"])
        intervals = [value for part in row["rr_data"].split(",") if (value := _number(part)) is not None]
        if at_ms is None or bpm is None or not intervals:
            out.left_out["spot measurements without time, rate or intervals"] += 1
            continue
        out.add(
            at_ms,
            topics.HEART_RATE,
            row["user_code"],
            f"v{at_ms // 1000}",
            "spot",
            start=at_ms,
            offset_ms=[0],
            bpm=[bpm],
            rr_ms=intervals,
        )


def _pressure(source: Path, out: Recording, wearers: set[str] | None, method: str) -> None:
    for number, row in enumerate(rows(source / "blood_pressure.csv.gz")):
        if not _wanted(row, wearers):
            continue
        at_ms = out.local_ms(row["measurement_datetime"])
        if at_ms is None:
            out.left_out["blood pressures without time"] += 1
            continue
        out.add(
            at_ms,
            topics.BLOOD_PRESSURE,
            row["user_code"],
            f"p{number}",
            "bp",
            start=at_ms,
            systolic_mmhg=_number(row["systolic"]),
            diastolic_mmhg=_number(row["diastolic"]),
            measurement_method=method,
        )


def _sleep(source: Path, out: Recording, wearers: set[str] | None) -> None:
    for number, row in enumerate(rows(source / "sleep.csv.gz")):
        if not _wanted(row, wearers):
            continue
        begin, end = out.local_ms(row["sleep_begin"]), out.local_ms(row["sleep_end"])
        if begin is None or end is None:
            out.left_out["nights without times"] += 1
            continue
        parts = ("sleep_duration", "sleep_light_duration", "sleep_deep_duration", "sleep_rem_duration")
        total, light, deep, rem = (
            (s / 60 if (s := _number(row.get(name) or "")) is not None else None) for name in parts
        )
        awake = _number(row["sleep_awake_duration"])
        out.add(
            end,
            topics.SLEEP,
            row["user_code"],
            f"s{number}",
            "watch",
            start=begin,
            end=end,
            stage_start_s=[],
            stage=[],
            source_record_id=f"row-{number}",
            revision=0,
            total_sleep_min=total,
            light_min=light,
            deep_min=deep,
            rem_min=rem,
            awake_min=awake / 60 if awake is not None else None,
        )


def _weather(source: Path, out: Recording, wearers: set[str] | None) -> None:
    for row in rows(source / "weather.csv.gz"):
        if not _wanted(row, wearers):
            continue
        midnight = out.local_ms(row["day"], "%Y-%m-%d")
        if midnight is None:
            out.left_out["weather without a day"] += 1
            continue
        out.add(
            midnight + NOON_MS,
            topics.WEATHER,
            row["user_code"],
            f"w{row['day']}",
            "phone",
            start=midnight + NOON_MS,
            temperature_c=_number(row["avg_temperature_C"]),
            humidity_pct=_number(row["humidity"]),
        )


def _profiles(source: Path, out: Recording, wearers: set[str] | None, teams: tuple[str, ...]) -> None:
    """Tell the profile of everybody who has data, at the time of their first message."""
    first: dict[str, int] = {}
    for record in out.records:
        first[record.key] = min(record.at_ms, first.get(record.key, record.at_ms))
    for number, row in enumerate(rows(source / "participants.csv.gz")):
        at_ms = first.get(out.wearer(row["user_code"]))
        if at_ms is None or not _wanted(row, wearers):
            continue
        low, _, high = row["age_range"].partition("-")
        if not (low.isdigit() and high.isdigit()):
            out.left_out["profiles without an age"] += 1
            continue
        out.add(
            at_ms - 1,
            topics.WEARER,
            row["user_code"],
            "profile",
            None,
            start=at_ms - 1,
            team=teams[number % len(teams)],
            time_zone=str(out.zone),
            age_years=(int(low) + int(high)) // 2,
            sex=SEXES.get(row["gender"], "unknown"),
            height_cm=_number(row["height"]),
            weight_kg=_number(row["weight"]),
            conditions=[],
            medications=[],
            consent=True,
        )
