"""A small seeded village of wearers as a journal: quick to make, with signals planted where the tests look for them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_DAY = 20_000
DAY = 1440


def write(folder: Path, table: str, **columns: object) -> None:
    """Write one Parquet file of a journal table."""
    (folder / table).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / table / "a.parquet")


def make_village(
    folder: Path, *, wearers: int = 24, days: int = 4, seed: int = 1, per_day: float = 1.0, shuffled: bool = False
) -> Path:
    """Write a journal in which tachycardia, infection and crisis show in heart rate and pressure.

    shuffled: labels belong to the wrong wearers and times, so that nothing can be learned from them.
    """
    chance = np.random.default_rng(seed)
    T = days * DAY
    minute = np.arange(T)
    ids = [f"w{n:03d}" for n in range(wearers)]
    rest = chance.normal(65, 5, wearers)
    hour = (minute % DAY) / 60
    asleep = (hour < 7) | (hour >= 23)
    hr = rest[:, None] + np.where(asleep, -6, 4) + chance.normal(0, 2, (wearers, T))
    walking = (chance.random((wearers, T // 15)) < 0.15).repeat(15, axis=1) & ~asleep
    steps = np.where(walking, chance.integers(60, 120, (wearers, T)), 0)
    hr += np.where(walking, 25, 0)
    stage = np.where(asleep, chance.integers(2, 5, (wearers, T)), 0)
    irregular = np.where(chance.random((wearers, T)) < 0.5, chance.integers(3, 8, (wearers, T)), 255)
    labels: list[tuple[str, str, int, int]] = []
    bp: list[tuple[str, int, int, int]] = []
    for w in range(wearers):
        for m in chance.integers(0, T, days * 4):
            bp.append((ids[w], int(m), int(chance.normal(124, 6)), int(chance.normal(78, 5))))
        for _ in range(chance.poisson(per_day * days)):
            onset = int(chance.integers(120, T - 180))
            if chance.random() < 0.6:
                hr[w, onset - 40 : onset + 90] = 128 + chance.normal(0, 2, 130)
                steps[w, onset - 40 : onset + 90] = 0
                labels.append((ids[w], "tachycardia_at_rest", onset, onset + 90))
            else:
                for m in (onset - 30, onset + 20):
                    bp.append((ids[w], m, int(chance.normal(192, 5)), int(chance.normal(118, 4))))
                labels.append((ids[w], "hypertensive_crisis", onset, onset + 120))
    worn = chance.random((wearers, T)) > 0.05
    if shuffled:
        labels = [
            (ids[int(chance.integers(wearers))], o, s, s + 90)
            for _, o, _, _ in labels
            for s in [int(chance.integers(120, T - 180))]
        ]
    base = START_DAY * DAY
    bpm = np.clip(hr, 30, 220).astype(np.uint8)
    write(
        folder,
        "minutes",
        wearer_id=np.repeat(ids, T)[worn.ravel()],
        minute=np.tile(base + minute, wearers)[worn.ravel()],
        hr_median=bpm[worn],
        hr_min=bpm[worn] - 3,
        hr_max=bpm[worn] + 3,
        hr_count=np.full(worn.sum(), 12, np.uint8),
        irregular=irregular[worn].astype(np.uint8),
        steps=steps[worn].astype(np.uint8),
        stage=stage[worn].astype(np.uint8),
        reason=np.zeros(worn.sum(), np.uint8),
    )
    write(
        folder,
        "bp",
        wearer_id=[b[0] for b in bp],
        minute=[base + b[1] for b in bp],
        systolic=np.array([b[2] for b in bp], np.int16),
        diastolic=np.array([b[3] for b in bp], np.int16),
        pulse=np.full(len(bp), 70, np.int16),
        method=np.ones(len(bp), np.uint8),
    )
    nights = [(name, d) for name in ids for d in range(1, days)]
    write(
        folder,
        "sleep",
        wearer_id=[n for n, _ in nights],
        source_record_id=[f"{n}-{d}" for n, d in nights],
        revision=np.zeros(len(nights), np.int32),
        start_minute=[base + d * DAY - 60 for _, d in nights],
        end_minute=[base + d * DAY + 420 for _, d in nights],
        **{part: np.full(len(nights), 96, np.float32) for part in ("light_min", "deep_min", "rem_min", "awake_min")},
        total_min=np.full(len(nights), 440, np.float32),
    )
    hours = np.arange(days * 24)
    write(
        folder,
        "weather",
        wearer_id=np.repeat(ids, len(hours)),
        hour=np.tile(START_DAY * 24 + hours, wearers),
        **{
            name: np.tile(np.float32(15) + 5 * np.sin(hours / 4), wearers).astype(np.float32)
            for name in ("temperature_c", "humidity_pct", "wind_mps", "pm25_ugm3")
        },
    )
    write(
        folder,
        "profiles",
        wearer_id=ids,
        age_years=chance.integers(25, 85, wearers).astype(np.float64),
        sex=["female", "male"] * (wearers // 2),
        height_cm=np.full(wearers, 170.0),
        weight_kg=np.full(wearers, 70.0),
        conditions=[["hypertension"]] * wearers,
        medications=[["beta_blocker", "unheard_of"]] * wearers,
        team=["north"] * wearers,
    )
    write(
        folder,
        "labels",
        wearer_id=[r[0] for r in labels],
        outcome=[r[1] for r in labels],
        onset_minute=[base + r[2] for r in labels],
        end_minute=[base + r[3] for r in labels],
        severity=np.full(len(labels), 0.5),
        silent=[False] * len(labels),
        asserted_by=["truth"] * len(labels),
    )
    return folder
