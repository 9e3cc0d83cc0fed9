"""Five-minute windows and minute bytes of the long recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitor.signals import rhythm
from monitor.signals.af_burden import ENOUGH, WIDTH
from monitor.signals.beat_runs import beat_runs
from monitor.signals.hrv import WINDOW_MS, hrv
from monitor.signals.irregular import irregular_pct
from simulators.errors import RecordingsMissing

LONG = "afdb_rr.parquet"
WINDOW_S = WINDOW_MS / 1000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of all long recordings, assessable or not; columns (n,), features (n, 3), plain (n, 2)."""

    record: NDArray[np.str_]
    af: Floats
    flutter: Floats
    assessable: Bools
    features: Floats
    plain: Floats
    byte: Floats


def table(folder: Path, name: str, columns: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Read columns of a table as arrays.

    Raises
    ------
    RecordingsMissing
        If it is not there.
    """
    path = folder / name
    if not path.is_file():
        raise RecordingsMissing(f"{path} is not there.")
    table = pq.read_table(path, columns=list(columns))
    return {one: np.asarray(table[one].to_pylist()) for one in columns}


def long_windows(folder: Path) -> tuple[Windows, list[tuple[NDArray[np.uint8], Floats]]]:
    """Windows of all long recordings; and for each recording its minute codes, and the share of AF in each minute."""
    columns = table(folder, LONG, ("record", "t_s", "rr_s", "rhythm"))
    record, kind = columns["record"], columns["rhythm"]
    rr_ms, time_s = columns["rr_s"].astype(np.float64) * 1000, columns["t_s"].astype(np.float64)
    parts, minutes = [], []
    for name in np.unique(record):
        mine = record == name
        af, flutter = kind[mine] == "AFIB", kind[mine] == "AFL"
        minute = (time_s[mine] // 60).astype(np.int64)
        code, share = _minute_codes(rr_ms[mine], minute, af)
        minutes.append((code, share))
        window = (time_s[mine] // WINDOW_S).astype(np.int64)
        count = np.bincount(window)
        found, plain = rhythm.rhythm(rr_ms[mine], count), hrv(rr_ms[mine], count)
        byte = _second_lowest(code, len(count))
        divisor = np.where(count > 0, count, np.nan)
        parts.append(
            Windows(
                record=np.full(len(count), str(name)),
                af=np.bincount(window, weights=af) / divisor,
                flutter=np.bincount(window, weights=flutter) / divisor,
                assessable=(found.reason == 0) & (plain.reason == 0) & ~np.isnan(byte),
                features=found.features,
                plain=np.column_stack([plain.cvsd, entropy(rr_ms[mine], count)]),
                byte=byte,
            )
        )
    joined = {name: np.concatenate([getattr(one, name) for one in parts]) for name in Windows.__slots__}
    return Windows(**joined), minutes


def _minute_codes(rr_ms: Floats, minute: Ints, af: Bools) -> tuple[NDArray[np.uint8], Floats]:
    """Return the byte that the engine keeps of each minute, and the share of AF beats (NaN without beats)."""
    count = np.bincount(minute)
    percent = irregular_pct(np.rint(rr_ms).astype(np.int16), count.astype(np.int32))
    code = np.where(np.isnan(percent), 0, np.minimum(np.rint(percent), 253) + 1).astype(np.uint8)
    return code, np.bincount(minute, weights=af) / np.where(count > 0, count, np.nan)


def entropy(rr_ms: Floats, count: Ints) -> Floats:
    """Shannon entropy of the intervals of each run in bins of 5 % of their median; (n,) nats."""
    runs = beat_runs(rr_ms, count)
    cell = (runs.rr_ms / (0.05 * runs.median()[runs.run])).astype(np.int64)
    one, held = np.unique(runs.run * 10_000 + cell, return_counts=True)
    run = one // 10_000
    share = held / runs.count[run]
    return np.bincount(run, weights=-share * np.log(share), minlength=len(count)).astype(np.float64)


def _second_lowest(code: NDArray[np.uint8], windows: int) -> Floats:
    """Return the percent that all but one of the five minutes of each window reach; NaN below four minutes."""
    padded = np.zeros(windows * WIDTH, np.uint8)
    padded[: len(code)] = code[: len(padded)]
    five = np.sort(np.where(padded > 0, padded.astype(np.float64) - 1, np.nan).reshape(windows, WIDTH), axis=1)
    told = (~np.isnan(five)).sum(axis=1)
    # of five the second lowest, of four the lowest: four minutes reach it, as `irregular_windows` asks
    return np.where(told >= ENOUGH, five[np.arange(windows), np.maximum(told - ENOUGH, 0)], np.nan)
