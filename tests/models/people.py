"""Snapshots made by hand."""

import numpy as np

from models.snapshot import Snapshot

AS_OF = 30_000_000


def well_known(B: int, seed: int = 0) -> Snapshot:
    """B wearers of whom every modality is known."""
    chance = np.random.default_rng(seed)
    snapshot = Snapshot.empty(B)
    snapshot.as_of_minute[:] = AS_OF
    snapshot.hr_median[:] = chance.integers(50, 120, (B, 1440))
    snapshot.hr_min[:], snapshot.hr_max[:], snapshot.hr_count[:] = snapshot.hr_median - 5, snapshot.hr_median + 5, 60
    snapshot.irregular[:] = chance.integers(2, 30, (B, 1440))
    snapshot.steps[:] = chance.integers(0, 100, (B, 1440)) * (chance.random((B, 1440)) < 0.3)
    snapshot.stage[:] = chance.integers(0, 6, (B, 1440))
    snapshot.bp_minute[:] = AS_OF - np.arange(16, 0, -1) * 60
    snapshot.bp_systolic[:], snapshot.bp_diastolic[:] = chance.integers(100, 180, (B, 16)), 80
    snapshot.bp_pulse[:], snapshot.bp_method[:] = 70, 1
    snapshot.sleep_end[:] = AS_OF - np.arange(14, 0, -1) * 1440 + 300
    snapshot.sleep_start[:] = snapshot.sleep_end - 450
    snapshot.sleep_minutes[:] = chance.integers(50, 400, (B, 14, 5))
    snapshot.weather_past[:] = chance.normal(20, 5, (B, 24, 4))
    snapshot.weather_forecast[:] = chance.normal(20, 5, (B, 24, 2))
    snapshot.days[:] = chance.normal(60, 5, (B, 28, 12))
    snapshot.age_years[:], snapshot.bmi[:], snapshot.sex[:], snapshot.cadence_s[:] = 50, 25, 1, 1
    return snapshot


BLANK = {
    "heart_rate": ("hr_median", "hr_min", "hr_max", "hr_count"),
    "rr_intervals": ("irregular",),
    "activity": ("steps",),
    "sleep": ("stage", "sleep_start", "sleep_end", "sleep_minutes"),
    "blood_pressure": ("bp_minute", "bp_systolic", "bp_diastolic", "bp_pulse", "bp_method"),
    "weather": ("weather_past", "weather_forecast"),
    "history": ("days",),
    "profile": ("age_years", "bmi", "sex", "conditions", "medications"),
}


def blanked(snapshot: Snapshot, row: int, modality: str) -> None:
    """Take a modality from one wearer, in place."""
    nothing = Snapshot.empty(1)
    for name in BLANK[modality]:
        getattr(snapshot, name)[row] = getattr(nothing, name)[0]
