"""The risk model: Predictor.score on batches of 64 wearers with full histories, one thread, tensors included."""

import time

import numpy as np

from benchmarks.figure import Figure, Target, rate
from models.snapshot import Snapshot
from simulators.chance import generator

BATCH = 64
BATCHES_A_ROUND = 4
AS_OF_MINUTE = 29_459_520  # 2026-01-05T00:00:00Z


class ModelPasses:
    """A predictor on the CPU; each round scores some batches."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []

    def prepare(self) -> None:
        """Load the packaged bundle and warm up."""
        import torch

        from models.predict import Predictor

        self._torch = torch
        self._predictor = Predictor.load(device="cpu")
        self._snapshot = wearers_of_whom_much_is_known(BATCH)
        self._predictor.score(self._snapshot)

    def round(self) -> None:
        """Score some batches on one thread."""
        threads = self._torch.get_num_threads()
        self._torch.set_num_threads(1)
        began = time.process_time()
        for _ in range(BATCHES_A_ROUND):
            self._predictor.score(self._snapshot)
        ended = time.process_time()
        self._torch.set_num_threads(threads)
        self._taken.append((BATCH * BATCHES_A_ROUND, ended - began))

    def figures(self) -> list[Figure]:
        """Return what the rounds gave."""
        note = (
            f"`Predictor.score` with the packaged bundle on the CPU, {BATCH} wearers a batch with full histories,"
            " tensors and calibration included, one thread; process CPU time."
        )
        return [rate("model", self._taken, "wearers/s of one core", note, Target("at least", 700))]


def wearers_of_whom_much_is_known(B: int) -> Snapshot:
    """Return B made-up wearers with a day of minutes, weather, readings, sleeps and past days."""
    rng = generator(1, "benchmark snapshot")
    known = Snapshot.empty(B)
    known.as_of_minute[:] = AS_OF_MINUTE
    median = np.clip(70 + 10 * rng.standard_normal(known.hr_median.shape), 45, 180).astype(np.uint8)
    known.hr_median[:], known.hr_min[:], known.hr_max[:] = median, median - 4, median + 5
    known.hr_count[:] = 60
    known.irregular[:] = rng.integers(2, 12, known.irregular.shape)
    known.steps[:] = rng.integers(0, 120, known.steps.shape)
    known.stage[:, :480] = rng.integers(1, 5, (B, 480))
    known.bp_minute[:] = AS_OF_MINUTE - 1000 * np.arange(known.bp_minute.shape[1])[::-1] - 10
    known.bp_systolic[:] = rng.integers(110, 150, known.bp_systolic.shape)
    known.bp_diastolic[:] = rng.integers(65, 95, known.bp_diastolic.shape)
    known.bp_method[:] = 1
    known.sleep_end[:] = AS_OF_MINUTE - 1440 * np.arange(known.sleep_end.shape[1])[::-1] - 300
    known.sleep_start[:] = known.sleep_end - 450
    known.sleep_minutes[:] = (430, 220, 90, 100, 20)
    known.weather_past[:] = (18, 60, 3, 8)
    known.weather_forecast[:] = (20, 55)
    known.days[:] = rng.random(known.days.shape) * 10 + 60
    known.age_years[:], known.bmi[:], known.sex[:], known.cadence_s[:] = 55, 26, 1, 1
    return known
