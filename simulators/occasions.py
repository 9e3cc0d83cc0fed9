"""Messages that come now and then: profiles, readings, nights, weather, check-ins, labels; as JSON bytes."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from simulators import journal, pressure
from simulators.chance import generator
from simulators.heat import Heat, felt
from simulators.kinds import Kind
from simulators.places import Weather
from simulators.profiles import profile
from simulators.stages import NAMES
from simulators.truth import ASSERTED_BY, Truth
from simulators.world import Block, World
from stream_schemas import rfc3339

FORECAST_H = 24
KPA = 0.133322  # in a mmHg
METHODS = {pressure.CUFF: "cuff_oscillometric", pressure.CUFFLESS: "cuffless"}
REPORTS_PER_DAY = 1 / 7
TIRING = (
    Kind.POOR_RECOVERY,
    Kind.OVERTRAINING,
    Kind.SLEEP_APNOEA,
    Kind.DETERIORATION,
    Kind.DEHYDRATION,
    Kind.STRESS,
    Kind.TRAVEL,
    Kind.VACCINATION,
)


def _event(schema: str, wearer: str, event_id: str, device: str | None, **fields: Any) -> bytes:
    content = {"schema": schema, "event_id": f"{wearer}-{event_id}", "wearer_id": wearer}
    if device is not None:
        content["device_id"] = f"{wearer}-{device}"
    content |= {name: value for name, value in fields.items() if value is not None}
    return json.dumps(content, separators=(",", ":")).encode()


def wearer(world: World, block: Block, row: int, teams: Sequence[str]) -> bytes:
    """Return the wearer/1 message of one wearer, valid from a day before the run."""
    told = profile(block.people, row, teams)
    name = world.wearer_id(block.first_row + row)
    return _event(
        "wearer/1",
        name,
        "profile",
        None,
        start=rfc3339.text((world.start_min - 1440) * 60_000),
        team=told.team,
        time_zone=told.time_zone,
        age_years=told.age_years,
        sex=told.sex,
        height_cm=told.height_cm,
        weight_kg=told.weight_kg,
        conditions=list(told.conditions),
        medications=list(told.medications),
        consent=True,
    )


def reading(world: World, block: Block, index: int, *, slipped: bool) -> bytes:
    """Return the blood-pressure/1 message of one reading; a slipped unit is kPa under the name of mmHg."""
    r = block.readings
    cuffless = r.method[index] == pressure.CUFFLESS
    unit = KPA if slipped else 1
    return _event(
        "blood-pressure/1",
        world.wearer_id(block.first_row + int(r.wearer[index])),
        f"p{int(r.at_s[index])}{'w' if cuffless else ''}",
        block.people.wire_name(int(r.wearer[index])) if cuffless else "cuff",
        start=rfc3339.text(int(r.at_s[index]) * 1000),
        systolic_mmhg=round(int(r.systolic[index]) * unit),
        diastolic_mmhg=round(int(r.diastolic[index]) * unit),
        pulse_bpm=int(r.pulse[index]),
        measurement_method=METHODS[int(r.method[index])],
        posture=None if cuffless else "sitting",
    )


def night(world: World, block: Block, index: int, revision: int, ahead_min: int) -> bytes:
    """Return the sleep/1 message of one night, as told by a clock that runs so much ahead."""
    n = block.nights
    stage = n.stages(index)
    begin = np.flatnonzero(np.diff(stage, prepend=255))
    total, light, deep, rem, awake = journal.night_minutes(stage)
    start = int(n.start_min[index])
    return _event(
        "sleep/1",
        world.wearer_id(block.first_row + int(n.wearer[index])),
        f"s{start}-{revision}",
        block.people.wire_name(int(n.wearer[index])),
        start=rfc3339.text((start + ahead_min) * 60_000),
        end=rfc3339.text((int(n.end_min[index]) + ahead_min) * 60_000),
        stage_start_s=(begin * 60).tolist(),
        stage=[NAMES[code] for code in stage[begin]],
        source_record_id=journal.night_id(start),
        revision=revision,
        total_sleep_min=total,
        light_min=light,
        deep_min=deep,
        rem_min=rem,
        awake_min=awake,
    )


def weather(name: str, sky: Weather, at_ms: int, heat: Heat, rng: np.random.Generator, *, slipped: bool) -> bytes:
    """Return the weather/1 message of a phone; the forecast is as issued: the farther ahead, the more wrong.

    The forecast knows of a wave as it is now, and nothing of heat strain. A slipped unit is Fahrenheit under the
    name of Celsius.
    """
    hour = at_ms // 3_600_000 - sky.first_hour
    ahead = np.arange(1, FORECAST_H + 1)
    error = 0.35 * np.sqrt(ahead) * rng.standard_normal()
    now_c, now_pct = felt(sky.temperature_c[hour], sky.humidity_pct[hour], heat)
    forecast = np.clip(sky.temperature_c[hour + ahead] + heat.added_c + error, -60, 55)
    humidity = np.clip(sky.humidity_pct[hour + ahead] + heat.added_pct - 2 * error, 5, 100)
    if slipped:
        now_c, forecast = 1.8 * now_c + 32, 1.8 * forecast + 32
    return _event(
        "weather/1",
        name,
        f"w{at_ms // 60_000}",
        "phone",
        start=rfc3339.text(at_ms),
        temperature_c=round(float(now_c), 1),
        humidity_pct=round(float(now_pct), 1),
        wind_mps=round(float(sky.wind_mps[hour]), 1),
        pm25_ugm3=round(float(sky.pm25_ugm3[hour]), 1),
        forecast_offset_h=ahead.tolist(),
        forecast_temperature_c=[round(float(t), 1) for t in forecast],
        forecast_humidity_pct=[round(float(h), 1) for h in humidity],
    )


def reports(world: World, block: Block, number: int) -> list[tuple[int, int, bytes]]:
    """Return (row, epoch second, report/1 message) of the check-ins of a block; answers follow how people feel."""
    rng = generator(world.seed, "reports", number, world.start_min)
    B = len(block.people)
    rows = rng.integers(0, B, rng.poisson(B * world.minutes / 1440 * REPORTS_PER_DAY))
    found = []
    for row in rows.tolist():
        at_s = world.start_min * 60 + int(rng.integers(0, world.minutes * 60))
        e = block.episodes
        ill = (e.wearer == row) & (e.onset_min * 60 <= at_s) & (e.end_min * 60 > at_s) & ~e.silent
        infected = float(e.graded[ill & (e.kind == Kind.INFECTION)].max(initial=0.0))
        tired = float((ill & np.isin(e.kind, TIRING)).any())
        score = 24 + 9 * rng.standard_normal() + 45 * infected + 12 * tired - 12 * (block.people.fitness[row] - 0.5)
        value = _event(
            "report/1",
            world.wearer_id(block.first_row + row),
            f"r{at_s}",
            None,
            start=rfc3339.text(at_s * 1000),
            shsq25_score=round(min(max(score, 0), 100)),
            symptoms=(["fever", "cough"] if infected > 0.7 else ["cough"] if infected > 0.3 else []),
        )
        found.append((row, at_s, value))
    return found


def label(row: Truth, *, ended: bool) -> bytes:
    """Return the label/1 message of an episode; its end is told only once it is over."""
    return _event(
        "label/1",
        row.wearer,
        f"l{row.kind}-{row.onset_min}",
        None,
        outcome=row.kind,
        onset=rfc3339.text(row.onset_min * 60_000),
        end=rfc3339.text(row.end_min * 60_000) if ended else None,
        severity=row.severity,
        silent=row.silent,
        asserted_by=ASSERTED_BY,
    )
