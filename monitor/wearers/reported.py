"""What events carry beside numbers, as values that a checkpoint can hold."""

import hashlib

import msgspec

from stream_schemas.command import AlertCommand


class Reported(msgspec.Struct, frozen=True, array_like=True):
    """Of a blood-pressure reading: its device, the hash of its event id, and the pulse (-1 = none)."""

    device_id: str
    name: int
    pulse_bpm: int


class Session(msgspec.Struct, frozen=True, array_like=True):
    """A sleep session: `minutes` are total, light, deep, rem, awake (NaN = not told); `stage` holds codes of STAGES."""

    source_record_id: str
    revision: int
    start_ms: int
    end_ms: int
    minutes: tuple[float, ...]
    stage_start_s: tuple[int, ...]
    stage: bytes


class Report(msgspec.Struct, frozen=True, array_like=True):
    """A weather report: `now` is temperature_c, humidity_pct, wind_mps, pm25_ugm3 (NaN = none).

    `forecast` holds temperature_c and humidity_pct of each of `forecast_h`, hours from the report.
    """

    time_ms: int
    now: tuple[float, ...]
    forecast_h: tuple[int, ...]
    forecast: tuple[tuple[float, float], ...]


class Order(msgspec.Struct, frozen=True, array_like=True):
    """A command as it came: its record is needed again if it is refused."""

    command: AlertCommand
    key: bytes | None
    value: bytes | None


def short_hash(name: str) -> int:
    """Eight bytes that name an event among a wearer's last 16; never 0."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") | 1
