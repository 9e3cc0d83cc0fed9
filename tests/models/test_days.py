"""Training and serving must see the same days: the engine's summary of a day against the journal's."""

import numpy as np

from models.days import day_features
from models.snapshot import DAY_FEATURES, MINUTES
from monitor.wearers.days import begin_day, close_day, past_days
from monitor.wearers.fields import HR_COUNT, HR_MAX, HR_MEDIAN, HR_MIN, IRREGULAR, STAGE, STEPS
from monitor.wearers.state import State

DAY = 20_000


def test_a_day_of_the_journal_equals_the_engines_day() -> None:
    chance = np.random.default_rng(4)
    worn_share = np.array([0.95, 0.5, 0.03, 0.0, 0.9])  # the third is worn too little to count
    n = len(worn_share)
    worn = chance.random((n, MINUTES)) < worn_share[:, None]
    grid = {
        "hr_median": np.where(worn, chance.integers(45, 150, (n, MINUTES)), 0).astype(np.uint8),
        "hr_min": np.where(worn, chance.integers(35, 45, (n, MINUTES)), 0).astype(np.uint8),
        "hr_max": np.where(worn, chance.integers(150, 200, (n, MINUTES)), 0).astype(np.uint8),
        "hr_count": np.where(worn, 60, 0).astype(np.uint8),
        "irregular": np.where(worn, chance.integers(1, 25, (n, MINUTES)), 255).astype(np.uint8),
        "steps": np.where(
            worn, chance.integers(0, 140, (n, MINUTES)) * (chance.random((n, MINUTES)) < 0.4), 255
        ).astype(np.uint8),
        "stage": np.where(chance.random((n, MINUTES)) < 0.3, chance.integers(0, 6, (n, MINUTES)), 0).astype(np.uint8),
    }
    grid["steps"][4], grid["irregular"][4], grid["stage"][4] = 255, 255, 0
    state = State(16)
    row = np.array([state.add(f"w{k}", 0) for k in range(n)])
    held = state.minute_bytes()
    for name, byte in (
        ("hr_median", HR_MEDIAN),
        ("hr_min", HR_MIN),
        ("hr_max", HR_MAX),
        ("hr_count", HR_COUNT),
        ("stage", STAGE),
    ):
        held[row, :, byte] = grid[name]
    held[row, :, STEPS] = np.where(grid["steps"] != 255, grid["steps"] + 1, 0)
    held[row, :, IRREGULAR] = np.where(grid["irregular"] != 255, grid["irregular"] + 1, 0)
    state.head_minute[row] = DAY * MINUTES + MINUTES - 1

    begin_day(state, row, np.full(n, DAY + 1))
    close_day(state, row, np.full(n, DAY))
    engine = past_days(state, row, np.full(n, DAY + 1))[:, -1]

    nothing = np.full(n, np.nan, np.float32)
    journal = day_features(grid, systolic_mmhg=nothing, diastolic_mmhg=nothing, temperature_c=nothing)
    for column, name in enumerate(DAY_FEATURES):
        np.testing.assert_allclose(journal[:, column], engine[:, column], rtol=1e-3, err_msg=name)
    assert np.isfinite(engine[0, :8]).all()
    assert np.isnan(engine[2, :8]).all()
