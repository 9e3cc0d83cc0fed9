"""Rows for the journal, collected while a step decides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.snapshot import DAY_FEATURES
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
from monitor.wearers.reported import Report, Session
from monitor.wearers.state import State
from stream_schemas.alert import Alert
from stream_schemas.score import RiskScores
from stream_schemas.wearer import WearerProfile

MINUTE_MS = 60_000
NO_DATA = 255
SLEEP_MINUTES = ("total_min", "light_min", "deep_min", "rem_min", "awake_min")
WEATHER = ("temperature_c", "humidity_pct", "wind_mps", "pm25_ugm3")


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
            row,
            minute=time_ms // MINUTE_MS,
            systolic=systolic,
            diastolic=diastolic,
            pulse=pulse,
            method=method,
        )

    def session(self, row: int, session: Session) -> None:
        """Add a sleep session."""
        self._add(
            "sleep",
            row,
            source_record_id=session.source_record_id,
            revision=session.revision,
            start_minute=session.start_ms // MINUTE_MS,
            end_minute=session.end_ms // MINUTE_MS,
            **dict(zip(SLEEP_MINUTES, session.minutes, strict=True)),
        )

    def weather(self, row: int, report: Report) -> None:
        """Add a weather report."""
        self._add("weather", row, hour=report.time_ms // 3_600_000, **dict(zip(WEATHER, report.now, strict=True)))

    def day(self, row: int, day: int, features: NDArray[np.float64]) -> None:
        """Add the features of a finished day."""
        self._add("days", row, day=day, **dict(zip(DAY_FEATURES, features.tolist(), strict=True)))

    def scores(self, row: int, scores: RiskScores, wearer: int) -> None:
        """Add the scores of a wearer that came back, one row a head; NaN = not assessable."""
        for head, column in zip(scores.heads, scores.probability, strict=True):
            probability = column[wearer]
            self._add(
                "scores",
                row,
                scored_at_ms=scores.scored_at_ms,
                model_version=scores.model_version,
                head=head,
                probability=float("nan") if probability is None else probability,
            )

    def alert(self, row: int, alert: Alert, *, start_ms: int, raised_ms: int, stamp_ms: int) -> None:
        """Add a version of an alert."""
        self._add(
            "alerts",
            row,
            alert_id=alert.alert_id,
            version=alert.version,
            rule=alert.rule,
            team=alert.team,
            priority=alert.priority,
            condition=alert.condition,
            workflow=alert.workflow,
            start_minute=start_ms // MINUTE_MS,
            raised_at_ms=raised_ms,
            stamp_ms=stamp_ms,
        )

    def profile(self, row: int, profile: WearerProfile) -> None:
        """Add a wearer's profile."""
        self._add(
            "profiles",
            row,
            age_years=float(profile.age_years),
            sex=profile.sex or "unknown",
            height_cm=float("nan") if profile.height_cm is None else float(profile.height_cm),
            weight_kg=float("nan") if profile.weight_kg is None else float(profile.weight_kg),
            conditions=list(profile.conditions),
            medications=list(profile.medications),
            team=profile.team,
        )

    def take(self, at: NDArray[np.int64]) -> dict[str, Columns]:
        """Hand over what was collected, once: table name -> columns; *at* is each partition's cut in cuts.v1."""
        tables: dict[str, Columns] = {}
        if self._minutes:
            row, minute, slots = (np.concatenate(part) for part in zip(*self._minutes, strict=True))
            tables["minutes"] = {
                "wearer_id": [self.state.wearer_of[r] for r in row.tolist()],
                "partition": self.state.partition[row],
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
            tables[name]["partition"] = np.array(tables[name]["partition"], np.int32)
        for columns in tables.values():
            columns["cut"] = at[np.asarray(columns["partition"])]
        self._minutes, self._tables = [], {}
        return tables

    def discard(self) -> None:
        """Forget what was collected."""
        self._minutes, self._tables = [], {}

    def _add(self, table: str, row: int, **columns: Any) -> None:
        of_whom = {"wearer_id": self.state.wearer_of[row], "partition": int(self.state.partition[row])}
        self._tables.setdefault(table, []).append(of_whom | columns)


def _shifted(stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """From the ring's value + 1 with 0 for nothing, to the journal's value with 255 for nothing."""
    return np.where(stored > 0, stored - np.uint8(1), np.uint8(NO_DATA))
