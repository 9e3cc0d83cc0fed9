"""Rows for the journal, collected while a step decides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.outputs import Columns
from monitor.wearers.fields import (
    HR_COUNT,
    HR_MAX,
    HR_MEDIAN,
    HR_MIN,
    IRREGULAR,
    MINUTES,
    REASON,
    STAGE,
    STEPS,
)
from monitor.wearers.state import State
from stream_schemas.columns import SleepColumns, WeatherColumns
from stream_schemas.sleep import MINUTES as TOTALS
from stream_schemas.wearer import WearerProfile

MINUTE_MS = 60_000
NO_DATA = 255


class JournalRows:
    """Collects rows by table; `take` hands them over as columns."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._minutes: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]] = []
        self._tables: dict[str, list[dict[str, Any]]] = {}

    def minutes(self, row: NDArray[np.int64], minute: NDArray[np.int64]) -> None:
        """Add decided minutes as they stand."""
        if len(row):
            self._minutes.append((row, minute, self.state.minute_bytes()[row, minute % MINUTES]))

    def reading(self, row: int, time_ms: int, systolic: int, diastolic: int, pulse: int, method: int) -> None:
        """Add a blood-pressure reading."""
        self._add(
            "bp",
            wearer_id=self.state.wearer_of[row],
            minute=time_ms // MINUTE_MS,
            systolic=systolic,
            diastolic=diastolic,
            pulse=pulse,
            method=method,
        )

    def session(self, row: int, source_record_id: str, revision: int, i: int, cols: SleepColumns) -> None:
        """Add a sleep session."""
        totals = {
            name.replace("total_sleep_min", "total_min"): float(x)
            for name, x in zip(TOTALS, cols.minutes[i], strict=True)
        }
        self._add(
            "sleep",
            wearer_id=self.state.wearer_of[row],
            source_record_id=source_record_id,
            revision=revision,
            start_minute=int(cols.start_ms[i]) // MINUTE_MS,
            end_minute=int(cols.end_ms[i]) // MINUTE_MS,
            **totals,
        )

    def weather(self, row: int, i: int, cols: WeatherColumns) -> None:
        """Add a weather report."""
        self._add(
            "weather",
            wearer_id=self.state.wearer_of[row],
            hour=int(cols.start_ms[i]) // 3_600_000,
            temperature_c=float(cols.temperature_c[i]),
            humidity_pct=float(cols.humidity_pct[i]),
            wind_mps=float(cols.wind_mps[i]),
            pm25_ugm3=float(cols.pm25_ugm3[i]),
        )

    def profile(self, row: int, profile: WearerProfile) -> None:
        """Add a wearer's profile."""
        self._add(
            "profiles",
            wearer_id=self.state.wearer_of[row],
            age_years=float(profile.age_years),
            sex=profile.sex or "unknown",
            height_cm=float("nan") if profile.height_cm is None else float(profile.height_cm),
            weight_kg=float("nan") if profile.weight_kg is None else float(profile.weight_kg),
            conditions=list(profile.conditions),
            medications=list(profile.medications),
            team=profile.team,
        )

    def take(self) -> dict[str, Columns]:
        """Hand over what was collected, once: table name -> columns."""
        tables: dict[str, Columns] = {}
        if self._minutes:
            row, minute, slots = (np.concatenate(part) for part in zip(*self._minutes, strict=True))
            tables["minutes"] = {
                "wearer_id": [self.state.wearer_of[r] for r in row.tolist()],
                "minute": minute,
                "hr_median": slots[:, HR_MEDIAN],
                "hr_min": slots[:, HR_MIN],
                "hr_max": slots[:, HR_MAX],
                "hr_count": slots[:, HR_COUNT],
                "irregular": _shifted(slots[:, IRREGULAR]),
                "steps": _shifted(slots[:, STEPS]),
                "stage": slots[:, STAGE],
                "reason": slots[:, REASON],
            }
        for name, rows in self._tables.items():
            tables[name] = {column: [r[column] for r in rows] for column in rows[0]}
        self._minutes, self._tables = [], {}
        return tables

    def _add(self, table: str, **row: Any) -> None:
        self._tables.setdefault(table, []).append(row)


def _shifted(stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """From the ring's value + 1 with 0 for nothing, to the journal's value with 255 for nothing."""
    return np.where(stored > 0, stored - np.uint8(1), np.uint8(NO_DATA))
